/** A location for which labels are bought no more, while goods stand there that were to have some. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Landscape, startLandscape } from '#landscape/landscape.ts'
import { systemClock } from '#platform/clock.ts'
import { type TestDatabase, testDatabase } from '#tests/support/database.ts'
import type { House, HouseOptions } from '#tests/support/house.ts'
import { openWholesaler, type Placed, smallWorld, type Wholesaler } from './wholesaler.ts'

const SKU = '46001'
const SITE = 'DC1'
const PATIENCE_MS = 7_000
const WITHIN = { timeout: 20_000 }
const LABELS = {
  carrier: 'carrier',
  service: 'GROUND',
  shipFrom: { name: 'Northway', lines: ['1 Dock Rd'], city: 'Newark', postalCode: '07101', country: 'US' },
}
const GOODS = [{ number: SKU, stock: { [SITE]: 10_000 } }]
const BUYERS = [{ number: '500001' }]

let database: TestDatabase
let landscape: Landscape
let house: Wholesaler
const open = (labels: HouseOptions['labels']): Promise<Wholesaler> =>
  openWholesaler(GOODS, BUYERS, {
    beside: { databaseUrl: database.url, landscape } as House,
    tracksParcels: true,
    policy: { timeoutMs: 500, retry: { baseMs: 20, maxMs: 200 }, breaker: { minCalls: 1_000 } },
    ...(labels && { labels }),
  })

beforeAll(async () => {
  database = await testDatabase()
  const world = smallWorld(GOODS, BUYERS)
  landscape = await startLandscape({
    clock: systemClock,
    seed: 'test',
    world,
    waitForLabels: { [SITE]: PATIENCE_MS },
  })
  house = await open({ [SITE]: LABELS })
}, 60_000)
afterAll(async () => {
  await house.end()
  await landscape.stop()
  await database.end()
})

const order = (nth: string) => house.order({ customerOrder: nth, lines: [[SKU, 6]] })
const statesOf = async ({ doc }: Placed) =>
  (
    await house.query<{ state: string }>(
      `select p.state from shipments.packing p join shipments.fulfillment f on f.id = p.fulfillment_id
       where f.order_id = $1`,
      [doc],
    )
  ).map(({ state }) => state)

test('what was packed before goes on: what is bought is used, what comes late is void, and nothing new is bought', async () => {
  const { carrier, wms } = landscape
  wms.faults.set({ kind: 'outage', mode: 'unavailable', operation: 'giveLabels' })
  const bought = await order('bought')
  await expect.poll(() => statesOf(bought), WITHIN).toEqual(['bought'])
  carrier.faults.set({ kind: 'outage', mode: 'unavailable', operation: 'createLabel' })
  const asked = await order('asked')
  await expect.poll(() => statesOf(asked), WITHIN).toEqual(['asked'])
  await house.end()

  house = await open(undefined)
  wms.faults.clear()
  await house.closed(bought)
  await expect.poll(() => statesOf(bought), WITHIN).toEqual(['used'])
  const later = await order('later')
  await expect.poll(() => statesOf(asked), WITHIN).toEqual(['unwanted'])
  carrier.faults.clear()
  await expect.poll(() => statesOf(asked), WITHIN).toEqual(['void'])
  await expect.poll(() => house.stageOf(later), WITHIN).toBe('closed')
  expect(await statesOf(later)).toEqual([])
  expect(carrier.truth().shipments.map(({ status }) => status)).toEqual(['LABELLED', 'VOIDED'])
}, 60_000)
