/** What `crossdock doctor` tells of the invariants: each by its name, and where one is broken. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { invariantsOfHouse } from '../../src/app-invariants.ts'
import { sql } from '#platform/database.ts'
import { folderDatabase, type FolderDatabase } from './folder-database.ts'
import { crossdock, rowsOf } from './program.ts'

type Row = {
  readonly check: string
  readonly invariant: string
  readonly ok: boolean
  readonly detail: string
  readonly found: readonly string[]
  readonly next: string
}

let folder: FolderDatabase
beforeAll(async () => {
  folder = await folderDatabase()
}, 60_000)
afterAll(() => folder.end())

const doctor = (...more: string[]) => crossdock('doctor', '--invariants', '--data', folder.path, ...more)

test('--invariants tells each of them and nothing else, and ends with 0 when all hold', async () => {
  const ended = await doctor('--json')
  const rows = rowsOf<Row>(ended)
  expect(rows.map(({ invariant }) => invariant)).toEqual(invariantsOfHouse().map(({ name }) => name))
  expect(rows.filter(({ ok }) => !ok)).toEqual([])
  expect(ended.code).toBe(0)
}, 60_000)

test('one that is broken is told with what was found and what to do, and ends it with 3', async () => {
  const plant = sql(
    'test.undecided',
    `insert into inbox.message (source, message_id, type, content_hash, state, body, received_at)
     select 'wms', 'm-' || n, 'shipped', 'hash', 'received', '{}', now() - interval '6 minutes' from generate_series(1, 25) n`,
  )
  await folder.database.query(plant)
  const ended = await doctor('--json')
  const broken = rowsOf<Row>(ended).filter(({ ok }) => !ok)
  expect(broken).toMatchObject([
    {
      check: 'each message has its outcome within five minutes',
      invariant: 'inbox.messages_are_decided',
      next: expect.stringContaining('report it'),
    },
  ])
  expect(broken[0]!.found).toHaveLength(20)
  expect(broken[0]!.found[0]).toMatch(/^wms\/m-\d+$/)
  expect(ended.code).toBe(3)
  const shown = await doctor('--no-color')
  expect(shown.stdout).toMatch(
    /✗ each message has its outcome within five minutes: broken: wms\/m-\d+; .*and 17 or more/,
  )
}, 60_000)
