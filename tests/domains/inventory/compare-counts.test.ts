/** What is no difference between books and a count, though the figures differ: what we know and the source does not. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { rememberByHand } from '#domains/inventory/operations/by-hand.ts'
import { holdLotEverywhere } from '#domains/inventory/operations/lots.ts'
import { takeCounts } from '#domains/inventory/operations/counts.ts'
import { openBalances } from '#domains/inventory/operations/opening.ts'
import { ship } from '#domains/inventory/operations.ts'
import { compareCounts } from '#domains/inventory/views/reconciliations.ts'
import { units } from '#platform/quantity.ts'
import { openTestDatabase, type OpenDatabase } from '#tests/support/open-database.ts'
import { AT, book, change, COMPANY, newItem, NORTH, receive } from './stock.ts'

let db: OpenDatabase
beforeAll(async () => {
  db = await openTestDatabase()
})
afterAll(() => db.end())

const minutes = (count: number): Date => new Date(AT.getTime() + count * 60_000)
const place = { company: COMPANY, location: NORTH }

function compare(itemId: number, available: number, { lot = '', leavesKnown = false } = {}) {
  const lots = new Map([[lot, { available: units(available), qualityHold: 0, damaged: 0 }]])
  const takenAt = minutes(5)
  const taking = { source: 'wms-test', sourceKey: 'S-1', takenAt, askedAt: takenAt, leavesKnown }
  return compareCounts(db.database, place, [{ ...place, itemId, lots }], taking)
}

test('a lot that we hold is on hold, though its warehouse counts it as for sale', async () => {
  const itemId = newItem()
  await book(db, change(itemId, { lot: 'L1', quantity: units(10) }))
  await db.database.transaction((tx) =>
    holdLotEverywhere(
      tx,
      { company: COMPANY, itemId, lot: 'L1' },
      { by: 'ann', reason: 'recall', sourceKey: 'H-1', at: AT },
    ),
  )
  expect(await compare(itemId, 10, { lot: 'L1' })).toMatchObject({ matched: 1, differences: [] })
  expect(await compare(itemId, 9, { lot: 'L1' })).toMatchObject({
    differences: [{ ours: { available: 0, qualityHold: units(10) }, theirs: { qualityHold: units(9) } }],
  })
})

test('what left by paper is still there for a warehouse that has not told of it', async () => {
  const itemId = newItem()
  await receive(db, itemId, units(10))
  const left = { ...place, itemId, lot: '', quantity: units(3), doc: 9 }
  await db.database.transaction(async (tx) => {
    await ship(tx, [{ ...left, claimEnds: 0, short: 0, source: 'by-hand', sourceKey: 'F/1', at: minutes(2) }])
    rememberByHand(tx, [
      {
        ...left,
        kind: 'ship',
        fulfillmentId: 1,
        line: 1,
        booked: true,
        reference: 'sheet',
        actor: 'ann',
        happenedAt: minutes(2),
      },
    ])
  })
  expect(await compare(itemId, 10)).toMatchObject({ matched: 1, differences: [] })
  expect((await compare(itemId, 7)).differences).toHaveLength(1)
})

const KNOWN = { leavesKnown: true }
const leftOut = { matched: 0, superseded: 1, differences: [] }

test('one that came by itself says nothing of books that were opened later', async () => {
  const itemId = newItem()
  const opening = { ...place, itemId, lot: '', available: units(10), qualityHold: 0, damaged: 0 }
  await db.database.transaction((tx) =>
    openBalances(tx, [{ ...opening, source: 'erp', sourceKey: 'O-1', at: minutes(9) }]),
  )
  expect(await compare(itemId, 7, KNOWN)).toMatchObject(leftOut)
})

test('nor of what anybody has counted since; one of that very moment is known', async () => {
  const itemId = newItem()
  await receive(db, itemId, units(10))
  const lots = new Map([['', { available: units(9), qualityHold: 0, damaged: 0 }]])
  const take = (source: string, takenAt: Date) =>
    db.database.transaction((tx) =>
      takeCounts(tx, [{ ...place, itemId, lots }], { source, sourceKey: 'C-1', takenAt, askedAt: takenAt }),
    )
  await take('till', minutes(4))
  expect(await compare(itemId, 7, KNOWN)).toMatchObject({ superseded: 0, differences: [{}] })
  await take('wms-test', minutes(5))
  expect(await compare(itemId, 7, KNOWN)).toMatchObject({ ...leftOut, repeated: 1 })
  await take('till', minutes(6))
  expect(await compare(itemId, 7, KNOWN)).toMatchObject({ ...leftOut, repeated: 0 })
})
