/** What sources tell of stock on a real database: once, in its order, counted anew by snapshots that never erase a claim. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { lockChannelStock } from '#domains/inventory/operations.ts'
import { openBalances } from '#domains/inventory/operations/opening.ts'
import { blockedFeeds, stockedItems } from '#domains/inventory/views/feeds.ts'
import { units } from '#platform/quantity.ts'
import {
  claim,
  factOf,
  leave,
  OTHER_SOURCE,
  received,
  SOURCE,
  take,
  tell,
} from '#tests/domains/inventory/feed-voice.ts'
import { AT, COMPANY, newItem, NORTH, positionOf } from '#tests/domains/inventory/stock.ts'
import { booksAgree } from '#tests/domains/inventory/ledger.ts'
import { openTestDatabase, type OpenDatabase } from '#tests/support/open-database.ts'

let db: OpenDatabase
beforeAll(async () => {
  db = await openTestDatabase()
})
afterAll(() => db.end())

const feedOf = async (itemId: number) =>
  (
    await db.run<{ last: number; repeated: number; late: number }>(
      'select last_sequence as last, repeated, late from inventory.feed where item_id = $1',
      [itemId],
    )
  )[0]

describe('facts of a source', () => {
  test('are booked in its order, whatever order they come in', async () => {
    const item = newItem()
    const facts = [5, 3, 2].map((quantity, at) =>
      factOf(item, received(quantity), { sequence: at + 1, mark: at + 1 }),
    )
    expect(await tell(db, facts[2]!)).toEqual(['waiting'])
    expect(await positionOf(db, item)).toBeUndefined()
    expect(await tell(db, facts[1]!, facts[0]!)).toEqual(['due', 'due'])
    expect(await positionOf(db, item)).toMatchObject({ available: units(10) })
    await booksAgree(db, item)
  })

  test('that are told again are counted as such and change nothing', async () => {
    const item = newItem()
    const [first, third] = [1, 3].map((n) => factOf(item, received(4), { sequence: n, mark: n }))
    await tell(db, first!, third!)
    expect(await tell(db, first!, third!)).toEqual(['repeated', 'repeated'])
    expect(await feedOf(item)).toEqual({ last: 1, repeated: 2, late: 0 })
    expect(await positionOf(db, item)).toMatchObject({ available: units(4) })
  })

  test('behind a missing one wait, and what is missing is shown', async () => {
    const item = newItem()
    await tell(db, factOf(item, received(1), { sequence: 1, mark: 1 }))
    await tell(db, factOf(item, received(1), { sequence: 6, mark: 9 }))
    await tell(db, factOf(item, received(1), { sequence: 4, mark: 7 }))
    const [blocked] = (await blockedFeeds(db.database, 0)).filter(({ itemId }) => itemId === item)
    expect(blocked).toMatchObject({
      source: SOURCE,
      missing: { from: 2, to: 3 },
      waiting: 2,
      lastSequence: 1,
    })
    await tell(db, ...[2, 3].map((n) => factOf(item, received(1), { sequence: n, mark: n })))
    const [next] = (await blockedFeeds(db.database, 0)).filter(({ itemId }) => itemId === item)
    expect(next).toMatchObject({ missing: { from: 5, to: 5 }, waiting: 1 })
  })

  test('that carry no number are booked at once', async () => {
    const item = newItem()
    expect(
      await tell(db, factOf(item, received(4), { mark: 8 }), factOf(item, received(1), { mark: 3 })),
    ).toEqual(['due', 'due'])
    expect(await positionOf(db, item)).toMatchObject({ available: units(5) })
  })
})

describe('a snapshot', () => {
  test('takes the place of what is missing, lets go what waited, and makes late ones count for nothing', async () => {
    const item = newItem()
    const facts = [10, 4, 3].map((quantity, at) =>
      factOf(item, received(quantity), { sequence: at + 1, mark: at + 1 }),
    )
    await tell(db, facts[0]!, facts[2]!)
    const taken = await take(db, item, { available: units(14), sequence: 2, mark: 2 })
    expect(taken.corrected).toMatchObject([
      { ours: { available: units(10) }, theirs: { available: units(14) } },
    ])
    expect(await positionOf(db, item)).toMatchObject({ available: units(17) })
    expect(await tell(db, facts[1]!)).toEqual(['late'])
    expect(await positionOf(db, item)).toMatchObject({ available: units(17) })
    expect(await feedOf(item)).toEqual({ last: 3, repeated: 0, late: 1 })
    await booksAgree(db, item)
  })

  test('keeps what moved after it was taken', async () => {
    const item = newItem()
    await tell(db, factOf(item, received(10), { sequence: 1, mark: 1 }))
    await tell(db, factOf(item, received(5), { sequence: 2, mark: 4 }))
    await leave(db, item, 2, { mark: 5 })
    await take(db, item, { available: units(9), sequence: 1, mark: 3 })
    expect(await positionOf(db, item)).toMatchObject({ available: units(12), unreconciled: 0 })
    await booksAgree(db, item)
  })

  test('that is older than one that was taken changes nothing', async () => {
    const item = newItem()
    await take(db, item, { available: units(9), mark: 5 })
    expect(await take(db, item, { available: units(70), mark: 4 })).toMatchObject({
      superseded: 1,
      corrected: [],
    })
    expect(await positionOf(db, item)).toMatchObject({ available: units(9) })
  })

  test('that is older than what opened the books of the place changes nothing, and a later one counts', async () => {
    const item = newItem()
    const at = new Date(AT.getTime() + 10 * 60_000)
    const place = { company: COMPANY, itemId: item, location: NORTH, lot: '' }
    const opening = { ...place, source: 'erp', sourceKey: 'E-1', at, available: units(24) }
    await db.database.transaction((tx) => openBalances(tx, [{ ...opening, qualityHold: 0, damaged: 0 }]))
    expect(await take(db, item, { mark: 5, available: units(20) })).toMatchObject({
      corrected: [],
      superseded: 1,
    })
    expect(await positionOf(db, item)).toMatchObject({ available: units(24) })
    await take(db, item, { mark: 15, available: units(21) })
    expect(await positionOf(db, item)).toMatchObject({ available: units(21) })
    await booksAgree(db, item)
  })

  test('that agrees corrects nothing', async () => {
    const item = newItem()
    await tell(db, factOf(item, received(10), { sequence: 1, mark: 1 }))
    const taken = await take(db, item, { available: units(10), sequence: 1, mark: 1 })
    expect(taken).toMatchObject({ corrected: [], below: [], superseded: 0 })
  })

  test('that counts less than is reserved leaves the claims, and says how much is missing', async () => {
    const item = newItem()
    await tell(db, factOf(item, received(10), { sequence: 1, mark: 1 }))
    await claim(db, 31, item, units(8))
    const taken = await take(db, item, { available: units(5), sequence: 1, mark: 2 })
    expect(taken.below).toMatchObject([{ itemId: item, counted: units(5), reserved: units(8) }])
    expect(await positionOf(db, item)).toMatchObject({
      available: units(8),
      reserved: units(8),
      unreconciled: -units(3),
    })
    const { rest: free } = await db.database.transaction((tx) => lockChannelStock(tx, [item], [NORTH]))
    expect([...free.values()]).toEqual([-units(3)])
    await booksAgree(db, item)
  })

  test('contains the shipment that is told late: only its claim ends, and what was missing is explained', async () => {
    const item = newItem()
    await tell(db, factOf(item, received(10), { sequence: 1, mark: 1 }))
    await claim(db, 32, item, units(8))
    // 8 left under mark 2, which was lost; the snapshot comes before it
    await take(db, item, { available: units(2), sequence: 1, mark: 3 })
    expect(await positionOf(db, item)).toMatchObject({ available: units(8), unreconciled: -units(6) })
    expect(await leave(db, item, 8, { mark: 2, claimEnds: 8 })).toMatchObject([{ itemId: item, quantity: 0 }])
    expect(await positionOf(db, item)).toMatchObject({ available: units(2), reserved: 0, unreconciled: 0 })
    await booksAgree(db, item)
  })

  test('contains what another source of the place tells late, and not what happened after it', async () => {
    const item = newItem()
    await tell(db, factOf(item, received(10), { sequence: 1, mark: 1 }))
    await claim(db, 34, item, units(2))
    // 3 came in and 2 left before it; both are told by another, and are still to come
    await take(db, item, { available: units(11), mark: 4 })
    const found = factOf(item, received(3), { sequence: 1, mark: 2, source: OTHER_SOURCE })
    const later = factOf(item, received(5), { sequence: 2, mark: 5, source: OTHER_SOURCE })
    expect(await tell(db, found, later)).toEqual(['due', 'due'])
    await leave(db, item, 2, { mark: 3, claimEnds: 2, source: OTHER_SOURCE })
    expect(await positionOf(db, item)).toMatchObject({ available: units(16), reserved: 0, unreconciled: 0 })
    await booksAgree(db, item)
  })

  test('is still the last where an older one of another source comes behind it', async () => {
    const item = newItem()
    await tell(db, factOf(item, received(10), { sequence: 1, mark: 1 }))
    await take(db, item, { available: units(13), mark: 4 })
    expect(await take(db, item, { available: units(10), mark: 2, source: OTHER_SOURCE })).toMatchObject({
      corrected: [],
      superseded: 1,
    })
    await tell(db, factOf(item, received(3), { mark: 3, source: OTHER_SOURCE }))
    expect(await positionOf(db, item)).toMatchObject({ available: units(13), unreconciled: 0 })
    await booksAgree(db, item)
  })

  test('explains what a pick did not find', async () => {
    const item = newItem()
    await tell(db, factOf(item, received(10), { sequence: 1, mark: 1 }))
    await claim(db, 33, item, units(4))
    await leave(db, item, 1, { mark: 2, claimEnds: 4, short: 3 })
    expect(await positionOf(db, item)).toMatchObject({ available: units(6), unreconciled: units(3) })
    await take(db, item, { available: units(6), mark: 3 })
    expect(await positionOf(db, item)).toMatchObject({ available: units(6), unreconciled: 0 })
    await booksAgree(db, item)
  })

  test('by lot counts lots, and what is not named is not there', async () => {
    const item = newItem()
    await tell(
      db,
      factOf(item, { ...received(4), lot: 'L1' }, { sequence: 1, mark: 1 }),
      factOf(item, { ...received(3), lot: 'L2' }, { sequence: 2, mark: 2 }),
    )
    await take(db, item, { available: units(5), qualityHold: units(1), lot: 'L1', sequence: 2, mark: 2 })
    expect(await positionOf(db, item)).toMatchObject({ available: units(5), quality_hold: units(1) })
    expect(await positionOf(db, item, NORTH, 'L1')).toMatchObject({
      available: units(5),
      quality_hold: units(1),
    })
    expect(await positionOf(db, item, NORTH, 'L2')).toMatchObject({ available: 0 })
    await booksAgree(db, item)
  })

  test('finds the items of a place that it has to speak of', async () => {
    const [here, gone] = [newItem(), newItem()]
    await tell(db, factOf(here, received(4), { sequence: 1, mark: 1 }))
    await take(db, gone, { available: 0, mark: 1 })
    const place = { company: COMPANY, location: NORTH }
    const found = await stockedItems(db.database, place, { after: here - 1, limit: 10 })
    expect(found).toEqual([here])
  })
})
