/** Cancellations that reach a warehouse when it is done: what left is shipped, billed and closed, and its story says so. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { O2C } from '#tests/routes/front-door.ts'
import { openWholesaler, type Placed, type Wholesaler } from './wholesaler.ts'

const SKU = '44001'
const WITHIN = { timeout: 10_000 }

let house: Wholesaler
beforeAll(async () => {
  house = await openWholesaler([{ number: SKU, stock: { DC1: 30 } }], [{ number: '500001' }], {
    landscape: { pace: { pickAfterMs: 86_400_000, shipAfterMs: 0 } },
  })
}, 60_000)
afterAll(() => house.end())

const requestOf = async ({ doc }: Placed) =>
  (
    await house.query<{ state: string }>('select state from shipments.fulfillment where order_id = $1', [doc])
  )[0]
const cancel = ({ body }: Placed) =>
  house.send('POST', `${O2C}/orders/${body.id}:cancel`, { body: { reason: 'ordered twice' } })
const storyOf = async ({ body }: Placed): Promise<string[]> => {
  const { body: story } = await house.send('GET', `${O2C}/orders/${body.id}/story`)
  return (story['entries'] as { type: string }[]).map(({ type }) => type)
}
async function accepted(): Promise<Placed> {
  const order = await house.order({ lines: [[SKU, 3]] })
  await expect.poll(() => requestOf(order), WITHIN).toEqual({ state: 'accepted' })
  return order
}

test('an order that left while its cancellation was on its way is closed as shipped', async () => {
  const order = await accepted()
  house.landscape.wms.faults.set({ kind: 'latency', ms: 2_000, times: 1 })
  expect((await cancel(order)).status).toBe(202)
  const underWay = `select attempts from effects.intent where system = 'wms' and step = 'cancel'`
  await expect.poll(() => house.query(underWay), WITHIN).toHaveLength(1)
  house.landscape.wms.pickAll()
  await expect.poll(() => requestOf(order), WITHIN).toEqual({ state: 'done' })
  await house.closed(order)
  await expect.poll(() => storyOf(order), WITHIN).toContain('fulfillment.cancel_refused')
  expect(await house.stageOf(order)).toBe('closed')
  expect(await requestOf(order)).toEqual({ state: 'done' })
  await expect
    .poll(() => house.query('select doc from desk.document where process = $1', ['fulfillment']), WITHIN)
    .toEqual([])
})

test('a request that is taken back was not refused to be', async () => {
  const order = await accepted()
  expect((await cancel(order)).status).toBe(202)
  await house.closed(order)
  const story = await storyOf(order)
  expect(story).toContain('fulfillment.cancelled')
  expect(story).not.toContain('fulfillment.cancel_refused')
})

test('nobody complains', () => expect(house.complaints).toEqual([]))
