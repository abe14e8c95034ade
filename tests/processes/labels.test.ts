/** Labels bought for what a warehouse has packed: once and paid once, given to it, and voided where nobody used them. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { assertLabels } from '../../src/app-systems.ts'
import { O2C } from '#tests/routes/front-door.ts'
import { violations } from '#tests/support/books-rules.ts'
import { openWholesaler, type Placed, type Wholesaler } from './wholesaler.ts'

const SKU = '46001'
const WITHIN = { timeout: 15_000 }
const PATIENCE_MS = 2_500
const PATIENT = 'DC1'
/** Asks for a service that the carrier does not have. */
const ODD = 'DC2'
const ODD_SKU = '46002'
const LABELS = {
  carrier: 'carrier',
  service: 'GROUND',
  shipFrom: { name: 'Northway', lines: ['1 Dock Rd'], city: 'Newark', postalCode: '07101', country: 'US' },
}

const GOODS = [
  { number: SKU, stock: { [PATIENT]: 10_000 } },
  { number: ODD_SKU, stock: { [ODD]: 10_000 } },
]

let house: Wholesaler
beforeAll(async () => {
  house = await openWholesaler(GOODS, [{ number: '500001' }], {
    tracksParcels: true,
    labels: { [PATIENT]: LABELS, [ODD]: { ...LABELS, service: 'MOON' } },
    policy: { timeoutMs: 500, retry: { baseMs: 20, maxMs: 200 }, breaker: { minCalls: 1_000 } },
    landscape: { waitForLabels: { [PATIENT]: PATIENCE_MS, [ODD]: 1_000 } },
  })
}, 60_000)
afterAll(() => house.end())
afterEach(() => {
  house.landscape.carrier.faults.clear()
  house.landscape.wms.faults.clear()
})

const carrier = () => house.landscape.carrier

type Row = { number: string; doc: number; state: string; tracking: string[]; charge_minor: number | null }
const packingsOf = ({ doc }: Placed) =>
  house.query<Row>(
    `select p.number, p.fulfillment_id as doc, p.state, p.tracking, p.charge_minor::int, p.currency, p.content
     from shipments.packing p join shipments.fulfillment f on f.id = p.fulfillment_id
     where f.order_id = $1 order by p.number`,
    [doc],
  )
const statesOf = async (order: Placed) => (await packingsOf(order)).map(({ state }) => state)
const trackingOf = async ({ doc }: Placed) =>
  (
    await house.query<{ tracking: string }>(
      `select k.tracking from shipments.package k join shipments.shipment s on s.id = k.shipment_id
       where s.order_id = $1`,
      [doc],
    )
  ).map(({ tracking }) => tracking)
/** What the carrier has under the references of an order. */
async function soldFor(order: Placed) {
  const references = new Set((await packingsOf(order)).map(({ doc, number }) => `F-${doc}/${number}`))
  return carrier()
    .truth()
    .shipments.filter(({ reference }) => references.has(reference))
}
const order = (sku = SKU) => house.order({ lines: [[sku, 6]] })
const nothingIsWrong = async () => expect(await violations(house.query)).toEqual([])

test('what is packed is labelled, ships under that label, and is paid once', async () => {
  const placed = await order()
  await house.closed(placed)
  await expect.poll(() => statesOf(placed), WITHIN).toEqual(['used'])
  const [sold, ...more] = await soldFor(placed)
  expect(more).toEqual([])
  expect(await trackingOf(placed)).toEqual(sold!.packages.map((one) => one.tracking_number))
  expect(await packingsOf(placed)).toMatchObject([
    { charge_minor: Math.round(Number(sold!.charge.amount) * 100), currency: 'USD', content: null },
  ])
  const { body } = await house.send('GET', `${O2C}/orders/${placed.body.id}/milestones`)
  const reached = (body['milestones'] as { milestone: string }[]).map(({ milestone }) => milestone)
  const from = reached.indexOf('packed')
  expect(reached.slice(from, from + 3)).toEqual(['packed', 'labelled', 'shipped'])
  await nothingIsWrong()
})

test('what is printed is in no event', async () => {
  const placed = await order()
  await house.closed(placed)
  const [sold] = await soldFor(placed)
  const told = await house.query<{ data: string }>(
    'select data::text from log.event where correlation_id = $1',
    [placed.doc],
  )
  expect(told.some(({ data }) => data.includes(sold!.packages[0]!.tracking_number))).toBe(true)
  expect(told.some(({ data }) => data.includes(sold!.packages[0]!.label.data))).toBe(false)
})

test('a label that timed out after it was sold is asked for again under its reference, and paid once', async () => {
  carrier().faults.set({ kind: 'no-answer', mode: 'reset', operation: 'createLabel', times: 1 })
  const placed = await order()
  await house.closed(placed)
  await expect.poll(() => statesOf(placed), WITHIN).toEqual(['used'])
  expect(await soldFor(placed)).toHaveLength(1)
})

test('one that the warehouse took although its answer was lost is not voided', async () => {
  house.landscape.wms.faults.set({ kind: 'no-answer', mode: 'reset', operation: 'giveLabels', times: 1 })
  const placed = await order()
  await house.closed(placed)
  await expect.poll(() => statesOf(placed), WITHIN).toEqual(['used'])
  expect(await soldFor(placed)).toMatchObject([{ status: 'LABELLED' }])
})

