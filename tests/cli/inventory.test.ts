/** Stock at the terminal: what is where, what can be promised of it, and how that comes about. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { move } from '#domains/inventory/operations.ts'
import { upsertItems } from '#domains/items/operations.ts'
import { sql } from '#platform/database.ts'
import { units } from '#platform/quantity.ts'
import { change } from '#tests/domains/inventory/stock.ts'
import { folderDatabase, type FolderDatabase } from './folder-database.ts'
import { crossdock, rowsOf } from './program.ts'

const SKU = '10012'
let folder: FolderDatabase
beforeAll(async () => {
  folder = await folderDatabase()
  const { database } = folder
  const asOf = new Date('2026-11-02T06:00:00Z')
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
  await database.transaction((tx) =>
    upsertItems(tx, { source: 'erp', company: 'NWF', asOf }, [
      { ...item, sku: SKU },
      { ...item, sku: 'never-stocked' },
    ]),
  )
  const [row] = await database.query<{ id: number }>(
    sql('test.item_of_terminal', 'select id from items.item where sku = $1'),
    [SKU],
  )
  const at = (overrides: object) => change(row!.id, { location: 'CHI-1', ...overrides })
  await database.transaction((tx) =>
    move(tx, [
      at({ quantity: units(500) }),
      at({ from: 'available', to: 'quality_hold', quantity: units(60) }),
    ]),
  )
})
afterAll(() => folder.end())

const inventory = (...args: string[]) => crossdock('inventory', ...args, '--data', folder.path)

test('an item is shown place by place, as a table and as JSON', async () => {
  const shown = await inventory('show', SKU, '--company', 'NWF')
  expect(shown).toMatchObject({ code: 0, stderr: '' })
  expect(shown.stdout).toMatch(/CHI-1 +500 +60 .*440 EA/)
  const [row] = rowsOf(await inventory('show', SKU, '--company', 'NWF', '--json'))
  expect(row).toMatchObject({ location: 'CHI-1', onHand: '500', onHold: '60', available: '440' })
}, 60_000)

test('what can be promised is explained step by step', async () => {
  const told = await inventory('explain', SKU, '--company', 'NWF', '--channel', 'shop')
  expect(told).toMatchObject({ code: 0, stderr: '' })
  expect(told.stdout).toContain(`440 EA of ${SKU} can be promised by NWF for shop`)
  expect(told.stdout).toMatch(
    /500 {2}on hand +500\n +-60 {2}on hold, in quarantine, damaged or blocked +440\n/,
  )
}, 60_000)

test.each([
  [['show', 'nothing', '--company', 'NWF'], 1, /no stock position of an item nothing/],
  [['explain', 'never-stocked', '--company', 'NWF'], 1, /no stock position/],
  [['show', SKU], 2, /--company NWF/],
  [['explain', SKU, '--company', 'NWF', '--location', 'MOON'], 1, /MOON/],
])('%j ends with %i and says why', async (args, code, why) => {
  const ended = await inventory(...args)
  expect(ended).toMatchObject({ code, stdout: '' })
  expect(ended.stderr).toMatch(why)
})
