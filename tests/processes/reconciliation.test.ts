/** What becomes of differences between books and a count: within the tolerance taken, beyond it told, absent things counted as gone. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { toleranceOf } from '../../src/app-rules.ts'
import { loadConfig } from '../../src/config.ts'
import type { CountedStock, StockSnapshot } from '#capabilities/stock.ts'
import { takeExternal } from '#domains/inventory/operations/external.ts'
import type { Tolerance } from '#domains/inventory/contract/reconciliations.ts'
import { askReconciliation } from '#domains/inventory/operations/reconciliations.ts'
import { differencesOf, reconciliationOf } from '#domains/inventory/views/reconciliations.ts'
import { units } from '#platform/quantity.ts'
import { reconcile } from '../../src/processes/reconciliation.ts'
import { COMPANY, NORTH } from '#tests/domains/inventory/stock.ts'
import type { OpenDatabase } from '#tests/support/open-database.ts'
import { counted, type Counting, openCounting } from './counting.ts'

let counting: Counting
let db: OpenDatabase
beforeAll(async () => {
  counting = await openCounting(['same', 'near', 'far', 'gone', 'new'])
  ;({ db } = counting)
  await counting.receive({ same: 10, near: 100, far: 100, gone: 4 })
})
afterAll(() => db.end())

/** Ten of it are gone by the list of the warehouse, which told no movement of them. */
const soldByOthers = () => ({
  document: 'WO-1',
  line: '1',
  kind: 'order' as const,
  owner: 'Portal 88',
  itemId: counting.ids.get('far')!,
  sku: 'far',
  location: NORTH,
  wanted: units(2),
  shipped: units(10),
  changedAt: new Date(),
})

const TOLERANCE: Tolerance = { units: 2, percent: 5 }

async function run(lines: readonly CountedStock[], dryRun: boolean, tolerance = TOLERANCE) {
  const takenAt = new Date()
  const snapshot: StockSnapshot = { company: COMPANY, location: NORTH, takenAt, scope: 'location', lines }
  const place = { company: COMPANY, location: NORTH, source: 'wms-test', dryRun }
  const asked = { ...place, day: '2026-11-02', askedBy: 'test', currency: 'USD' }
  const id = await askReconciliation(db.database, asked)
  const counter = { stockSnapshot: () => Promise.resolve(snapshot) }
  await reconcile(counting.portsWith(tolerance), { ...place, id, counter })
  return (await reconciliationOf(db.database, id))!
}

test('small differences are taken as counted, each other one is told with both figures, and a dry run changes nothing', async () => {
  const lines = [counted('same', 10), counted('near', 95), counted('far', 90), counted('new', 1)]
  const dry = await run(lines, true)
  expect(dry).toMatchObject({
    matched: 1,
    differing: 2,
    missingHere: 1,
    missingThere: 1,
    adjusted: 0,
    told: 0,
  })
  expect(await run(lines, true)).toMatchObject({ matched: 1, differing: 2 })

  await db.database.transaction((tx) =>
    takeExternal(tx, { company: COMPANY, source: 'wms-test', asOf: new Date() }, [soldByOthers()], {
      guardOf: () => 0,
    }),
  )
  const done = await run(lines, false)
  expect(done).toMatchObject({
    matched: 1,
    differing: 2,
    missingHere: 1,
    missingThere: 1,
    adjusted: 2,
    told: 2,
  })
  const found = await differencesOf(db.database, done.id, { after: 0, limit: 10 })
  expect(found.map(({ sku, kind, outcome }) => [sku, kind, outcome])).toEqual([
    ['far', 'differing', 'told'],
    ['gone', 'missing_there', 'told'],
    ['near', 'differing', 'adjusted'],
    ['new', 'missing_here', 'adjusted'],
  ])
  const open = await counting.told()
  expect(open.map(({ title }) => title).toSorted()).toEqual([
    `What left ${NORTH} with wms-test WO-1 was never told`,
    `wms-test counts 0 of gone at ${NORTH}, our books say 4`,
  ])
  expect(open.map(({ facts }) => facts?.['soldByOthers'])).toContainEqual([
    'wms-test WO-1 for Portal 88: 12, of which 10 left and was not told',
  ])
  const rows = await db.run<{ sku: string; available: string }>(
    `select i.sku, p.available::text as available from inventory.position p join items.item i on i.id = p.item_id
     where p.lot = '' order by i.sku`,
  )
  expect(rows.map(({ sku, available }) => [sku, Number(available)])).toEqual([
    ['far', 100],
    ['gone', 4],
    ['near', 95],
    ['new', 1],
    ['same', 10],
  ])
})

test('what agrees again closes by itself', async () => {
  const lines = [
    counted('same', 10),
    counted('near', 95),
    counted('far', 100),
    counted('new', 1),
    counted('gone', 4),
  ]
  expect(await run(lines, false)).toMatchObject({ matched: 5, differing: 0, told: 0 })
  expect(await counting.told()).toEqual([])
})

test('what is worth more than the ceiling, or has no price, is told however small it is', async () => {
  await counting.price({ near: 2_500, far: 2_501 })
  const lines = [
    counted('same', 9),
    counted('near', 93),
    counted('far', 98),
    counted('new', 1),
    counted('gone', 4),
  ]
  const company = {
    code: COMPANY,
    name: 'Wholesale',
    currency: 'USD',
    timeZone: 'UTC',
    country: 'US',
    erp: 'wms-test',
  }
  const stock = { tolerance: { ...TOLERANCE, value: 50 } }
  const system = { connector: 'wms-depot', baseUrl: 'http://127.0.0.1:1/', stock }
  const defaults = { companies: [company], systems: { 'wms-test': system } }
  const config = loadConfig({ environment: {}, file: undefined, defaults })
  const done = await run(lines, false, toleranceOf(config)('wms-test', COMPANY))
  const found = await differencesOf(db.database, done.id, { after: 0, limit: 10 })
  expect(found.map(({ sku, outcome }) => [sku, outcome])).toEqual([
    ['far', 'told'],
    ['near', 'adjusted'],
    ['same', 'told'],
  ])
})

test('what agrees in all and is not known by lot becomes what was counted by lot, and nobody is told', async () => {
  const item = counting.ids.get('same')!
  const lotsOf = () =>
    db.run<{ lot: string; available: string }>(
      'select lot, available::int as available from inventory.position where item_id = $1 order by lot',
      [item],
    )
  const before = (await lotsOf()).find(({ lot }) => lot === '')!
  const lines = [
    { ...counted('same', Number(before.available) - 4), lot: 'A', expiresOn: '2027-03-01' },
    { ...counted('same', 4), lot: 'B', expiresOn: '2027-06-01' },
  ]
  const others = [counted('near', 93), counted('far', 100), counted('new', 1), counted('gone', 4)]
  expect(await run([...lines, ...others], true)).toMatchObject({ matched: 5 })
  expect(await lotsOf()).toEqual([before])
  expect(await run([...lines, ...others], false)).toMatchObject({ matched: 5, differing: 0 })
  expect(await lotsOf()).toEqual([
    before,
    { lot: 'A', available: Number(before.available) - 4 },
    { lot: 'B', available: 4 },
  ])
})
