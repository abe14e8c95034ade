/** Orders of the hosted shop, from its webhook to what its buyer is told, against the simulated systems. */
import { createHmac } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { WorldOrder } from '#landscape/world/world.ts'
import { sql } from '#platform/database.ts'
import { openExceptionsOf } from '#platform/exceptions.ts'
import { listExceptions, showException } from '#platform/exceptions-views.ts'
import { type House, openHouse } from '#tests/support/house.ts'
import { tryAgain } from '../../src/processes/refusals.ts'

let house: House
let orders: WorldOrder[]
beforeAll(async () => {
  house = await openHouse()
  orders = house.landscape.world
    .orders(200)
    .filter((one) => one.door === 'shop' && one.expected === 'ships_at_once' && one.case === 'regular')
}, 60_000)
afterAll(() => house.end())

const ordersNumbered = sql(
  'test.shop_orders',
  `select id, closed_at is not null as closed, cancel_requested_at is not null as cancelled
  from orders.sales_order where sender = 'shop' and external_id = $1`,
)
const renumber = sql('test.renumber', 'update orders.sales_order set external_id = $2 where id = $1')
const messages = sql(
  'test.shop_messages',
  `select state, repeats, detail from inbox.message where source = 'shop' and message_id = $1`,
)
const exceptions = sql(
  'test.exceptions',
  `select code, owner, state from exceptions.exception where cause like $1`,
)

const ordersOf = (externalId: number) =>
  house.app.database.query<{ id: number; closed: boolean; cancelled: boolean }>(ordersNumbered, [
    String(externalId),
  ])
const messageOf = async (id: string) =>
  (await house.app.database.query<{ state: string; repeats: number; detail: unknown }>(messages, [id]))[0]

/** A webhook as the shop of the foods company signs it. */
function tell(topic: string, id: string, order: object): Promise<{ messages: { outcome: string }[] }> {
  const body = JSON.stringify(order)
  return fetch(`${house.url}/system/shop/v1/orders`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-shop-topic': topic,
      'x-shop-domain': 'northway-foods.shop.example',
      'x-shop-webhook-id': id,
      'x-shop-hmac-sha256': createHmac('sha256', 'foods-secret').update(body).digest('base64'),
    },
    body,
  }).then(async (response) => (await response.json()) as { messages: { outcome: string }[] })
}

const outcomeOf = async (topic: string, id: string, order: object) =>
  (await tell(topic, id, order)).messages[0]?.outcome

/** An order document of the shop that was never placed there: another buyer's number and lines of a real one. */
function document(changes: Record<string, unknown> = {}) {
  const real = house.landscape.shop.truth().orders.find((one) => one.shop === 'northway-foods.shop.example')!
  const { shop: _, fulfillments: __, ...order } = structuredClone(real)
  return { ...order, updated_at: order.created_at, cancelled_at: null, ...changes }
}

test('a shop order is closed, and its buyer reads what became of it and of its goods', async () => {
  const placed = house.landscape.shop.place(orders.find((one) => one.company === 'NWF')!)
  await expect
    .poll(async () => (await ordersOf(placed.id)).map(({ closed }) => closed), { timeout: 10_000 })
    .toEqual([true])
  const told = () => house.landscape.shop.truth().orders.find((one) => one.id === placed.id)!
  await expect.poll(() => told().fulfillment_status, { timeout: 10_000 }).toBe('fulfilled')
  expect(
    told()
      .fulfillments.flatMap(({ line_items }) => line_items)
      .map(({ quantity }) => quantity),
  ).toEqual(placed.line_items.map(({ quantity }) => quantity))
  await expect.poll(() => told().tags, { timeout: 10_000 }).toContain('order-accepted')
  expect(told().note).toMatch(/^O-\d+: accepted/)
  expect(house.complaints).toEqual([])
}, 30_000)

