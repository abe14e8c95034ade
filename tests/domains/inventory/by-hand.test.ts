/** What people entered for a warehouse, beside its counts and snapshots: in any order, nothing is in the books twice. */
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { HandRow } from '#domains/inventory/contract/by-hand.ts'
import {
  correctLeft,
  endRows,
  handRowsAt,
  handRowsOfRequests,
  listByHand,
  openOfDocument,
  rememberByHand,
  untoldByHand,
} from '#domains/inventory/operations/by-hand.ts'
import { ship } from '#domains/inventory/operations.ts'
import { beyondHand, HandRows } from '#domains/inventory/rules/by-hand.ts'
import { units } from '#platform/quantity.ts'
import { openTestDatabase, type OpenDatabase } from '#tests/support/open-database.ts'
import { SOURCE, take } from './feed-voice.ts'
import { booksAgree } from './ledger.ts'
import { AT, COMPANY, newItem, NORTH, positionOf, receive } from './stock.ts'

let db: OpenDatabase
beforeAll(async () => {
  db = await openTestDatabase()
})
afterAll(() => db.end())

const row = (id: number, open: number, more: Partial<HandRow> = {}): HandRow => ({
  id,
  kind: 'count',
  company: COMPANY,
  location: NORTH,
  itemId: 1,
  lot: '',
  doc: 5,
  fulfillmentId: null,
  line: null,
  quantity: open,
  open,
  booked: true,
  reference: 'sheet',
  actor: 'ann',
  happenedAt: AT,
  enteredAt: AT,
  outcome: null,
  endedAt: null,
  ...more,
})

test('of counts by paper and counts that are told in any order, stock moves by what was told, and by papers of which nothing was', () => {
  const amount = fc.integer({ min: -5, max: 5 }).filter((n) => n !== 0)
  const step = fc.record({ by: fc.constantFrom('paper', 'wms'), amount })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 8 }), (steps) => {
      let open: HandRow[] = []
      let [booked, told] = [0, 0]
      for (const [at, { by, amount: some }] of steps.entries()) {
        if (by === 'paper') {
          open.push(row(at, some))
          booked += some
          continue
        }
        told += some
        if (open.length === 0) booked += some
        else {
          const { beyond, ended } = beyondHand(some, open)
          open = open.filter((one) => !ended.includes(one))
          booked += beyond
        }
      }
      expect(booked).toBe(told + open.reduce((sum, one) => sum + one.open, 0))
    }),
  )
})

test('of any lots, what is told takes no more of what was entered than is open, and the same lot before another', () => {
  const lot = fc.constantFrom('', 'A', 'B')
  const amounts = fc.array(fc.record({ lot, quantity: fc.integer({ min: 1, max: 6 }) }), {
    minLength: 1,
    maxLength: 5,
  })
  fc.assert(
    fc.property(amounts, amounts, (entered, told) => {
      const rows = entered.map(({ lot: of, quantity }, at) =>
        row(at, quantity, { kind: 'ship', lot: of, fulfillmentId: 1, line: 1 }),
      )
      const hand = HandRows.of(rows)
      for (const { lot: of, quantity } of told) {
        const before = rows.map((one) => hand.openOf(one))
        const known = hand.take('ship', { line: 1, lot: of, quantity })
        const sum = known.reduce((all, one) => all + one.quantity, 0)
        expect(sum).toBeLessThanOrEqual(quantity)
        expect(known.every(({ row: one }) => one.lot === of || one.lot === '' || of === '')).toBe(true)
        const same = rows.reduce((all, one, at) => (one.lot === of ? all + before[at]! : all), 0)
        const ofSame = known.reduce((all, one) => (one.row.lot === of ? all + one.quantity : all), 0)
        expect(ofSame).toBe(Math.min(quantity, same))
        expect(rows.reduce((all, one, at) => all + before[at]! - hand.openOf(one), 0)).toBe(sum)
      }
    }),
  )
})

