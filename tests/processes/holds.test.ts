/** Holds from their cause to their end: released, cancelled with their order, raised by an ERP, raised again before goods leave. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { O2C } from '#tests/routes/front-door.ts'
import { openWholesaler, type Placed, type Wholesaler } from './wholesaler.ts'

const HELD = 'orders.hold.credit'
let house: Wholesaler
beforeAll(async () => {
  house = await openWholesaler(
    [
      { number: '34001', stock: { DC1: 500 } },
      { number: '34002', stock: { DC1: 1 } },
      { number: '34003', stock: { DC1: 1 } },
      { number: '34004', stock: { DC1: 1 } },
      { number: '34005', stock: { DC1: 50 } },
      { number: '34006', stock: { DC1: 1 } },
      { number: '34007', stock: { DC1: 1 } },
    ],
    [
      { number: '500001' },
      { number: '500002', creditLimitMinor: 1_000 },
      { number: '500003', creditLimitMinor: 1_000 },
      { number: '500004', creditLimitMinor: 10_000 },
      { number: '500005' },
      { number: '500006', creditLimitMinor: 10_000 },
      { number: '500007', creditLimitMinor: 10_000, openOrdersFree: true },
      { number: '500008', creditLimitMinor: 10_000 },
    ],
  )
}, 60_000)
afterAll(() => house.end())

const exceptionsOn = ({ doc }: Placed) =>
  house.query<{ code: string }>(
    `select e.code from exceptions.affected a join exceptions.exception e on e.id = a.exception
     where a.doc = $1 and a.cleared_at is null and e.closed_at is null`,
    [doc],
  )
const posted = (order: Placed) =>
  expect
    .poll(
      async () =>
        (
          await house.query<{ number: string }>(
            'select erp_number as number from orders.sales_order where id = $1',
            [order.doc],
          )
        )[0]!.number,
      { timeout: 10_000 },
    )
    .not.toBeNull()
const held = (order: Placed, type: string, count = 1) =>
  expect
    .poll(
      async () => (await house.holdsOf(order)).filter((one) => one.type === type && one.status === 'open'),
      { timeout: 10_000 },
    )
    .toHaveLength(count)

test('an order one cent over the limit waits for credit; released by a person, it goes on to its end', async () => {
  const fits = await house.order({ customer: '500002', lines: [['34001', 1]] })
  expect(fits.body).toMatchObject({ outcome: 'accepted' })
  const order = await house.order({ customer: '500003', lines: [['34001', 2]] })
  expect(order.body).toMatchObject({ outcome: 'accepted-with-holds', holds: [{ type: 'credit' }] })
  expect(await exceptionsOn(order)).toEqual([{ code: HELD }])
  expect((await house.releaseHold(order, 'credit')).status).toBe(200)
  await Promise.all([house.closed(order), house.closed(fits)])
  expect(await exceptionsOn(order)).toEqual([])
  expect(await house.holdsOf(order)).toMatchObject([{ status: 'resolved' }])
})

test('a held order that is cancelled ends with its hold, its exception and its claim on credit', async () => {
  const order = await house.order({ customer: '500003', lines: [['34001', 2]] })
  await house.send('POST', `${O2C}/orders/${order.body.id}:cancel`, { body: { reason: 'too slow' } })
  await expect.poll(() => house.stageOf(order), { timeout: 10_000 }).toBe('cancelled')
  expect(await house.holdsOf(order)).toMatchObject([{ status: 'rejected' }])
  expect(await exceptionsOn(order)).toEqual([])
  const [row] = await house.query('select exposure_minor, erp_number from orders.sales_order where id = $1', [
    order.doc,
  ])
  expect(row).toEqual({ exposure_minor: 0, erp_number: null })
})

test('a refusal by the ERP holds the order; released, it is tried again under a new key and goes on', async () => {
  const order = await refusedAtErp()
  await held(order, 'manual')
  expect(await exceptionsOn(order)).toEqual([{ code: 'orders.hold.manual' }])
  const refusal = await house.query<{ generation: number; state: string }>(
    "select generation, state from desk.step where doc = $1 and step = 'postToErp'",
    [order.doc],
  )
  expect(refusal).toEqual([{ generation: 1, state: 'refused' }])
  await mendAtErp()
  await house.releaseHold(order, 'manual')
  await house.closed(order)
  const keys = await house.query<{ data: { effectKey: string } }>(
    "select data from log.event where key = $1 and type = 'order.posted_to_erp'",
    [order.doc],
  )
  expect(keys.map(({ data }) => data.effectKey)).toEqual([`${order.doc}/postToErp//2`])
  expect(await exceptionsOn(order)).toEqual([])
})

/** Our copy says that an item is sold which the ERP has just discontinued. */
async function refusedAtErp(): Promise<Placed> {
  house.landscape.world.items.find(({ number }) => number === '34005')!.discontinued = true
  return house.order({ customer: '500005', lines: [['34005', 2]] })
}

