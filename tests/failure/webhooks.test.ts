/** Warehouse webhooks that come twice, in another order, late or stale change nothing but the time it takes. */
import { createHmac } from 'node:crypto'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Fault } from '#landscape/faults.ts'
import { DEFAULT_CREDENTIALS } from '#landscape/landscape.ts'
import type { WmsEvent } from '#landscape/wms/shapes.ts'
import type { WorldOrder } from '#landscape/world/world.ts'
import { openHouse, type House } from '#tests/support/house.ts'
import {
  differences,
  EVERYTHING_ONCE,
  ourInvoices,
  ourStock,
  theirInvoices,
  theirStock,
} from '#tests/support/house-books.ts'
import { inParallel, submit } from '#tests/support/house-doors.ts'
import { type Query, violationsAtRest } from '#tests/support/books-rules.ts'
import { atRest, openQuery } from '#tests/support/house-query.ts'

const COUNT = 150
const BATCH = 7

let house: House
let query: Query
let disconnect: () => Promise<void>
let orders: WorldOrder[]
async function open(): Promise<void> {
  house = await openHouse({
    plannedOrders: COUNT,
    landscape: { announcePicking: true, webhookBatch: BATCH },
    config: { worker: { claimPollMs: 50 } },
  })
  ;({ query, end: disconnect } = await openQuery(house.databaseUrl))
  orders = house.landscape.world
    .orders(COUNT)
    .filter((one) => /^(ships_at_once|fills_later)$/.test(one.expected))
}
async function close(): Promise<void> {
  await disconnect()
  await house.end()
}

async function ship(): Promise<void> {
  await inParallel(orders, 16, async (order) => {
    expect(await submit(house.url, order, `arrival-${order.nth}`)).toMatchObject({ status: 201 })
  })
  await atRest(query)
  house.landscape.wms.receiveAll()
  await vi.waitFor(
    async () => expect(await query(`select doc from inventory.backorder limit 5`)).toEqual([]),
    { timeout: 20_000, interval: 50 },
  )
  await atRest(query)
}

async function everythingAgrees(): Promise<void> {
  expect(await query(`select id from orders.sales_order where closed_at is not null`)).toHaveLength(
    orders.length,
  )
  expect(await differences(query, house.landscape)).toEqual(EVERYTHING_ONCE)
  expect(theirInvoices(house.landscape)).toEqual(await ourInvoices(query))
  expect(await ourStock(query)).toEqual(theirStock(house.landscape))
  expect(await violationsAtRest(query)).toEqual([])
  expect(house.complaints).toEqual([])
}

const TROUBLES: Readonly<Record<string, Fault[]>> = {
  'come three times': [{ kind: 'webhook-duplicate', copies: 2 }],
  'overtake each other': [{ kind: 'webhook-reorder', window: 12 }],
  'come again when later ones have passed them': [{ kind: 'webhook-stale', ms: 150 }],
  'come late, by as much as they like': [{ kind: 'webhook-delay', ms: 0, jitterMs: 400 }],
  'do all of it at once': [
    { kind: 'webhook-duplicate', share: 0.5 },
    { kind: 'webhook-stale', ms: 100, share: 0.5 },
    { kind: 'webhook-delay', ms: 20, jitterMs: 150, share: 0.3 },
    { kind: 'webhook-reorder', window: 8 },
  ],
}

describe('webhooks that', () => {
  beforeEach(open, 60_000)
  afterEach(close)

  test.each(Object.entries(TROUBLES))(
    '%s end in the same books',
    async (_, faults) => {
      house.landscape.wms.faults.set(faults)
      await ship()
      expect(house.landscape.wms.faults.list().map(({ struck }) => struck > 0)).toEqual(
        faults.map(() => true),
      )
      await everythingAgrees()
    },
    60_000,
  )
})

describe('once everything has shipped', () => {
  beforeAll(async () => {
    await open()
    await ship()
  }, 120_000)
  afterAll(close)

  test('everything that the warehouse ever told, told again backwards, changes nothing', async () => {
    const { events } = house.landscape.wms.truth()
    const before = await fingerprint()
    const outcomes = new Set<string>()
    for (let from = 0; from < events.length; from += BATCH) {
      for (const outcome of await tell(events.toReversed().slice(from, from + BATCH), `again-${from}`))
        outcomes.add(outcome)
    }
    expect([...outcomes]).toEqual(['duplicate'])
    expect(await fingerprint()).toEqual(before)
    await atRest(query)
    await everythingAgrees()
  }, 60_000)

  test('an event with the id of another one and other content is parked, with an owner, and changes nothing', async () => {
    const [event] = house.landscape.wms
      .truth()
      .events.filter(({ type }) => type === 'inventory.received') as [WmsEvent]
    const before = await fingerprint()
    expect(await tell([{ ...event, qty: 1_000_000 }], 'forged')).toEqual(['conflict'])
    expect(await fingerprint()).toEqual(before)
    expect(await query(`select cause_code from parking.item where state = 'parked'`)).toEqual([
      { cause_code: 'inbox.content_conflict' },
    ])
    const found = await query(
      `select owner from exceptions.exception where closed_at is null and cause like '%' || $1 || '%'`,
      [event.event_id],
    )
    expect(found).toEqual([{ owner: 'integration' }])
  }, 60_000)
})

/** A webhook as the warehouse signs it; answers what became of each event. */
async function tell(events: readonly WmsEvent[], id: string): Promise<string[]> {
  const body = JSON.stringify({ delivery_id: id, sent_at: '2026-11-02T12:00:00Z', events })
  const at = Math.floor(Date.now() / 1_000)
  const signature = createHmac('sha256', DEFAULT_CREDENTIALS.wms.webhookSecret)
    .update(`${at}.${body}`)
    .digest('hex')
  const response = await fetch(`${house.url}/system/wms/v1/events`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-depot-delivery': id,
      'x-depot-signature': `t=${at},v1=${signature}`,
    },
    body,
  })
  const answer = (await response.json()) as { messages: { outcome: string }[] }
  return answer.messages.map(({ outcome }) => outcome)
}

/** Of everything that a message could change. */
async function fingerprint(): Promise<unknown> {
  const [row] = await query<object>(`
    select (select count(*) from log.event) as events,
      (select md5(string_agg(p::text, ' ' order by item_id, location, lot, company)) from inventory.position p) as stock,
      (select count(*) from inventory.movement) as movements,
      (select md5(string_agg(o::text, ' ' order by id)) from orders.sales_order o) as orders,
      (select md5(string_agg(f::text, ' ' order by id)) from shipments.fulfillment f) as requests,
      (select md5(string_agg(s::text, ' ' order by id)) from shipments.shipment s) as shipments,
      (select md5(string_agg(i::text, ' ' order by id)) from billing.invoice i) as invoices`)
  return row
}
