/** The watch over silent warehouses: what is asked about, how often, and from where. */
import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { WarehouseMessage } from '#capabilities/wms.ts'
import { Outage } from '#platform/faults.ts'
import type { InboundDoor } from '#platform/inbound.ts'
import type { StreamGap } from '#platform/inbox-gaps.ts'
import { fakeClock, type FakeClock } from '#tests/support/clock.ts'
import { openTestDatabase, type OpenDatabase } from '#tests/support/open-database.ts'
import { askSilentWarehouses, timesToAsk } from '../../src/processes/silent-warehouses.ts'

const MINUTE_MS = 60_000
const AFTER_MS = 10 * MINUTE_MS

let house: OpenDatabase
let clock: FakeClock
let asked: StreamGap[][]
let isOut: boolean
let failures: unknown[]
beforeAll(async () => {
  house = await openTestDatabase()
})
afterAll(() => house.end())
beforeEach(async () => {
  await house.run(
    'truncate desk.document, shipments.fulfillment, shipments.packing, log.event, inbox.stream, reading.progress',
  )
  clock = fakeClock(new Date())
  ;[asked, failures, isOut] = [[], [], false]
})

const wms: InboundDoor<WarehouseMessage> = {
  instance: 'wms',
  order: {},
  samples: {},
  read: () => [],
  restore: () => {
    throw new Error('nothing is filed here')
  },
  streamOf: (reference) => `requests/${reference}`,
  async askAgain(gaps) {
    asked.push([...gaps])
    if (isOut) throw new Outage('wms', 'no answer')
    return []
  },
}

const look = (): Promise<void> =>
  askSilentWarehouses({
    database: house.database,
    clock,
    warehouses: new Map([['wms', wms]]),
    systemAt: (location) => ({ DC1: 'wms', DC2: 'elsewhere' })[location],
    hear: () => Promise.reject(new Error('nothing was told')),
    silentAfterMs: AFTER_MS,
    onError: (_, error) => void failures.push(error),
  })
const streamsAsked = (): string[] => asked.splice(0).flatMap((gaps) => gaps.map(({ stream }) => stream))

type Request = { order: number; doc: number; state?: string; location?: string; agoMs?: number }

/** Requests of orders that are under way, the last news of each so long ago. */
async function under(...requests: Request[]): Promise<void> {
  const rows = requests.map((one) => ({ state: 'accepted', location: 'DC1', agoMs: AFTER_MS, ...one }))
  const columns = [
    rows.map(({ order }) => order),
    rows.map(({ doc }) => doc),
    rows.map(({ state }) => state),
    rows.map(({ location }) => location),
    rows.map(({ agoMs }) => new Date(clock.now().getTime() - agoMs)),
  ]
  await house.run(
    `with given as (select * from unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::timestamptz[])
       as g(order_id, doc, state, location, heard)),
     desk as (insert into desk.document (doc, process, company)
       select distinct order_id, 'order-to-cash', 'NWF' from given on conflict do nothing),
     requests as (insert into shipments.fulfillment (id, company, order_id, location, state, version, requested_at)
       select doc, 'NWF', order_id, location, state, 2, heard from given)
     insert into log.event (type, key, key_version, company, recorded_at, source, actor, correlation_id, data)
     select 'fulfillment.accepted', doc, 2, 'NWF', heard, 'wms', 'wms', order_id, '{}' from given`,
    columns,
  )
}

test('only what is open and has been silent for long is asked about, and only where it can be asked', async () => {
  await under(
    { order: 1, doc: 11 },
    { order: 1, doc: 12, location: 'DC2' },
    { order: 2, doc: 21, state: 'requested' },
    { order: 3, doc: 31, state: 'picking' },
    { order: 4, doc: 41, state: 'packed' },
    { order: 5, doc: 51, state: 'done' },
    { order: 6, doc: 61, state: 'cancelled' },
    { order: 7, doc: 71, agoMs: AFTER_MS - MINUTE_MS },
  )
  await look()
  expect(asked).toHaveLength(1)
  expect(streamsAsked()).toEqual(['requests/F-11', 'requests/F-21', 'requests/F-31', 'requests/F-41'])
})

