/** What the ERP cannot know yet, counted anew: the same as what happened one by one, and nothing twice. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { recountOpen } from '../../src/processes/credit.ts'
import { openWholesaler, type Placed, type Wholesaler } from './wholesaler.ts'

const LONG_AGO = new Date('2026-01-01T00:00:00Z')
const FAR_AHEAD = new Date('2126-01-01T00:00:00Z')
let house: Wholesaler
beforeAll(async () => {
  house = await openWholesaler(
    [
      { number: '36001', stock: { DC1: 90 } },
      { number: '36002', stock: { DC1: 3 } },
    ],
    [{ number: '500001' }, { number: '500002' }, { number: '500003' }],
  )
}, 60_000)
afterAll(() => house.end())

const customerOf = async ({ doc }: Placed) =>
  (
    await house.query<{ id: number }>('select customer_id as id from orders.sales_order where id = $1', [doc])
  )[0]!.id
async function recounted(order: Placed, asOf: Date): Promise<number | undefined> {
  const id = await customerOf(order)
  const reading = { company: 'NWF', source: 'erp-foods', asOf }
  return (await house.app.database.transaction((tx) => recountOpen(tx, [id], reading))).get(id)
}
const pay = (customer: string, reference: string, body: object) =>
  house.send('POST', '/process/order-to-cash/v1/payments', {
    body: { company: 'NWF', customer, reference, currency: 'USD', ...body },
  })

describe('what the ERP cannot know yet', () => {
  test('is what has not shipped, and of what has shipped the invoices that it had not posted', async () => {
    const order = await house.order({ customer: '500001', lines: [['36002', 8]] })
    await expect
      .poll(
        async () =>
          house.query('select 1 from billing.invoice where order_id = $1 and posted_at is not null', [
            order.doc,
          ]),
        {
          timeout: 10_000,
        },
      )
      .toHaveLength(1)
    expect(await recounted(order, LONG_AGO)).toBe(8_000)
    expect(await recounted(order, FAR_AHEAD)).toBe(5_000)
    await house.send('POST', `/process/order-to-cash/v1/orders/${order.body.id}:cancel`, {
      body: { reason: 'enough' },
    })
    await house.closed(order)
    expect(await recounted(order, LONG_AGO)).toBe(3_000)
    expect(await recounted(order, FAR_AHEAD)).toBe(0)
  })

  test('is less the cash that it had not applied, and that on account for as long as it lies there', async () => {
    const order = await house.order({ customer: '500002', lines: [['36001', 4]] })
    await house.closed(order)
    const invoiced = () =>
      house.query<{ number: string }>(
        'select number from billing.invoice where order_id = $1 and posted_at is not null',
        [order.doc],
      )
    await expect.poll(invoiced, { timeout: 10_000 }).toHaveLength(1)
    const [{ number } = { number: '' }] = await invoiced()
    expect(
      (await pay('500002', 'R-1', { amount: '30.00', invoices: [{ number, amount: '25.00' }] })).status,
    ).toBe(201)
    expect(await recounted(order, LONG_AGO)).toBe(4_000 - 3_000)
    await expect
      .poll(
        () =>
          house.query("select 1 from billing.payment where reference = 'R-1' and registered_at is not null"),
        { timeout: 10_000 },
      )
      .toHaveLength(1)
    expect(await recounted(order, FAR_AHEAD)).toBe(-500)
  })

  test('is the same that was counted one by one while the ERP was not read', async () => {
    const orders = await Promise.all(
      [3, 5].map((quantity) => house.order({ customer: '500003', lines: [['36001', quantity]] })),
    )
    await Promise.all(orders.map((order) => house.closed(order)))
    const id = await customerOf(orders[0]!)
    const [account] = await house.query<{ open: number }>(
      'select open_minor as open from customers.credit_account where customer_id = $1',
      [id],
    )
    expect(await recounted(orders[0]!, LONG_AGO)).toBe(account!.open)
  })
})
