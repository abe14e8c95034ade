/** A file of stock tried out at the terminal: what would change is shown by place, and nothing is written. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sql } from '#platform/database.ts'
import { type FeedFolder, feedFolder } from './feed-folder.ts'

let feed: FeedFolder
beforeAll(async () => {
  feed = await feedFolder(['10', '11', '12'])
  await feed.load('before.csv', [MOVES, `NWF,CHI-1,10,receipt,30,${at},1`, `NWF,CHI-1,11,receipt,8,${at},1`])
})
afterAll(() => feed.end())

const MOVES = 'company,location,sku,reason,quantity,at,sequence'
const COUNTS = 'company,location,sku,available,quality_hold,taken_at'
const at = '2026-11-02T08:00:00Z'
const later = '2026-11-02T09:00:00Z'

/** All that is kept of stock and of files. */
const kept = () =>
  feed.database.query(
    sql(
      'test.kept_of_files',
      `select (select count(*)::int from inventory.movement) as movements,
         (select count(*)::int from inbox.message) as messages,
         (select count(*)::int from inventory.reconciliation) as reports,
         (select count(*)::int from exceptions.exception) as exceptions,
         (select sum(available)::text from inventory.position) as available`,
    ),
  )
const statuses = (available: string, qualityHold = '0') => ({ available, qualityHold, damaged: '0' })
const place = { company: 'NWF', location: 'CHI-1' }

test('movements: each place that its lines name, with what it has and would have, and lines that are refused', async () => {
  const before = await kept()
  const lines = [
    MOVES,
    `NWF,CHI-1,10,count,-2,${at},2`,
    `NWF,CHI-1,12,receipt,5,${at},1`,
    `NWF,CHI-1,10,quality-hold,4,${at},3`,
    `NWF,CHI-1,11,receipt,8,${at},1`,
    `NWF,CHI-1,none,receipt,8,${at},1`,
  ]
  const { code, report } = await feed.load('moves.csv', lines, '--dry-run')
  expect(code).toBe(4)
  expect(report).toMatchObject({
    taken: 3,
    repeated: 1,
    refused: [{ line: 6, field: 'sku' }],
    changes: [
      { ...place, sku: '10', before: statuses('30'), after: statuses('24', '4') },
      { ...place, sku: '12', before: statuses('0'), after: statuses('5') },
    ],
  })
  expect(await kept()).toEqual(before)
}, 60_000)

test('a whole count: what it would correct, what it would tell, and what it says is gone', async () => {
  const before = await kept()
  const lines = [COUNTS, `NWF,CHI-1,10,27,1,${later}`, `NWF,CHI-1,12,40,0,${later}`]
  const { report } = await feed.load('all.whole.csv', lines, '--dry-run', '--whole')
  expect(report).toMatchObject({
    corrected: 2,
    told: 1,
    reconciliations: [],
    changes: [
      { ...place, sku: '10', before: statuses('30'), after: statuses('27', '1') },
      { ...place, sku: '11', before: statuses('8'), after: statuses('0') },
    ],
  })
  expect(await kept()).toEqual(before)
}, 60_000)

test('a whole count with a line that is not understood: which, and what stays therefore', async () => {
  const before = await kept()
  const path = join(feed.path, 'unread.csv')
  writeFileSync(path, [COUNTS, `NWF,CHI-1,10,30,0,${later}`, `NWF,CHI-1,ll,8,0,${later}`].join('\n'))
  const tried = await feed.run('load', path, '--source', 'counts', '--dry-run', '--whole')
  expect(tried.code).toBe(4)
  expect(tried.stdout).toContain(
    'CHI-1: what the file does not name stays (items with stock: 1), since a line was not understood',
  )
  expect(tried.stdout).toContain('line 3, sku: NWF has no item ll')
  expect(await kept()).toEqual(before)
}, 60_000)

test('people read it line by line, and the file itself is taken afterwards', async () => {
  const path = join(feed.path, 'some.csv')
  writeFileSync(path, [COUNTS, `NWF,CHI-1,10,29,1,${later}`].join('\n'))
  const tried = await feed.run('load', path, '--source', 'counts', '--dry-run')
  expect(tried.stdout).toContain(
    'Nothing is written. 1 place would change:\n  CHI-1 10: available 30 → 29, on hold 0 → 1',
  )
  const taken = await feed.run('load', path, '--source', 'counts')
  expect(taken).toMatchObject({ code: 0, stdout: expect.stringContaining('1 taken, 1 corrected') })
  const again = await feed.run('load', path, '--source', 'counts', '--dry-run')
  expect(again.stdout).toContain('Nothing is written. Nothing would change.')
}, 60_000)
