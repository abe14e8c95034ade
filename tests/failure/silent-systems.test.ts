/** What was told last and got lost, so that nothing later shows it: silent warehouses and shops are asked, and nobody is bothered. */
import { createHmac } from 'node:crypto'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import type { ShopOrder } from '#landscape/shop/shapes.ts'
import type { WorldOrder } from '#landscape/world/world.ts'
import { type Query, violationsAtRest } from '#tests/support/books-rules.ts'
import { type House, openHouse } from '#tests/support/house.ts'
import { inParallel, submit } from '#tests/support/house-doors.ts'
import { atRest, openQuery } from '#tests/support/house-query.ts'

const SILENT_AFTER_MS = 300
const SHOP_POLL_MS = 100
const SHIPS_AFTER_MS = 1_500

let house: House
let query: Query
let disconnect: () => Promise<void>
let early: ShopOrder
const unused: WorldOrder[] = []
beforeAll(async () => {
  house = await openHouse({
    landscape: {
      webhookBatch: 1,
      announcePicking: true,
      pace: { pickAfterMs: 1, shipAfterMs: SHIPS_AFTER_MS },
    },
    config: { inbox: { silentAfterMs: SILENT_AFTER_MS, shopPollMs: SHOP_POLL_MS } },
  })
  ;({ query, end: disconnect } = await openQuery(house.databaseUrl))
  unused.push(...house.landscape.world.orders(200))
  house.landscape.shop.faults.set({ kind: 'webhook-drop', operation: 'orders/create' })
  early = house.landscape.shop.place(next())
  house.app.keepUp()
  // the first look at the list asks nothing: it begins the time from which on orders are ours
  await vi.waitUntil(async () => (await beginnings()).length === 1, { timeout: 15_000 })
}, 60_000)
afterEach(() => {
  house.landscape.wms.faults.clear()
  house.landscape.shop.faults.clear()
})
afterAll(async () => {
  await disconnect()
  await house.end()
})

/** An order that no test had yet. */
function next(wanted: Partial<WorldOrder> = {}): WorldOrder {
  const all = Object.entries({ expected: 'ships_at_once', case: 'regular', ...wanted })
  const place = unused.findIndex((one) =>
    all.every(([name, value]) => one[name as keyof WorldOrder] === value),
  )
  if (place < 0) throw new Error(`no order is left that is ${JSON.stringify(wanted)}`)
  return unused.splice(place, 1)[0]!
}
const beginnings = () => query(`select since from reading.progress where resource = 'orders'`)
const until = <T>(look: () => Promise<T> | T) => expect.poll(look, { timeout: 15_000 })
const asked = (): number => house.landscape.wms.received.requests('events')
const listed = (): number => house.landscape.shop.received.requests('orders')
const dropped = (system: 'wms' | 'shop'): number => house.landscape[system].truth().webhooks.dropped
const ordersAs = (number: string) =>
  query<{ id: number; closed: boolean; cancelled: boolean }>(
    `select id, closed_at is not null as closed, cancel_requested_at is not null as cancelled
     from orders.sales_order where customer_order = $1`,
    [number],
  )
const closes = (order: WorldOrder) =>
  until(async () => (await ordersAs(order.poNumber)).map(({ closed }) => closed)).toEqual([true])

/** The whole house, with nobody bothered. */
async function rests(): Promise<void> {
  await atRest(query)
  expect(await violationsAtRest(query)).toEqual([])
  expect(await query(`select code from exceptions.exception where code not like 'orders.hold%'`)).toEqual([])
}

test('the last word on a request that was lost is asked for behind what was heard of it', async () => {
  const order = next()
  await submit(house.url, order, 'last')
  await until(() => query(`select id from shipments.fulfillment where state = 'picking'`)).toHaveLength(1)
  house.landscape.wms.faults.set({ kind: 'webhook-drop', times: 1 })
  await closes(order)
  await rests()
  expect(dropped('wms')).toBe(1)
  expect(
    await query(
      `select type, state from inbox.message where source = 'wms' and stream is not null order by type`,
    ),
  ).toEqual([
    { type: 'order.picking_started', state: 'applied' },
    { type: 'shipment.confirmed', state: 'applied' },
  ])
  expect(house.complaints).toEqual([])
})

