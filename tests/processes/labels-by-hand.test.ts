/** Labels of what people ship by paper, and what people say of labels: none is voided under a parcel that may travel. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { openWholesaler, type Placed, type Wholesaler } from './wholesaler.ts'

const SKU = '46001'
const SITE = 'DC1'
const WITHIN = { timeout: 20_000 }
const IN_DOUBT = 'shipments.label_in_doubt'
const LABELS = {
  carrier: 'carrier',
  service: 'GROUND',
  shipFrom: { name: 'Northway', lines: ['1 Dock Rd'], city: 'Newark', postalCode: '07101', country: 'US' },
}

let house: Wholesaler
beforeAll(async () => {
  house = await openWholesaler([{ number: SKU, stock: { [SITE]: 10_000 } }], [{ number: '500001' }], {
    tracksParcels: true,
    labels: { [SITE]: LABELS },
    policy: { timeoutMs: 500, retry: { baseMs: 20, maxMs: 200 }, breaker: { minCalls: 1_000 } },
    landscape: { waitForLabels: { [SITE]: 4_000 }, pace: { pickAfterMs: 20, shipAfterMs: 4_500 } },
  })
}, 60_000)
afterAll(() => house.end())
afterEach(() => {
  house.landscape.wms.faults.clear()
  house.landscape.carrier.faults.clear()
})

const order = () => house.order({ lines: [[SKU, 6]] })
const packingsOf = ({ doc }: Placed) =>
  house.query<{ state: string; label: string; request: number }>(
    `select p.state, p.label, f.id as request from shipments.packing p
     join shipments.fulfillment f on f.id = p.fulfillment_id where f.order_id = $1`,
    [doc],
  )
const statesOf = async (placed: Placed) => (await packingsOf(placed)).map(({ state }) => state)
const becomes = (placed: Placed, state: string) =>
  expect.poll(() => statesOf(placed), WITHIN).toEqual([state])
const atCarrier = async (placed: Placed) => {
  const [packing] = await packingsOf(placed)
  const { shipments } = house.landscape.carrier.truth()
  return shipments.find(({ shipment_id }) => shipment_id === packing!.label)!
}
const isAway = () =>
  house.landscape.wms.faults.set({ kind: 'outage', mode: 'unavailable', operation: 'giveLabels' })
const inDoubt = async (placed: Placed) => {
  const [packing] = await packingsOf(placed)
  const open = await house.openExceptions(IN_DOUBT)
  return open.filter(({ cause }) => cause === `${IN_DOUBT}:F-${packing!.request}`).length
}

let papers = 0
async function shipByPaper(placed: Placed, more: object = {}): Promise<void> {
  const [packing] = await packingsOf(placed)
  const { status } = await house.send('POST', '/process/inventory/v1/by-hand', {
    body: {
      company: 'NWF',
      kind: 'shipped',
      request: `F-${packing!.request}`,
      reference: `DN ${++papers}`,
      at: new Date().toISOString(),
      lines: [{ line: 1, quantity: '6' }],
      final: true,
      ...more,
    },
  })
  expect(status).toBe(201)
}
const override = ({ body }: Placed, said: object) =>
  house.send('POST', `/experience/control-tower/v1/orders/${body.id}:override`, {
    body: { ...said, reason: 'asked at the dock' },
  })
const becameBy = (became: string) => ({
  act: 'complete',
  step: 'voidLabel',
  reference: 'carrier, by phone',
  facts: { became },
})

test('a label of what leaves by paper is not voided before somebody has said what became of it', async () => {
  isAway()
  const placed = await order()
  await becomes(placed, 'bought')
  await shipByPaper(placed)
  await becomes(placed, 'doubtful')
  expect(await inDoubt(placed)).toBe(1)
  await house.closed(placed)
  expect((await atCarrier(placed)).status).toBe('LABELLED')
  const odd = await override(placed, becameBy('lost'))
  expect([odd.status, odd.body['code']]).toEqual([422, 'overrides.fact_invalid'])
  const skipped = await override(placed, { act: 'skip', step: 'voidLabel' })
  expect(skipped.body['code']).toBe('overrides.skip_not_allowed')
  expect(await statesOf(placed)).toEqual(['doubtful'])
  expect((await override(placed, becameBy('void'))).status).toBe(200)
  expect(await statesOf(placed)).toEqual(['void'])
  expect(await inDoubt(placed)).toBe(0)
})

test('the warehouse that names the parcel afterwards says that its label is used', async () => {
  const placed = await order()
  await becomes(placed, 'given')
  await shipByPaper(placed)
  await becomes(placed, 'doubtful')
  await becomes(placed, 'used')
  expect(await inDoubt(placed)).toBe(0)
  expect((await atCarrier(placed)).status).toBe('LABELLED')
})

test('a paper that names the tracking number says which label is used', async () => {
  isAway()
  const placed = await order()
  await becomes(placed, 'bought')
  const { packages } = await atCarrier(placed)
  await shipByPaper(placed, { tracking: packages[0]!.tracking_number })
  await becomes(placed, 'used')
  expect(await inDoubt(placed)).toBe(0)
})

test('a label that the carrier will not void is used, where somebody says so', async () => {
  isAway()
  const placed = await order()
  await becomes(placed, 'bought')
  house.landscape.carrier.scan((await atCarrier(placed)).packages[0]!.tracking_number)
  await becomes(placed, 'travelling')
  expect((await override(placed, becameBy('used'))).body).toMatchObject({
    was: 'refused',
    entered: { became: 'used' },
  })
  await becomes(placed, 'used')
  expect(await house.openExceptions('shipments.label_not_void')).toEqual([])
})

test('labels that people have given to the warehouse are given; what is left out is voided when the goods have left', async () => {
  isAway()
  const [given, left] = await Promise.all([order(), order()])
  await becomes(given, 'bought')
  await becomes(left, 'bought')
  const by = { act: 'complete', step: 'giveLabel', reference: 'by mail to the dock' }
  expect((await override(given, by)).status).toBe(200)
  expect(await statesOf(given)).toEqual(['given'])
  expect((await override(left, { act: 'skip', step: 'giveLabel' })).status).toBe(200)
  await becomes(given, 'void')
  await becomes(left, 'void')
  expect((await atCarrier(left)).status).toBe('VOIDED')
})
