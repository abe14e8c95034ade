/** Files of stock at the terminal: what is taken, what is refused by line and field, and that nothing is taken twice. */
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sql } from '#platform/database.ts'
import { type FeedFolder, feedFolder } from './feed-folder.ts'

let folder: FeedFolder
beforeAll(async () => {
  folder = await feedFolder(['10', '11', '12', '13', '14'])
})
afterAll(() => folder.end())

const available = async (sku: string): Promise<number | undefined> => {
  const [row] = await folder.database.query<{ available: string }>(
    sql(
      'test.available_of_file',
      `select p.available::text as available from inventory.position p join items.item i on i.id = p.item_id
       where i.sku = $1 and p.lot = ''`,
    ),
    [sku],
  )
  return row && Number(row.available)
}

const MOVES = 'company,location,sku,reason,quantity,unit,at,sequence'
const at = '2026-11-02T08:00:00Z'

test('good lines are taken, the others named by line and field; the same file again does nothing', async () => {
  const lines = [
    MOVES,
    `NWF,CHI-1,10,receipt,3,CA,${at},1`,
    `NWF,CHI-1,10,ship,6,EA,${at},2`,
    `NWF,CHI-1,nothing,receipt,3,CA,${at},1`,
    `NWF,CHI-1,11,receipt,3,PLT,${at},1`,
    `NWF,CHI-1,11,receipt,1.5,EA,${at},1`,
    `NWF,MOON,11,receipt,3,EA,${at},1`,
    `NWF,CHI-1,11,transfer-out,3,EA,${at},1`,
    `NWF,CHI-1,12,receipt,3,EA,${at},2`,
    `NWF,CHI-1,11,dance,3,EA,${at},1`,
  ]
  const first = await folder.load('moves.csv', lines)
  expect(first.code).toBe(4)
  expect(first.report).toMatchObject({
    lines: 9,
    taken: 2,
    waiting: 1,
    repeated: 0,
    refused: [
      { line: 4, field: 'sku', code: 'inventory.item_unknown' },
      { line: 5, field: 'unit', code: 'items.unit_unknown' },
      { line: 6, field: 'quantity', code: 'items.quantity_not_whole' },
      { line: 7, field: 'location', code: 'inventory.location_not_fed' },
      { line: 8, field: 'reason', code: 'inventory.movement_incomplete' },
      { line: 10, field: 'reason', code: 'inventory.line_malformed' },
    ],
  })
  expect(await available('10')).toBe(30)
  const again = await folder.load('moves-again.csv', lines)
  expect(again.report).toMatchObject({ taken: 0, waiting: 0 })
  expect(await available('10')).toBe(30)
  // the same facts in another file
  const other = await folder.load('other.csv', [MOVES, lines[1]!, `NWF,CHI-1,10,receipt,1,EA,${at},3`])
  expect(other).toMatchObject({ code: 0, report: { taken: 1, repeated: 1 } })
  expect(await available('10')).toBe(31)
}, 60_000)

const COUNTS = 'company,location,sku,available,taken_at,sequence'

test('a whole snapshot counts what it names, and what it does not name is gone', async () => {
  await folder.load('before.csv', [MOVES, `NWF,CHI-1,13,receipt,8,EA,${at},1`])
  const taken = '2026-11-02T09:00:00Z'
  const whole = await folder.load(
    'all.csv',
    [COUNTS, `NWF,CHI-1,10,25,${taken},3`, `NWF,CHI-1,12,3,${taken},1`],
    '--whole',
  )
  expect(whole).toMatchObject({ code: 0, report: { taken: 3, corrected: 3, told: 0, refused: [] } })
  expect(await available('10')).toBe(25)
  expect(await available('13')).toBe(0)
  // what waited behind the missing first receipt of 12 is booked behind the count
  expect(await available('12')).toBe(6)
  const older = await folder.load('older.csv', [COUNTS, `NWF,CHI-1,10,99,2026-11-02T08:30:00Z,2`])
  expect(older.report).toMatchObject({ taken: 0, late: 1, reconciliations: [] })
  const again = await folder.run('load', join(folder.path, 'older.csv'), '--source', 'counts')
  expect(again.stdout).toContain('1 repeated')
  expect(await available('10')).toBe(25)
}, 60_000)