test('a warehouse of which no word came is asked again when it could not be asked', async () => {
  const before = dropped('wms')
  house.landscape.wms.faults.set([
    { kind: 'webhook-drop', times: 2 },
    { kind: 'server-error', operation: 'events', times: 1 },
  ])
  const order = next()
  await submit(house.url, order, 'all')
  await closes(order)
  await rests()
  expect(dropped('wms')).toBe(before + 2)
  expect(house.complaints.splice(0)).toEqual([
    expect.stringContaining('wms could not be asked about its silence'),
  ])
})

test('requests of which nothing is new are asked about together, ever more seldom, and nobody is told', async () => {
  const before = asked()
  const orders = Array.from({ length: 25 }, () => next())
  await inParallel(orders, orders.length, async (order) => {
    await submit(house.url, order, `slow-${order.nth}`)
  })
  for (const order of orders) await closes(order)
  await rests()
  expect(asked() - before).toBeGreaterThan(0)
  expect(asked() - before).toBeLessThan(orders.length)
  expect(house.complaints).toEqual([])
}, 30_000)

const messagesOf = ({ id }: ShopOrder) =>
  query<{ type: string; state: string; detail: unknown }>(
    `select type, state, detail from inbox.message where stream = 'order/' || $1::text order by received_at`,
    [id],
  )

async function tell(topic: string, order: ShopOrder): Promise<string> {
  const body = JSON.stringify(order)
  const response = await fetch(`${house.url}/system/shop/v1/orders`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-shop-topic': topic,
      'x-shop-domain': 'northway-foods.shop.example',
      'x-shop-webhook-id': 'late',
      'x-shop-hmac-sha256': createHmac('sha256', 'foods-secret').update(body).digest('base64'),
    },
    body,
  })
  return ((await response.json()) as { messages: { outcome: string }[] }).messages[0]!.outcome
}

/** The list was read anew since, from its beginning to its end. */
async function listIsReadAgain(): Promise<void> {
  const before = listed()
  await until(listed).toBeGreaterThan(before + 4)
}

test('a shop order of which the webhook was lost comes by the list, once, also when the webhook comes at last', async () => {
  house.landscape.shop.faults.set({ kind: 'webhook-drop', operation: 'orders/create', times: 1 })
  const order = next({ company: 'NWF' })
  const placed = house.landscape.shop.place(order)
  const lost = structuredClone(placed)
  await closes(order)
  // what we told the shop of it has changed it there since, so the list shows it again
  await until(() => placed.fulfillment_status).toBe('fulfilled')
  await listIsReadAgain()
  expect(await messagesOf(placed)).toEqual([{ type: 'orders/create', state: 'applied', detail: null }])
  expect(await tell('orders/create', lost)).toBe('applied')
  expect((await messagesOf(placed))[1]).toMatchObject({ detail: { known: true } })
  expect(await ordersAs(order.poNumber)).toHaveLength(1)
  await rests()
})

test('a cancellation of which the webhook was lost takes the order back, once', async () => {
  const order = next({ case: 'credit_blocked', expected: 'held_credit_block' })
  const placed = house.landscape.shop.place(order)
  await until(() => ordersAs(order.poNumber)).toMatchObject([{ cancelled: false }])
  house.landscape.shop.faults.set({ kind: 'webhook-drop', operation: 'orders/cancelled', times: 1 })
  house.landscape.shop.cancel(placed.id)
  await closes(order)
  expect(await ordersAs(order.poNumber)).toMatchObject([{ cancelled: true }])
  await listIsReadAgain()
  const cancellations = (await messagesOf(placed)).filter(({ type }) => type === 'orders/cancelled')
  expect(cancellations).toMatchObject([{ state: 'applied' }])
  await rests()
})

test('an order that a shop had before it was first asked is left alone, also when it changes', async () => {
  Object.assign(early, { updated_at: new Date().toISOString() })
  await listIsReadAgain()
  expect(await messagesOf(early)).toEqual([])
  expect(await ordersAs(early.po_number)).toEqual([])
})
