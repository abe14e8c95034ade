/** What warehouses tell of stock, booked: each kind of movement, what is taken back, what cannot be read. */
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { STATUSES, type StockStatus } from '#domains/inventory/contract.ts'
import { upsertSupply } from '#domains/supply/operations.ts'
import { units } from '#platform/quantity.ts'
import type { StockTold } from '#processes/stock-booking.ts'
import { booksAgree, INSIDE, net } from '#tests/domains/inventory/ledger.ts'
import { AT, COMPANY, NORTH, positionOf, positionsOf, SOUTH } from '#tests/domains/inventory/stock.ts'
import { openTestDatabase, type OpenDatabase } from '#tests/support/open-database.ts'
import { bookTold, knownItem, told, type KnownItem } from './stock-told.ts'

let db: OpenDatabase
beforeAll(async () => {
  db = await openTestDatabase()
})
afterAll(() => db.end())

test.each<[StockTold['reason'], object, object]>([
  ['damage', {}, { available: units(7), damaged: units(3) }],
  ['quality-hold', {}, { available: units(7), quality_hold: units(3) }],
  [
    'status-change',
    { statuses: { from: 'available', to: 'blocked' } },
    { available: units(7), blocked: units(3) },
  ],
  ['ship-other', {}, { available: units(7), reserved: 0 }],
  ['return', {}, { available: units(10), quarantine: units(3) }],
  ['count', {}, { available: units(13) }],
  ['transfer-out', { transfer: { number: 'T-1', place: SOUTH } }, { available: units(7) }],
])('a %s moves what it names into its own bucket', async (reason, more, expected) => {
  const item = await knownItem(db)
  await bookTold(db, told(item, 'receipt', 10), told(item, reason, 3, more))
  expect(await positionOf(db, item.itemId)).toMatchObject({ unreconciled: 0, ...expected })
  await booksAgree(db, item.itemId)
})

describe('a receipt that is told with a minus', () => {
  test('is taken back: it leaves stock, and is to come again of its purchase order', async () => {
    const item = await knownItem(db)
    const number = `PO-${item.sku}`
    const purchaseOrder = { number }
    await db.database.transaction((tx) =>
      upsertSupply(tx, { company: COMPANY, source: 'erp-test', asOf: AT }, [
        {
          number,
          line: 10,
          supplier: 'V1',
          itemId: item.itemId,
          sku: item.sku,
          location: NORTH,
          ordered: units(100),
          received: 0,
          cancelled: 0,
          changedAt: AT,
        },
      ]),
    )
    await bookTold(db, told(item, 'receipt', 40, { purchaseOrder }))
    await bookTold(db, told(item, 'receipt', -15, { purchaseOrder }))
    expect(await positionOf(db, item.itemId)).toMatchObject({ available: units(25), unreconciled: 0 })
    expect(await db.run('select open, received from supply.line where number = $1', [number])).toEqual([
      { open: units(75), received: units(25) },
    ])
    await booksAgree(db, item.itemId)
  })

  test('beyond what is there is in doubt, and never booked as stock that came', async () => {
    const item = await knownItem(db)
    await bookTold(db, told(item, 'receipt', 4))
    const { doubtful } = await bookTold(db, told(item, 'receipt', -10))
    expect(doubtful).toMatchObject([{ itemId: item.itemId, location: NORTH }])
    expect(await positionOf(db, item.itemId)).toMatchObject({ available: 0, unreconciled: -units(6) })
    await booksAgree(db, item.itemId)
  })
})

