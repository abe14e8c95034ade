/** Counts that are asked for where facts never came: each is a report, taken within the tolerance of its source, told beyond it. */
import { afterAll, beforeEach, expect, test } from 'vitest'
import type { WmsReader } from '#capabilities/wms.ts'
import type { Tolerance } from '#domains/inventory/contract/reconciliations.ts'
import { move } from '#domains/inventory/operations.ts'
import { isReconciled, listReconciliations } from '#domains/inventory/views/reconciliations.ts'
import { listExceptions } from '#platform/exceptions-views.ts'
import { systemClock } from '#platform/clock.ts'
import { units } from '#platform/quantity.ts'
import { exceptionsOf } from '../../src/app-rules.ts'
import { loadConfig } from '../../src/config.ts'
import { reconcileGiven, within } from '../../src/processes/reconciliation-given.ts'
import { takeMovements } from '../../src/processes/stock-feed.ts'
import { feedGapWatch } from '../../src/processes/stock-feed-gaps.ts'
import { change, COMPANY, NORTH } from '#tests/domains/inventory/stock.ts'
import { counted, type Counting, openCounting } from './counting.ts'

const SOURCE = 'wms-test'
const HOUR_MS = 3_600_000
const hours = (ago: number): Date => new Date(Date.now() - ago * HOUR_MS)

const opened: Counting[] = []
let counting: Counting
beforeEach(async () => {
  counting = await openCounting(['a', 'b'])
  opened.push(counting)
  await counting.receive({ a: 10, b: 4 }, hours(9))
})
afterAll(() => Promise.all(opened.map(({ db }) => db.end())))

/** Its first fact of an item came, its second never did, its third waits; its history is lost. */
async function begin(available: number, tolerance?: Tolerance) {
  const ports = counting.portsWith(tolerance)
  const { database } = counting.db
  const fact = (sequence: number) => ({
    source: SOURCE,
    sourceKey: `E-${sequence}`,
    company: COMPANY,
    location: NORTH,
    sku: 'a',
    reason: 'count' as const,
    quantity: units(1),
    at: hours(8 - sequence),
    sequence,
    mark: sequence,
  })
  await ports.transaction(SOURCE, (tx, turn) => takeMovements(tx, turn, ports, [fact(1), fact(3)]))
  const shelf = { takenAt: hours(4), mark: 3 }
  const reader: WmsReader = {
    instance: SOURCE,
    stockAgain: () => Promise.resolve([]),
    openOrders: () => Promise.reject(new Error('nobody asks')),
    stockSnapshot: () =>
      Promise.resolve({
        company: COMPANY,
        location: NORTH,
        ...shelf,
        scope: 'location',
        lines: [{ ...counted('a', available), sequence: 3 }, counted('b', 99)],
      }),
  }
  const look = feedGapWatch({
    database,
    clock: systemClock,
    companies: [COMPANY],
    readers: new Map([[SOURCE, reader]]),
    hear: () => Promise.resolve(),
    held: (count) => ports.transaction(SOURCE, (tx, turn) => reconcileGiven(within(ports, tx, turn), count)),
    openExceptions: exceptionsOf(loadConfig({ environment: {}, file: undefined })),
    afterMs: 0,
    onError(_, error) {
      throw error
    },
  })
  await look()
  await look()
  return { look, shelf }
}

const onHand = async () => {
  const rows = await counting.db.run<{ sku: string; available: number }>(
    `select i.sku, p.available::float8 as available from inventory.position p join items.item i on i.id = p.item_id
     where p.lot = '' order by i.sku`,
  )
  return Object.fromEntries(rows.map(({ sku, available }) => [sku, available]))
}
const reports = () =>
  listReconciliations(
    counting.db.database,
    { company: COMPANY, location: NORTH },
    { before: 1_000, limit: 50 },
  )
const missing = () => listExceptions(counting.db.database, { code: 'inventory.facts_missing' })

test('without a tolerance it is taken, of what misses something alone, and the report says so', async () => {
  await begin(30)
  expect(await onHand()).toEqual({ a: 30, b: 4 })
  expect(await missing()).toEqual([])
  const [report, ...others] = await reports()
  expect(others).toEqual([])
  expect(report).toMatchObject({
    source: SOURCE,
    askedBy: 'crossdock',
    whole: false,
    mark: 3,
    matched: 0,
    differing: 1,
    adjusted: 1,
    told: 0,
  })
  // nobody has counted all that is there that day
  const place = { company: COMPANY, location: NORTH, source: SOURCE }
  expect(await isReconciled(counting.db.database, place, report!.day)).toBe(false)
})

test('beyond a tolerance the item waits and a person is told, once for a count; when the books are right it goes on', async () => {
  const { look, shelf } = await begin(30, { units: 2, percent: 0 })
  await look()
  expect(await onHand()).toEqual({ a: 11, b: 4 })
  expect(await missing()).toHaveLength(1)
  expect(await reports()).toMatchObject([{ differing: 1, adjusted: 0, told: 1 }])
  expect(await counting.told()).toMatchObject([{ facts: { reason: 'untold', source: SOURCE } }])
  const found = change(counting.ids.get('a')!, { quantity: units(19), at: hours(3) })
  await counting.db.database.transaction((tx) => move(tx, [found]))
  shelf.takenAt = hours(2)
  await look()
  expect(await missing()).toEqual([])
  expect(await counting.told()).toEqual([])
  expect(await reports()).toMatchObject([{ matched: 1, differing: 0, told: 0 }, { told: 1 }])
})
