/** What warehouses tell of picks and packages: in any order, again, late or not at all, it comes to the same. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { O2C } from '#tests/routes/front-door.ts'
import { violations } from '#tests/support/books-rules.ts'
import { depotVoice, type DepotVoice, type Request } from './depot-voice.ts'
import { openWholesaler, type Placed, type Wholesaler } from './wholesaler.ts'

const SKU = '46001'
const RARE = ['46002', '46003', '46004', '46005'] as const
const DAY_MS = 86_400_000
const WITHIN = { timeout: 10_000 }

let house: Wholesaler
let depot: DepotVoice
beforeAll(async () => {
  house = await openWholesaler(
    [
      { number: SKU, stock: { DC1: 1_000 } },
      ...RARE.map((number) => ({ number, stock: { DC1: 6, DC2: 6 } })),
    ],
    [{ number: '500001' }],
    { landscape: { pace: { pickAfterMs: DAY_MS, shipAfterMs: 0 } } },
  )
  depot = depotVoice(house)
}, 60_000)
afterAll(() => house.end())

const requestsOf = ({ doc }: Placed) =>
  house.query<Request & { state: string }>(
    `select id as doc, location, state, (select sku from orders.line l where l.order_id = f.order_id) as sku
     from shipments.fulfillment f where order_id = $1 order by id`,
    [doc],
  )
const line = async ({ doc }: Placed) =>
  (
    await house.query<Record<string, number>>(
      `select cancelled, backordered, reserved, released, picked, packed, shipped from orders.line where order_id = $1`,
      [doc],
    )
  )[0]!
const eventsOf = async (doc: number): Promise<string[]> =>
  (
    await house.query<{ type: string }>('select type from log.event where key = $1 order by key_version', [
      doc,
    ])
  ).map(({ type }) => type)
const milestonesOf = async ({ body }: Placed): Promise<string[]> => {
  const { body: answer } = await house.send('GET', `${O2C}/orders/${body.id}/milestones`)
  return (answer['milestones'] as { milestone: string }[]).map(({ milestone }) => milestone)
}
const nothingIsWrong = async (): Promise<void> => expect(await violations(house.query)).toEqual([])
const positionOf = async (sku: string, location: string) =>
  (
    await house.query<Record<string, number>>(
      `select available, reserved, unreconciled from inventory.position p join items.item i on i.id = p.item_id
       where i.sku = $1 and location = $2 and lot = ''`,
      [sku, location],
    )
  )[0]!

async function released(sku = SKU, quantity = 6, more = {}): Promise<[Placed, Request]> {
  const order = await house.order({ lines: [[sku, quantity]], ...more })
  await expect.poll(() => requestsOf(order), WITHIN).toMatchObject([{ state: 'accepted' }])
  return [order, (await requestsOf(order))[0]!]
}

test('what is said to happen later than now is put aside, with what follows it, and nothing ships', async () => {
  const [order, request] = await released()
  const late = { occurred_at: '2099-11-20T08:00:00Z' }
  expect(await depot.tell(request, 'order.picking_started', late)).toBe('parked')
  expect(await depot.shipped(request, { 1: 6 })).toBe('waiting')
  const [other, second] = await released()
  const packages = [{ contents: [{ line_no: 1, sku: SKU, base_qty: 6 }] }]
  const shipment = { shipment_id: 'VS-LATE', final: true, carrier: 'SWIFT', packages }
  const left = { ...shipment, shipped_at: '2099-11-20T08:00:00Z' }
  expect(await depot.tell(second, 'shipment.confirmed', left)).toBe('parked')
  for (const one of [order, other]) expect(await line(one)).toMatchObject({ released: 6, shipped: 0 })
  expect(await house.openExceptions('inventory.time_ahead')).toHaveLength(2)
  await nothingIsWrong()
})

test('each pick and package moves the line on, and the order is in fulfillment until it ships', async () => {
  const [order, request] = await released()
  expect(await house.stageOf(order)).toBe('released')
  expect(await depot.picked(request, { 1: 4 })).toBe('applied')
  expect(await line(order)).toMatchObject({ released: 2, picked: 4 })
  expect(await house.stageOf(order)).toBe('in_fulfillment')
  await depot.packed(request, { 1: 3 })
  expect(await line(order)).toMatchObject({ released: 2, picked: 1, packed: 3 })
  expect(await requestsOf(order)).toMatchObject([{ state: 'picking' }])
  await depot.picked(request, { 1: 6 })
  await depot.packed(request, { 1: 6 })
  expect(await line(order)).toMatchObject({ released: 0, picked: 0, packed: 6, shipped: 0 })
  expect(await requestsOf(order)).toMatchObject([{ state: 'packed' }])
  await nothingIsWrong()
  await depot.shipped(request, { 1: 6 })
  await house.closed(order)
  expect(await line(order)).toMatchObject({ packed: 0, shipped: 6 })
  const steps = ['order.picked', 'order.packed', 'order.picked', 'order.packed', 'order.shipped']
  expect((await eventsOf(order.doc)).filter((type) => steps.includes(type))).toEqual(steps)
  expect(await eventsOf(request.doc)).toEqual([
    'fulfillment.requested',
    'fulfillment.accepted',
    'fulfillment.picking',
    'fulfillment.packed',
    'fulfillment.shipped',
  ])
  const reached = await milestonesOf(order)
  const [from, to] = [reached.indexOf('released'), reached.indexOf('shipped')]
  expect(reached.slice(from, to + 1)).toEqual(['released', 'picking', 'packed', 'shipped'])
})

type Told = 'picked' | 'packed' | 'first part' | 'rest'
const TOLD: readonly Told[] = ['picked', 'packed', 'first part', 'rest']
const ways = (left: readonly Told[]): Told[][] =>
  left.length === 0
    ? [[]]
    : left.flatMap((one) => ways(left.filter((other) => other !== one)).map((rest) => [one, ...rest]))
const IN_PARTS = ways(TOLD).filter((way) => way.indexOf('first part') < way.indexOf('rest'))
const MIXES = [...IN_PARTS, ['packed', 'rest'], ['picked', 'rest'], ['rest']] as Told[][]

test.each(MIXES.map((mix) => [mix.join(', '), mix] as const))('%s', async (_, mix) => {
  const [order, request] = await released()
  const before = await positionOf(SKU, 'DC1')
  const rest = mix.includes('first part') ? 2 : 6
  const say: Record<Told, () => Promise<string>> = {
    picked: () => depot.picked(request, { 1: 6 }),
    packed: () => depot.packed(request, { 1: 6 }),
    'first part': () => depot.shipped(request, { 1: 4 }, false),
    rest: () => depot.shipped(request, { 1: rest }),
  }
  for (const [place, one] of mix.entries()) {
    const isLate = place > mix.indexOf('rest')
    const isTold = one === 'picked' && mix.indexOf('packed') >= 0 && mix.indexOf('packed') < place
    expect(await say[one]()).toBe(isLate || isTold ? 'superseded' : 'applied')
    await nothingIsWrong()
  }
  await house.closed(order)
  expect(await line(order)).toMatchObject({ released: 0, picked: 0, packed: 0, shipped: 6, backordered: 0 })
  const after = await positionOf(SKU, 'DC1')
  expect(before['available']! - after['available']!).toBe(6)
  expect(before['reserved']! - after['reserved']!).toBe(6)
})

test('what comes in one call is told step by step all the same', async () => {
  const [order, request] = await released()
  const outcomes = await depot.together(() => {
    void depot.tell(request, 'order.picking_started')
    void depot.picked(request, { 1: 5 }, { 1: 1 })
    void depot.packed(request, { 1: 5 })
    void depot.shipped(request, { 1: 4 }, false)
    void depot.picked(request, { 1: 5 }, { 1: 1 })
    void depot.shipped(request, { 1: 1 })
  })
  expect(outcomes).toEqual(['applied', 'applied', 'applied', 'applied', 'superseded', 'applied'])
  await depot.wroteOff('DC1', SKU, 1)
  await nothingIsWrong()
  const steps = (await eventsOf(order.doc)).filter((type) => /picked|packed|shipped/.test(type))
  expect(steps).toEqual(['order.picked', 'order.packed', 'order.shipped'])
  expect(await eventsOf(request.doc)).not.toContain('fulfillment.packed')
  await expect.poll(() => requestsOf(order), WITHIN).toHaveLength(2)
})

test('what is told twice moves nothing twice', async () => {
  const [order, request] = await released()
  await depot.picked(request, { 1: 4 }, { 1: 1 })
  const told = async () =>
    (await eventsOf(order.doc)).filter((type) => type === 'order.picked' || type === 'order.picked_short')
  expect(await depot.picked(request, { 1: 4 }, { 1: 1 })).toBe('superseded')
  expect(await depot.picked(request, { 1: 3 })).toBe('superseded')
  expect(await line(order)).toMatchObject({ picked: 4, shipped: 0 })
  expect(await told()).toEqual(['order.picked', 'order.picked_short'])
  await depot.wroteOff('DC1', SKU, 1)
})

describe('a short pick', () => {
  test('waits and is sourced elsewhere before the rest has shipped; the shipment does not count it again', async () => {
    const sku = RARE[0]
    const [order, request] = await released(sku)
    await depot.picked(request, { 1: 4 }, { 1: 2 })
    await expect
      .poll(() => requestsOf(order), WITHIN)
      .toMatchObject([
        { location: 'DC1', state: 'picking' },
        { location: 'DC2', state: 'accepted' },
      ])
    expect(await line(order)).toMatchObject({ backordered: 0, picked: 4, released: 2 })
    expect(await positionOf(sku, 'DC1')).toEqual({ available: 4, reserved: 4, unreconciled: 2 })
    await depot.wroteOff('DC1', sku, 2)
    await nothingIsWrong()
    const elsewhere = (await requestsOf(order))[1]!
    await depot.shipped(elsewhere, { 1: 2 })
    expect(await line(order)).toMatchObject({ picked: 4, released: 0, shipped: 2 })
    await nothingIsWrong()
    await depot.shipped(request, { 1: 4 })
    await house.closed(order)
    expect(await line(order)).toMatchObject({ shipped: 6, backordered: 0, cancelled: 0 })
    expect(await positionOf(sku, 'DC1')).toEqual({ available: 0, reserved: 0, unreconciled: 0 })
    await nothingIsWrong()
  })

  test('and a shorter shipment come to what did not ship', async () => {
    const sku = RARE[1]
    const [order, request] = await released(sku, 6, { shippingRule: 'cancel-rest' })
    await depot.picked(request, { 1: 5 }, { 1: 1 })
    expect(await line(order)).toMatchObject({ cancelled: 1, picked: 5 })
    await depot.shipped(request, { 1: 3 })
    await house.closed(order)
    expect(await line(order)).toMatchObject({ cancelled: 3, shipped: 3, picked: 0, released: 0 })
    expect(await positionOf(sku, 'DC1')).toEqual({ available: 0, reserved: 0, unreconciled: 3 })
    await depot.wroteOff('DC1', sku, 3)
    await nothingIsWrong()
  })

  test('of everything ends the request, and no shipment needs to come', async () => {
    const sku = RARE[2]
    const [order, request] = await released(sku, 6, { shippingRule: 'cancel-rest' })
    await depot.picked(request, {}, { 1: 6 })
    await house.closed(order)
    expect(await house.stageOf(order)).toBe('cancelled')
    expect(await requestsOf(order)).toMatchObject([{ state: 'done' }])
    expect(await depot.nothingFound(request)).toBe('superseded')
    await depot.wroteOff('DC1', sku, 6)
    await nothingIsWrong()
  })
})

describe('a cancellation', () => {
  const cancel = ({ body }: Placed) =>
    house.send('POST', `${O2C}/orders/${body.id}:cancel`, { body: { reason: 'ordered twice' } })

  test('comes too late once picks are told', async () => {
    const [order, request] = await released()
    await depot.picked(request, { 1: 6 })
    await depot.packed(request, { 1: 6 })
    await cancel(order)
    await expect.poll(() => eventsOf(order.doc), WITHIN).toContain('order.cancel_refused')
    await depot.shipped(request, { 1: 6 })
    await house.closed(order)
    expect(await line(order)).toMatchObject({ shipped: 6 })
  })

  test('that the warehouse grants all the same takes back what was picked', async () => {
    const [order, request] = await released()
    house.landscape.wms.faults.set({ kind: 'latency', operation: 'cancelOrder', ms: 1_000, times: 1 })
    await cancel(order)
    await expect.poll(() => eventsOf(request.doc), WITHIN).toContain('fulfillment.cancel_requested')
    await depot.picked(request, { 1: 4 })
    await depot.packed(request, { 1: 2 })
    await expect.poll(() => eventsOf(order.doc), WITHIN).toContain('order.release_taken_back')
    expect(await line(order)).toMatchObject({ picked: 0, packed: 0 })
    await nothingIsWrong()
  })
})

test.each([
  ['of a line that was not asked for', { 2: 1 }, 'shipments.line_unknown'],
  ['of more than was asked for', { 1: 7 }, 'shipments.line_unknown'],
] as const)('a pick %s is parked for a person, and nothing of it is booked', async (_, pieces, code) => {
  const [order, request] = await released()
  expect(await depot.picked(request, { ...pieces })).toBe('parked')
  expect(await line(order)).toMatchObject({ released: 6, picked: 0 })
  const parked = await house.query<{ code: string }>(
    `select cause_code as code from parking.item where kind = 'message' order by id desc limit 1`,
  )
  expect(parked).toEqual([{ code }])
})

test('a pick of a request that we never sent is parked for a person', async () => {
  expect(await depot.picked({ doc: 9, location: 'DC1', sku: SKU }, { 1: 1 })).toBe('parked')
})
