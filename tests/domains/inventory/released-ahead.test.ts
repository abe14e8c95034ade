/** A release from hold that is told before its hold: both come to the same in either order, and nothing is sold meanwhile. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { takeCounts } from '#domains/inventory/operations/counts.ts'
import { holdLotEverywhere, releaseLotEverywhere } from '#domains/inventory/operations/lots.ts'
import { lockChannelStock, type StockChange } from '#domains/inventory/operations.ts'
import { units } from '#platform/quantity.ts'
import { openTestDatabase, type OpenDatabase } from '#tests/support/open-database.ts'
import { booksAgree } from './ledger.ts'
import { book, change, COMPANY, newItem, NORTH, positionOf } from './stock.ts'

let db: OpenDatabase
beforeAll(async () => {
  db = await openTestDatabase()
})
afterAll(() => db.end())

const at = (hour: number): Date => new Date(Date.UTC(2026, 2, 3, hour))
type Telling = (item: number, hour: number, quantity: number, lot?: string) => StockChange
const telling =
  (more: Partial<StockChange>): Telling =>
  (item, hour, quantity, lot = '') =>
    change(item, { ...more, isTold: true, at: at(hour), quantity: units(quantity), lot })
const received = telling({})
const held = telling({ from: 'available', to: 'quality_hold', reason: 'quality-hold' })
const released = telling({ from: 'quality_hold', to: 'available', reason: 'quality-release' })
const shipped = telling({ from: 'available', to: 'shipped', reason: 'ship' })

/** For sale, on hold, in doubt. */
async function stockOf(item: number, lot = ''): Promise<number[]> {
  const row = (await positionOf(db, item, NORTH, lot))!
  return [row.available, row.quality_hold, row.unreconciled].map((quantity) => quantity / units(1))
}
const free = (item: number) =>
  db.database.transaction(async (tx) => {
    const stock = await lockChannelStock(tx, [item], [NORTH])
    return stock.at('api', item, NORTH) / units(1)
  })
const count = (item: number, hour: number, lots: readonly (readonly [string, number, number])[]) =>
  db.database.transaction((tx) =>
    takeCounts(
      tx,
      [
        {
          company: COMPANY,
          itemId: item,
          location: NORTH,
          lots: new Map(
            lots.map(([lot, available, onHold]) => [
              lot,
              { available: units(available), qualityHold: units(onHold), damaged: 0 },
            ]),
          ),
        },
      ],
      { source: 'wms-test', sourceKey: `S-${hour}`, takenAt: at(hour), askedAt: at(0) },
    ),
  )

describe.each(['', 'L1'])('of lot "%s"', (lot) => {
  test.each([
    [4, [10, 0, 0]],
    [3, [9, 1, 0]],
  ])('a hold of 4 and a release of %i come to the same in either order', async (let_go, expected) => {
    for (const isTurned of [false, true]) {
      const item = newItem()
      await book(db, received(item, 1, 10, lot))
      const told = [held(item, 2, 4, lot), released(item, 3, let_go, lot)]
      for (const one of isTurned ? told.toReversed() : told) await book(db, one)
      expect(await stockOf(item)).toEqual(expected)
      if (lot) expect(await stockOf(item, lot)).toEqual(expected)
      await booksAgree(db, item)
    }
  })

  test('they do in one list too, and where some has left in between', async () => {
    const ends = [false, true].map(async (isTurned) => {
      const item = newItem()
      await book(db, received(item, 1, 5, lot))
      const [hold, release] = [held(item, 2, 4, lot), released(item, 4, 4, lot)]
      if (isTurned) await book(db, release, shipped(item, 5, 3, lot), hold)
      else await book(db, hold, release, shipped(item, 5, 3, lot))
      await booksAgree(db, item)
      return [await stockOf(item), await free(item)]
    })
    const [inOrder, turned] = await Promise.all(ends)
    expect(inOrder).toEqual([[2, 0, 0], 2])
    expect(turned).toEqual(inOrder)
  })
})

