/** Orders cancelled while their release is on its way: the warehouse never ships what nobody wants any more. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { O2C } from '#tests/routes/front-door.ts'
import { openWholesaler, type Wholesaler } from './wholesaler.ts'

const SKU = '41001'
const WITHIN = { timeout: 10_000 }

let house: Wholesaler
beforeAll(async () => {
  house = await openWholesaler([{ number: SKU, stock: { DC1: 30 } }], [{ number: '500001' }], {
    landscape: { pace: { pickAfterMs: 60_000, shipAfterMs: 0 } },
  })
}, 60_000)
afterAll(() => house.end())

const requests = (doc: number) =>
  house.query<{ state: string }>('select state from shipments.fulfillment where order_id = $1', [doc])

test('a request that may have come to the warehouse when it is cancelled is taken back there', async () => {
  const { wms } = house.landscape
  wms.faults.set([
    { kind: 'latency', ms: 500, times: 1 },
    { kind: 'no-answer', mode: 'reset', times: 1 },
  ])
  const order = await house.order({ lines: [[SKU, 3]] })
  await expect.poll(() => wms.faults.list()[0]?.struck, WITHIN).toBe(1)
  const path = `${O2C}/orders/${order.body.id}:cancel`
  expect(await house.send('POST', path, { body: { reason: 'ordered twice' } })).toMatchObject({ status: 202 })
  await house.closed(order)
  expect(await house.stageOf(order)).toBe('cancelled')
  expect(await requests(order.doc)).toEqual([{ state: 'cancelled' }])
  const theirs = wms.truth().orders
  expect(theirs.map(({ status }) => status)).toEqual(['CANCELLED'])
})

test('nobody complains', () => expect(house.complaints).toEqual([]))