test('the buyer reads which lines of a shop order were taken back', async () => {
  const order = house.landscape.world
    .orders(400)
    .filter(({ door, company }) => door === 'shop' && company === 'NWF')
    .find(({ expected, lines }) => expected === 'fills_later' && lines.length > 1)
  const placed = house.landscape.shop.place(order!)
  const waits = /(\d+): \d+ CA on backorder/
  await expect.poll(() => placed.note, { timeout: 10_000 }).toMatch(waits)
  const [, sku] = waits.exec(placed.note)!
  const [known] = await ordersOf(placed.id)
  const line = placed.line_items.find((item) => item.sku.startsWith(`${sku}-`))!.id
  const answer = await fetch(`${house.url}/process/order-to-cash/v1/orders/O-${known!.id}:cancel`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': 'one-line-of-the-shop' },
    body: JSON.stringify({ reason: 'ordered too much', lines: [{ line: String(line) }] }),
  })
  expect(answer.status).toBe(202)
  await expect.poll(() => placed.note, { timeout: 10_000 }).toMatch(new RegExp(`${sku}: .* cancelled`))
  expect(placed.note).not.toMatch(new RegExp(`${sku}: .* on backorder`))
  expect(placed.tags).toContain('order-accepted-with-changes')
}, 30_000)

test('what the shop refuses to be told reaches it once it is tried again, and then nobody has to look any more', async () => {
  const { database } = house.app
  house.landscape.wms.faults.set({ kind: 'latency', ms: 500 })
  const order = orders.filter((one) => one.company === 'NWF')[1]!
  const placed = house.landscape.shop.place(order)
  await expect.poll(() => ordersOf(placed.id), { timeout: 10_000 }).toHaveLength(1)
  Object.assign(placed, { cancelled_at: placed.created_at })
  house.landscape.wms.faults.clear()
  const open = () => listExceptions(database, { code: 'shipments.notice_refused' })
  await expect.poll(open, { timeout: 10_000 }).toMatchObject([{ owner: 'customer-service', affected: 1 }])
  Object.assign(placed, { cancelled_at: null })
  const { id } = (await open())[0]!
  await database.transaction((tx) => tryAgain(tx, id, { actor: 'ann', text: 'open again' }))
  await expect.poll(open, { timeout: 10_000 }).toEqual([])
  await expect.poll(() => placed.fulfillment_status, { timeout: 10_000 }).toBe('fulfilled')
}, 30_000)

test('an acknowledgement that the shop refused leaves its exception once it is tried again', async () => {
  const { database } = house.app
  expect(await outcomeOf('orders/create', 'unheard', document({ id: 7_009, po_number: 'UNHEARD' }))).toBe(
    'applied',
  )
  const doc = (await ordersOf(7_009))[0]!.id
  const refused = async () =>
    (await openExceptionsOf(database, [doc]))
      .get(doc)
      ?.find(({ code }) => code.endsWith('acknowledgement_refused'))
  await expect.poll(refused, { timeout: 10_000 }).toBeDefined()
  const { id } = (await refused())!
  const known = house.landscape.shop.truth().orders[0]!
  await database.query(renumber, [doc, String(known.id)])
  await database.transaction((tx) => tryAgain(tx, id, { actor: 'ann', text: 'the number was wrong' }))
  await expect.poll(refused, { timeout: 10_000 }).toBeUndefined()
  const story = await showException(database, id)
  expect(story!.documents.find((one) => one.doc === doc)).toMatchObject({ clearedHow: 'it went through' })
})

test('a webhook that comes three times makes one order, and its repetitions are counted', async () => {
  const order = document({ id: 7_001, po_number: 'THRICE' })
  expect(await outcomeOf('orders/create', 'thrice', order)).toBe('applied')
  expect(await outcomeOf('orders/create', 'thrice', order)).toBe('duplicate')
  expect(await outcomeOf('orders/create', 'thrice', order)).toBe('duplicate')
  expect(await ordersOf(7_001)).toHaveLength(1)
  expect(await messageOf('thrice')).toMatchObject({ state: 'applied', repeats: 2 })
})

test('the same order under another webhook id is known', async () => {
  const order = document({ id: 7_001, po_number: 'THRICE' })
  expect(await outcomeOf('orders/create', 'thrice-again', order)).toBe('applied')
  expect(await ordersOf(7_001)).toHaveLength(1)
  expect(await messageOf('thrice-again')).toMatchObject({ detail: { known: true } })
})

test('a webhook id with other content changes nothing and has an owner', async () => {
  const order = document({ id: 7_001, po_number: 'OTHER' })
  expect(await outcomeOf('orders/create', 'thrice', order)).toBe('conflict')
  const found = await house.app.database.query(exceptions, ['inbound.content_conflict:shop:thrice'])
  expect(found).toMatchObject([{ owner: 'integration', state: 'open' }])
})

