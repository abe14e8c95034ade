/** A look at parcels of which nothing is heard: which are asked about, in which order, and when not. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { CarrierReader } from '#capabilities/carrier.ts'
import { Outage } from '#platform/faults.ts'
import { fakeClock, type FakeClock } from '#tests/support/clock.ts'
import { openTestDatabase, type OpenDatabase } from '#tests/support/open-database.ts'
import { askAboutParcels, measureSilent } from '../../src/processes/silent-parcels.ts'

const DAY_MS = 86_400_000
const AFTER_MS = 60_000
let store: OpenDatabase
let clock: FakeClock
let looked: string[]
let outcomes: string[]
let failures: unknown[]
let broken: ReadonlySet<string>
let retryAt: Date | undefined
let meanwhile: () => Promise<unknown>
beforeAll(async () => {
  store = await openTestDatabase()
})
afterAll(() => store.end())
beforeEach(async () => {
  await store.run('truncate shipments.package, shipments.early_scan')
  clock = fakeClock(new Date())
  ;[looked, outcomes, failures, broken] = [[], [], [], new Set()]
  meanwhile = async () => undefined
  retryAt = undefined
})

const tracker: CarrierReader = {
  instance: 'carrier',
  names: ['SWIFT'],
  async track(number) {
    looked.push(number)
    await meanwhile()
    if (broken.has(number)) throw new Outage('carrier', 'no answer', retryAt && { retryAt })
    return []
  },
}
const look = (): Promise<number> =>
  askAboutParcels({
    clock,
    database: store.database,
    tracker,
    hear: () => Promise.reject(new Error('nothing was told')),
    openExceptions: async () => undefined,
    afterMs: AFTER_MS,
    missedAfterMs: 30 * DAY_MS,
    unansweredAfterMs: 30 * DAY_MS,
    onAsked: (answer) => void outcomes.push(answer),
    onError: (error) => void failures.push(error),
  })
const looksAt = async (): Promise<string[]> => {
  await look()
  return looked.splice(0)
}
const leave = (rows: readonly { number: string; system?: string | null; agoMs?: number; n?: number }[]) =>
  store.run(
    `insert into shipments.package (shipment_id, n, tracking, ask_system, ask_at, news_at)
     select 1, n, tracking, system, at, at - interval '1 minute'
     from unnest($1::smallint[], $2::text[], $3::text[], $4::timestamptz[]) as k(n, tracking, system, at)`,
    [
      rows.map((_, place) => place),
      rows.map(({ number }) => number),
      rows.map(({ system = 'carrier' }) => system),
      rows.map(({ system = 'carrier', agoMs = 0 }) =>
        system ? new Date(clock.now().getTime() - agoMs) : null,
      ),
    ],
  )

test('a look asks about what is due, the longest first, and about each number once', async () => {
  await leave([
    { number: 'A' },
    { number: 'B', agoMs: 2_000 },
    { number: 'B', agoMs: 1_000 },
    { number: 'ARRIVED', system: null },
    { number: 'ELSEWHERE', system: 'other' },
    { number: 'LATER', agoMs: -1_000 },
  ])
  expect(await looksAt()).toEqual(['B', 'A'])
  expect(await looksAt()).toEqual([])
  await clock.advance(AFTER_MS)
  expect(await looksAt()).toEqual(expect.arrayContaining(['A', 'B', 'LATER']))
})

test('a look takes all that is due in portions', async () => {
  await leave(Array.from({ length: 230 }, (_, nth) => ({ number: `P${nth}` })))
  expect(new Set(await looksAt()).size).toBe(230)
  expect(looked).toEqual([])
})

test('a look leaves alone what was heard of while its carrier was asked', async () => {
  await leave([{ number: 'A' }, { number: 'B' }])
  const heardAt = new Date(clock.now().getTime() + 5 * AFTER_MS)
  meanwhile = () =>
    store.run(`update shipments.package set news_at = $1, ask_at = $1 where tracking = 'A'`, [heardAt])
  await look()
  const rows = await store.run<{ tracking: string; times: number; at: Date; answer: string; asked: Date }>(
    `select tracking, times_asked as times, ask_at as at, asked_answer as answer, asked_at as asked
     from shipments.package order by tracking`,
  )
  expect(rows).toEqual([
    { tracking: 'A', times: 0, at: heardAt, answer: 'nothing_new', asked: clock.now() },
    {
      tracking: 'B',
      times: 1,
      at: new Date(clock.now().getTime() + AFTER_MS),
      answer: 'nothing_new',
      asked: clock.now(),
    },
  ])
})

test('a look asks about no parcel of which scans wait to be booked', async () => {
  await leave([{ number: 'A' }, { number: 'B' }, { number: 'C' }])
  await store.run(
    `insert into shipments.early_scan (source, message_id, tracking, milestone, code, sequence, scanned_at, told_at, due_at)
     values ('carrier', 'M1', 'A', 'in_transit', 'ARR', 3, now(), now(), now()),
       ('other', 'M1', 'B', 'in_transit', 'ARR', 3, now(), now(), now())`,
  )
  expect((await looksAt()).toSorted()).toEqual(['B', 'C'])
})

test.each([
  [undefined, 0],
  [90_000, 90_000],
  [DAY_MS, 300_000],
])('a look that hears to be silent for %s ms is followed by none for %s', async (askedMs, pauseMs) => {
  await leave([{ number: 'A' }])
  expect(await look()).toBe(0)
  await clock.advance(AFTER_MS)
  broken = new Set(['A'])
  retryAt = askedMs === undefined ? undefined : new Date(clock.now().getTime() + askedMs)
  expect(await look()).toBe(pauseMs)
})

test('a look ends with the first number that gets no answer, and the next begins with others', async () => {
  broken = new Set(['A'])
  await leave([{ number: 'A', agoMs: 3_000 }, { number: 'B', agoMs: 2_000 }, { number: 'C' }])
  expect(await looksAt()).toEqual(['A'])
  expect(outcomes).toEqual(['unanswered'])
  expect(failures).toHaveLength(1)
  expect(await looksAt()).toEqual(['B', 'C'])
  await clock.advance(AFTER_MS)
  expect(await looksAt()).toEqual(expect.arrayContaining(['A']))
})

test('parcels that were asked about are counted by carrier and by what is told of them, and fall to none', async () => {
  await leave([{ number: 'A' }, { number: 'B' }, { number: 'C' }, { number: 'D' }])
  await store.run(
    `update shipments.package set times_asked = 1, missed = case tracking when 'B' then 'silent' end
     where tracking in ('A', 'B')`,
  )
  await store.run(
    `update shipments.package set times_unanswered = 3, missed = 'unanswered' where tracking = 'C'`,
  )
  const levels = new Map<string, number>()
  const level = {
    set: ({ system, missed }: { system: string; missed: string }, value: number) =>
      void levels.set(`${system} ${missed}`, value),
  }
  const systems = ['carrier', 'other']
  await measureSilent({ queries: store.database, systems, level })
  expect([...levels].filter(([, value]) => value > 0)).toEqual([
    ['carrier no', 1],
    ['carrier silent', 1],
    ['carrier unanswered', 1],
  ])
  await store.run('update shipments.package set ask_at = null, ask_system = null')
  await measureSilent({ queries: store.database, systems, level })
  expect([...levels.values()]).toEqual(Array(8).fill(0))
})
