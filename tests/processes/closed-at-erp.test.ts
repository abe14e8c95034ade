/** What is cancelled of an order that goes on is closed at the ERP, whoever cancels it, so that both expect the same. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { differences, EVERYTHING_ONCE } from '#tests/support/house-books.ts'
import { O2C } from '#tests/routes/front-door.ts'
import { CATCH_WEIGHT, type Good, openWholesaler, type Wholesaler } from './wholesaler.ts'

const goodsOf = (company: 'NWF' | 'NWI', numbers: readonly string[]): Good[] =>
  numbers.map((number) => ({ number, company, stock: { DC1: 24 } }))
const FOODS = ['34001', '34002', '34003', '34004', '34005']
const PARTS = ['44001', '44002', '44003', '44004', '44005']
const WEIGHED = '34009'
const BILLED_BY_HAND = '34010'

let house: Wholesaler
beforeAll(async () => {
  house = await openWholesaler(
    [
      ...goodsOf('NWF', [...FOODS, BILLED_BY_HAND]),
      ...goodsOf('NWI', PARTS),
      { number: WEIGHED, stock: { DC1: 24 }, item: CATCH_WEIGHT },
    ],
    [{ number: '500001' }, { number: 'C50001', company: 'NWI' }],
  )
}, 60_000)
beforeEach(() => house.landscape.wms.faults.clear())
afterAll(() => house.end())

const WITHIN = { timeout: 10_000 }
const shortOnce = () => house.landscape.wms.faults.set({ kind: 'short-pick', times: 1 })
const cancel = (id: string) =>
  house.send('POST', `${O2C}/orders/${id}:cancel`, { body: { reason: 'changed' } })
const eventsOf = async (doc: number) =>
  (
    await house.query<{ type: string }>('select type from log.event where key = $1 order by key_version', [
      doc,
    ])
  ).map(({ type }) => type)

describe.each([
  ['legacy', 'NWF', '500001', FOODS],
  ['cloud', 'NWI', 'C50001', PARTS],
] as const)('the %s ERP', (kind, company, customer, skus) => {
  const erp = () => (kind === 'legacy' ? house.landscape.legacyErp : house.landscape.cloudErp)
  const theirs = (id: string) =>
    erp()
      .truth()
      .orders.find(({ reference }) => reference === id)!
  const quantities = (id: string) =>
    theirs(id).lines.map(({ quantityMilli, invoicedMilli, cancelledMilli }) => [
      quantityMilli,
      invoicedMilli,
      cancelledMilli,
    ])
  const order = (sku: string, quantity: number, rule?: string, unit = 'EA') =>
    house.order({
      company,
      customer,
      lines: [[sku, quantity, unit]],
      ...(rule === undefined ? {} : { shippingRule: rule }),
    })

  test('closes what a pick did not find and nobody waits for', async () => {
    shortOnce()
    const placed = await order(skus[0]!, 4, 'cancel-rest')
    await house.closed(placed)
    await expect.poll(() => quantities(placed.body.id), WITHIN).toEqual([[4_000, 2_000, 2_000]])
    expect(await eventsOf(placed.doc)).toContain('order.lines_closed_at_erp')
  })

  test('closes a part of the unit that it counts in, exactly', async () => {
    shortOnce()
    const placed = await order(skus[1]!, 1, 'cancel-rest', 'CA')
    await house.closed(placed)
    await expect.poll(() => quantities(placed.body.id), WITHIN).toEqual([[1_000, 500, 500]])
  })

  test('forgets an order of which nothing was found', async () => {
    shortOnce()
    const placed = await order(skus[2]!, 1, 'cancel-rest')
    await house.closed(placed)
    await expect.poll(() => quantities(placed.body.id), WITHIN).toEqual([[1_000, 0, 1_000]])
    expect(theirs(placed.body.id).cancelled).toBe(true)
  })

  test('closes the rest of a backorder that is cancelled after a part has shipped', async () => {
    const placed = await order(skus[3]!, 30)
    await expect.poll(() => house.lines(placed), WITHIN).toMatchObject([{ shipped: 24, backordered: 6 }])
    expect(quantities(placed.body.id)[0]![2]).toBe(0)
    expect((await cancel(placed.body.id)).status).toBe(202)
    await house.closed(placed)
    await expect.poll(() => quantities(placed.body.id), WITHIN).toEqual([[30_000, 24_000, 6_000]])
  })

  test('an answer that never came is asked for again, and nothing is closed twice', async () => {
    shortOnce()
    erp().faults.set({ kind: 'no-answer', operation: 'closeOrderLines', times: 1 })
    const placed = await order(skus[4]!, 6, 'cancel-rest')
    await expect.poll(() => house.stageOf(placed), { timeout: 60_000 }).toBe('closed')
    await expect.poll(() => quantities(placed.body.id), WITHIN).toEqual([[6_000, 3_000, 3_000]])
  }, 90_000)
})

test('what weighs as much as it weighs is closed by the piece', async () => {
  shortOnce()
  const placed = await house.order({ shippingRule: 'cancel-rest', lines: [[WEIGHED, 8]] })
  await house.closed(placed)
  expect(await house.lines(placed)).toMatchObject([{ shipped: 4, cancelled: 4 }])
})

test('a closing that the ERP refuses holds the order for a person, whose release sends it again', async () => {
  const placed = await house.order({ lines: [[BILLED_BY_HAND, 30]] })
  await expect.poll(() => house.lines(placed), WITHIN).toMatchObject([{ shipped: 24, backordered: 6 }])
  const [line] = house.landscape.legacyErp
    .truth()
    .orders.find((one) => one.reference === placed.body.id)!.lines
  await expect.poll(() => line!.invoicedMilli, WITHIN).toBe(24_000)
  line!.invoicedMilli = 30_000
  await cancel(placed.body.id)
  const holds = () => house.holdsOf(placed)
  await expect.poll(holds, WITHIN).toMatchObject([{ type: 'manual', status: 'open' }])
  expect((await holds())[0]!.reason).toContain('FAKTURIERT')
  expect(await house.stageOf(placed)).toBe('shipped')
  line!.invoicedMilli = 24_000
  expect((await house.releaseHold(placed, 'manual')).status).toBe(200)
  await house.closed(placed)
  expect(line!.cancelledMilli).toBe(6_000)
})

test('at the end the ERPs expect what we do, and nobody complains', async () => {
  await expect.poll(() => differences(house.query, house.landscape), WITHIN).toMatchObject(EVERYTHING_ONCE)
  expect(house.complaints).toEqual([])
})
