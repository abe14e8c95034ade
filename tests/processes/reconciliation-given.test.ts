/** Counts that come by themselves: reported like those that were asked for, taken within the tolerance, told beyond it. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { StockSnapshot } from '#capabilities/stock.ts'
import { move } from '#domains/inventory/operations.ts'
import { listExceptions } from '#platform/exceptions-views.ts'
import { resolveExceptions } from '#platform/exceptions-work.ts'
import { listReconciliations } from '#domains/inventory/views/reconciliations.ts'
import { units } from '#platform/quantity.ts'
import { type CountThatCame, reconcileGiven } from '../../src/processes/reconciliation-given.ts'
import { takeMovements } from '../../src/processes/stock-feed.ts'
import { change, COMPANY, NORTH, SOUTH } from '#tests/domains/inventory/stock.ts'
import type { OpenDatabase } from '#tests/support/open-database.ts'
import { counted, type Counting, openCounting } from './counting.ts'

const SOURCE = 'threepl'
const HOUR_MS = 3_600_000

let counting: Counting
let db: OpenDatabase
beforeAll(async () => {
  counting = await openCounting(['a', 'b', 'c'])
  ;({ db } = counting)
})
afterAll(() => db.end())

const hours = (ago: number): Date => new Date(Date.now() - ago * HOUR_MS)

type Told = Partial<Omit<StockSnapshot, 'lines'>> & Pick<CountThatCame, 'unread'>

function count(figures: Readonly<Record<string, number>>, { unread = [], ...more }: Told = {}) {
  const place = { company: COMPANY, location: more.location ?? NORTH }
  const lines = Object.entries(figures).map(([sku, available]) => counted(sku, available, place.location))
  const snapshot: StockSnapshot = { ...place, takenAt: hours(8), scope: 'location', lines, ...more }
  return reconcileGiven(counting.portsWith({ units: 2, percent: 0 }), { source: SOURCE, snapshot, unread })
}

const onHand = async (location = NORTH) => {
  const rows = await db.run<{ sku: string; available: number }>(
    `select i.sku, p.available::float8 as available from inventory.position p join items.item i on i.id = p.item_id
     where p.lot = '' and p.location = $1 order by i.sku`,
    [location],
  )
  return Object.fromEntries(rows.map(({ sku, available }) => [sku, available]))
}
const told = async () => (await counting.told()).map(({ title }) => title)
const reports = (location = NORTH) =>
  listReconciliations(db.database, { company: COMPANY, location }, { before: 1_000, limit: 50 })

test('what is within the tolerance is taken, what is beyond it waits for its owner, and both are in the report', async () => {
  await counting.receive({ a: 10, b: 40 }, hours(9))
  const takenAt = hours(8)
  await count({ a: 9, b: 30, c: 1 }, { takenAt })
  expect(await onHand()).toEqual({ a: 9, b: 40, c: 1 })
  expect(await told()).toEqual([`${SOURCE} counts 30 of b at ${NORTH}, our books say 40`])
  expect(await reports()).toMatchObject([
    {
      source: SOURCE,
      askedBy: SOURCE,
      whole: true,
      state: 'done',
      takenAt: takenAt.toISOString(),
      matched: 0,
      differing: 2,
      missingHere: 1,
      adjusted: 2,
      told: 1,
    },
  ])
})

test('one of items says nothing of others: what they differ by stays told', async () => {
  await count({ a: 9 }, { scope: 'items', takenAt: hours(7) })
  expect(await told()).toHaveLength(1)
  expect((await reports())[0]).toMatchObject({ whole: false, matched: 1, missingThere: 0 })
})

test('one of items that were taken or told later changes nothing and leaves no report', async () => {
  expect(await count({ a: 1, b: 1 }, { takenAt: hours(8.5) })).toMatchObject({
    superseded: 2,
    differences: [],
  })
  expect(await count({ b: 1 }, { takenAt: hours(8.5), scope: 'items' })).toBeUndefined()
  expect(await reports()).toHaveLength(2)
  expect(await onHand()).toEqual({ a: 9, b: 40, c: 1 })
})

const LINE = {
  line: 3,
  text: `${COMPANY},${NORTH},bb,40`,
  reason: `${COMPANY} has no item bb`,
  cure: 'Correct it.',
}
const SIX = hours(6)
const open = () => listExceptions(db.database, { code: 'inventory.count_not_concluded' })

test('with a line that nobody understood nothing that it leaves out counts as gone, and somebody has to mend it', async () => {
  await count({ a: 9 }, { takenAt: SIX, unread: [LINE] })
  expect(await onHand()).toEqual({ a: 9, b: 40, c: 1 })
  const [report] = await reports()
  expect(report).toMatchObject({ whole: false, matched: 1, missingThere: 0, notSaid: 2, unread: 1 })
  expect(report!.unreadLines).toEqual([LINE])
  expect(await open()).toMatchObject([
    {
      cause: `inventory.count_not_concluded:${SOURCE}:${NORTH}`,
      title: `A line of what ${SOURCE} counts at ${NORTH} could not be understood: what it does not name stays`,
      facts: {
        reconciliation: report!.id,
        lines: [LINE],
        notSaid: 2,
        items: [
          { sku: 'b', ours: '40' },
          { sku: 'c', ours: '1' },
        ],
      },
    },
  ])
})

test('the same count with its lines corrected concludes it: what it says now, and what is gone', async () => {
  await count({ a: 9, b: 39 }, { takenAt: SIX })
  expect(await onHand()).toEqual({ a: 9, b: 39, c: 0 })
  expect((await reports())[0]).toMatchObject({ whole: true, missingThere: 1, adjusted: 2, notSaid: 0 })
  expect(await open()).toEqual([])
})

test('a count that comes behind one that said all leaves nothing open, and one that only lacks its bad line concludes', async () => {
  await count({ a: 8 }, { takenAt: hours(6.2), unread: [LINE] })
  expect(await open()).toEqual([])
  const takenAt = hours(5.9)
  await count({ a: 9, b: 40, c: 0 }, { takenAt, unread: [LINE] })
  expect(await open()).toHaveLength(1)
  await count({ a: 9, b: 40, c: 0 }, { takenAt })
  expect(await open()).toEqual([])
  expect((await reports())[0]).toMatchObject({ whole: true, matched: 0, differing: 0 })
})

test('what was never told and comes late is booked, and the next count agrees and closes what was told', async () => {
  const at = hours(8.5)
  await db.database.transaction((tx) =>
    move(tx, [change(counting.ids.get('b')!, { quantity: units(-10), at, source: SOURCE })]),
  )
  await count({ a: 9, b: 30 }, { takenAt: hours(5) })
  expect(await told()).toEqual([])
  expect((await reports())[0]).toMatchObject({ matched: 2, differing: 0, told: 0 })
})

test('facts of before that come after a count that agrees are in it, and move nothing', async () => {
  const ports = counting.portsWith({ units: 2, percent: 0 })
  const late = { source: SOURCE, sourceKey: 'L-1', company: COMPANY, location: NORTH, sku: 'b' }
  const standings = await ports.transaction(SOURCE, (tx, turn) =>
    takeMovements(tx, turn, ports, [{ ...late, reason: 'count', quantity: units(5), at: hours(5.5) }]),
  )
  expect([...standings.values()]).toEqual(['late'])
  expect(await onHand()).toMatchObject({ b: 30 })
})

test('the first count of a place opens its books, whatever it says, and is taken once', async () => {
  const told = { location: SOUTH, takenAt: hours(8) }
  await count({ a: 500, b: 3 }, told)
  expect(await onHand(SOUTH)).toEqual({ a: 500, b: 3 })
  const opened = [{ missingHere: 2, adjusted: 2, told: 0 }]
  expect(await reports(SOUTH)).toMatchObject(opened)
  // of the same moment, whatever it says
  expect(await count({ a: 400, b: 3 }, told)).toMatchObject({ superseded: 2, differences: [] })
  expect(await reports(SOUTH)).toMatchObject(opened)
})

const unreadOf = (...items: readonly string[]) =>
  items.map((item, index) => ({ ...LINE, line: index + 1, item, text: `LIN**VN*${item}` }))
const notCounted = async () =>
  (await listExceptions(db.database, { code: 'inventory.items_not_counted' })).map(({ id, facts }) => ({
    id,
    items: (facts['lines'] as { item: string }[]).map(({ item }) => item),
  }))

test("items of which a line cannot be read are told until they are counted; what a person won't fix hides none of later", async () => {
  const scope = 'items'
  await count({ a: 9 }, { scope, takenAt: hours(4), unread: unreadOf('b', 'c', 'UP 9') })
  const [first] = await notCounted()
  expect(first?.items).toEqual(['b', 'c', 'UP 9'])
  expect((await reports())[0]).toMatchObject({ matched: 1, unread: 3, notSaid: 0 })
  // b was counted later, beyond the tolerance: it is told as a difference
  await count({ b: 3 }, { scope, takenAt: hours(3.5) })
  await count({ a: 9 }, { scope, takenAt: hours(3.8), unread: unreadOf('b') })
  expect(await notCounted()).toEqual([{ id: first!.id, items: ['c', 'UP 9'] }])
  await db.database.transaction((tx) =>
    resolveExceptions(tx, [first!.id], 'wont_fix', { actor: 'anna', text: 'it never will' }),
  )
  await count({ a: 9 }, { scope, takenAt: hours(3), unread: unreadOf('c', 'a2') })
  expect(await notCounted()).toMatchObject([{ items: ['a2'] }])
  await count({ a: 9, b: 30, c: 1 }, { takenAt: hours(2) })
  expect(await notCounted()).toEqual([])
  await count({ a: 9 }, { scope, takenAt: hours(2.5), unread: unreadOf('c', 'a2') })
  expect(await notCounted()).toEqual([])
  await count({ a: 9 }, { scope, takenAt: hours(1), unread: unreadOf('c') })
  expect(await notCounted()).toMatchObject([{ items: ['c'] }])
})