test('a lot is dated by the first line that says its day; another day of a movement is for a person', async () => {
  const head = `${MOVES},lot,expires_on`
  const loaded = await folder.load('lots.csv', [
    head,
    `NWF,CHI-1,14,receipt,3,EA,${at},1,L1,2027-05-31`,
    `NWF,CHI-1,14,receipt,1,EA,${at},2,L1,2027-06-30`,
    `NWF,CHI-1,14,receipt,1,EA,${at},3,,2027-06-30`,
    `NWF,CHI-1,14,receipt,1,EA,${at},3,L2,soon`,
  ])
  expect(loaded).toMatchObject({ code: 4, report: { taken: 2 } })
  expect(loaded.report).toMatchObject({ refused: [4, 5].map((line) => ({ line, field: 'expires_on' })) })
  const counted = await folder.load('lots-counted.csv', [
    `${COUNTS},lot,expires_on`,
    `NWF,CHI-1,14,4,2026-11-02T09:00:00Z,2,L1,2029-09-09`,
    `NWF,CHI-1,14,6,2026-11-02T09:00:00Z,2,L3,2028-01-31`,
  ])
  expect(counted).toMatchObject({ code: 0, report: { taken: 1 } })
  const known = await folder.database.query(
    sql('test.lots_of_file', 'select lot, expires_on::text as day from inventory.lot order by lot'),
  )
  expect(known).toEqual([
    { lot: 'L1', day: '2027-05-31' },
    { lot: 'L3', day: '2028-01-31' },
  ])
  const told = await folder.database.query(
    sql('test.told_of_file', `select code, title from exceptions.exception where code like 'inventory.lot%'`),
  )
  expect(told).toEqual([
    {
      code: 'inventory.lot_expiry_differs',
      title: 'counts tells that lot L1 of 14 expires on 2027-06-30; 2027-05-31 is known of it',
    },
  ])
}, 60_000)

test('a snapshot of two moments is refused for that location', async () => {
  const lines = [COUNTS, `NWF,CHI-1,10,1,${at},9`, `NWF,CHI-1,12,1,2026-11-02T11:00:00Z,9`]
  const { code, report } = await folder.load('two.csv', lines)
  expect(code).toBe(4)
  expect(report).toMatchObject({ taken: 0, refused: [{ line: 3, code: 'inventory.snapshot_split' }] })
}, 60_000)

test('a source that is no feed, a file that is none and columns that are not ours are refused', async () => {
  const path = join(folder.path, 'moves.csv')
  const unknown = await folder.run('load', path, '--source', 'moon')
  expect(unknown.code).toBe(2)
  expect(unknown.stderr).toMatch(/no feed moon; configured: counts/)
  expect(unknown.stderr).toContain('inventory.source_unknown')
  const missing = await folder.run('load', 'nowhere.csv', '--source', 'counts')
  expect(missing).toMatchObject({ code: 2, stderr: expect.stringContaining('nowhere.csv cannot be read') })
  const odd = await folder.load('odd.csv', ['a,b', '1,2'])
  expect(odd.code).toBe(2)
}, 60_000)

test('where nobody can be asked a reconciliation says why, and shows what the last count came to', async () => {
  const ended = await folder.run('reconcile', '--json', '--location', 'CHI-1')
  expect(ended.stderr).toContain(
    'CHI-1 is not asked: the feed counts tells of it by files: load a whole count',
  )
  expect(JSON.parse(ended.stdout)).toMatchObject({
    location: 'CHI-1',
    source: 'counts',
    askedBy: 'counts',
    takenAt: '2026-11-02T09:00:00.000Z',
    differing: 1,
    missingHere: 1,
    missingThere: 1,
    adjusted: 3,
  })
  expect(ended.code).toBe(3)
  const nowhere = await folder.run('reconcile', '--location', 'MOON')
  expect(nowhere).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('There is no such location here'),
  })
}, 60_000)