test('what follows what was applied of a stream is asked for, and all of a stream of which nothing was', async () => {
  await under({ order: 1, doc: 11 }, { order: 2, doc: 21 })
  await house.run(
    `insert into inbox.stream (source, stream, last_sequence) values ('wms', 'requests/F-11', 3)`,
  )
  await look()
  expect(asked).toEqual([
    [
      { source: 'wms', stream: 'requests/F-11', missing: { from: 4, to: Number.MAX_SAFE_INTEGER } },
      { source: 'wms', stream: 'requests/F-21', missing: { from: 0, to: Number.MAX_SAFE_INTEGER } },
    ],
  ])
})

test('it is asked after pauses that double up to an hour, by whichever process looks', async () => {
  await under({ order: 1, doc: 11, agoMs: 0 })
  const minutes: number[] = []
  for (let minute = 0; minute <= 240; minute++) {
    await look()
    if (streamsAsked().length > 0) minutes.push(minute)
    await clock.advance(MINUTE_MS)
  }
  expect(minutes).toEqual([10, 20, 40, 80, 140, 200])
})

test('news begins the silence anew', async () => {
  await under({ order: 1, doc: 11, agoMs: 70 * MINUTE_MS })
  await look()
  expect(streamsAsked()).toHaveLength(1)
  await house.run('update shipments.fulfillment set version = 3')
  await house.run(
    `insert into log.event (type, key, key_version, company, recorded_at, source, actor, correlation_id, data)
     values ('fulfillment.picking', 11, 3, 'NWF', $1, 'wms', 'wms', 1, '{}')`,
    [clock.now()],
  )
  await clock.advance(AFTER_MS - 1)
  await look()
  expect(streamsAsked()).toEqual([])
  await clock.advance(1)
  await look()
  expect(streamsAsked()).toEqual(['requests/F-11'])
})

test('of many orders each look takes a part, and a round through them leaves none out and asks none twice', async () => {
  const requests = Array.from({ length: 1_200 }, (_, n) => ({ order: n + 1, doc: 10_000 + n }))
  await under(...requests)
  const looks: number[] = []
  for (let n = 0; n < 4; n++) {
    await look()
    looks.push(asked.flat().length)
    await clock.advance(MINUTE_MS)
  }
  expect(looks).toEqual([500, 1_000, 1_200, 1_200])
  expect(new Set(streamsAsked()).size).toBe(1_200)
})

test('a warehouse that does not answer is told to whoever watches, and is asked when the next time comes', async () => {
  await under({ order: 1, doc: 11 })
  isOut = true
  await look()
  expect(failures).toEqual([expect.any(Outage)])
  isOut = false
  await clock.advance(AFTER_MS)
  await look()
  expect(asked).toHaveLength(2)
})

test('no statement of a look reads a whole table', async () => {
  await under({ order: 1, doc: 11 })
  await look()
  const statements = [...house.statements()].filter(([name]) => !name.startsWith('readings.'))
  expect(statements.map(([name]) => name).toSorted()).toEqual([
    'desk.page',
    'inbox.stream_progress',
    'log.versions_made',
    'shipments.open_requests_of_orders',
  ])
  for (const [, statement] of statements) expect(await house.fullReads(statement)).toEqual([])
})

test('the longer the silence the more often it was asked, at most once in an hour when it lasts', () => {
  const duration = fc.integer({ min: 0, max: 30 * 24 * 60 * MINUTE_MS })
  const after = fc.integer({ min: 1, max: 24 * 60 * MINUTE_MS })
  fc.assert(
    fc.property(duration, duration, after, (silentMs, moreMs, afterMs) => {
      const times = timesToAsk(silentMs, afterMs)
      expect(timesToAsk(silentMs, afterMs) > 0).toBe(silentMs >= afterMs)
      const more = timesToAsk(silentMs + moreMs, afterMs) - times
      expect(more).toBeGreaterThanOrEqual(0)
      if (silentMs > 3 * 60 * MINUTE_MS) expect(more).toBeLessThanOrEqual(1 + moreMs / (60 * MINUTE_MS))
    }),
  )
})