describe('a shipment by paper', () => {
  const minutes = (count: number): Date => new Date(AT.getTime() + count * 60_000)
  const left = (itemId: number) => ({
    company: COMPANY,
    itemId,
    location: NORTH,
    lot: '',
    quantity: units(3),
    doc: 9,
  })
  const byPaper = async (itemId: number): Promise<void> => {
    await receive(db, itemId, units(10))
    await db.database.transaction(async (tx) => {
      const at = minutes(2)
      await ship(tx, [{ ...left(itemId), claimEnds: 0, short: 0, source: 'by-hand', sourceKey: 'F/1', at }])
      const entered = {
        ...row(0, units(3)),
        ...left(itemId),
        kind: 'ship' as const,
        fulfillmentId: itemId,
        line: 1,
      }
      rememberByHand(tx, [{ ...entered, happenedAt: at }])
    })
  }
  const told = (itemId: number, mark: number) =>
    db.database.transaction(async (tx) => {
      endRows(tx, await handRowsOfRequests(tx, [itemId]), 'known')
      const again = { ...left(itemId), source: SOURCE, sourceKey: 'SH', at: minutes(mark), mark }
      await correctLeft(tx, [], [again])
    })

  test('stays out of the books when a snapshot does not have it yet, and when it is told after that', async () => {
    const itemId = newItem()
    await byPaper(itemId)
    await take(db, itemId, { mark: 5, available: units(10) })
    expect(await positionOf(db, itemId)).toMatchObject({ available: units(7) })
    await told(itemId, 6)
    expect(await positionOf(db, itemId)).toMatchObject({ available: units(7) })
    await take(db, itemId, { mark: 9, available: units(7) })
    expect(await positionOf(db, itemId)).toMatchObject({ available: units(7), unreconciled: 0 })
    await booksAgree(db, itemId)
  })

  test('that a snapshot has already is out of the books once when it is told late', async () => {
    const itemId = newItem()
    await byPaper(itemId)
    await take(db, itemId, { mark: 5, available: units(7) })
    await told(itemId, 4)
    expect(await positionOf(db, itemId)).toMatchObject({ available: units(7), unreconciled: 0 })
    await booksAgree(db, itemId)
  })
})

test('a snapshot ends what was counted by paper', async () => {
  const itemId = newItem()
  await receive(db, itemId, units(10))
  await db.database.transaction(async (tx) => rememberByHand(tx, [row(0, units(-2), { itemId })]))
  await take(db, itemId, { mark: 5, available: units(8) })
  expect(await handRowsAt(db.database, [{ itemId, location: NORTH }])).toEqual([])
  expect(await positionOf(db, itemId)).toMatchObject({ available: units(8) })
})

test('what is counted by paper after a snapshot was taken is not ended by it', async () => {
  const itemId = newItem()
  await receive(db, itemId, units(10))
  const counted = row(0, units(-2), { itemId, happenedAt: new Date(AT.getTime() + 9 * 60_000) })
  await db.database.transaction(async (tx) => rememberByHand(tx, [counted]))
  await take(db, itemId, { mark: 5, available: units(10) })
  expect(await handRowsAt(db.database, [{ itemId, location: NORTH }])).toHaveLength(1)
})

test('every statement of what was entered by hand goes by index', async () => {
  const empty = await openTestDatabase()
  try {
    await empty.run('analyze')
    await empty.database.transaction(async (tx) => {
      await openOfDocument(tx, 1)
      await handRowsOfRequests(tx, [1])
      endRows(tx, [row(1, 1)], 'known')
    })
    await handRowsAt(empty.database, [{ itemId: 1, location: NORTH }])
    await listByHand(empty.database, { company: COMPANY, open: true }, undefined, 5)
    await listByHand(empty.database, { company: COMPANY, open: false }, undefined, 5)
    await untoldByHand(empty.database, AT, 5)
    const ours = [...empty.statements()].filter(([name]) => name.includes('by_hand'))
    expect(ours.length).toBeGreaterThanOrEqual(7)
    const reads = await Promise.all(
      ours.map(async ([name, each]) => [name, await empty.fullReads(each)] as const),
    )
    expect(reads.filter(([, found]) => found.length > 0)).toEqual([])
  } finally {
    await empty.end()
  }
})
