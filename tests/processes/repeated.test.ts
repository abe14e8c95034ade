/** The same business document many times at one moment: one order, or one refusal for each that sent it. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { demoConfig } from '../../src/demo.ts'
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

test('that is refused for credit is refused for every sender, none is told of an order that is not there', async () => {
  const { companies = [], ...rest } = demoConfig(house.landscape)
  const strict = await openWholesaler([{ number: '35001', stock: { DC1: 900 } }], [{ number: '500001' }], {
    config: { ...rest, companies: companies.map((one) => ({ ...one, credit: { fallback: 'refuse' } })) },
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