test('a carrier that has no room is asked later', async () => {
  carrier().faults.set({ kind: 'rate-limit', operation: 'createLabel', perSecond: 1, retryAfterSeconds: 1 })
  const placed = await Promise.all([order(), order(), order()])
  for (const one of placed) {
    await house.closed(one)
    await expect.poll(() => statesOf(one), WITHIN).toMatchObject([expect.stringMatching(/^(used|void)$/)])
  }
})

test('while the carrier is away goods leave under other labels, and what is bought late is voided', async () => {
  carrier().faults.set({ kind: 'outage', mode: 'unavailable', operation: 'createLabel' })
  const placed = await order()
  await house.closed(placed)
  expect(await soldFor(placed)).toEqual([])
  await expect.poll(() => statesOf(placed), WITHIN).toEqual(['unwanted'])
  carrier().faults.clear()
  await expect.poll(() => statesOf(placed), WITHIN).toEqual(['void'])
  expect(await soldFor(placed)).toMatchObject([{ status: 'VOIDED' }])
  await nothingIsWrong()
})

test('a label that comes after the goods have left is voided', async () => {
  house.landscape.wms.faults.set({ kind: 'outage', mode: 'unavailable', operation: 'giveLabels' })
  const placed = await order()
  await house.closed(placed)
  await expect.poll(() => statesOf(placed), WITHIN).toEqual(['void'])
  expect(await soldFor(placed)).toMatchObject([{ status: 'VOIDED' }])
})

test('what is packed anew is labelled anew, and the label of before is voided', async () => {
  house.landscape.wms.faults.set({ kind: 'outage', mode: 'unavailable', operation: 'giveLabels' })
  const placed = await order()
  await expect.poll(() => statesOf(placed), WITHIN).toEqual(['bought'])
  const [{ doc }] = (await packingsOf(placed)) as [Row]
  house.landscape.wms.repack(`F-${doc}`)
  await expect.poll(() => statesOf(placed), WITHIN).toHaveLength(2)
  house.landscape.wms.faults.clear()
  await house.closed(placed)
  await expect.poll(() => statesOf(placed), WITHIN).toEqual(['void', 'used'])
  expect((await soldFor(placed)).map(({ status }) => status).toSorted()).toEqual(['LABELLED', 'VOIDED'])
})

test('a label that travels cannot be voided: that is told to somebody once, and not tried for ever', async () => {
  house.landscape.wms.faults.set({ kind: 'outage', mode: 'unavailable', operation: 'giveLabels' })
  const placed = await order()
  await expect.poll(() => statesOf(placed), WITHIN).toEqual(['bought'])
  const [{ tracking }] = (await packingsOf(placed)) as [Row]
  for (const number of tracking) carrier().scan(number)
  await house.closed(placed)
  await expect.poll(() => statesOf(placed), WITHIN).toEqual(['travelling'])
  expect(await house.openExceptions('shipments.label_not_void')).toHaveLength(1)
  const asked = () => house.query("select 1 from effects.intent where operation = 'carrier.voidLabel'")
  expect(await asked()).toEqual([])
})

test('a carrier that refuses is told to somebody until the goods have left without its label', async () => {
  const placed = await order(ODD_SKU)
  await expect.poll(() => house.openExceptions('shipments.label_refused'), WITHIN).toHaveLength(1)
  await house.closed(placed)
  await expect.poll(() => statesOf(placed), WITHIN).toEqual(['dropped'])
  expect(await house.openExceptions('shipments.label_refused')).toEqual([])
})

test('packages that are told twice and in another order are labelled once', async () => {
  house.landscape.wms.faults.set([
    { kind: 'webhook-duplicate', copies: 3 },
    { kind: 'webhook-reorder', window: 4 },
  ])
  const placed = await Promise.all([order(), order(), order()])
  for (const one of placed) {
    await house.closed(one)
    await expect.poll(() => statesOf(one), WITHIN).toHaveLength(1)
    await expect.poll(async () => (await soldFor(one)).length, WITHIN).toBe(1)
  }
})

test.each([
  [
    'of a carrier that is not there',
    { carrier: 'swfit' },
    'wms',
    'names "swfit", which is no carrier among the systems; carriers: carrier',
  ],
  ['of a system that is no carrier', { carrier: 'wms' }, 'wms', 'names "wms", which is no carrier'],
  ['for a warehouse that takes none', {}, 'threepl', 'needs a warehouse that takes labels; wms is threepl'],
])('labels %s keep the house from starting', (_, odd, wms, told) => {
  const locations = [
    { code: PATIENT, type: 'warehouse', timeZone: 'UTC', groups: [], wms, labels: { ...LABELS, ...odd } },
  ] as const
  const connector = { instance: 'wms', operations: { 'wms.giveLabels': {} } }
  const bound = { connectors: new Map([['wms', connector]]), carriers: new Map([['carrier', {}]]) }
  expect(() => assertLabels({ locations }, bound as never)).toThrow(told)
})
