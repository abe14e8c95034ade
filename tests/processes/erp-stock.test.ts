/** What an ERP has on hand opens a place; where nobody else tells of the location, each later figure is a count. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { OLIVES } from '#tests/support/olives.ts'
import { erpStock } from '../../src/app-erp-stock.ts'
import { exceptionsOf } from '../../src/app-rules.ts'
import { loadConfig } from '../../src/config.ts'
import { upsertItems } from '#domains/items/operations.ts'
import { type Quantity, units } from '#platform/quantity.ts'
import { openTestDatabase, type OpenDatabase } from '#tests/support/open-database.ts'

const COMPANY = 'NWF'
const config = loadConfig({
  environment: {},
  file: undefined,
  defaults: {
    systems: { wms: { connector: 'wms-depot', baseUrl: 'http://127.0.0.1:1/' } },
    locations: [
      { code: 'DC1', type: 'warehouse', wms: 'wms', timeZone: 'UTC' },
      { code: 'FED', type: 'store', timeZone: 'UTC' },
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

const load = erpStock(config, { countsStock: () => true, openExceptions: exceptionsOf(config) })

const read = (asOf: string, available: number, lot?: string) =>
  db.database.transaction((tx) =>
    load(
      tx,
      { source: 'erp', company: COMPANY, asOf: new Date(asOf) },
      ['DC1', 'FED', 'SHOP'].map((location) => ({
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
  expect(await read('2026-11-02T08:00:00Z', 10)).toMatchObject({ inserted: 3, updated: 0 })
  expect(await available()).toEqual({ DC1: units(10), FED: units(10), SHOP: units(10) })
  expect(await read('2026-11-02T09:00:00Z', 7)).toMatchObject({ inserted: 0, updated: 1, unchanged: 2 })
  expect(await available()).toEqual({ DC1: units(10), FED: units(10), SHOP: units(7) })
  // the same page again, and a page that was read before it
  await read('2026-11-02T09:00:00Z', 7)
  await read('2026-11-02T08:30:00Z', 99)
  expect(await available()).toMatchObject({ SHOP: units(7) })
})

test('figures by lot count nothing', async () => {
  await read('2026-11-02T10:00:00Z', 3, 'L1')
  expect(await available()).toEqual({ DC1: units(10), FED: units(10), SHOP: units(7) })
})
