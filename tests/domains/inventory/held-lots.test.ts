/** Lots that we hold beside what their warehouses hold, as stock of them moves, leaves and arrives at the same moment. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { holdLotEverywhere, releaseLotEverywhere } from '#domains/inventory/operations/lots.ts'
import { takeCounts } from '#domains/inventory/operations/counts.ts'
import { openBalances } from '#domains/inventory/operations/opening.ts'
import { allocateOrder, lockChannelStock, move, reserve, ship } from '#domains/inventory/operations.ts'
import type { Transaction } from '#platform/database.ts'
import { units } from '#platform/quantity.ts'
import { openTestDatabase } from '#tests/support/open-database.ts'
import type { OpenDatabase } from '#tests/support/open-database.ts'
import { booksAgree } from './ledger.ts'
import { AT, book, change, COMPANY, newItem, NORTH, positionOf, SOUTH } from './stock.ts'

let db: OpenDatabase
beforeAll(async () => {
  db = await openTestDatabase()
})
afterAll(() => db.end())

const lotOf = (itemId: number) => ({ company: COMPANY, itemId, lot: 'L1' })
const act = { by: 'ann', reason: 'recall', sourceKey: 'H-1', at: AT }
const hold = (item: number) => db.database.transaction((tx) => holdLotEverywhere(tx, lotOf(item), act))
const release = (item: number) => db.database.transaction((tx) => releaseLotEverywhere(tx, lotOf(item), act))
const ofLot = (item: number, quantity: number, more: Parameters<typeof change>[1] = {}) =>
  change(item, { lot: 'L1', quantity: units(quantity), ...more })
const lotAt = async (item: number, location = NORTH) => {
  const { available, quality_hold, damaged, unreconciled } = (await positionOf(db, item, location, 'L1'))!
  return [available, quality_hold, damaged, unreconciled].map((quantity) => quantity / units(1))
}
const wholeAt = async (item: number) => {
  const { available, quality_hold, unreconciled } = (await positionOf(db, item))!
  return [available, quality_hold, unreconciled].map((quantity) => quantity / units(1))
}
const theirHold = { from: 'available', to: 'quality_hold', reason: 'quality-hold' } as const
const theirRelease = { from: 'quality_hold', to: 'available', reason: 'quality-release' } as const

describe('what a warehouse holds of a lot itself', () => {
  test('stays on hold when the lot is let go, whether it was held before ours or during it', async () => {
    const item = newItem()
    await book(db, ofLot(item, 10), change(item, { lot: 'L2', quantity: units(5) }))
    await book(db, ofLot(item, 4, theirHold))
    await hold(item)
    await book(db, ofLot(item, 2, theirHold))
    expect(await wholeAt(item)).toEqual([5, 10, 0])
    await release(item)
    expect(await lotAt(item)).toEqual([4, 6, 0, 0])
    await booksAgree(db, item)
  })

  test('and lets go while we hold the lot is ours to let go', async () => {
    const item = newItem()
    await book(db, ofLot(item, 10), ofLot(item, 4, theirHold))
    await hold(item)
    await book(db, ofLot(item, 4, theirRelease))
    expect(await lotAt(item)).toEqual([0, 10, 0, 0])
    await release(item)
    expect(await lotAt(item)).toEqual([10, 0, 0, 0])
    await booksAgree(db, item)
  })

  test('is what its snapshot counts on hold, and the rest is ours', async () => {
    const item = newItem()
    await book(db, ofLot(item, 10))
    await hold(item)
    const counted = { available: units(9), qualityHold: units(3), damaged: 0 }
    const taking = { source: 'wms-test', sourceKey: 'S', mark: 9, takenAt: new Date(), askedAt: new Date() }
    const count = { company: COMPANY, itemId: item, location: NORTH, lots: new Map([['L1', counted]]) }
    await db.database.transaction((tx) => takeCounts(tx, [count], taking))
    expect(await lotAt(item)).toEqual([0, 12, 0, 0])
    await release(item)
    expect(await lotAt(item)).toEqual([9, 3, 0, 0])
  })

  test('and one taken before we held the lot, or let it go, is read by what holds when it comes', async () => {
    const item = newItem()
    await book(db, ofLot(item, 10, { mark: 1 }))
    const taken = (nth: number) => {
      const counted = { available: units(10), qualityHold: 0, damaged: 0 }
      const count = { company: COMPANY, itemId: item, location: NORTH, lots: new Map([['L1', counted]]) }
      const takenAt = new Date(AT.getTime() - 10 + nth)
      const taking = { source: 'wms-test', sourceKey: `S-${nth}`, mark: 1 + nth, takenAt, askedAt: takenAt }
      return db.database.transaction((tx) => takeCounts(tx, [count], taking))
    }
    await hold(item)
    await taken(1)
    expect(await lotAt(item)).toEqual([0, 10, 0, 0])
    await release(item)
    await taken(2)
    expect(await lotAt(item)).toEqual([10, 0, 0, 0])
    expect(await wholeAt(item)).toEqual([10, 0, 0])
    await booksAgree(db, item)
  })
})

test('what an ERP opens of a lot that is held is on hold, and for sale once it is let go', async () => {
  const item = newItem()
  await hold(item)
  const opening = { ...lotOf(item), location: NORTH, source: 'erp', sourceKey: 'E-1', at: AT }
  const onHand = { available: units(7), qualityHold: units(2), damaged: 0 }
  await db.database.transaction((tx) => openBalances(tx, [{ ...opening, ...onHand }]))
  expect(await lotAt(item)).toEqual([0, 9, 0, 0])
  await release(item)
  expect(await lotAt(item)).toEqual([7, 2, 0, 0])
  await booksAgree(db, item)
})

test('what is lost or damaged of a held lot is taken from what is on hold, and from no other lot', async () => {
  const item = newItem()
  await book(db, ofLot(item, 10), change(item, { lot: 'L2', quantity: units(5) }))
  await hold(item)
  await book(
    db,
    ofLot(item, 3, { from: 'available', to: 'damaged', reason: 'damage' }),
    ofLot(item, 2, { from: 'available', to: 'adjustment', reason: 'count' }),
  )
  expect([await lotAt(item), await wholeAt(item)]).toEqual([
    [0, 5, 3, 0],
    [5, 5, 0],
  ])
  await release(item)
  expect(await wholeAt(item)).toEqual([10, 0, 0])
  await booksAgree(db, item)
})

test('what ships of a held lot leaves what is on hold, ends its claim, and leaves nothing in doubt', async () => {
  const item = newItem()
  await book(db, ofLot(item, 10))
  await db.database.transaction(async (tx) => {
    const { rest: free } = await lockChannelStock(tx, [item], [NORTH])
    const [allocations] = allocateOrder(free, [{ itemId: item, quantity: units(8) }], [NORTH])
    const line = { doc: 3_000_000 + item, line: 1, company: COMPANY, itemId: item }
    reserve(tx, [{ ...line, channel: 'api', allocations: allocations!, backordered: 0, waited: false }])
  })
  await hold(item)
  await book(db, ofLot(item, 1, theirHold))
  expect(await wholeAt(item)).toEqual([8, 10, -8])
  const left = { company: COMPANY, itemId: item, location: NORTH, lot: 'L1', source: 'wms', sourceKey: 'S-1' }
  const quantity = units(8)
  const departure = { ...left, quantity, claimEnds: quantity, short: 0, doc: 1, at: AT }
  expect(await db.database.transaction((tx) => ship(tx, [departure]))).toEqual([])
  expect([await lotAt(item), await wholeAt(item)]).toEqual([
    [0, 2, 0, 0],
    [0, 2, 0],
  ])
  await release(item)
  expect(await wholeAt(item)).toEqual([1, 1, 0])
})

describe('the first of an item that comes to a place in the moment in which its lot is held', () => {
  /** Until somebody waits for a lock of this database. */
  const somebodyWaits = () =>
    expect
      .poll(async () => {
        const [row] = await db.run<{ n: number }>(
          `select count(*)::int as n from pg_stat_activity
           where datname = current_database() and wait_event_type = 'Lock'`,
        )
        return row!.n
      })
      .toBeGreaterThan(0)

  const moved = (tx: Transaction, item: number) => move(tx, [ofLot(item, 3, { location: SOUTH })])
  const opened = (tx: Transaction, item: number) =>
    openBalances(tx, [
      {
        ...lotOf(item),
        location: SOUTH,
        source: 'erp',
        sourceKey: 'E-2',
        at: AT,
        available: units(3),
        qualityHold: 0,
        damaged: 0,
      },
    ])
  const WAYS = [
    ['by a movement', moved],
    ['as an ERP opens it', opened],
  ] as const

  test.each(WAYS)('is waited for where it came first, %s, and held with the rest', async (_, bring) => {
    const item = newItem()
    await book(db, ofLot(item, 10))
    let holding: Promise<unknown> | undefined
    await db.database.transaction(async (tx) => {
      await bring(tx, item)
      holding = hold(item)
      await Promise.race([holding, somebodyWaits()])
    })
    await holding
    expect([await lotAt(item), await lotAt(item, SOUTH)]).toEqual([
      [0, 10, 0, 0],
      [0, 3, 0, 0],
    ])
    await booksAgree(db, item)
  })

  test.each(WAYS)(
    'waits where the hold came first, %s, and is on hold when it is there',
    async (_, bring) => {
      const item = newItem()
      await book(db, ofLot(item, 10))
      let moving: Promise<unknown> | undefined
      await db.database.transaction(async (tx) => {
        await holdLotEverywhere(tx, lotOf(item), act)
        moving = db.database.transaction(async (other) => void (await bring(other, item)))
        await Promise.race([moving, somebodyWaits()])
      })
      await moving
      expect(await lotAt(item, SOUTH)).toEqual([0, 3, 0, 0])
      await release(item)
      expect(await lotAt(item, SOUTH)).toEqual([3, 0, 0, 0])
    },
  )

  test('is let go with the rest where the lot is released in that moment', async () => {
    const item = newItem()
    await book(db, ofLot(item, 10))
    await hold(item)
    let releasing: Promise<unknown> | undefined
    await db.database.transaction(async (tx) => {
      await moved(tx, item)
      releasing = release(item)
      await Promise.race([releasing, somebodyWaits()])
    })
    await releasing
    expect(await lotAt(item, SOUTH)).toEqual([3, 0, 0, 0])
  })
})
