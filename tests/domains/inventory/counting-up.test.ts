/** What a count by people corrects, and that it explains what was in doubt. */
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { AdjustedLine, Adjustment } from '#domains/inventory/contract/adjustments.ts'
import { bookAdjustment, compareCounts, lockAdjusted } from '#domains/inventory/operations/adjustments.ts'
import { ship } from '#domains/inventory/operations.ts'
import { correction, stillInDoubt } from '#domains/inventory/rules/counting-up.ts'
import { units } from '#platform/quantity.ts'
import { openTestDatabase, type OpenDatabase } from '#tests/support/open-database.ts'
import { booksAgree } from './ledger.ts'
import { AT, book, change, COMPANY, newItem, NORTH, positionOf, receive } from './stock.ts'

let db: OpenDatabase
beforeAll(async () => {
  db = await openTestDatabase()
})
afterAll(() => db.end())

const counted = (itemId: number, quantity: number, lot = ''): AdjustedLine => ({
  n: 1,
  kind: 'counted',
  itemId,
  sku: 'S',
  location: NORTH,
  lot,
  serials: [],
  owner: 'own',
  toOwner: null,
  status: 'available',
  toStatus: null,
  transfer: null,
  place: null,
  quantity: units(quantity),
  baseUnit: 'EA',
  asked: units(quantity),
  unit: 'EA',
  difference: null,
  explained: null,
})

const adjustmentOf = (lines: readonly AdjustedLine[]): Adjustment => ({
  id: 77,
  company: COMPANY,
  state: 'booked',
  reason: 'count',
  reference: 'sheet 1',
  note: null,
  valueMinor: 0,
  currency: 'USD',
  requestedBy: 'ann',
  requestedAt: AT,
  decidedBy: null,
  decidedAt: null,
  decision: null,
  version: 1,
  lines,
})

const count = (...lines: readonly AdjustedLine[]) =>
  db.database.transaction(async (tx) => {
    const positions = await lockAdjusted(tx, lines)
    const adjustment = adjustmentOf(compareCounts(lines, positions))
    return bookAdjustment(tx, adjustment, { number: 'A-77', at: AT, positions })
  })

const departed = (itemId: number, quantity: number, short: number, lot = '') =>
  db.database.transaction((tx) =>
    ship(tx, [
      {
        company: COMPANY,
        itemId,
        location: NORTH,
        lot,
        doc: 7,
        at: AT,
        source: 'wms-test',
        sourceKey: 'S-1',
        quantity: units(quantity),
        claimEnds: 0,
        short: units(short),
      },
    ]),
  )

describe('a count', () => {
  test('makes the books what was counted, and explains what had left beyond them', async () => {
    const item = newItem()
    await receive(db, item, units(3))
    await departed(item, 5, 0)
    expect(await positionOf(db, item)).toMatchObject({ available: 0, unreconciled: -units(2) })
    const { shortfalls } = await count(counted(item, 4))
    expect(shortfalls).toEqual([])
    expect(await positionOf(db, item)).toMatchObject({ available: units(4), unreconciled: 0 })
    await booksAgree(db, item)
  })

  test('that finds what a pick did not find puts it back without an adjustment', async () => {
    const item = newItem()
    await receive(db, item, units(10))
    await departed(item, 0, 4)
    const { changes } = await count(counted(item, 10))
    expect(changes.map(({ from, to, quantity }) => [from, to, quantity])).toEqual([
      ['unreconciled', 'available', units(4)],
    ])
    expect(await positionOf(db, item)).toMatchObject({ available: units(10), unreconciled: 0 })
  })

  test('of a lot explains what a pick was short of without saying of which lot', async () => {
    const item = newItem()
    await book(db, change(item, { lot: 'L1', quantity: units(10) }))
    await departed(item, 0, 4)
    await count(counted(item, 6, 'L1'))
    expect(await positionOf(db, item)).toMatchObject({ available: units(6), unreconciled: 0 })
    expect(await positionOf(db, item, NORTH, 'L1')).toMatchObject({ available: units(6), unreconciled: 0 })
    await booksAgree(db, item)
  })
})

test('whatever the books say, a count leaves them at what was counted and nothing in doubt', async () => {
  const figure = fc.integer({ min: 0, max: 20 })
  await fc.assert(
    fc.asyncProperty(figure, figure, figure, figure, async (came, left, short, found) => {
      const item = newItem()
      await receive(db, item, units(came + short))
      await departed(item, left, Math.min(short, Math.max(0, came + short - left)))
      await count(counted(item, found))
      expect(await positionOf(db, item)).toMatchObject({ available: units(found), unreconciled: 0 })
      await booksAgree(db, item)
    }),
    { numRuns: 25 },
  )
})

test('a correction changes the status by its difference and doubt by what it explains, and nothing else', () => {
  const change_ = fc.integer({ min: -50, max: 50 })
  fc.assert(
    fc.property(change_, change_, (difference, explained) => {
      const net = { available: 0, unreconciled: 0, adjustment: 0 }
      for (const { from, to, quantity } of correction('available', { difference, explained })) {
        expect(quantity).toBeGreaterThan(0)
        net[from as keyof typeof net] -= quantity
        net[to as keyof typeof net] += quantity
      }
      expect([net.available, net.unreconciled]).toEqual([difference, explained])
      expect(net.adjustment + 0).toBe(-(difference + explained) + 0)
    }),
  )
})

test.each([
  [4, -6, 4],
  [4, -1, 1],
  [4, 3, 0],
  [-4, 6, -4],
  [-4, 1, -1],
  [-4, -3, 0],
])('of %i that a count explained, where %i is in doubt now, %i still is', (explained, doubt, still) => {
  expect(stillInDoubt(explained, doubt) + 0).toBe(still)
})
