/** Freshness rules at the terminal: listed, tried out, set, withdrawn, and refused by what was typed. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { FreshnessRuleChange, FreshnessRuleView } from '#domains/inventory/contract/freshness-rules.ts'
import { openQuery } from '#tests/support/house-query.ts'
import { folderDatabase, type FolderDatabase } from './folder-database.ts'
import { crossdock, rowsOf } from './program.ts'

let folder: FolderDatabase
let settings: string
beforeAll(async () => {
  folder = await folderDatabase()
  settings = join(folder.path, 'crossdock.yaml')
  const system = { baseUrl: 'http://127.0.0.1:1/', policy: {} }
  const config = {
    companies: [{ code: 'NWF', name: 'NWF', country: 'US', currency: 'USD', timeZone: 'UTC', erp: 'erp' }],
    systems: {
      erp: { ...system, connector: 'erp-legacy', credentials: { user: 'U', password: 'secret' } },
      wms: {
        ...system,
        connector: 'wms-depot',
        credentials: { apiKey: 'secret', webhookSecret: 'wms-secret' },
      },
    },
    locations: ['CHI-1', 'CHI-2'].map((code) => ({ code, type: 'warehouse', timeZone: 'UTC', wms: 'wms' })),
    freshness: [{ source: 'wms', minutes: 30, locations: ['CHI-1'], rule: 'zero' }],
  }
  // JSON is YAML
  writeFileSync(settings, JSON.stringify(config))
}, 60_000)
afterAll(() => folder.end())

const freshness = (...words: readonly string[]) =>
  crossdock('inventory', 'freshness', ...words, '--data', folder.path, '--config', settings)
const WHY = ['--reason', 'the line fails', '--by', 'ann']
const CAP = ['set', 'wms', 'messages', '--minutes', '10', '--rule', 'cap', '--most', '24', ...WHY]

test('a rule is tried out, set, listed with who said so, and withdrawn', async () => {
  const before = await freshness()
  expect(before).toMatchObject({ code: 0, stderr: '' })
  expect(before.stdout).toMatch(/wms +messages +CHI-1 +1800 s +zero +configured +0 +– +– +– +no\n/)

  const tried = await freshness(...CAP, '--dry-run')
  expect(tried).toMatchObject({ code: 0, stderr: '' })
  expect(tried.stdout).toBe(
    'wms, messages: it would be version 1\n' +
      '  before: zero at CHI-1, after 1800 s (configured); does not hold\n' +
      '  then:   cap: 24 at most at CHI-1, CHI-2, after 600 s (set, version 1); does not hold\n',
  )
  expect(rowsOf(await freshness('list', '--json'))).toMatchObject([{ origin: 'configured', version: 0 }])

  const [set] = rowsOf<FreshnessRuleChange>(await freshness(...CAP, '--json'))
  expect(set).toMatchObject({ version: 1, after: { setBy: 'cli:ann', state: 'heard' } })
  const { query, end } = await openQuery(folder.url)
  await query(`update inventory.source_state set heard_at = now() - interval '1 hour'`)
  await end()
  const buffer = [
    '--minutes',
    '10',
    '--rule',
    'buffer',
    '--least',
    '2.5',
    '--factor',
    '1',
    '--location',
    'CHI-2',
  ]
  const again = await freshness('set', 'wms', 'messages', ...buffer, ...WHY, '--expect-version', '1')
  expect(again.stdout).toContain('it is version 2\n')
  expect(again.stdout).toContain(
    '  now:    buffer: 2.5 less, and 1 times what would have sold at CHI-2, after 600 s (set, version 2); holds, since it is silent\n',
  )
  const listed = await freshness('list')
  expect(listed.stdout).toMatch(
    /wms +messages +CHI-2 .* set +2 +cli:ann +\d{4}-.* the line fails +since \d{4}-/,
  )
  const [row] = rowsOf<FreshnessRuleView>(await freshness('list', '--json'))
  expect(row).toMatchObject({ origin: 'set', reason: 'the line fails', configured: { rule: 'zero' } })

  const ended = await freshness('withdraw', 'wms', 'messages', ...WHY)
  expect([ended.code, ended.stdout]).toEqual([0, expect.stringContaining('now:    zero at CHI-1')])
}, 60_000)

test.each([
  [['set', 'nobody', 'messages', '--minutes', '5', '--rule', 'zero'], 1, /source must be one of the systems/],
  [['set', 'wms', 'rumours', '--minutes', '5', '--rule', 'zero'], 2, /flow .*messages, readings/],
  [['set', 'wms', 'messages', '--minutes', '-5', '--rule', 'zero'], 2, /minutes/],
  [['set', 'wms', 'messages', '--minutes', 'some', '--rule', 'zero'], 2, /minutes/],
  [['set', 'wms', 'messages', '--minutes', '5', '--rule', 'hope'], 2, /rule .*buffer, cap, zero, ask/],
  [
    ['set', 'wms', 'messages', '--minutes', '5', '--rule', 'buffer'],
    1,
    /least is missing: a buffer needs it[^]*factor is missing[^]*Send least and factor with a buffer/,
  ],
  [
    ['set', 'wms', 'messages', '--minutes', '5', '--rule', 'zero', '--expect-version', '9'],
    1,
    /freshness_rule_changed/,
  ],
  [['withdraw', 'wms', 'readings'], 1, /no person has set a rule of wms for readings/],
])(
  '%j ends with %i and says why',
  async (words, code, why) => {
    for (const dryRun of [[], ['--dry-run']]) {
      const ended = await freshness(...words, ...WHY, ...dryRun)
      expect(ended).toMatchObject({ code, stdout: '' })
      expect(ended.stderr).toMatch(why)
    }
  },
  60_000,
)
