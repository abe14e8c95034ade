/** Who waits for stock is served before who comes later, and is woken whenever somebody gives stock or a place back. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { O2C } from '#tests/routes/front-door.ts'
import { openWholesaler, type Placed, type Wholesaler } from './wholesaler.ts'

const SKUS = ['33001', '33002', '33003', '33004', '33005', '33006', '33007']
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

const ALLOCATIONS = '/process/inventory/v1/allocations'
const keep = async (sku: string, kind: 'minimum' | 'wall', channel: string, quantity: number) => {
  const allocations = [{ name: channel, kind, channels: [channel], quantity: String(quantity) }]
  const body = { company: 'NWF', reason: 'test', places: [{ sku, location: 'DC1', allocations }] }
  expect((await house.send('POST', `${ALLOCATIONS}:set`, { body })).status).toBe(200)
}
const takenOf = async (sku: string) => {
  const { body } = await house.send('GET', `${ALLOCATIONS}?company=NWF&sku=${sku}`)
  return (body['items'] as { taken: string }[])[0]!.taken
}

test('what is kept for a channel is for its lines that wait too, past others before them, and for nobody else', async () => {
  const sku = next()
  await keep(sku, 'minimum', 'rep', 3)
  const first = await house.order({ lines: [[sku, 9]] })
  const behind = await house.order({ channel: 'rep', lines: [[sku, 5]] })
  expect([...reservedAtOnce(first), ...reservedAtOnce(behind)]).toEqual(['2', '3'])
  await keep(sku, 'minimum', 'rep', 4)
  house.count('DC1', sku, 3)
  await untilLines(behind, { shipped: 5, backordered: 0 })
  expect(await house.lines(first)).toMatchObject([{ backordered: 7 }])
  expect(await takenOf(sku)).toBe('2')
  const fresh = await house.order({ channel: 'rep', lines: [[sku, 2]] })
  expect(reservedAtOnce(fresh)).toEqual(['1'])
  // two are kept for who waits behind, the others are for who waits first
  house.count('DC1', sku, 9)
  await Promise.all([house.closed(first), house.closed(fresh)])
  expect(await takenOf(sku)).toBe('4')
})

test('behind a wall a line waits for what is kept there and for nothing else, and holds up nobody', async () => {
  const sku = next()
  await keep(sku, 'wall', 'rep', 1)
  const walled = await house.order({ channel: 'rep', lines: [[sku, 3]] })
  expect(reservedAtOnce(walled)).toEqual(['1'])
  const other = await house.order({ lines: [[sku, 6]] })
  expect(reservedAtOnce(other)).toEqual(['4'])
  house.count('DC1', sku, 4)
  await house.closed(other)
  expect(await house.lines(walled)).toMatchObject([{ backordered: 2 }])
  await keep(sku, 'wall', 'rep', 2)
  await house.closed(walled)
})

test('nobody complains', () => expect(house.complaints).toEqual([]))
