/** What is to come, as the person at a terminal asks for it. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { itemKey } from '#domains/items/contract.ts'
import { findItems, upsertItems } from '#domains/items/operations.ts'
import { upsertSupply } from '#domains/supply/operations.ts'
import { line } from '#tests/domains/supply/purchases.ts'
import { folderDatabase, type FolderDatabase } from './folder-database.ts'
import { crossdock, rowsOf } from './program.ts'

let folder: FolderDatabase
beforeAll(async () => {
  folder = await folderDatabase()
  await Promise.all([buy('NWF', ['10012', '10013']), buy('NWI', ['10013'])])
}, 60_000)
afterAll(() => folder.end())

const item = (sku: string) => ({
  sku,
  name: 'Olives',
  status: 'active' as const,
  baseUnit: 'EA',
  units: [],
  catchWeight: false,
  lotControlled: false,
  taxClass: 'food',
  identifiers: [],
})

/** A line of each item, each a day after the one before. */
const buy = (company: string, skus: readonly string[]) =>
  folder.database.transaction(async (tx) => {
    const reading = { company, source: 'erp', asOf: new Date('2026-03-02T09:00:00Z') }
    await upsertItems(tx, reading, skus.map(item))
    const keys = skus.map((sku) => ({ company, sku }))
    const items = await findItems(tx, keys)
    const lines = keys.map(({ sku }, n) => {
      const itemId = items.get(itemKey(company, sku))!.id
      return line(`P-${company}`, { line: n + 1, itemId, sku, expectedOn: `2026-03-0${n + 4}` })
    })
    await upsertSupply(tx, reading, lines)
  })

const supply = (...args: string[]) => crossdock('inventory', 'supply', ...args, '--data', folder.path)
const lines = async (...args: string[]) =>
  rowsOf<{ item: string; open: string; expectedOn: string }>(await supply(...args, '--json')).map((row) => [
    row.item,
    row.open,
    row.expectedOn,
  ])

test('what is to come is listed by day, of a company, an item and before a day', async () => {
  const [first, second] = [
    ['10012', '100', '2026-03-04'],
    ['10013', '100', '2026-03-05'],
  ]
  expect(await lines('--company', 'NWF')).toEqual([first, second])
  expect(await lines('--item', '10012')).toEqual([first])
  expect(await lines('--company', 'NWF', '--before', '2026-03-05')).toEqual([first])
  expect(await lines('--company', 'NWF', '--location', 'south')).toEqual([])
  const told = await supply('--company', 'NWF', '--item', '10013')
  for (const part of ['P-NWF', 'V10001', '2026-03-05']) expect(told.stdout).toContain(part)
}, 60_000)

test('where something is to come of several companies, the command asks of which', async () => {
  const [both, all] = await Promise.all([supply('--item', '10013'), supply()])
  expect([both.code, all.code]).toEqual([2, 2])
  for (const { stderr } of [both, all]) expect(stderr).toContain('--company NWF')
}, 60_000)

test('of an item that nobody is to deliver nothing is to come', async () => {
  const ended = await supply('--item', '99999')
  expect([ended.code, ended.stdout]).toEqual([0, ''])
  expect(ended.stderr).toContain('Nothing is to come.')
}, 60_000)