async function mendAtErp(): Promise<void> {
  house.landscape.world.items.find(({ number }) => number === '34005')!.discontinued = false
}

describe('credit before goods leave', () => {
  /** An order that waits for stock and was accepted two days ago. */
  async function waitingSince(sku: string, customer: string): Promise<Placed> {
    await house.closed(await house.order({ customer: '500001', lines: [[sku, 1]] }))
    const order = await house.order({ customer, lines: [[sku, 2]] })
    await posted(order)
    await house.query("update orders.sales_order set created_at = now() - interval '2 days' where id = $1", [
      order.doc,
    ])
    return order
  }

  test('an order whose customer is over the limit by now is held, and leaves once a person says so', async () => {
    const order = await waitingSince('34002', '500004')
    await house.query(
      `update customers.credit_account set receivables_minor = 9000 where customer_id =
       (select customer_id from orders.sales_order where id = $1)`,
      [order.doc],
    )
    house.count('DC1', '34002', 2)
    await held(order, 'credit')
    expect((await house.holdsOf(order))[0]!.reason).toMatch(/exceeds the limit of 100\.00/)
    expect(await house.lines(order)).toMatchObject([{ reserved: 2, released: 0 }])
    expect(await exceptionsOn(order)).toEqual([{ code: HELD }])
    await house.releaseHold(order, 'credit')
    await house.closed(order)
    expect(await house.holdsOf(order)).toHaveLength(1)
  })

  test("an order counts itself where its customer's open orders do not", async () => {
    const order = await waitingSince('34006', '500007')
    await house.query(
      `update customers.credit_account set receivables_minor = 9000 where customer_id =
       (select customer_id from orders.sales_order where id = $1)`,
      [order.doc],
    )
    house.count('DC1', '34006', 2)
    await held(order, 'credit')
    expect((await house.holdsOf(order))[0]!.reason).toMatch(/^Exposure of 110\.00 USD/)
  })

  test('what has left of a held order is owed, and counts against those that come after it', async () => {
    const order = await house.order({ customer: '500008', lines: [['34007', 3]] })
    await expect
      .poll(() => house.lines(order), { timeout: 10_000 })
      .toMatchObject([{ shipped: 1, backordered: 2 }])
    await house.query("update orders.sales_order set created_at = now() - interval '2 days' where id = $1", [
      order.doc,
    ])
    await house.query(
      `update customers.credit_account set receivables_minor = 9000 where customer_id =
       (select customer_id from orders.sales_order where id = $1)`,
      [order.doc],
    )
    house.count('DC1', '34007', 2)
    await held(order, 'credit')
    const next = await house.order({ customer: '500008', lines: [['34001', 1]] })
    expect(next.body).toMatchObject({ outcome: 'accepted-with-holds' })
  })

  test('an order whose customer the ERP has put on hold since is held, however young it is', async () => {
    await house.closed(await house.order({ lines: [['34003', 1]] }))
    const order = await house.order({ customer: '500005', lines: [['34003', 2]] })
    await posted(order)
    await house.query("update customers.customer set credit_hold = true where number = '500005'")
    house.count('DC1', '34003', 2)
    await held(order, 'credit')
    expect((await house.holdsOf(order))[0]!.reason).toMatch(/credit hold since/)
  })

  test('what another order waits for credit for does not count against one that was granted', async () => {
    const order = await waitingSince('34004', '500006')
    const greedy = await house.order({ customer: '500006', lines: [['34001', 10]] })
    expect(greedy.body).toMatchObject({ outcome: 'accepted-with-holds' })
    house.count('DC1', '34004', 2)
    await house.closed(order)
    expect(await house.holdsOf(order)).toEqual([])
  })
})

test('nobody complains', () => expect(house.complaints).toEqual([]))
