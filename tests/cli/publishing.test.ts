/** A full publication at the terminal: a shop that is configured is told everything again, another is named. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sql } from '#platform/database.ts'
import { folderDatabase, type FolderDatabase } from './folder-database.ts'
import { crossdock, rowsOf } from './program.ts'

let folder: FolderDatabase
beforeAll(async () => {
  folder = await folderDatabase()
  const config = {
    companies: [{ code: 'NWF', name: 'Foods', currency: 'USD', timeZone: 'UTC', country: 'US', erp: 'erp' }],
    systems: {
      erp: { connector: 'erp-legacy', baseUrl: 'http://127.0.0.1:1/' },
      shop: { connector: 'shop-hosted', baseUrl: 'http://127.0.0.1:1/' },
    },
    publishing: { channels: ['shop'], shops: [{ system: 'shop', company: 'NWF', channel: 'shop' }] },
  }
  writeFileSync(join(folder.path, 'crossdock.yaml'), JSON.stringify(config))
  await folder.database.query(
    sql(
      'test.publish_some',
      `insert into inventory.published (item_id, channel, company, doc, version, available, confidence, as_of)
       select n, 'shop', 'NWF', n, 1, 5, 'normal', now() from generate_series(1, 3) n`,
    ),
    [],
  )
})
afterAll(() => folder.end())

const publish = (...args: string[]) =>
  crossdock(
    'inventory',
    'publish',
    ...args,
    '--data',
    folder.path,
    '--config',
    join(folder.path, 'crossdock.yaml'),
  )

test('everything of the shop is left due, and how much that is is said', async () => {
  const told = await publish('shop', '--json')
  expect(told).toMatchObject({ code: 0, stderr: '' })
  expect(rowsOf(told)).toEqual([{ shop: 'shop', company: 'NWF', channel: 'shop', items: 3 }])
  const waiting = sql('test.waiting_for_shop', 'select item_id from inventory.untold where shop = $1')
  expect(await folder.database.query(waiting, ['shop'])).toHaveLength(3)
}, 60_000)

test('a shop that nobody tells anything is named', async () => {
  const told = await publish('store')
  expect(told.code).toBe(2)
  expect(told.stderr).toContain('publishing.shops has no store.')
  expect(told.stderr).toContain('shop')
}, 60_000)
