/** A pick that finds less than the books have: doubted, sourced elsewhere, never asked for again at the empty shelf. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { openWholesaler, type Placed, type Wholesaler } from './wholesaler.ts'

const SKUS = ['32001', '32002', '32003', '32004', '32005']
let house: Wholesaler
beforeAll(async () => {
  house = await openWholesaler(
    SKUS.map((number) => ({ number, stock: { DC1: 4, DC2: 1 } })),
    [{ number: '500001' }],
  )
}, 60_000)
beforeEach(() => house.landscape.wms.faults.clear())
afterAll(() => house.end())

const next = () => SKUS.shift()!
const CODE = 'inventory.unreconciled'

const requestsOf = ({ doc }: Placed) =>
  house.query<{ location: string; state: string }>(
    'select location, state from shipments.fulfillment where order_id = $1 order by id',
    [doc],
  )
const countOf = async (table: string, { doc }: Placed) =>
  (
    await house.query<{ count: number }>(`select count(*) as count from ${table} where order_id = $1`, [doc])
  )[0]!.count
const positionOf = async (sku: string, location: string) =>
  (
    await house.query<{ available: number; reserved: number; unreconciled: number }>(
      `select available, reserved, unreconciled from inventory.position p join items.item i on i.id = p.item_id
       where i.sku = $1 and location = $2 and lot = ''`,
      [sku, location],
    )
  )[0]!

test('nothing found is no shipment and no invoice; the order is sourced from the other location', async () => {
  const sku = next()
  house.landscape.wms.faults.set({ kind: 'short-pick', times: 1, adjust: false })
  const order = await house.order({ lines: [[sku, 1]] })
  await house.closed(order)
  expect(await requestsOf(order)).toEqual([
    { location: 'DC1', state: 'done' },
    { location: 'DC2', state: 'done' },
  ])
  expect([await countOf('shipments.shipment', order), await countOf('billing.invoice', order)]).toEqual([
    1, 1,
  ])
  expect(await positionOf(sku, 'DC1')).toEqual({ available: 3, reserved: 0, unreconciled: 1 })
  expect(await house.openExceptions(CODE)).toMatchObject([{ title: 'DC1 did not find what our books have' }])
})

test('what was not found is asked for nowhere again until somebody has counted', async () => {
  const sku = next()
  house.landscape.wms.faults.set({ kind: 'short-pick', adjust: false })
  const order = await house.order({ lines: [[sku, 5]] })
  await expect
    .poll(() => house.lines(order), { timeout: 10_000 })
    .toMatchObject([{ backordered: 3, released: 0, shipped: 2 }])
  expect(await requestsOf(order)).toHaveLength(2)
  expect(await positionOf(sku, 'DC1')).toEqual({ available: 0, reserved: 0, unreconciled: 2 })
  expect(await positionOf(sku, 'DC2')).toEqual({ available: 0, reserved: 0, unreconciled: 1 })
  house.landscape.wms.faults.clear()
  house.count('DC1', sku, 3)
  await house.closed(order)
  expect(await requestsOf(order)).toHaveLength(3)
})

test('what the warehouse writes off itself is explained, and its exception closes', async () => {
  const sku = next()
  house.landscape.wms.faults.set({ kind: 'short-pick', times: 1 })
  const order = await house.order({ lines: [[sku, 4]] })
  await house.closed(await house.order({ lines: [[next(), 1]] }))
  await expect
    .poll(() => house.lines(order), { timeout: 10_000 })
    .toMatchObject([{ shipped: 3, backordered: 1 }])
  await expect.poll(() => positionOf(sku, 'DC1')).toEqual({ available: 0, reserved: 0, unreconciled: 0 })
  const open = await house.openExceptions(CODE)
  const item = await house.query<{ id: number }>('select id from items.item where sku = $1', [sku])
  expect(open.filter(({ cause }) => cause.includes(`:${item[0]!.id}:`))).toEqual([])
  house.count('DC2', sku, 1)
  await house.closed(order)
})

test('nobody complains', () => expect(house.complaints).toEqual([]))
