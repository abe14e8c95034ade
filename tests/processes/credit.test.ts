/** What the ERP cannot know yet, counted anew: the same as what happened one by one, and nothing twice. */
import { sql } from '#platform/database.ts'
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
      { number: '36003', stock: { DC1: 90 }, priceMinor: 101, item: { priceUnit: 'CA' } },
      { number: '46001', company: 'NWI' },
      { number: '36004' },
    ],
    [
      { number: '500001' },
      { number: '500002' },
      { number: '500003' },
      { number: '500004', creditLimitMinor: 1_000 },
      { number: '500005', creditLimitMinor: 0 },
      { number: '500006', creditLimitMinor: 1_000, openOrdersFree: true },
      { number: 'C60001', company: 'NWI', creditLimitMinor: 1_000, openOrdersFree: true },
    ],
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

  test('is what has left already and is on no invoice yet', async () => {
    const order = await house.order({ customer: '500001', lines: [['36004', 8]] })
    const before = await recounted(order, FAR_AHEAD)
    const undone = new Error('only to see')
    const shipping = house.app.database.transaction(async (tx) => {
      const run = (text: string) => tx.query(sql(`test.${text.length}`, text), [order.doc])
      await run('update orders.line set shipped = 3, backordered = 5 where order_id = $1')
      await run(`insert into shipments.shipment (id, company, order_id, fulfillment_id, location, carrier, shipped_at, source, source_key)
        values (-1, 'NWF', $1, -1, 'DC1', 'swift', now(), 'wms', 'not invoiced')`)
      await run(`insert into shipments.shipment_line (shipment_id, n, package, line, item_id, quantity)
        select -1, 1, 1, n, item_id, 3 from orders.line where order_id = $1`)
      const reading = { company: 'NWF', source: 'erp-foods', asOf: FAR_AHEAD }
      const id = await customerOf(order)
      expect((await recountOpen(tx, [id], reading)).get(id)).toBe(before)
      throw undone
    })
    await expect(shipping).rejects.toBe(undone)
    expect(before).toBeGreaterThanOrEqual(8_000)
  })

  test('is less the cash that it had not applied, and that on account for as long as it lies there and is not reversed', async () => {
    const order = await house.order({ customer: '500002', lines: [['36001', 4]] })
    await house.closed(order)
    const invoiced = () =>
      house.query<{ number: string }>(
        'select number from billing.invoice where order_id = $1 and posted_at is not null',
        [order.doc],
      )
    await expect.poll(invoiced, { timeout: 10_000 }).toHaveLength(1)
    const [{ number } = { number: '' }] = await invoiced()
    const paid = await pay('500002', 'R-1', { amount: '30.00', invoices: [{ number, amount: '25.00' }] })
    expect(paid.status).toBe(201)
    expect(await recounted(order, LONG_AGO)).toBe(4_000 - 3_000)
    await expect
      .poll(
        () =>
          house.query("select 1 from billing.payment where reference = 'R-1' and registered_at is not null"),
        { timeout: 10_000 },
      )
      .toHaveLength(1)
    expect(await recounted(order, FAR_AHEAD)).toBe(-500)
    const body = { company: 'NWF', reason: 'returned by the bank' }
    await house.send('POST', `/process/order-to-cash/v1/payments/${paid.body.id}:reverse`, { body })
    expect(await recounted(order, LONG_AGO)).toBe(4_000)
    await expect.poll(() => recounted(order, FAR_AHEAD), { timeout: 10_000 }).toBe(0)
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

describe('an order on credit hold', () => {
  test('takes nothing of the limit from those that come after it', async () => {
    const large = await house.order({ customer: '500004', lines: [['36001', 5]] })
    expect(large.body).toMatchObject({ outcome: 'accepted-with-holds' })
    const small = await house.order({ customer: '500004', lines: [['36001', 1]] })
    expect(small.body).toMatchObject({ outcome: 'accepted' })
    const another = await house.order({ customer: '500004', lines: [['36001', 1]] })
    expect(another.body).toMatchObject({ outcome: 'accepted-with-holds' })
    await house.closed(small)
  })

  test('gives back to the cent what it took, in however many parts it is cancelled', async () => {
    const order = await house.order({ customer: '500005', lines: [['36003', 1, 'CA']] })
    const cancelHalf = () =>
      house.send('POST', `/process/order-to-cash/v1/orders/${order.body.id}:cancel`, {
        body: { reason: 'half', lines: [{ line: '1', quantity: '0.5' }] },
      })
    const taken = () =>
      house.query(
        `select o.exposure_minor as exposure, a.open_minor as open from orders.sales_order o
         join customers.credit_account a on a.customer_id = o.customer_id where o.id = $1`,
        [order.doc],
      )
    expect(await taken()).toEqual([{ exposure: 101, open: 101 }])
    expect((await cancelHalf()).status).toBe(202)
    expect((await cancelHalf()).status).toBe(202)
    expect(await taken()).toEqual([{ exposure: 0, open: 0 }])
  })
})

describe.each([
  ['NWF', '500006', '36004'],
  ['NWI', 'C60001', '46001'],
] as const)('of a customer whose open orders do not count, at %s,', (company, customer, sku) => {
  const order = (quantity: number) => house.order({ company, customer, lines: [[sku, quantity]] })

  test('each order is decided on what is owed and itself alone', async () => {
    const first = await order(1)
    const second = await order(1)
    const tooLarge = await order(2)
    const outcomes = [first, second, tooLarge].map(({ body }) => body['outcome'])
    expect(outcomes).toEqual(['backordered', 'backordered', 'accepted-with-holds'])
    expect(await recounted(first, LONG_AGO)).toBe(0)
  })

  test('a cancelled order gives back nothing, since it took nothing', async () => {
    const cancelled = await order(1)
    await house.send('POST', `/process/order-to-cash/v1/orders/${cancelled.body.id}:cancel`, {
      body: { reason: 'enough' },
    })
    await house.closed(cancelled)
    const open = await house.query('select open_minor from customers.credit_account where customer_id = $1', [
      await customerOf(cancelled),
    ])
    expect(open).toEqual([{ open_minor: 0 }])
  })
})