test.each<[string, StockTold['reason'], object]>([
  ['a change of status without statuses', 'status-change', {}],
  ['a change of status to the same', 'status-change', { statuses: { from: 'damaged', to: 'damaged' } }],
  ['a transfer without a number', 'transfer-in', {}],
  ['a transfer to nowhere', 'transfer-out', { transfer: { number: 'T-2' } }],
  ['a transfer to where it comes from', 'transfer-out', { transfer: { number: 'T-3', place: NORTH } }],
])('%s is answered as incomplete, and its neighbour is booked', async (_, reason, more) => {
  const item = await knownItem(db)
  const { refused } = await bookTold(db, told(item, reason, 3, more), told(item, 'receipt', 5))
  expect([...refused].map(([place, { code }]) => [place, code])).toEqual([
    [0, 'inventory.movement_incomplete'],
  ])
  expect(await positionOf(db, item.itemId)).toMatchObject({ available: units(5) })
})

test('an item that the company does not have is answered, and its neighbour is booked', async () => {
  const item = await knownItem(db)
  const stranger = { sku: 'stranger', itemId: 0 }
  const { refused, items } = await bookTold(db, told(stranger, 'receipt', 1), told(item, 'receipt', 5))
  expect([...refused].map(([place, { code }]) => [place, code])).toEqual([[0, 'inventory.item_unknown']])
  expect(items).toEqual([item.itemId])
})

describe('any mix of movements', () => {
  const status = fc.constantFrom<StockStatus>(...STATUSES)
  const statuses = fc.record({ from: status, to: status }).filter(({ from, to }) => from !== to)
  const where = { location: fc.constantFrom(NORTH, SOUTH), lot: fc.constantFrom('L1', 'L2', '') }
  const quantity = fc.integer({ min: 1, max: 12 })
  const signed = fc.integer({ min: -12, max: 12 }).filter((one) => one !== 0)
  const of = (
    reason: StockTold['reason'],
    amount = quantity,
    more: Record<string, fc.Arbitrary<unknown>> = {},
  ) => fc.record({ reason: fc.constant(reason), quantity: amount, more: fc.record({ ...where, ...more }) })
  const transfer = fc.constantFrom('T-A', 'T-B').map((number) => ({ number }))
  const movement = fc.oneof(
    of('receipt', signed),
    of('return', signed),
    of('count', signed),
    of('damage'),
    of('quality-hold'),
    of('quality-release'),
    of('pick-short'),
    of('status-change', quantity, { statuses }),
    of('transfer-out', quantity, { transfer }),
    of('transfer-in', quantity, { transfer }),
    of('transfer-missing', quantity, { transfer }),
  )
  type Given = { reason: StockTold['reason']; quantity: number; more: Partial<StockTold> }

  /** Transfers go between the two places. */
  const tellingOf = (item: KnownItem, { reason, quantity: amount, more }: Given): StockTold => {
    const place = more.location === NORTH ? SOUTH : NORTH
    const named = more.transfer && { number: `${more.transfer.number} ${item.sku}`, place }
    return told(item, reason, amount, { ...more, transfer: named })
  }

  test('keeps ledger and positions equal, and nothing but what is in doubt below zero', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(movement, { minLength: 1, maxLength: 14 }), async (given) => {
        const item = await knownItem(db)
        const messages = given.map((one) => tellingOf(item, one as Given))
        const half = Math.ceil(messages.length / 2)
        for (const list of [messages.slice(0, half), messages.slice(half)]) await bookTold(db, ...list)
        await booksAgree(db, item.itemId)
        const rows = await positionsOf(db, item.itemId)
        for (const row of rows)
          expect(INSIDE.filter((bucket) => bucket !== 'unreconciled' && row[bucket] < 0)).toEqual([])
        const wholes = rows.filter(({ lot }) => lot === '').reduce((sum, row) => sum + net(row), 0)
        const came = messages.reduce((sum, { reason, quantity: amount }) => {
          if (['receipt', 'return', 'count'].includes(reason)) return sum + amount
          return reason === 'pick-short' ? sum - amount : sum
        }, 0)
        const [lost] = await db.run<{ missing: number }>(
          'select coalesce(sum(missing), 0) as missing from inventory.transfer where item_id = $1',
          [item.itemId],
        )
        expect(wholes).toBe(came - lost!.missing)
      }),
      { numRuns: 40 },
    )
  })
})
