/** What suppliers tell of lines of purchase orders: the latest counts, and what is open is always accounted for. */
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ShipNotice, SupplierAnswer } from '#domains/supply/contract/told.ts'
import { placeTold, takeAnswers, takeNotices } from '#domains/supply/operations/told.ts'
import { type Coming, comingOf, NO_DAY } from '#domains/supply/rules/coming.ts'
import { toldOf } from '#domains/supply/views/coming.ts'
import { listSupply, supplyFor } from '#domains/supply/views.ts'
import { units } from '#platform/quantity.ts'
import { openTestDatabase, type OpenDatabase } from '#tests/support/open-database.ts'
import {
  COMPANY,
  line,
  load,
  MONDAY,
  newItem,
  newOrder,
  NORTH,
  receipt,
  receive,
  TUESDAY,
} from './purchases.ts'

let db: OpenDatabase
beforeAll(async () => {
  db = await openTestDatabase()
})
afterAll(() => db.end())

const WEDNESDAY = new Date('2026-03-04T09:00:00Z')

const answer = (number: string, overrides: Partial<SupplierAnswer> = {}): SupplierAnswer => ({
  company: COMPANY,
  supplier: 'V10001',
  source: 'edi-test',
  document: '855/1',
  at: TUESDAY,
  number,
  itemId: 1,
  line: 10,
  parts: [{ quantity: units(100) }],
  refused: 0,
  tolerance: { days: 0, ppm: 0 },
  ...overrides,
})

const notice = (number: string, overrides: Partial<ShipNotice> = {}): ShipNotice => ({
  company: COMPANY,
  supplier: 'V10001',
  source: 'edi-test',
  document: '856/1',
  at: TUESDAY,
  notice: `N-${number}`,
  tolerance: { days: 0 },
  lines: [{ number, itemId: 1, line: 10, quantity: units(60), expectedOn: '2026-03-05' }],
  ...overrides,
})

const tell = (...answers: readonly SupplierAnswer[]) =>
  db.database.transaction((tx) => takeAnswers(tx, answers))
const send = (...notices: readonly ShipNotice[]) => db.database.transaction((tx) => takeNotices(tx, notices))

/** In whole units: "60 shipped 2026-03-05". */
async function comingTo(number: string): Promise<string[]> {
  const lines = (await listSupply(db.database, { company: COMPANY }, { limit: 1_000 })).filter(
    (one) => one.number === number,
  )
  return [...(await toldOf(db.database, lines)).values()].flatMap(({ coming: { parts, refused } }) => [
    ...parts.map(({ basis, quantity, expectedOn }) => `${quantity / units(1)} ${basis} ${expectedOn}`),
    ...(refused > 0 ? [`${refused / units(1)} refused`] : []),
  ])
}

async function ordered(overrides: Parameters<typeof line>[1] = {}): Promise<string> {
  const number = newOrder()
  await load(db, [line(number, overrides)])
  return number
}

test('what is under way, confirmed, refused and not answered is together what is open', () => {
  const quantity = fc.integer({ min: 0, max: 500 })
  const day = fc.constantFrom('2026-03-01', '2026-03-09', '2026-04-01', NO_DAY)
  const told = fc.array(fc.record({ quantity, expectedOn: day }), { maxLength: 4 })
  const answered = fc.option(
    fc.record({
      parts: fc.array(
        fc.record({ quantity, expectedOn: fc.option(fc.constant('2026-03-20'), { nil: null }) }),
        { maxLength: 4 },
      ),
      refused: quantity,
      daysCount: fc.boolean(),
    }),
    { nil: undefined },
  )
  fc.assert(
    fc.property(
      fc.record({ wanted: quantity, received: quantity, expectedOn: day, reply: answered, shipped: told }),
      (given) => {
        const { wanted, received, expectedOn, reply, shipped } = given
        const open = Math.max(0, wanted - received)
        const row = { ordered: wanted, cancelled: 0, received, open, expectedOn }
        const coming: Coming = comingOf(row, reply, shipped)
        const sum = coming.parts.reduce((total, part) => total + part.quantity, coming.refused)
        expect(sum).toBe(open)
        expect(coming.parts.every((part) => part.quantity > 0)).toBe(true)
        const sent = shipped.reduce((total, part) => total + part.quantity, 0)
        const underway = coming.parts.filter(({ basis }) => basis === 'shipped')
        expect(underway.reduce((total, part) => total + part.quantity, 0)).toBe(
          Math.min(open, Math.max(0, sent - received)),
        )
      },
    ),
  )
})

test('an answer gives a line its days and says what will not come', async () => {
  const number = await ordered()
  await tell(
    answer(number, {
      parts: [
        { quantity: units(50) },
        { quantity: units(30), expectedOn: '2026-03-20' },
        { quantity: units(5), expectedOn: null },
      ],
      refused: units(10),
    }),
  )
  expect(await comingTo(number)).toEqual([
    '50 confirmed 2026-03-06',
    '30 confirmed 2026-03-20',
    '5 confirmed infinity',
    '5 ordered 2026-03-06',
    '10 refused',
  ])
})

