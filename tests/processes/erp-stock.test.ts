/** What an ERP has on hand opens a place; where nobody else tells of the location, each later figure is a count. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { OLIVES } from '#tests/support/olives.ts'
import { erpStock } from '../../src/app-erp-stock.ts'
import { exceptionsOf, toleranceOf } from '../../src/app-rules.ts'
import { loadConfig } from '../../src/config.ts'
import { listReconciliations } from '#domains/inventory/views/reconciliations.ts'
import { upsertItems } from '#domains/items/operations.ts'
import { systemClock } from '#platform/clock.ts'
import { listExceptions } from '#platform/exceptions-views.ts'
import { type Quantity, units } from '#platform/quantity.ts'
import { openTestDatabase, type OpenDatabase } from '#tests/support/open-database.ts'

const COMPANY = 'NWF'
const config = loadConfig({
  environment: {},
  file: undefined,
  defaults: {
    systems: {
      wms: { connector: 'wms-depot', baseUrl: 'http://127.0.0.1:1/' },
      strict: { connector: 'erp-legacy', baseUrl: 'http://127.0.0.1:1/', stock: { tolerance: { units: 2 } } },
    },
    locations: [
      { code: 'DC1', type: 'warehouse', wms: 'wms', timeZone: 'UTC' },
      { code: 'FED', type: 'store', timeZone: 'UTC' },
      { code: 'KIOSK', type: 'store', timeZone: 'UTC' },
      { code: 'SHOP', type: 'store', timeZone: 'UTC' },
    ],
    feeds: { till: { locations: ['FED'] } },
  },
})

let db: OpenDatabase
let itemId: number
beforeAll(async () => {
  db = await openTestDatabase()
  const item = { ...OLIVES, sku: '10012' }
  const reading = { source: 'erp', company: COMPANY, asOf: new Date('2026-11-02T06:00:00Z') }
  await db.database.transaction((tx) => upsertItems(tx, reading, [item]))
  itemId = (await db.run<{ id: number }>('select id from items.item'))[0]!.id
})
afterAll(() => db.end())

const load = erpStock(config, {
  clock: systemClock,
  company: () => ({ code: COMPANY, currency: 'USD', timeZone: 'UTC' }),
  countsStock: () => true,
  tolerance: toleranceOf(config),
  openExceptions: exceptionsOf(config),
})

type Told = { readonly lot?: string; readonly source?: string; readonly at?: readonly string[] }

const PLACES = ['DC1', 'FED', 'KIOSK', 'SHOP']
const read = (asOf: string, available: number, { lot, source = 'erp', at = PLACES }: Told = {}) =>
  db.database.transaction((tx) =>
    load(
      tx,
      { source, company: COMPANY, asOf: new Date(asOf) },
      at.map((location) => ({
        itemId,
        sku: '10012',
        location,
        lot,
        available: units(available),
        qualityHold: 0,
        damaged: 0,
      })),
    ),
  )

const available = async (): Promise<Record<string, Quantity>> => {
  const rows = await db.run<{ location: string; available: Quantity }>(
    `select location, available from inventory.position where lot = '' order by location`,
  )
  return Object.fromEntries(rows.map((row) => [row.location, row.available]))
}

test('the first figure opens every place, a later one counts only where nobody else tells, an older one nowhere', async () => {
  expect(await read('2026-11-02T08:00:00Z', 10)).toMatchObject({ inserted: 4, updated: 0 })
  const opened = { DC1: units(10), FED: units(10) }
  expect(await available()).toEqual({ ...opened, KIOSK: units(10), SHOP: units(10) })
  expect(await read('2026-11-02T09:00:00Z', 7)).toMatchObject({ inserted: 0, updated: 2, unchanged: 2 })
  expect(await available()).toEqual({ ...opened, KIOSK: units(7), SHOP: units(7) })
  // the same page again, and a page that was read before it
  await read('2026-11-02T09:00:00Z', 7)
  await read('2026-11-02T08:30:00Z', 99)
  expect(await available()).toMatchObject({ SHOP: units(7) })
})

test('figures by lot count nothing', async () => {
  await read('2026-11-02T10:00:00Z', 3, { lot: 'L1' })
  const counted = { KIOSK: units(7), SHOP: units(7) }
  expect(await available()).toEqual({ DC1: units(10), FED: units(10), ...counted })
})

const reports = (location: string) =>
  listReconciliations(db.database, { company: COMPANY, location }, { before: 1_000, limit: 50 })

test('each count is one report of what it opened, found and took; pages that came before leave none', async () => {
  const one = { source: 'erp', askedBy: 'erp', whole: false, state: 'done', told: 0 }
  expect(await reports('SHOP')).toMatchObject([
    { ...one, takenAt: '2026-11-02T09:00:00.000Z', matched: 0, differing: 1, adjusted: 1 },
    { ...one, takenAt: '2026-11-02T08:00:00.000Z', matched: 1, differing: 0, adjusted: 0 },
  ])
  for (const told of ['DC1', 'FED']) expect(await reports(told)).toEqual([])
})

test('beyond a tolerance that is configured the books stay, and somebody is told, once for a reading', async () => {
  const strict = { source: 'strict', at: ['SHOP'] }
  expect(await read('2026-11-02T11:00:00Z', 5, strict)).toMatchObject({ updated: 1 })
  expect(await read('2026-11-02T12:00:00Z', 1, strict)).toMatchObject({ updated: 0 })
  await read('2026-11-02T12:00:00Z', 1, strict)
  expect(await available()).toMatchObject({ SHOP: units(5) })
  expect((await reports('SHOP')).slice(0, 3)).toMatchObject([
    { source: 'strict', differing: 1, adjusted: 0, told: 1 },
    { source: 'strict', differing: 1, adjusted: 1, told: 0 },
    { source: 'erp' },
  ])
  expect(await listExceptions(db.database, { code: 'inventory.books_differ' })).toMatchObject([
    { title: 'strict counts 1 of 10012 at SHOP, our books say 5' },
  ])
})