test('until its hold is told what is let go is not sold twice, and is in doubt', async () => {
  const item = newItem()
  await book(db, received(item, 1, 10), released(item, 3, 4))
  expect(await stockOf(item)).toEqual([14, 0, -4])
  expect(await free(item)).toBe(10)
})

test('a hold of later goes on hold, whatever was let go before', async () => {
  const item = newItem()
  await book(db, received(item, 1, 10), released(item, 3, 4))
  await book(db, held(item, 5, 4))
  expect(await free(item)).toBe(6)
  await book(db, held(item, 2, 4))
  expect(await stockOf(item)).toEqual([6, 4, 0])
  await booksAgree(db, item)
})

test('a release counts for one hold only', async () => {
  const item = newItem()
  await book(db, received(item, 1, 10), released(item, 6, 4))
  await book(db, held(item, 2, 4))
  await book(db, held(item, 3, 2))
  expect(await stockOf(item)).toEqual([8, 2, 0])
})

describe('a count that comes between the two', () => {
  const opened = async (lot: string): Promise<number> => {
    const item = newItem()
    await book(db, received(item, 1, 10, lot), released(item, 6, 4, lot))
    return item
  }

  test.each(['', 'L1'])('and was taken before both leaves them to be told (lot "%s")', async (lot) => {
    const item = await opened(lot)
    await count(item, 3, [[lot, 10, 0]])
    expect(await free(item)).toBe(10)
    await book(db, held(item, 5, 4, lot))
    expect(await stockOf(item)).toEqual([10, 0, 0])
    await booksAgree(db, item)
  })

  test.each(['', 'L1'])('and was taken between them has the hold that is let go (lot "%s")', async (lot) => {
    const item = await opened(lot)
    await count(item, 5, [[lot, 6, 4]])
    expect(await stockOf(item)).toEqual([10, 0, 0])
    await book(db, held(item, 7, 4, lot))
    expect(await stockOf(item)).toEqual([6, 4, 0])
    await booksAgree(db, item)
  })

  test('and was taken after both has them in it', async () => {
    const item = await opened('')
    await count(item, 7, [['', 10, 0]])
    await book(db, held(item, 8, 4))
    expect(await stockOf(item)).toEqual([6, 4, 0])
  })
})

test('of a lot that we hold ourselves a warehouse lets go nothing but what it holds, in either order', async () => {
  for (const isTurned of [false, true]) {
    const item = newItem()
    const lot = { company: COMPANY, itemId: item, lot: 'L1' }
    const act = { by: 'ann', reason: 'recall', sourceKey: 'H-1', at: at(2) }
    await book(db, received(item, 1, 10, 'L1'))
    await db.database.transaction((tx) => holdLotEverywhere(tx, lot, act))
    const told = [held(item, 3, 4, 'L1'), released(item, 4, 4, 'L1')]
    for (const one of isTurned ? told.toReversed() : told) await book(db, one)
    expect(await stockOf(item, 'L1')).toEqual([0, 10, 0])
    await db.database.transaction((tx) => releaseLotEverywhere(tx, lot, act))
    expect(await stockOf(item, 'L1')).toEqual([10, 0, 0])
    await booksAgree(db, item)
  }
})

test('what we hold of a lot of ours is no hold of what another owner has of it', async () => {
  const item = newItem()
  const theirs = { owner: 'ACME' }
  const act = { by: 'ann', reason: 'recall', sourceKey: 'H-1', at: at(2) }
  await book(db, received(item, 1, 10, 'L1'), { ...received(item, 1, 5, 'L1'), ...theirs })
  await db.database.transaction((tx) =>
    holdLotEverywhere(tx, { company: COMPANY, itemId: item, lot: 'L1' }, act),
  )
  await book(db, released(item, 4, 1, 'L1'), { ...released(item, 4, 4, 'L1'), ...theirs })
  const moved = await db.run(
    `select to_bucket as to from inventory.movement where item_id = $1 and owner = 'ACME' and from_bucket = 'quality_hold'`,
    [item],
  )
  expect(moved).toEqual([{ to: 'available' }])
  await booksAgree(db, item, 'ACME')
})
