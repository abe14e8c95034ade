/** Counts that come by themselves: reported like those that were asked for, taken within the tolerance, told beyond it. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { exceptionsOf } from '../../src/app-rules.ts'
import { loadConfig } from '../../src/config.ts'
import type { CountedStock, StockSnapshot } from '#capabilities/stock.ts'
import { move } from '#domains/inventory/operations.ts'
import { listReconciliations } from '#domains/inventory/views/reconciliations.ts'
import { upsertItems } from '#domains/items/operations.ts'
import { systemClock } from '#platform/clock.ts'
import { listExceptions } from '#platform/exceptions-views.ts'
import { units } from '#platform/quantity.ts'
import type { ReconcilePorts } from '../../src/processes/reconciliation.ts'
import { reconcileGiven } from '../../src/processes/reconciliation-given.ts'
import { change, COMPANY, NORTH, SOUTH } from '#tests/domains/inventory/stock.ts'
import { openTestDatabase, type OpenDatabase } from '#tests/support/open-database.ts'

const SOURCE = 'threepl'
const HOUR_MS = 3_600_000

let db: OpenDatabase
let ids: ReadonlyMap<string, number>
let ports: ReconcilePorts
beforeAll(async () => {
  db = await openTestDatabase()
  const item = {
    name: 'Olives',
    status: 'active',
    baseUnit: 'EA',
    units: [],
    catchWeight: false,
    lotControlled: false,
    taxClass: 'FOOD',
    identifiers: [],
  } as const
  const named = ['a', 'b', 'c'].map((sku) => ({ ...item, sku }))
  const asOf = new Date('2026-11-02T06:00:00Z')
  await db.database.transaction((tx) => upsertItems(tx, { source: 'erp', company: COMPANY, asOf }, named))
  const rows = await db.run<{ id: number; sku: string }>('select id, sku from items.item')
  ids = new Map(rows.map(({ id, sku }) => [sku, id]))
  ports = {
    clock: systemClock,
    queries: db.database,
    company: () => ({ code: COMPANY, currency: 'USD', timeZone: 'UTC' }),
    countsStock: () => true,
    tolerance: () => ({ units: 2, percent: 0 }),
    openExceptions: exceptionsOf(loadConfig({ environment: {}, file: undefined })),
    transaction: (_, work) => db.database.transaction((tx) => work(tx, { wakeAfterwards: () => undefined })),
  }
})
afterAll(() => db.end())

const hours = (ago: number): Date => new Date(Date.now() - ago * HOUR_MS)
const put = (sku: string, quantity: number, location = NORTH) =>
  db.database.transaction((tx) =>
    move(tx, [{ ...change(ids.get(sku)!, { quantity: units(quantity), at: hours(9) }), location }]),
  )

type Told = Partial<Omit<StockSnapshot, 'lines'>> & { readonly unread?: ReadonlySet<string> }

function count(figures: Readonly<Record<string, number>>, { unread = new Set(), ...more }: Told = {}) {
  const place = { company: COMPANY, location: more.location ?? NORTH }
  const lines = Object.entries(figures).map(([sku, available]): CountedStock => ({
    ...place,
    sku,
    available: units(available),
    qualityHold: 0,
    damaged: 0,
  }))
  const snapshot: StockSnapshot = { ...place, takenAt: hours(8), scope: 'location', lines, ...more }
  return reconcileGiven(ports, { source: SOURCE, snapshot, unread })
}

const onHand = async (location = NORTH) => {
  const rows = await db.run<{ sku: string; available: number }>(
    `select i.sku, p.available::float8 as available from inventory.position p join items.item i on i.id = p.item_id
     where p.lot = '' and p.location = $1 order by i.sku`,
    [location],
  )
  return Object.fromEntries(rows.map(({ sku, available }) => [sku, available]))
}
const told = async () =>
  (await listExceptions(db.database, { code: 'inventory.books_differ' })).map(({ title }) => title)
const reports = (location = NORTH) =>
  listReconciliations(db.database, { company: COMPANY, location }, { before: 1_000, limit: 50 })

test('what is within the tolerance is taken, what is beyond it waits for its owner, and both are in the report', async () => {
  await put('a', 10)
  await put('b', 40)
  const takenAt = hours(8)
  await count({ a: 9, b: 30, c: 1 }, { takenAt })
  expect(await onHand()).toEqual({ a: 9, b: 40, c: 1 })
  expect(await told()).toEqual([`${SOURCE} counts 30 of b at ${NORTH}, our books say 40`])
  expect(await reports()).toMatchObject([
    {
      source: SOURCE,
      askedBy: SOURCE,
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
  expect((await reports())[0]).toMatchObject({ matched: 1, missingThere: 0 })
})

test('one that is older than the last changes nothing and leaves no report', async () => {
  expect(await count({ a: 1, b: 1 }, { takenAt: hours(7.5) })).toBeUndefined()
  expect(await reports()).toHaveLength(2)
  expect(await onHand()).toEqual({ a: 9, b: 40, c: 1 })
})

test('what it leaves out is not there, but for what could not be read', async () => {
  await count({ a: 9 }, { takenAt: hours(6), unread: new Set(['b']) })
  expect(await onHand()).toEqual({ a: 9, b: 40, c: 0 })
  expect((await reports())[0]).toMatchObject({ matched: 1, missingThere: 1, adjusted: 1 })
})

test('what was never told and comes late is booked, and the next count agrees and closes what was told', async () => {
  const at = hours(8.5)
  await db.database.transaction((tx) =>
    move(tx, [change(ids.get('b')!, { quantity: units(-10), at, source: SOURCE })]),
  )
  await count({ a: 9, b: 30 }, { takenAt: hours(5) })
  expect(await told()).toEqual([])
  expect((await reports())[0]).toMatchObject({ matched: 2, differing: 0, told: 0 })
})

test('facts of before that come after a count that agrees are in it', async () => {
  const [row] = await db.run<{ counted: Date }>(
    'select counted_at as counted from inventory.feed where item_id = $1 and source = $2',
    [ids.get('b'), SOURCE],
  )
  expect(Date.now() - row!.counted.getTime()).toBeLessThan(6 * HOUR_MS)
})

test('the first count of a place opens its books, whatever it says', async () => {
  await count({ a: 500, b: 3 }, { location: SOUTH })
  expect(await onHand(SOUTH)).toEqual({ a: 500, b: 3 })
  expect(await reports(SOUTH)).toMatchObject([{ missingHere: 2, adjusted: 2, told: 0 }])
})
