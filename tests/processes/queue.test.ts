/** Who waits for stock is served before who comes later, and is woken whenever somebody gives stock or a place back. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { O2C } from '#tests/routes/front-door.ts'
import { openWholesaler, type Placed, type Wholesaler } from './wholesaler.ts'

const SKUS = ['33001', '33002', '33003', '33004', '33005']
let house: Wholesaler
beforeAll(async () => {
  house = await openWholesaler(
    SKUS.map((number) => ({ number, stock: { DC1: 5 } })),
    [{ number: '500001' }, { number: '500002', creditBlocked: true }],
  )
}, 60_000)
afterAll(() => house.end())

const next = () => SKUS.shift()!
const reservedAtOnce = ({ body }: Placed) =>
  (body['lines'] as { reserved: string }[]).map(({ reserved }) => reserved)
const cancel = async ({ body }: Placed) =>
  expect(
    (await house.send('POST', `${O2C}/orders/${body.id}:cancel`, { body: { reason: 'changed plans' } }))
      .status,
  ).toBe(202)
const untilLines = (order: Placed, ...lines: object[]) =>
  expect.poll(() => house.lines(order), { timeout: 10_000 }).toMatchObject(lines)

test('a new order takes only what those who wait leave', async () => {
  const sku = next()
  const patient = await house.order({ shippingRule: 'line-complete', lines: [[sku, 8]] })
  expect(reservedAtOnce(patient)).toEqual(['0'])
  const later = await house.order({ lines: [[sku, 2]] })
  expect(reservedAtOnce(later)).toEqual(['0'])
  house.count('DC1', sku, 4)
  await house.closed(patient)
  await untilLines(later, { shipped: 1, backordered: 1 })
  const last = await house.order({ lines: [[sku, 1]] })
  expect(reservedAtOnce(last)).toEqual(['0'])
  house.count('DC1', sku, 2)
  await Promise.all([house.closed(later), house.closed(last)])
})

test('what a cancelled order had reserved goes to who waits, without any other event', async () => {
  const sku = next()
  const held = await house.order({ customer: '500002', lines: [[sku, 5]] })
  expect(held.body).toMatchObject({ outcome: 'accepted-with-holds' })
  const waiting = await house.order({ lines: [[sku, 3]] })
  expect(waiting.body).toMatchObject({ outcome: 'backordered' })
  await cancel(held)
  await house.closed(waiting)
})

test('a place in the queue that is given up lets the next have stock that lay there all the time', async () => {
  const sku = next()
  const first = await house.order({ shippingRule: 'line-complete', lines: [[sku, 9]] })
  const second = await house.order({ lines: [[sku, 4]] })
  expect(reservedAtOnce(second)).toEqual(['0'])
  await cancel(first)
  await house.closed(second)
})

test('orders of one moment are served in the order in which they came, and nobody gets what another was given', async () => {
  const sku = next()
  const orders = await Promise.all(Array.from({ length: 8 }, () => house.order({ lines: [[sku, 2]] })))
  house.count('DC1', sku, 11)
  await Promise.all(orders.map((order) => house.closed(order)))
  const left = await house.query(
    `select available, reserved from inventory.position p join items.item i on i.id = p.item_id
     where i.sku = $1 and location = 'DC1' and lot = ''`,
    [sku],
  )
  expect(left).toEqual([{ available: 0, reserved: 0 }])
})

test('nobody complains', () => expect(house.complaints).toEqual([]))
