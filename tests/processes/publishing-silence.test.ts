/** A rule that began and ended while channels were told: what it left is not the last that they hear. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { databaseIds } from '#platform/ids.ts'
import { Publisher, sourcesNow } from '../../src/processes/publishing.ts'
import { stockInDatabase, type StockReader } from '../../src/processes/stock-in-memory.ts'
import { systemClock as clock } from '#platform/clock.ts'
import { openWholesaler, type Wholesaler } from './wholesaler.ts'

const SKU = '44101'
let house: Wholesaler
beforeAll(async () => {
  house = await openWholesaler([{ number: SKU, stock: { DC1: 100 } }], [{ number: '500001' }])
}, 60_000)
afterAll(() => house.end())

const RULES = '/process/inventory/v1/freshness-rules'
let keys = 0
const SILENT = { source: 'tax', flow: 'readings', reason: 'nobody reaches it' }
async function change(verb: 'set' | 'withdraw', body: object): Promise<void> {
  const reply = await house.send('POST', `${RULES}:${verb}`, { key: `rule-${++keys}`, body })
  expect([reply.status, reply.body]).toEqual([200, expect.anything()])
}
const published = async () =>
  (
    await house.query<{ available: number }>(
      `select p.available::float8 as available from inventory.published p join items.item i on i.id = p.item_id
       where i.sku = $1 and p.channel = 'shop'`,
      [SKU],
    )
  )[0]?.available

test('channels are told again what the books have, although nobody is silent before and after', async () => {
  const { database } = house.app
  const truly = stockInDatabase(database, clock, [])
  let isOver = true
  /** The rule leaves nothing while it holds, as `carefully` would say. */
  const read: StockReader = async (question) => {
    if (!isOver) {
      await change('set', { ...SILENT, minutes: 10, locations: ['DC1'], rule: 'zero' })
      const reading = await truly(question)
      const rows = new Map(
        [...reading.rows].map(([id, some]) => [id, some.map((row) => ({ ...row, available: 0 }))]),
      )
      await change('withdraw', SILENT)
      isOver = true
      return { ...reading, rows }
    }
    return truly(question)
  }
  const publisher = new Publisher({
    database,
    clock,
    ids: databaseIds(database),
    channels: ['shop'],
    audiences: [],
    locationsOf: () => ['DC1'],
    read,
    sources: sourcesNow(database, []),
  })
  await publisher.round()
  expect(await published()).toBe(100)
  isOver = false
  await house.query(`update inventory.position set told_at = now()`)
  await publisher.round()
  expect(await published()).toBe(0)
  await expect
    .poll(async () => {
      await publisher.round()
      return published()
    })
    .toBe(100)
})
