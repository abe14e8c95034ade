/** A line taken back, or a part of it: stock, queue, credit and the ERP know of it at once, and the rest goes on. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { O2C } from '#tests/routes/front-door.ts'
import { differences, EVERYTHING_ONCE } from '#tests/support/house-books.ts'
import { openWholesaler, type Placed, type Wholesaler } from './wholesaler.ts'

const PRICE = 1_000
const [WAITING, HELD, SHARED, SHIPPED, UNTOLD, PACKED] = [
  '39001',
  '39002',
  '39003',
  '39004',
  '39005',
  '39006',
]
const GROCER = '500001'
const POOR = '500002'

let house: Wholesaler
beforeAll(async () => {
  house = await openWholesaler(
    [WAITING, HELD, SHARED, SHIPPED, UNTOLD, PACKED].map((number) => ({
      number,
      stock: { DC1: 5, DC2: 3 },
      priceMinor: PRICE,
    })),
    [{ number: GROCER }, { number: POOR, creditLimitMinor: 100 }],
  )
}, 60_000)
afterAll(() => house.end())

const WITHIN = { timeout: 10_000 }
const cancel = ({ body }: Placed, ...lines: readonly { line: string; quantity?: string }[]) =>
  house.send('POST', `${O2C}/orders/${body.id}:cancel`, { body: { reason: 'ordered too much', lines } })
const atErp = ({ body }: Placed) =>
  house.landscape.legacyErp.truth().orders.find(({ reference }) => reference === body.id)
const reservedOf = async (sku: string) =>
  house.query(
    `select location, reserved from inventory.position p join items.item i on i.id = p.item_id
     where sku = $1 and lot = '' order by location`,
    [sku],
  )
const exposureOf = async ({ doc }: Placed) =>
  (
    await house.query<{ amount: number }>(
      'select exposure_minor as amount from orders.sales_order where id = $1',
      [doc],
    )
  )[0]!.amount

test('a part of what waits is waited for no more, and the ERP expects so much less', async () => {
  const order = await house.order({ lines: [[WAITING, 12]] })
  await expect.poll(() => house.lines(order), WITHIN).toMatchObject([{ shipped: 8, backordered: 4 }])
  const answer = await cancel(order, { line: '1', quantity: '1' })
  expect([answer.status, answer.body]).toMatchObject([202, { id: order.body.id, state: 'lines_cancelled' }])
  expect(await house.lines(order)).toMatchObject([{ backordered: 3, cancelled: 1 }])
  expect(await exposureOf(order)).toBe(11 * PRICE)
  await expect.poll(() => atErp(order)!.lines[0]!.cancelledMilli, WITHIN).toBe(1_000)
  house.count('DC1', WAITING, 9)
  await house.closed(order)
  expect(await house.lines(order)).toMatchObject([{ shipped: 11, cancelled: 1 }])
})

test('what is reserved goes back to its place, and who waits for it gets it', async () => {
  const order = await house.order({ customer: POOR, lines: [[HELD, 8]] })
  expect(await reservedOf(HELD)).toMatchObject([{ reserved: 5 }, { reserved: 3 }])
  const waiting = await house.order({ lines: [[HELD, 4]] })
  await cancel(order, { line: '1', quantity: '4' })
  await house.closed(waiting)
  expect(await house.lines(waiting)).toMatchObject([{ shipped: 4 }])
  expect(await house.lines(order)).toMatchObject([{ reserved: 4, cancelled: 4 }])
  expect(await reservedOf(HELD)).toMatchObject([{ reserved: 4 }, { reserved: 0 }])
})

test('an order of which the last line is taken back is over, with its hold and its question', async () => {
  const order = await house.order({ customer: POOR, lines: [[SHARED, 1]] })
  expect(await house.openExceptions('orders.hold.credit')).not.toEqual([])
  await cancel(order, { line: '1' })
  await house.closed(order)
  expect(await house.holdsOf(order)).toMatchObject([{ type: 'credit', status: 'rejected' }])
  expect(await exposureOf(order)).toBe(0)
  expect(atErp(order)).toBeUndefined()
})

test('an ERP that was not told of the order is told of the rest only', async () => {
  const order = await house.order({
    customer: POOR,
    lines: [
      [UNTOLD, 4],
      [SHARED, 2],
    ],
  })
  await cancel(order, { line: '1', quantity: '3' }, { line: '2' })
  await house.releaseHold(order, 'credit')
  await house.closed(order)
  expect(atErp(order)!.lines).toMatchObject([{ quantityMilli: 1_000, cancelledMilli: 0 }])
  const milestones = (await house.send('GET', `${O2C}/orders/${order.body.id}/milestones`)).body['milestones']
  expect(milestones).toEqual(
    expect.arrayContaining([expect.objectContaining({ milestone: 'partially_cancelled' })]),
  )
})

describe('is refused', () => {
  test('for what a warehouse has been asked for, with how much is left, and nothing of the others is taken', async () => {
    const order = await house.order({
      lines: [
        [SHIPPED, 9],
        [SHARED, 1],
      ],
    })
    await expect
      .poll(() => house.lines(order), WITHIN)
      .toMatchObject([{ shipped: 8, backordered: 1 }, { shipped: 1 }])
    const refused = await cancel(order, { line: '1' }, { line: '2' })
    expect([refused.status, refused.body.code]).toEqual([409, 'orders.too_late_to_cancel'])
    expect(refused.body['errors']).toMatchObject([{ pointer: '/lines/1/quantity' }])
    expect(await house.lines(order)).toMatchObject([{ cancelled: 0, backordered: 1 }, {}])
    const more = await cancel(order, { line: '1', quantity: '2' })
    expect(more.body['detail']).toContain('no more than 1 EA')
    await cancel(order, { line: '1' })
    await house.closed(order)
  })

  test('twice for one line', async () => {
    const order = await house.order({ customer: POOR, lines: [[PACKED, 2]] })
    expect((await cancel(order, { line: '1' }, { line: '1', quantity: '1' })).body.code).toBe(
      'orders.line_repeated',
    )
  })

  test.each([
    ['orders.line_unknown', { line: '7' }],
    ['items.quantity_not_exact', { line: '1', quantity: '0.0001' }],
  ])('with %s', async (code, line) => {
    const order = await house.order({ customer: POOR, lines: [[PACKED, 1, 'CA']] })
    expect([(await cancel(order, line)).body.code, (await cancel(order, { line: '1' })).status]).toEqual([
      code,
      202,
    ])
  })
})

test('at the end the ERPs expect what we do, credit is what orders owe, and nobody complains', async () => {
  await expect.poll(() => differences(house.query, house.landscape), WITHIN).toMatchObject(EVERYTHING_ONCE)
  const differing = await house.query(
    `select a.customer_id from customers.credit_account a
     join (select customer_id, sum(exposure_minor) as owed from orders.sales_order group by 1) o using (customer_id)
     where a.open_minor <> o.owed`,
  )
  expect(differing).toEqual([])
  expect(house.complaints).toEqual([])
})