test('a ship notice is a dated part, and what is received of it is under way no more', async () => {
  const number = await ordered()
  await tell(answer(number, { parts: [{ quantity: units(100), expectedOn: '2026-03-20' }] }))
  await send(notice(number))
  expect(await comingTo(number)).toEqual(['60 shipped 2026-03-05', '40 confirmed 2026-03-20'])
  await receive(db, receipt(number, { quantity: units(45) }))
  expect(await comingTo(number)).toEqual(['15 shipped 2026-03-05', '40 confirmed 2026-03-20'])
  await receive(db, receipt(number, { quantity: units(25) }))
  expect(await comingTo(number)).toEqual(['30 confirmed 2026-03-20'])
})

test('in whatever order answers are told, the latest counts', async () => {
  const documents = [MONDAY, TUESDAY, WEDNESDAY].map((at, n) => ({
    at,
    document: `855/${n}`,
    parts: [{ quantity: units(n + 1), expectedOn: `2026-03-1${n}` }],
  }))
  await fc.assert(
    fc.asyncProperty(
      fc.shuffledSubarray([0, 1, 2, 0, 1, 2], { minLength: 6, maxLength: 6 }),
      async (order) => {
        const number = await ordered({ expectedOn: undefined })
        for (const n of order) await tell(answer(number, documents[n]))
        expect(await comingTo(number)).toEqual(['3 confirmed 2026-03-12', '97 ordered infinity'])
      },
    ),
    { numRuns: 10 },
  )
})

test('an answer or a notice that is told again changes nothing', async () => {
  const number = await ordered()
  expect([await tell(answer(number)), await tell(answer(number))]).toEqual([1, 0])
  expect([await send(notice(number)), await send(notice(number))]).toEqual([1, 0])
  expect(await comingTo(number)).toEqual(['60 shipped 2026-03-05', '40 confirmed 2026-03-06'])
})

test('a later notice of the same number takes the place of the earlier, whichever comes first', async () => {
  const number = await ordered()
  const later = notice(number, {
    at: WEDNESDAY,
    document: '856/2',
    lines: [{ number, itemId: 1, line: 10, quantity: units(20), expectedOn: '2026-03-09' }],
  })
  expect([await send(later), await send(notice(number))]).toEqual([1, 0])
  expect(await comingTo(number)).toEqual(['20 shipped 2026-03-09', '80 ordered 2026-03-06'])
})

test('a notice that is taken back leaves nothing under way, and an older one does not bring it back', async () => {
  const number = await ordered()
  await send(notice(number))
  await send(notice(number, { at: WEDNESDAY, document: '856/3', lines: [] }))
  expect(await comingTo(number)).toEqual(['100 ordered 2026-03-06'])
  expect(await send(notice(number))).toBe(0)
  expect(await comingTo(number)).toEqual(['100 ordered 2026-03-06'])
})

test('a day that the order got after the answer counts more than the answer', async () => {
  const number = await ordered()
  await tell(answer(number, { parts: [{ quantity: units(100), expectedOn: '2026-03-20' }] }))
  await load(db, [line(number, { expectedOn: '2026-03-11', changedAt: WEDNESDAY })], WEDNESDAY)
  expect(await comingTo(number)).toEqual(['100 confirmed 2026-03-11'])
  await tell(
    answer(number, {
      at: new Date('2026-03-05T09:00:00Z'),
      parts: [{ quantity: units(100), expectedOn: '2026-03-25' }],
    }),
  )
  expect(await comingTo(number)).toEqual(['100 confirmed 2026-03-25'])
})

test('what is told of an order that was not read waits for it', async () => {
  const [number, itemId] = [newOrder(), newItem()]
  await tell(answer(number, { itemId, line: undefined, parts: [{ quantity: units(7) }] }))
  await send(
    notice(number, { lines: [{ number, itemId, line: 99, quantity: units(3), expectedOn: '2026-03-05' }] }),
  )
  await load(db, [line(number, { itemId })])
  expect(await comingTo(number)).toEqual(['100 ordered 2026-03-06'])
  await db.database.transaction(async (tx) => placeTold(tx))
  expect(await comingTo(number)).toEqual([
    '3 shipped 2026-03-05',
    '4 confirmed 2026-03-06',
    '93 ordered 2026-03-06',
  ])
})

test('what comes of an item by day is by the word of its suppliers, without what they refuse', async () => {
  const itemId = newItem()
  const numbers = [await ordered({ itemId }), await ordered({ itemId })]
  await tell(
    answer(numbers[0]!, {
      itemId,
      parts: [{ quantity: units(80), expectedOn: '2026-03-05' }],
      refused: units(20),
    }),
  )
  await send(
    notice(numbers[1]!, {
      lines: [
        { number: numbers[1]!, itemId, line: 10, quantity: units(60), expectedOn: '2026-03-05' },
        { number: numbers[1]!, itemId, line: 10, quantity: units(40) },
      ],
    }),
  )
  expect(await supplyFor(db.database, [itemId])).toEqual([
    { itemId, location: NORTH, expectedOn: '2026-03-05', quantity: units(140) },
    { itemId, location: NORTH, expectedOn: '2026-03-06', quantity: units(40) },
  ])
})