test('a whole count of a company that is not configured is refused by its field', async () => {
  const { code, report } = await folder.load('strange.csv', [COUNTS, `ABC,CHI-1,10,1,${at},9`], '--whole')
  expect(code).toBe(4)
  expect(report).toMatchObject({
    taken: 0,
    refused: [{ line: 2, field: 'company', code: 'inventory.company_unknown' }],
  })
}, 60_000)

test('a whole snapshot with lines that are not understood says of nothing that it is gone, until it is handed in corrected', async () => {
  const taken = '2026-11-02T09:30:00Z'
  const lines = (item: string, place: string) => [
    COUNTS,
    `NWF,CHI-1,10,25,${taken},3`,
    `NWF,CHI-1,${item},6,${taken},2`,
    `NWF,${place},13,7,${taken},2`,
  ]
  const none = await folder.load('none.csv', [COUNTS, `NWF,CHI-1,lo,25,${taken},3`], '--whole', '--dry-run')
  expect(none.report).toMatchObject({ taken: 0, notConcluded: [{ notSaid: 3, lines: [{ line: 2 }] }] })
  const wrong = await folder.load('wrong.csv', lines('l2', 'CHI1'), '--whole')
  expect(wrong.code).toBe(4)
  const notConcluded = [
    {
      company: 'NWF',
      location: 'CHI-1',
      notSaid: 2,
      lines: [
        {
          line: 3,
          text: `NWF,CHI-1,l2,6,${taken},2`,
          reason: 'NWF has no item l2',
          cure: 'Correct the item number, or have the ERP create the item, and hand the count in again.',
        },
        { line: 4, reason: 'it tells of CHI-1, not of CHI1' },
      ],
    },
  ]
  expect(wrong.report).toMatchObject({ taken: 1, corrected: 0, notConcluded })
  expect(await available('12')).toBe(6)
  const said = await folder.run('load', join(folder.path, 'wrong.csv'), '--source', 'counts', '--whole')
  expect(said.stdout).toContain('1 repeated')
  const mended = await folder.load('mended.csv', lines('11', 'CHI-1'), '--whole')
  expect(mended).toMatchObject({ code: 0, report: { taken: 3, told: 1, late: 1, notConcluded: [] } })
  expect([await available('11'), await available('12'), await available('13')]).toEqual([6, 0, 7])
}, 60_000)

test('a count of single items is a report too: what is within the tolerance is taken, the rest stays and is told', async () => {
  const taken = '2026-11-02T09:50:00Z'
  const lines = [
    COUNTS,
    `NWF,CHI-1,10,20,${taken},3`,
    `NWF,CHI-1,11,60,${taken},2`,
    `NWF,CHI-1,13,7,${taken},2`,
  ]
  const first = await folder.load('some.csv', lines)
  expect(first).toMatchObject({
    code: 0,
    report: { taken: 2, corrected: 1, told: 1, reconciliations: [expect.any(Number)], notConcluded: [] },
  })
  expect([await available('10'), await available('11')]).toEqual([20, 6])
  const [report] = await folder.database.query(
    sql(
      'test.report_of_file',
      'select source, asked_by as by, whole, matched, differing, adjusted, told from inventory.reconciliation order by id desc limit 1',
    ),
  )
  const by = 'counts'
  expect(report).toEqual({ source: by, by, whole: false, matched: 1, differing: 2, adjusted: 1, told: 1 })
  expect((await folder.load('some-again.csv', lines)).report).toMatchObject({
    repeated: 3,
    reconciliations: [],
  })
}, 60_000)

test('a line of another place of the house leaves nothing open', async () => {
  const taken = '2026-11-02T09:55:00Z'
  const lines = [COUNTS, `NWF,CHI-1,10,25,${taken},3`, `NWF,CHI-2,13,7,${taken},2`]
  const { report } = await folder.load('both.csv', lines, '--whole')
  expect(report).toMatchObject({ refused: [{ line: 3, field: 'location' }], notConcluded: [] })
  expect(await available('13')).toBe(0)
}, 60_000)
