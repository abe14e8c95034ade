/** Who is told of supply that does not go as ordered, once for each cause, and that it closes by itself. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { exceptionOpener } from '#platform/exceptions.ts'
import { listExceptions } from '#platform/exceptions-views.ts'
import type { SupplierAnswer } from '#domains/supply/contract/told.ts'
import { takeAnswers, takeNotices } from '#domains/supply/operations/told.ts'
import { resolveExceptions } from '#platform/exceptions-work.ts'
import { units } from '#platform/quantity.ts'
import { watchSupply } from '#processes/supply-watch.ts'
import { OWNERSHIP } from '#processes/trouble.ts'
import { COMPANY, line, load, newItem, newOrder, receipt, receive } from '#tests/domains/supply/purchases.ts'
import { fakeClock } from '#tests/support/clock.ts'
import { openTestDatabase, type OpenDatabase } from '#tests/support/open-database.ts'

const clock = fakeClock('2040-06-15T23:30:00Z')
const always = { addBusinessMs: (at: Date, ms: number) => new Date(at.getTime() + ms) }

let db: OpenDatabase
beforeAll(async () => {
  db = await openTestDatabase()
})
afterAll(() => db.end())

const watch = (timeZone = 'UTC') =>
  watchSupply({
    database: db.database,
    clock,
    companies: [{ code: COMPANY, timeZone }],
    openExceptions: exceptionOpener({ ...OWNERSHIP, calendarOf: () => always }),
  })

async function toldOf(subject: string, closed = false) {
  const all = await listExceptions(db.database, { closed, limit: 1_000 })
  return all.filter(({ cause }) => cause.includes(subject))
}

const YESTERDAY = '2040-06-14'
let version = 0
/** As the ERP changes it: later than everything before. */
const changed = (number: string, change: Parameters<typeof line>[1]) => {
  const changedAt = new Date(Date.UTC(2040, 5, 15) + ++version * 1_000)
  return load(db, [line(number, { expectedOn: YESTERDAY, changedAt, ...change })], changedAt)
}

test('a line that is late is told once, to those who buy', async () => {
  const number = newOrder()
  await changed(number, {})
  await watch()
  await watch()
  expect(await toldOf(number)).toMatchObject([
    {
      code: 'supply.late',
      owner: 'purchasing',
      facts: { purchaseOrder: number, expectedOn: YESTERDAY, open: '100' },
    },
  ])
})

test.each([
  ['received', (number: string) => receive(db, receipt(number, { quantity: units(100) }))],
  ['moved', (number: string) => changed(number, { expectedOn: '2040-07-01' })],
  ['cancelled', (number: string) => changed(number, { cancelled: units(100) })],
])('what is late closes by itself when it is %s', async (_, change) => {
  const number = newOrder()
  await changed(number, {})
  await watch()
  expect(await toldOf(number)).toHaveLength(1)
  await change(number)
  await watch()
  expect(await toldOf(number)).toEqual([])
  expect(await toldOf(number, true)).toMatchObject([
    { resolution: expect.stringContaining('received, moved') },
  ])
})

test('a part that came leaves the rest late, and a day that is broken again is told again', async () => {
  const number = newOrder()
  await changed(number, {})
  await receive(db, receipt(number, { quantity: units(99) }))
  await watch()
  const [told] = await toldOf(number)
  expect(told).toMatchObject({ facts: { open: '1' } })
  await db.database.transaction((tx) =>
    resolveExceptions(tx, [told!.id], 'wont_fix', { actor: 'ann', text: 'a pallet more or less' }),
  )
  await watch()
  expect(await toldOf(number)).toEqual([])
  await changed(number, { expectedOn: '2040-06-13' })
  await watch()
  expect(await toldOf(number)).toHaveLength(1)
})

test("a day has passed by the company's own clock", async () => {
  const number = newOrder()
  await changed(number, { expectedOn: '2040-06-15' })
  await watch('America/New_York')
  expect(await toldOf(number)).toEqual([])
  await watch('Asia/Tokyo')
  expect(await toldOf(number)).toHaveLength(1)
})

test('more than was ordered is told until the order wants it', async () => {
  const number = newOrder()
  await changed(number, { expectedOn: undefined })
  await receive(db, receipt(number, { quantity: units(130) }))
  await watch()
  expect(await toldOf(number)).toMatchObject([{ code: 'supply.over_received', facts: { excess: '30' } }])
  await changed(number, { expectedOn: undefined, ordered: units(130) })
  await watch()
  expect(await toldOf(number)).toEqual([])
})

test('a receipt of an order that nobody knows is told until the order is there', async () => {
  const number = newOrder()
  await receive(db, receipt(number), receipt(number, { itemId: newItem() }))
  await watch()
  expect(await toldOf(number)).toMatchObject([{ code: 'supply.order_unknown', owner: 'purchasing' }])
  await changed(number, { expectedOn: undefined })
  await watch()
  expect(await toldOf(number)).toHaveLength(1)
  await db.run('update supply.receipt set item_id = 1 where number = $1', [number])
  await watch()
  expect(await toldOf(number)).toEqual([])
})

