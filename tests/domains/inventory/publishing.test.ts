/** What channels are told of an item: each figure once, the last alone, in the order of its versions. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Figure, publish } from '#domains/inventory/operations/publishing.ts'
import { type Quantity, units } from '#platform/quantity.ts'
import { newDoc } from '#tests/domains/inventory/claimants.ts'
import { COMPANY, newItem, NORTH } from '#tests/domains/inventory/stock.ts'
import { type OpenDatabase, openTestDatabase } from '#tests/support/open-database.ts'

const CAUSE = { source: 'test', actor: 'test' }
const NINE = new Date('2026-03-02T09:00:00Z')
const TEN = new Date('2026-03-02T10:00:00Z')

let db: OpenDatabase
beforeAll(async () => {
  db = await openTestDatabase()
})
afterAll(() => db.end())

const figure = (itemId: number, available: Quantity, more: Partial<Figure> = {}): Figure => ({
  itemId,
  sku: `SKU-${itemId}`,
  unit: 'EA',
  company: COMPANY,
  channel: 'shop',
  available,
  confidence: 'normal',
  places: [{ location: NORTH, available }],
  ...more,
})
const tell = (asOf: Date, ...figures: readonly Figure[]): Promise<number> =>
  db.database.transaction((tx) => publish(tx, { figures, asOf, docs: figures.map(newDoc) }, CAUSE))
const toldOf = (itemId: number) =>
  db.run<{ version: number; available: string; channel: string }>(
    `select key_version as version, data ->> 'available' as available, data ->> 'channel' as channel from log.event
     where type = 'availability.changed' and data ->> 'sku' = $1 order by channel, key_version`,
    [`SKU-${itemId}`],
  )

test('a figure is told when it differs from the last, and not again', async () => {
  const item = newItem()
  expect(await tell(NINE, figure(item, units(5)))).toBe(1)
  expect(await tell(TEN, figure(item, units(5)))).toBe(0)
  expect(await tell(TEN, figure(item, units(4)))).toBe(1)
  expect(await tell(TEN, figure(item, units(4), { confidence: 'careful' }))).toBe(1)
  expect(await toldOf(item)).toEqual([
    { version: 1, available: '5', channel: 'shop' },
    { version: 2, available: '4', channel: 'shop' },
    { version: 3, available: '4', channel: 'shop' },
  ])
})

test('an older figure never takes the place of a newer one', async () => {
  const item = newItem()
  await tell(TEN, figure(item, units(3)))
  expect(await tell(NINE, figure(item, units(8)))).toBe(0)
  expect(await toldOf(item)).toEqual([{ version: 1, available: '3', channel: 'shop' }])
})

test('each channel is told what is its own', async () => {
  const item = newItem()
  await tell(NINE, figure(item, units(3)), figure(item, units(1), { channel: 'portal' }))
  expect(await toldOf(item)).toEqual([
    { version: 1, available: '1', channel: 'portal' },
    { version: 1, available: '3', channel: 'shop' },
  ])
})

test('two who tell of an item at once tell of it in one order', async () => {
  const item = newItem()
  await tell(NINE, figure(item, units(1)))
  await Promise.all([2, 3, 4, 5].map((count) => tell(TEN, figure(item, units(count)))))
  const told = await toldOf(item)
  expect(told.map(({ version }) => version)).toEqual([1, 2, 3, 4, 5])
})
