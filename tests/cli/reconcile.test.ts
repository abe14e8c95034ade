/** Books held against a count at the terminal: what the running program finds is shown, and the exit code says whether it agrees. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sql } from '#platform/database.ts'
import { folderDatabase, type FolderDatabase } from './folder-database.ts'
import { crossdock } from './program.ts'

let folder: FolderDatabase
beforeAll(async () => {
  folder = await folderDatabase()
  const config = {
    companies: [{ code: 'NWF', name: 'Foods', currency: 'USD', timeZone: 'UTC', country: 'US', erp: 'erp' }],
    systems: {
      erp: { connector: 'erp-legacy', baseUrl: 'http://127.0.0.1:1/' },
      wms: { connector: 'wms-depot', baseUrl: 'http://127.0.0.1:1/' },
    },
    locations: [{ code: 'CHI-1', type: 'warehouse', wms: 'wms', timeZone: 'UTC' }],
  }
  writeFileSync(join(folder.path, 'crossdock.yaml'), JSON.stringify(config))
})
afterAll(() => folder.end())

const reconcile = (...args: string[]) =>
  crossdock(
    'inventory',
    'reconcile',
    '--data',
    folder.path,
    '--config',
    join(folder.path, 'crossdock.yaml'),
    ...args,
  )

/** Does in place of the running program what was asked for. */
async function finish(differing: number): Promise<void> {
  const done = sql(
    'test.finish_reconciliations',
    `update inventory.reconciliation set state = 'done', finished_at = now(), taken_at = now(), matched = 4, differing = $1
     where state = 'asked' returning id`,
  )
  await expect
    .poll(async () => (await folder.database.query(done, [differing])).length, { timeout: 60_000 })
    .toBe(1)
}

test.each([
  [0, 0],
  [2, 3],
])(
  'with %i differences it ends with %i',
  async (differing, code) => {
    const [ended] = await Promise.all([reconcile('--json', '--dry-run'), finish(differing)])
    expect(ended.code).toBe(code)
    expect(JSON.parse(ended.stdout)).toMatchObject({
      company: 'NWF',
      location: 'CHI-1',
      source: 'wms',
      dryRun: true,
      askedBy: 'terminal',
      matched: 4,
      differing,
    })
    expect(ended.stderr).toContain('1 of 1 locations')
  },
  90_000,
)

test('a source that does not count there is refused', async () => {
  const ended = await reconcile('--source', 'moon')
  expect(ended.code).toBe(2)
  expect(ended.stderr).toMatch(/moon cannot be asked what is at CHI-1; known: wms, erp/)
}, 60_000)
