/** What suppliers tell, brought to our items and units: each message whole or not at all. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { AnsweredLine, SupplierMessage } from '#capabilities/supplier-messages.ts'
import { upsertItems } from '#domains/items/operations.ts'
import { itemKey } from '#domains/items/contract.ts'
import { findItems } from '#domains/items/operations.ts'
import { toldOf } from '#domains/supply/views/coming.ts'
import { listSupply } from '#domains/supply/views.ts'
import { units } from '#platform/quantity.ts'
import { takeSupplierWords } from '#processes/supplier-messages.ts'
import { COMPANY, line, load, MONDAY, newOrder, TUESDAY } from '#tests/domains/supply/purchases.ts'
import { openTestDatabase, type OpenDatabase } from '#tests/support/open-database.ts'

let db: OpenDatabase
const ids = new Map<string, number>()
beforeAll(async () => {
  db = await openTestDatabase()
  const item = (sku: string) => ({
    sku,
    name: sku,
    status: 'active' as const,
    baseUnit: 'EA',
    units: [{ unit: 'CA', factor: { numerator: 12, denominator: 1 } }],
    catchWeight: false,
    lotControlled: false,
    taxClass: 'food',
    identifiers: [],
  })
  await db.database.transaction(async (tx) => {
    await upsertItems(tx, { company: COMPANY, source: 'erp', asOf: MONDAY }, ['A', 'B'].map(item))
    const keys = ['A', 'B'].map((sku) => ({ company: COMPANY, sku }))
    const items = await findItems(tx, keys)
    for (const { sku } of keys) ids.set(sku, items.get(itemKey(COMPANY, sku))!.id)
  })
})
afterAll(() => db.end())

async function ordered(): Promise<string> {
  const number = newOrder()
  await load(db, [
    line(number, { line: 10, itemId: ids.get('A')!, sku: 'A' }),
    line(number, { line: 20, itemId: ids.get('B')!, sku: 'B', cancelled: units(40) }),
  ])
  return number
}

const told = {
  company: COMPANY,
  sender: 'cascade',
  supplier: 'V10001',
  at: TUESDAY,
  tolerance: { days: 0, ppm: 0 },
}
const answerTo = (
  purchaseOrder: string,
  lines: readonly AnsweredLine[],
  whole?: 'accepted' | 'refused',
): SupplierMessage => ({ ...told, type: 'supply-answered', purchaseOrder, lines, whole })

let documents = 0
const take = (...messages: readonly SupplierMessage[]) =>
  db.database.transaction(async (tx) => {
    const words = messages.map((message) => ({ source: 'edi', document: `D-${++documents}`, message }))
    const { unusable, written } = await takeSupplierWords(tx, words)
    return { refused: words.map((word) => unusable.get(word)?.code), written }
  })

/** By line, in whole base units. */
async function comingTo(number: string): Promise<string[]> {
  const lines = (await listSupply(db.database, { company: COMPANY }, { limit: 1_000 })).filter(
    (one) => one.number === number,
  )
  return [...(await toldOf(db.database, lines))].flatMap(([row, { coming }]) => [
    ...coming.parts.map(({ basis, quantity }) => `${row.line}: ${quantity / units(1)} ${basis}`),
    ...(coming.refused > 0 ? [`${row.line}: ${coming.refused / units(1)} refused`] : []),
  ])
}

test('quantities count in base units, and a line that names no item is known by its number', async () => {
  const number = await ordered()
  const answer = answerTo(number, [
    { line: 10, unit: 'CA', parts: [{ quantity: units(5) }], refused: units(2) },
    { sku: 'B', parts: [{ quantity: units(7) }], refused: 0 },
  ])
  expect(await take(answer)).toEqual({ refused: [undefined], written: 2 })
  expect(await comingTo(number)).toEqual([
    '10: 60 confirmed',
    '10: 16 ordered',
    '10: 24 refused',
    '20: 7 confirmed',
    '20: 53 ordered',
  ])
})

test('a line that is answered in several places is answered with all of it', async () => {
  const number = await ordered()
  const part = { line: 10, parts: [{ quantity: units(30) }], refused: units(5) }
  expect(await take(answerTo(number, [part, part]))).toMatchObject({ written: 1 })
  expect((await comingTo(number)).slice(0, 4)).toEqual([
    '10: 30 confirmed',
    '10: 30 confirmed',
    '10: 30 ordered',
    '10: 10 refused',
  ])
})

test.each([
  ['accepted', ['10: 100 confirmed', '20: 60 confirmed']],
  ['refused', ['10: 100 refused', '20: 60 refused']],
] as const)(
  'an answer without lines that is %s is about all that the order wants',
  async (whole, expected) => {
    const number = await ordered()
    await take(answerTo(number, [], whole))
    expect(await comingTo(number)).toEqual(expected)
  },
)

test('a notice counts on the orders that its lines name', async () => {
  const numbers = [await ordered(), await ordered()]
  await take({
    ...told,
    type: 'supply-shipped',
    notice: 'N-1',
    lines: numbers.map((purchaseOrder) => ({ purchaseOrder, sku: 'A', unit: 'CA', quantity: units(3) })),
  })
  for (const number of numbers)
    expect((await comingTo(number)).slice(0, 2)).toEqual(['10: 36 shipped', '10: 64 ordered'])
})

test('a message that names what we do not have is refused whole, and its neighbours are taken', async () => {
  const number = await ordered()
  const good = { line: 10, parts: [{ quantity: units(1) }], refused: 0 }
  const result = await take(
    answerTo(number, [{ ...good }, { line: 99, parts: [], refused: units(1) }]),
    answerTo(number, [{ sku: 'nothing', parts: [], refused: units(1) }]),
    answerTo(number, [{ ...good, unit: 'KGM' }]),
    answerTo('never-read', [], 'refused'),
    answerTo(number, [{ line: 20, parts: [{ quantity: units(2) }], refused: 0 }]),
  )
  expect(result).toEqual({
    refused: [
      'supply.told_item_unknown',
      'supply.told_item_unknown',
      'supply.told_quantity_unusable',
      'supply.told_order_unknown',
      undefined,
    ],
    written: 1,
  })
  expect(await comingTo(number)).toEqual(['10: 100 ordered', '20: 2 confirmed', '20: 58 ordered'])
})
