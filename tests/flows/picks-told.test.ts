/** An order whose warehouse tells how far it is: followed from release to the truck, and the next one's short pick. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { O2C } from '#tests/routes/front-door.ts'
import { violations, violationsAtRest } from '#tests/support/books-rules.ts'
import { atRest } from '#tests/support/house-query.ts'
import { openWholesaler, type Placed, type Wholesaler } from '../processes/wholesaler.ts'

const WITHIN = { timeout: 15_000, interval: 20 }

let house: Wholesaler
beforeAll(async () => {
  house = await openWholesaler(
    [
      { number: '47001', stock: { DC1: 20 } },
      { number: '47002', stock: { DC1: 8, DC2: 8 } },
    ],
    [{ number: '500001' }],
    {
      landscape: { pace: { pickAfterMs: 0, shipAfterMs: 5_000 }, tellPicks: ['DC1'], announcePicking: true },
    },
  )
}, 60_000)
afterAll(() => house.end())

const lineOf = async ({ doc }: Placed) =>
  (
    await house.query<Record<string, number>>(
      'select backordered, released, picked, packed, shipped from orders.line where order_id = $1',
      [doc],
    )
  )[0]!
const listedStage = async ({ body }: Placed): Promise<unknown> => {
  const { body: page } = await house.send('GET', `${O2C}/orders`)
  return (page['items'] as { id: string; stage: string }[]).find(({ id }) => id === body.id)?.stage
}

test('an order is in fulfillment from its first pick until it ships, in its own answer and in the list', async () => {
  const order = await house.order({ lines: [['47001', 5]] })
  await expect.poll(() => lineOf(order), WITHIN).toMatchObject({ released: 0, picked: 5 })
  expect([await house.stageOf(order), await listedStage(order)]).toEqual(['in_fulfillment', 'in_fulfillment'])
  expect(await violations(house.query)).toEqual([])
  await expect.poll(() => lineOf(order), WITHIN).toMatchObject({ picked: 0, packed: 5 })
  expect(await house.stageOf(order)).toBe('in_fulfillment')
  await house.closed(order)
  expect(await lineOf(order)).toMatchObject({ packed: 0, shipped: 5 })
})

test('what a pick did not find comes from the other site, which tells of its shipment alone', async () => {
  house.landscape.wms.faults.set({ kind: 'short-pick', times: 1 })
  const order = await house.order({ lines: [['47002', 8]] })
  await expect.poll(() => lineOf(order), WITHIN).toMatchObject({ released: 4, picked: 4, backordered: 0 })
  await house.closed(order)
  expect(await lineOf(order)).toMatchObject({ shipped: 8 })
  const requests = await house.query(
    `select location, sum(l.shipped) as shipped, sum(l.short) as short from shipments.fulfillment f
     join shipments.fulfillment_line l on l.fulfillment_id = f.id where order_id = $1 group by f.id, location order by f.id`,
    [order.doc],
  )
  expect(requests).toEqual([
    { location: 'DC1', shipped: 4, short: 4 },
    { location: 'DC2', shipped: 4, short: 0 },
  ])
  await atRest(house.query)
  expect(await violationsAtRest(house.query)).toEqual([])
  expect(house.complaints).toEqual([])
})
