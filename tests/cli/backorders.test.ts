/** Who waits and who gets it, as the person at a terminal sees and decides it. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { move, reserve } from '#domains/inventory/operations.ts'
import { sql } from '#platform/database.ts'
import { units } from '#platform/quantity.ts'
import { change } from '#tests/domains/inventory/stock.ts'
import { line, newCustomer, order, write } from '#tests/domains/orders/order-fixtures.ts'
import { openQuery } from '#tests/support/house-query.ts'
import type { OpenDatabase } from '#tests/support/open-database.ts'
import { folderDatabase, type FolderDatabase } from './folder-database.ts'
import { crossdock, rowsOf } from './program.ts'

const SKU = 'OLV-1'
const PLACE = 'DC1'
const [LOSER, WINNER] = [7_000_001, 7_000_002]
let folder: FolderDatabase
let disconnect: () => Promise<void>
const file = (name: string): string => join(folder.path, name)
beforeAll(async () => {
  folder = await folderDatabase()
  const { query, end } = await openQuery(folder.url)
  disconnect = end
  const db = { database: folder.database, run: query } as unknown as OpenDatabase
  const wants = { customerLine: '1', numerator: 1, unit: 'EA', netMinor: 1_200 }
  await write(
    db,
    order(await newCustomer(db, 'C-1'), {
      doc: LOSER,
      lines: [line({ ...wants, ordered: units(10), reserved: units(10) })],
    }),
    order(await newCustomer(db, 'C-2'), {
      doc: WINNER,
      customer: 'C-2',
      lines: [line({ ...wants, ordered: units(6), reserved: 0, backordered: units(6) })],
    }),
  )
  await folder.database.transaction(async (tx) => {
    await move(tx, [change(1, { location: PLACE, quantity: units(10) })])
    const common = { line: 1, company: 'NWF', channel: 'api', itemId: 1, waited: false }
    const allocations = [{ location: PLACE, quantity: units(10) }]
    reserve(tx, [
      { ...common, doc: LOSER, allocations, backordered: 0 },
      { ...common, doc: WINNER, allocations: [], backordered: units(6) },
    ])
  })
  const segments = [
    { class: 'win', when: { customers: ['C-2'] } },
    { class: 'lose', when: { customers: ['C-1'] } },
  ]
  writeFileSync(file('rules.json'), JSON.stringify({ segments }))
  writeFileSync(file('wrong.json'), JSON.stringify({ segments: [{ class: 'hope' }] }))
}, 60_000)
afterAll(async () => {
  await disconnect()
  await folder.end()
})

const backorders = (...args: string[]) => crossdock('inventory', 'backorders', ...args, '--data', folder.path)

test('who waits is listed by item and queue', async () => {
  const rows = rowsOf<object>(await backorders('list', '--json'))
  expect(rows).toMatchObject([{ sku: SKU, queue: 'new', lines: 1, quantity: '6' }])
  expect(rowsOf(await backorders('list', '--queue', 'promised', '--json'))).toEqual([])
  const { stdout, code } = await backorders('list')
  expect([code, stdout]).toEqual([0, expect.stringMatching(/ITEM +QUEUE/)])
})

test('a dry run shows what would be moved, and its number starts it once', async () => {
  const shown = rowsOf<{ run: number; order: string; quantity: string }>(
    await backorders('run', '--dry-run', '--rules', file('rules.json'), '--json'),
  )
  expect(shown.map(({ order: number, quantity }) => [number, quantity])).toEqual([
    [`O-${LOSER}`, '-6'],
    [`O-${WINNER}`, '6'],
  ])
  const run = String(shown[0]!.run)
  const started = await backorders('run', run, '--reason', 'the big one')
  expect([started.code, started.stderr]).toEqual([
    1,
    expect.stringContaining(`Run ${run} is started, and no program is running that goes on with it.`),
  ])
  const again = await backorders('run', run, '--reason', 'once more')
  expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('was started before')])
})

test('what a silent place keeps from a line is shown in brackets, with the reason', async () => {
  const config = {
    companies: [{ code: 'NWF', name: 'NWF', country: 'US', currency: 'USD', timeZone: 'UTC', erp: 'erp' }],
    systems: {
      erp: { connector: 'erp-legacy', baseUrl: 'http://127.0.0.1:1/' },
      wms: { connector: 'wms-depot', baseUrl: 'http://127.0.0.1:1/' },
    },
    locations: [{ code: PLACE, type: 'warehouse', timeZone: 'UTC', wms: 'wms' }],
    freshness: [{ source: 'wms', minutes: 30, rule: 'ask' }],
  }
  writeFileSync(file('crossdock.json'), JSON.stringify(config))
  await folder.database.transaction(async (tx) =>
    tx.query(
      sql(
        'test.silent_source',
        `insert into inventory.source_state (source, flow, doc, version, heard_at, silent_since)
         values ('wms', 'messages', 1, 1, now(), now())`,
      ),
      [],
    ),
  )
  const asked = ['run', '--dry-run', '--rules', file('rules.json'), '--config', file('crossdock.json')]
  const { stdout, stderr, code } = await backorders(...asked)
  expect([code, stdout, stderr]).toEqual([
    0,
    expect.stringMatching(/\(\+6\) .*withheld: wms has told nothing of stock since .*\(ask\)/),
    expect.stringContaining('A silence keeps from lines what is in brackets (1)'),
  ])
})

test.each([
  [['list', '--queue', 'nope'], 'is no queue'],
  [['run'], 'Why is stock moved?'],
  [['run', '--dry-run'], 'Who wins and who loses?'],
  [['run', 'twelve', '--dry-run'], 'no number of a run'],
  [['run', '--dry-run', '--rules', '/nowhere.json'], 'cannot be read'],
])('backorders %j is wrong use, and says what is missing', async (args, words) => {
  const { code, stderr } = await backorders(...args)
  expect([code, stderr]).toEqual([2, expect.stringContaining(words)])
})

test('rules that name no class are refused by their place', async () => {
  const { code, stderr } = await backorders('run', '--dry-run', '--rules', file('wrong.json'))
  expect([code, stderr]).toEqual([2, expect.stringContaining('segments.0.class')])
})