test('a place that names no purchase orders is told once, however much it receives', async () => {
  const location = `dock-${newOrder()}`
  await receive(db, ...[1, 2, 3].map((itemId) => receipt('', { purchaseOrder: undefined, location, itemId })))
  await watch()
  expect(await toldOf(location)).toMatchObject([
    { code: 'supply.order_unnamed', facts: { items: [1, 2, 3] } },
  ])
})

test('what was taken back and had not come is told until it has', async () => {
  const number = newOrder()
  await receive(db, receipt(number, { quantity: -units(4) }))
  await watch()
  expect(await toldOf(number)).toMatchObject([{ code: 'supply.taken_back', facts: { quantity: '-4' } }])
  await receive(db, receipt(number, { quantity: units(4) }))
  await changed(number, { expectedOn: undefined })
  await watch()
  expect(await toldOf(number)).toEqual([])
})

test('of hundreds that are late each is told', async () => {
  const number = newOrder()
  const lines = Array.from({ length: 450 }, (_, n) => line(number, { line: n + 1, expectedOn: YESTERDAY }))
  await load(db, lines)
  await watch()
  expect(await toldOf(`supply.late:${number}:`)).toHaveLength(450)
  await load(
    db,
    lines.map((one) => ({ ...one, expectedOn: '2040-09-01', changedAt: new Date('2040-06-15T10:00:00Z') })),
  )
  await watch()
  expect(await toldOf(`supply.late:${number}:`)).toEqual([])
})

const answer = (number: string, overrides: Partial<SupplierAnswer> = {}): SupplierAnswer => ({
  company: COMPANY,
  supplier: 'V10001',
  source: 'edi-test',
  document: '855/1',
  at: clock.now(),
  number,
  itemId: 1,
  line: 10,
  parts: [{ quantity: units(100), expectedOn: '2040-07-01' }],
  refused: 0,
  tolerance: { days: 2, ppm: 50_000 },
  ...overrides,
})
const tell = (...answers: readonly SupplierAnswer[]) =>
  db.database.transaction((tx) => takeAnswers(tx, answers))

test('a supplier who gives another day than the ordered one is told of until the order has it', async () => {
  const number = newOrder()
  await changed(number, { expectedOn: '2040-06-28' })
  await tell(answer(number))
  await watch()
  expect(await toldOf(number)).toMatchObject([
    {
      code: 'supply.date_differs',
      owner: 'purchasing',
      facts: { purchaseOrder: number, ordered: '2040-06-28', told: '2040-07-01' },
    },
  ])
  await changed(number, { expectedOn: '2040-07-01' })
  await watch()
  expect(await toldOf(number)).toEqual([])
})

test('a day or a quantity within tolerance is not told', async () => {
  const number = newOrder()
  await changed(number, { expectedOn: '2040-06-29' })
  await tell(
    answer(number, { parts: [{ quantity: units(95), expectedOn: '2040-07-01' }], refused: units(5) }),
  )
  await watch()
  expect(await toldOf(number)).toEqual([])
})

test.each([
  ['will not deliver', { parts: [{ quantity: units(90) }], refused: units(10) }, '-10', { cancelled: 10 }],
  ['delivers too much', { parts: [{ quantity: units(110) }] }, '10', { ordered: 110 }],
])('a supplier who %s is told of until the order wants it so', async (words, told, differs, change) => {
  const number = newOrder()
  await changed(number, { expectedOn: '2040-07-01' })
  await tell(answer(number, told))
  await watch()
  expect(await toldOf(number)).toMatchObject([
    { code: 'supply.quantity_differs', title: expect.stringContaining(words), facts: { differs } },
  ])
  const wanted = Object.fromEntries(Object.entries(change).map(([field, count]) => [field, units(count)]))
  await changed(number, { expectedOn: '2040-07-01', ...wanted })
  await watch()
  expect(await toldOf(number)).toEqual([])
})

test('a day that the supplier gave makes a line late when it passes, not the day before that', async () => {
  const number = newOrder()
  await changed(number, {})
  await tell(answer(number, { parts: [{ quantity: units(100), expectedOn: '2040-06-20' }] }))
  await watch()
  expect((await toldOf(number)).map(({ code }) => code)).toEqual(['supply.date_differs'])
  const shipped = { number, itemId: 1, line: 10, quantity: units(30), expectedOn: '2040-06-13' }
  await db.database.transaction((tx) =>
    takeNotices(tx, [{ ...answer(number), notice: number, lines: [shipped] }]),
  )
  await watch()
  expect(await toldOf('supply.late:' + number)).toMatchObject([
    { facts: { expectedOn: '2040-06-13', open: '30' } },
  ])
})

test('what a supplier tells of an order that nobody knows is told until the order is there', async () => {
  const number = newOrder()
  await tell(answer(number))
  await db.run("update supply.answer set recorded_at = '2040-06-01' where number = $1", [number])
  await watch()
  expect(await toldOf(number)).toMatchObject([{ code: 'supply.told_unknown', owner: 'purchasing' }])
  await changed(number, { expectedOn: '2040-07-01' })
  await watch()
  expect(await toldOf(number)).toEqual([])
})
