/** The four shipping rules, each from an order that stock cannot cover to its end. */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { openWholesaler, type Placed, type Wholesaler } from './wholesaler.ts'

const SKUS = ['31001', '31002', '31003', '31004', '31005', '31006', '31007', '31008', '31009', '31010']
const PRICE = 250

let house: Wholesaler
beforeAll(async () => {
  house = await openWholesaler(
    SKUS.map((number) => ({ number, stock: { DC1: 5, DC2: 0 }, priceMinor: PRICE })),
    [{ number: '500001' }, { number: '500002', shipComplete: true }],
  )
}, 60_000)
afterAll(() => house.end())

const next = () => SKUS.shift()!
const invoicedOf = async ({ doc }: Placed) =>
  (
    await house.query<{ net: number }>(
      'select net_minor as net from billing.invoice where order_id = $1 order by id',
      [doc],
    )
  ).map(({ net }) => net)
const exposureOf = async ({ doc }: Placed) =>
  (
    await house.query<{ amount: number }>(
      'select exposure_minor as amount from orders.sales_order where id = $1',
      [doc],
    )
  )[0]!.amount
const releasesOf = ({ body }: Placed) =>
  house.query<{ location: string }>(
    'select location from shipments.fulfillment where order_id = $1 order by id',
    [Number(body.id.slice(2))],
  )
const untilLines = (order: Placed, ...lines: object[]) =>
  expect.poll(() => house.lines(order), { timeout: 10_000 }).toMatchObject(lines)

test('ship available: what there is leaves at once, the rest when it comes', async () => {
  const sku = next()
  const order = await house.order({ shippingRule: 'ship-available', lines: [[sku, 8]] })
  expect(order.body).toMatchObject({
    outcome: 'partially-allocated',
    lines: [{ reserved: '5', backordered: '3' }],
  })
  await untilLines(order, { shipped: 5, backordered: 3 })
  house.count('DC2', sku, 2)
  await untilLines(order, { shipped: 7, backordered: 1 })
  house.count('DC1', sku, 4)
  await house.closed(order)
  expect(await invoicedOf(order)).toEqual([5 * PRICE, 2 * PRICE, PRICE])
})

test('ship complete, as the customer has it in the ERP: nothing leaves until all can', async () => {
  const [sku, other] = [next(), next()]
  const lines = [[sku, 8] as const, [other, 2] as const]
  const order = await house.order({ customer: '500002', lines })
  await untilLines(order, { reserved: 5, backordered: 3 }, { reserved: 2 })
  await expect.poll(() => erpNumberOf(order), { timeout: 10_000 }).not.toBeNull()
  expect(await releasesOf(order)).toEqual([])
  house.count('DC1', sku, 3)
  await house.closed(order)
  expect(await releasesOf(order)).toEqual([{ location: 'DC1' }])
  expect(await invoicedOf(order)).toEqual([10 * PRICE])
})

const erpNumberOf = async ({ doc }: Placed) =>
  (
    await house.query<{ erp_number: string | null }>(
      'select erp_number from orders.sales_order where id = $1',
      [doc],
    )
  )[0]!.erp_number

test('line complete: a line that is short waits whole, its neighbours do not', async () => {
  const [sku, other] = [next(), next()]
  const order = await house.order({
    shippingRule: 'line-complete',
    lines: [
      [sku, 8],
      [other, 4],
    ],
  })
  expect(order.body).toMatchObject({
    lines: [{ outcome: 'backordered', reserved: '0' }, { outcome: 'reserved' }],
  })
  await untilLines(order, { shipped: 0, backordered: 8 }, { shipped: 4 })
  house.count('DC2', sku, 2)
  const positions = () =>
    house.query<{ available: number; reserved: number }>(
      `select available, reserved from inventory.position p join items.item i on i.id = p.item_id
       where i.sku = $1 and location = 'DC2' and lot = ''`,
      [sku],
    )
  await expect.poll(positions, { timeout: 10_000 }).toEqual([{ available: 2, reserved: 0 }])
  expect(await house.lines(order)).toMatchObject([{ backordered: 8, released: 0 }, {}])
  house.count('DC2', sku, 1)
  await house.closed(order)
  expect(await invoicedOf(order)).toEqual([4 * PRICE, 5 * PRICE, 3 * PRICE])
})

describe('cancel the rest', () => {
  test('what there is leaves, the rest is cancelled, and only what left is owed and ordered at the ERP', async () => {
    const sku = next()
    const order = await house.order({ shippingRule: 'cancel-rest', lines: [[sku, 8]] })
    expect(order.body).toMatchObject({
      lines: [{ outcome: 'partially-reserved', reserved: '5', backordered: '0' }],
    })
    expect(await exposureOf(order)).toBe(5 * PRICE)
    await house.closed(order)
    expect(await house.lines(order)).toMatchObject([{ shipped: 5, cancelled: 3 }])
    expect(await invoicedOf(order)).toEqual([5 * PRICE])
    // The order closes with its invoice drafted; the ERP has it a moment later.
    await vi.waitFor(() => {
      const { orders } = house.landscape.legacyErp.truth()
      const theirs = orders.find(({ reference }) => reference === order.body.id)!
      expect(theirs.lines).toMatchObject([{ quantityMilli: 5_000, invoicedMilli: 5_000 }])
    })
  })

  test('an order of which nothing is there is rejected, closed and owes nothing', async () => {
    const sku = next()
    await house.closed(await house.order({ lines: [[sku, 5]] }))
    const order = await house.order({ shippingRule: 'cancel-rest', lines: [[sku, 3]] })
    expect(order.body).toMatchObject({ outcome: 'rejected' })
    await house.closed(order)
    expect(await exposureOf(order)).toBe(0)
    expect(await erpNumberOf(order)).toBeNull()
  })

  test('what a pick did not find is cancelled too, and owed no longer', async () => {
    const sku = next()
    house.landscape.wms.faults.set({ kind: 'short-pick', times: 1 })
    const order = await house.order({ shippingRule: 'cancel-rest', lines: [[sku, 4]] })
    await house.closed(order)
    expect(await house.lines(order)).toMatchObject([{ shipped: 2, cancelled: 2, backordered: 0 }])
    expect(await exposureOf(order)).toBe(2 * PRICE)
  })
})

test('every account has open what its orders owe, and nobody complains', async () => {
  const differing = await house.query(
    `select a.customer_id from customers.credit_account a
     join (select customer_id, sum(exposure_minor) as owed from orders.sales_order group by 1) o using (customer_id)
     where a.open_minor <> o.owed`,
  )
  expect(differing).toEqual([])
  expect(house.complaints).toEqual([])
})
