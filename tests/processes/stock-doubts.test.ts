/** Doubt about stock ends by itself where its reason has, and nowhere else. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { exceptionsOf } from '../../src/app-rules.ts'
import { loadConfig } from '../../src/config.ts'
import { releaseOrders } from '#domains/inventory/operations.ts'
import { systemClock } from '#platform/clock.ts'
import { listExceptions } from '#platform/exceptions-views.ts'
import { units } from '#platform/quantity.ts'
import { reportStockDoubts, watchDoubts } from '../../src/processes/stock-doubts.ts'
import { claim, factOf, received, take, tell } from '#tests/domains/inventory/feed-voice.ts'
import { booksAgree } from '#tests/domains/inventory/ledger.ts'
import { COMPANY, newItem, NORTH, positionOf } from '#tests/domains/inventory/stock.ts'
import { openTestDatabase, type OpenDatabase } from '#tests/support/open-database.ts'

let db: OpenDatabase
beforeAll(async () => {
  db = await openTestDatabase()
})
afterAll(() => db.end())

const openExceptions = exceptionsOf(loadConfig({ environment: {}, file: undefined }))
const look = () =>
  watchDoubts({ database: db.database, clock: systemClock, companies: [COMPANY], openExceptions })
const report = (itemId: number) =>
  db.database.transaction((tx) => reportStockDoubts(tx, { openExceptions }, [{ itemId, location: NORTH }]))
const release = (doc: number) => db.database.transaction((tx) => releaseOrders(tx, [doc]))
const told = async (itemId: number) =>
  (await listExceptions(db.database, { code: 'inventory.unreconciled' })).filter(({ cause }) =>
    cause.includes(`:${itemId}:`),
  ).length

/** 10 came, 8 are reserved in two orders, and the warehouse counts 5. */
async function countedBelow(first: number): Promise<number> {
  const item = newItem()
  await tell(db, factOf(item, received(10), { sequence: 1, mark: 1 }))
  await claim(db, first, item, units(2))
  await claim(db, first + 1, item, units(6))
  await take(db, item, { available: units(5), sequence: 1, mark: 2 })
  await report(item)
  expect(await positionOf(db, item)).toMatchObject({ available: units(8), unreconciled: -units(3) })
  return item
}

test('a count below what was claimed is no doubt any more when so many claims have ended', async () => {
  const item = await countedBelow(100)
  await look()
  expect(await told(item)).toBe(1)

  await release(100)
  await look()
  expect(await positionOf(db, item)).toMatchObject({ available: units(6), unreconciled: -units(1) })
  expect(await told(item)).toBe(1)

  await release(101)
  await look()
  await look()
  expect(await positionOf(db, item)).toMatchObject({ available: units(5), reserved: 0, unreconciled: 0 })
  expect(await told(item)).toBe(0)
  await booksAgree(db, item)
})

test('what left without being there after the count stays in doubt, whoever gives up a claim', async () => {
  const item = await countedBelow(110)
  const unknown = { from: 'quality_hold', to: 'damaged', quantity: units(1) } as const
  await tell(db, factOf(item, unknown, { sequence: 2, mark: 3 }))
  await release(110)
  await release(111)
  await look()
  expect(await positionOf(db, item)).toMatchObject({ available: units(8), unreconciled: -units(4) })
  expect(await told(item)).toBe(1)
})