test('an order of an unknown customer is parked with an owner', async () => {
  const order = document({ id: 7_002, po_number: 'NOBODY', customer: { id: 1, external_id: '999999' } })
  expect(await outcomeOf('orders/create', 'nobody', order)).toBe('parked')
  expect(await ordersOf(7_002)).toEqual([])
  const found = await house.app.database.query(exceptions, ['orders.customer_unknown:shop:nobody'])
  expect(found).toMatchObject([{ code: 'orders.customer_unknown', owner: 'customer-service', state: 'open' }])
})

test('an order whose price is no amount of its currency is parked with an owner, and its neighbours go on', async () => {
  const [line] = document().line_items
  const finer = document({ id: 7_011, po_number: 'FINER', line_items: [{ ...line!, price: '12.345' }] })
  const good = document({ id: 7_012, po_number: 'PLAIN' })
  const outcomes = await Promise.all([
    outcomeOf('orders/create', 'finer', finer),
    outcomeOf('orders/create', 'plain', good),
  ])
  expect(outcomes).toEqual(['parked', 'applied'])
  const found = await house.app.database.query(exceptions, ['money.malformed:shop%'])
  expect(found).toMatchObject([{ state: 'open' }])
})

test('an order that was cancelled here before its buyer takes it back needs nobody', async () => {
  const waiting = document({
    id: 7_013,
    po_number: 'HERE FIRST',
    line_items: [{ ...document().line_items[0]!, quantity: 900_000 }],
  })
  await tell('orders/create', 'here-1', waiting)
  const [{ id } = { id: 0 }] = await ordersOf(7_013)
  const answer = await fetch(`${house.url}/process/order-to-cash/v1/orders/O-${id}:cancel`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': 'here-first' },
    body: JSON.stringify({ reason: 'out of season', lines: [{ line: String(waiting.line_items[0]!.id) }] }),
  })
  expect(answer.status).toBe(202)
  await expect.poll(() => ordersOf(7_013), { timeout: 10_000 }).toMatchObject([{ closed: true }])
  const cancelled_at = new Date(Date.parse(waiting.updated_at) + 1_000).toISOString()
  const withdrawn = { ...waiting, cancelled_at, updated_at: cancelled_at }
  expect(await outcomeOf('orders/cancelled', 'here-2', withdrawn)).toBe('applied')
  expect(await messageOf('here-2')).toMatchObject({ detail: { cancel: 'known' } })
})

test('an order that its buyer takes back is cancelled', async () => {
  const waiting = document({
    id: 7_003,
    po_number: 'BACK',
    line_items: [{ ...document().line_items[0]!, quantity: 900_000 }],
  })
  await tell('orders/create', 'back-1', waiting)
  const cancelled_at = new Date(Date.parse(waiting.updated_at) + 1_000).toISOString()
  expect(
    await outcomeOf('orders/cancelled', 'back-2', { ...waiting, cancelled_at, updated_at: cancelled_at }),
  ).toBe('applied')
  expect(await messageOf('back-2')).toMatchObject({ detail: { cancel: 'requested' } })
  await expect
    .poll(() => ordersOf(7_003), { timeout: 10_000 })
    .toMatchObject([{ closed: true, cancelled: true }])
})

test('an order whose cancellation came first is never begun', async () => {
  const order = document({ id: 7_004, po_number: 'STALE' })
  const cancelled_at = new Date(Date.parse(order.updated_at) + 1_000).toISOString()
  expect(
    await outcomeOf('orders/cancelled', 'stale-2', { ...order, cancelled_at, updated_at: cancelled_at }),
  ).toBe('applied')
  expect(await outcomeOf('orders/create', 'stale-1', order)).toBe('superseded')
  expect(await ordersOf(7_004)).toEqual([])
})

test('a body that the shop did not sign is refused', async () => {
  const response = await fetch(`${house.url}/system/shop/v1/orders`, {
    method: 'POST',
    headers: { 'x-shop-domain': 'northway-foods.shop.example', 'x-shop-hmac-sha256': 'AAAA' },
    body: '{}',
  })
  expect(response.status).toBe(401)
})

test('an order in words that we do not understand is quarantined with an owner', async () => {
  expect(
    await outcomeOf(
      'orders/create',
      'strange',
      document({ id: 7_005, line_items: [{ id: 1, sku: 'nounit' }] }),
    ),
  ).toBe('quarantined')
  const found = await house.app.database.query(exceptions, ['inbound.message_unreadable:shop%'])
  expect(found).toMatchObject([{ owner: 'integration', state: 'open' }])
})
