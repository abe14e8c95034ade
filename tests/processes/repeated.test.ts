/** The same business document many times at one moment: one order, or one refusal for each that sent it. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { O2C } from '#tests/routes/front-door.ts'
import { openWholesaler, type Wholesaler } from './wholesaler.ts'

const TIMES = 30
let house: Wholesaler
beforeAll(async () => {
  house = await openWholesaler(
    [{ number: '35001', stock: { DC1: 900 } }],
    [{ number: '500001' }, { number: '500002' }],
  )
}, 60_000)
afterAll(() => house.end())

const crowd = (customerOrder: string, quantityOf: (nth: number) => number, customer = '500001') =>
  Promise.all(
    Array.from({ length: TIMES }, (_, nth) =>
      house.order({ customer, customerOrder, lines: [['35001', quantityOf(nth)]] }),
    ),
  )
const statusesOf = (replies: readonly { readonly status: number }[]) =>
  Object.fromEntries(
    [...Map.groupBy(replies, ({ status }) => status)].map(([status, group]) => [status, group.length]),
  )
const ordersNumbered = (customerOrder: string) =>
  house.query<{ id: number }>('select id from orders.sales_order where customer_order = $1', [customerOrder])

test('under as many keys makes one order, and every sender is told its number', async () => {
  const replies = await crowd('CROWD-1', () => 2)
  expect(statusesOf(replies)).toEqual({ 200: TIMES - 1, 201: 1 })
  expect(new Set(replies.map(({ body }) => body.id)).size).toBe(1)
  expect(await ordersNumbered('CROWD-1')).toHaveLength(1)
})

test('with another content each makes one order, and the others are told that the number is taken', async () => {
  const replies = await crowd('CROWD-2', (nth) => nth + 1)
  expect(statusesOf(replies)).toEqual({ 201: 1, 409: TIMES - 1 })
  const refused = replies.filter(({ status }) => status === 409)
  expect(new Set(refused.map(({ body }) => body.code))).toEqual(new Set(['orders.same_number_other_content']))
  expect(await ordersNumbered('CROWD-2')).toHaveLength(1)
})

test('with the same content written otherwise is the same order', async () => {
  const send = (line: object, order: object = {}) => {
    const lines = [{ line: '1', sku: '35001', unit: 'EA', ...line }]
    const body = { company: 'NWF', customer: '500001', customerOrder: 'SPELLED', ...order, lines }
    return house.send('POST', `${O2C}/orders`, { body })
  }
  const first = await send({ quantity: '2', price: '10' })
  const again = await send({ price: '10.00', quantity: '2.0' }, { currency: 'USD', note: 'urgent' })
  expect([first.status, again.status, again.body.id]).toEqual([201, 200, first.body.id])
  expect((await send({ quantity: '2', price: '10.01' })).body.code).toBe('orders.same_number_other_content')
})

test('that is refused for credit is refused for every sender, none is told of an order that is not there', async () => {
  const strict = await openWholesaler([{ number: '35001', stock: { DC1: 900 } }], [{ number: '500001' }], {
    company: { credit: { fallback: 'refuse' } },
  })
  try {
    await strict.query("update customers.credit_account set receivables_as_of = now() - interval '3 days'")
    const send = (quantity: number) =>
      strict
        .order({ customerOrder: 'STALE', lines: [['35001', quantity]] })
        .then(({ status, body }) => [status, body.code])
    const replies = await Promise.all(Array.from({ length: TIMES }, (_, nth) => send(1 + (nth % 2))))
    expect(new Set(replies.map(String))).toEqual(new Set(['422,orders.credit_refused']))
    expect(await strict.query('select order_id from orders.natural_key')).toEqual([])
    await strict.query('update customers.credit_account set receivables_as_of = now()')
    expect(await send(1)).toEqual([201, undefined])
    expect(strict.complaints).toEqual([])
  } finally {
    await strict.end()
  }
})

test('nobody complains', () => expect(house.complaints).toEqual([]))
