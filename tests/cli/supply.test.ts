/** What is to come, as the person at a terminal asks for it. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
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

const HEADER = 'company,supplier,told_at,what,purchase_order,line,item,quantity,unit,expected_on'
const loading = (...lines: readonly string[]) => {
  const path = join(folder.path, 'told.csv')
  writeFileSync(path, [HEADER, ...lines].join('\n'))
  return supply('load', path)
}
const TOLD = 'NWF,V10001,2026-03-02T10:00:00Z'

test('what a supplier answers is taken from a file once, and listed with what is to come', async () => {
  const lines = [`${TOLD},confirmed,P-NWF,1,,60,,2026-03-09`, `${TOLD},refused,P-NWF,1,,40,,`]
  const [first, again] = [await loading(...lines), await loading(...lines)]
  expect([first.code, again.code]).toEqual([0, 0])
  expect(first.stdout).toContain('1 answers and notices, 1 written')
  expect(again.stdout).toContain('nothing new')
  const listed = await supply('--company', 'NWF', '--item', '10012')
  expect(listed.stdout).toContain('60 confirmed 2026-03-09, 40 refused')
}, 60_000)

test('a file with a line that cannot be used is refused by line and column, and nothing of it is taken', async () => {
  const before = await supply('--company', 'NWF', '--json')
  const good = `NWF,V10001,2026-03-05T10:00:00Z,confirmed,P-NWF,2,,1,,2026-04-01`
  const unknown = await loading(
    good,
    `${TOLD},confirmed,P-NWF,,nothing,1,,`,
    `${TOLD},confirmed,P-8,,10012,1,QQ,`,
  )
  expect(unknown.code).toBe(3)
  for (const part of ['line 3, item', 'line 4, unit']) expect(unknown.stdout).toContain(part)
  const malformed = await loading(good, `${TOLD},confirmed,P-NWF,2,,none,,`)
  expect([malformed.code, malformed.stdout]).toEqual([3, expect.stringContaining('line 3, quantity')])
  expect((await supply('--company', 'NWF', '--json')).stdout).toBe(before.stdout)
  const [strange, absent] = [await loading('x'), await supply('load', 'nowhere.csv')]
  expect([strange.code, absent.code]).toEqual([2, 2])
}, 60_000)
