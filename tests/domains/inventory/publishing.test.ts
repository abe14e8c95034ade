/** What channels are told of an item: each figure once, the last alone, in the order of its versions. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Figure, publish } from '#domains/inventory/operations/publishing.ts'
import { type Fate, settleUntold, tellAllAgain, untoldOf } from '#domains/inventory/operations/untold.ts'
import { refusedStock } from '#domains/inventory/views/untold.ts'
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

const AUDIENCE = { shop: 'shop', company: COMPANY, channel: 'shop' }
const NOON = new Date('2026-03-02T12:00:00Z')
const show = (asOf: Date, ...figures: readonly Figure[]) =>
  db.database.transaction((tx) =>
    publish(tx, { figures, asOf, docs: figures.map(newDoc), audiences: [AUDIENCE] }, CAUSE),
  )
const waitingOf = async (itemId: number, now = NOON) => {
  const due = await untoldOf(db.database, 'shop', { now, limit: 1_000 })
  return due.filter((one) => one.itemId === itemId)
}
const settle = (...fates: readonly Fate[]) =>
  db.database.transaction(async (tx) => settleUntold(tx, 'shop', fates, NOON))

test('of an item one figure waits for a shop, the last, and none for a shop of another channel', async () => {
  const item = newItem()
  await show(NINE, figure(item, units(5)))
  await show(TEN, figure(item, units(4)), figure(item, units(9), { channel: 'portal' }))
  expect(await waitingOf(item)).toMatchObject([{ available: units(4), asOf: TEN, raised: 2, behind: false }])
})

test('what changed while a shop was told waits on', async () => {
  const item = newItem()
  await show(NINE, figure(item, units(5)))
  const [sent] = await waitingOf(item)
  await show(TEN, figure(item, units(4)))
  await settle({ untold: sent!, kind: 'told' })
  const [next] = await waitingOf(item)
  expect(next).toMatchObject({ available: units(4) })
  await settle({ untold: next!, kind: 'told' })
  expect(await waitingOf(item)).toEqual([])
})

test('what was refused waits its time, unless it changes', async () => {
  const item = newItem()
  await show(NINE, figure(item, units(5)))
  const [sent] = await waitingOf(item)
  const later = new Date('2026-03-02T13:00:00Z')
  await settle({ untold: sent!, kind: 'refused', code: 'not_found', message: 'no', at: later })
  expect(await waitingOf(item)).toEqual([])
  expect(await refusedStock(db.database, 'shop')).toMatchObject([{ code: 'not_found', count: 1 }])
  await show(TEN, figure(item, units(4)))
  expect(await waitingOf(item)).toMatchObject([{ refusal: 'not_found', attempts: 1 }])
  await settle({ untold: (await waitingOf(item))[0]!, kind: 'told' })
  expect(await refusedStock(db.database, 'shop')).toEqual([])
})

test('a figure that was older than the one of the shop is told as of after it', async () => {
  const item = newItem()
  await show(NINE, figure(item, units(5)))
  const [sent] = await waitingOf(item)
  const newer = new Date('2026-03-02T11:59:59.999Z')
  await settle({ untold: sent!, kind: 'stale', newer })
  expect(await waitingOf(item)).toMatchObject([{ available: units(5), asOf: NOON }])
})

test('everything is told again behind what has changed', async () => {
  const [first, second] = [newItem(), newItem()]
  await tell(NINE, figure(first, units(5)), figure(second, units(6)))
  await db.database.transaction((tx) => tellAllAgain(tx, AUDIENCE, TEN))
  await show(NOON, figure(second, units(7)))
  const due = await untoldOf(db.database, 'shop', { now: NOON, limit: 1_000 })
  const mine = due.filter(({ itemId }) => itemId === first || itemId === second)
  expect(mine).toMatchObject([
    { itemId: second, behind: false, available: units(7), asOf: NOON },
    { itemId: first, behind: true, available: units(5), asOf: TEN },
  ])
})

test('what waits for a shop is found by key, however much there is', async () => {
  const reads = await Promise.all(
    [...db.statements()].map(async ([name, statement]) => [name, await db.fullReads(statement)] as const),
  )
  const mine = reads.filter(([name]) => name.includes('untold') || name === 'inventory.told')
  expect(mine.map(([name]) => name).toSorted()).toEqual([
    'inventory.due_untold',
    'inventory.postpone_untold',
    'inventory.raise_all_untold',
    'inventory.raise_untold',
    'inventory.refused_untold',
    'inventory.told',
  ])
  expect(mine.filter(([, places]) => places.length > 0)).toEqual([])
})
