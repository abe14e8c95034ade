/** What is promised while a source is silent: by each rule, and what becomes of the promises. */
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { CarefulRule } from '#domains/inventory/contract/freshness.ts'
import {
  checkPromises,
  endWithholding,
  markDoubts,
  markMore,
  withhold,
} from '#domains/inventory/operations/freshness.ts'
import { carefulFigure } from '#domains/inventory/rules/careful.ts'
import { openDoubts, withheldLinesOf, withheldOf } from '#domains/inventory/views/freshness.ts'
import { units } from '#platform/quantity.ts'
import { book, change, COMPANY, newItem, NORTH, receive, SOUTH } from '#tests/domains/inventory/stock.ts'
import { type OpenDatabase, openTestDatabase } from '#tests/support/open-database.ts'

const HOUR_MS = 3_600_000
const silence = { silentMs: HOUR_MS, perHour: units(6), promised: units(4) }

describe('of 100', () => {
  test.each<[string, CarefulRule, number]>([
    [
      'a buffer leaves what is beyond it and beyond what would have been sold',
      { kind: 'buffer', least: units(10), factor: 2 },
      78,
    ],
    ['a buffer that is larger leaves nothing', { kind: 'buffer', least: units(200), factor: 0 }, 0],
    ['a cap leaves what of it is not promised yet', { kind: 'cap', quantity: units(30) }, 26],
    ['a cap that is used up leaves nothing', { kind: 'cap', quantity: units(3) }, 0],
    ['"zero" leaves nothing', { kind: 'zero' }, 0],
    ['"ask" leaves nothing to whoever does not ask', { kind: 'ask' }, 0],
  ])('%s', (_, rule, left) => {
    expect(carefulFigure(rule, units(100), silence)).toBe(units(left))
  })
})

test('no rule ever promises more than there is, less than nothing, or more the longer the silence', () => {
  const rule: fc.Arbitrary<CarefulRule> = fc.oneof(
    fc.record({ kind: fc.constant('buffer' as const), least: fc.nat(1_000_000), factor: fc.nat(5) }),
    fc.record({ kind: fc.constant('cap' as const), quantity: fc.nat(1_000_000) }),
    fc.record({ kind: fc.constantFrom('zero' as const, 'ask' as const) }),
  )
  const amounts = fc.tuple(fc.integer({ min: -1_000_000, max: 1_000_000 }), fc.nat(500_000), fc.nat(500_000))
  fc.assert(
    fc.property(
      rule,
      amounts,
      fc.nat(100 * HOUR_MS),
      fc.nat(100 * HOUR_MS),
      (given, [there, perHour, promised], a, b) => {
        const at = (silentMs: number) => carefulFigure(given, there, { silentMs, perHour, promised })
        const [sooner, later] = [at(Math.min(a, b)), at(Math.max(a, b))]
        expect(sooner).toBeLessThanOrEqual(Math.max(0, there))
        expect(later).toBeGreaterThanOrEqual(0)
        expect(later).toBeLessThanOrEqual(sooner)
      },
    ),
  )
})

let db: OpenDatabase
beforeAll(async () => {
  db = await openTestDatabase()
})
afterAll(() => db.end())

const doubt = (doc: number, itemId: number, location = NORTH) => ({
  doc,
  itemId,
  location,
  kind: 'reservation' as const,
  company: COMPANY,
  quantity: units(5),
})

test('what was promised is checked once its place is heard again: kept where it is there, short where it is missing', async () => {
  const [there, missing, stillSilent] = [newItem(), newItem(), newItem()]
  await receive(db, there, units(10))
  await receive(db, missing, units(10))
  await book(
    db,
    change(missing, { from: 'unreconciled', to: 'shipped', quantity: units(12), reason: 'ship' }),
  )
  await db.database.transaction(async (tx) =>
    markDoubts(tx, [doubt(1, there), doubt(2, missing), doubt(3, stillSilent, SOUTH)]),
  )
  const checked = await db.database.transaction((tx) => checkPromises(tx, [SOUTH]))
  expect(checked.map(({ doc, outcome }) => `${doc} ${outcome}`).toSorted()).toEqual(['1 kept', '2 short'])
  expect(await openDoubts(db.database)).toBe(1)
  expect(await db.database.transaction((tx) => checkPromises(tx, [SOUTH]))).toEqual([])
})

test('what is promised in all is marked as that, what is promised beside it is added, and what was checked counts no more', async () => {
  const item = newItem()
  await receive(db, item, units(100))
  const marked = async () =>
    (
      await db.run<{ quantity: number }>('select quantity from inventory.doubt where item_id = $1', [item])
    )[0]!.quantity
  const mark = (how: typeof markMore) =>
    db.database.transaction(async (tx) => how(tx, [doubt(4, item), doubt(5, newItem())]))
  for (const how of [markDoubts, markDoubts, markMore]) await mark(how)
  expect(await marked()).toBe(units(10))
  await db.database.transaction((tx) => checkPromises(tx, []))
  await mark(markMore)
  expect(await marked()).toBe(units(5))
})

test('lines that a silence withholds are given back once, in portions, when their own source is heard', async () => {
  await db.run('analyze inventory.withheld')
  const [wms, erp] = [
    { source: 'wms-7', flow: 'messages' as const },
    { source: 'erp-7', flow: 'readings' as const },
  ]
  const [one, other] = [9_100_001, 9_100_002]
  await db.database.transaction(async (tx) => {
    const lines = [
      { ...wms, doc: one, line: 1 },
      { ...wms, doc: other, line: 1 },
      { ...erp, doc: one, line: 1 },
    ]
    withhold(tx, lines)
    withhold(tx, lines)
  })
  const until = (before: Date, limit: number) =>
    db.database.transaction((tx) => endWithholding(tx, [wms, { ...wms, source: 'never' }], { before, limit }))
  const heard = (limit: number) => until(new Date('2999-01-01'), limit)
  expect(await until(new Date('2026-01-01'), 10)).toEqual([])
  expect([await heard(1), await heard(10), await heard(10)]).toEqual([[one], [other], []])
  expect(await withheldLinesOf(db.database, [one, other])).toEqual([{ ...erp, doc: one, line: 1 }])
  expect(await withheldOf(db.database, one)).toMatchObject([{ line: 1, source: 'erp-7' }])
  const ours = [...db.statements()].filter(([name]) => /withh/.test(name))
  expect(ours).toHaveLength(4)
  for (const [name, statement] of ours) expect([name, await db.fullReads(statement)]).toEqual([name, []])
})
