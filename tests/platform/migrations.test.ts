import { mkdtemp, rm, unlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { migrate, readMigrations } from '#platform/migrations.ts'
import { statementLines } from '#platform/sql-lines.ts'
import { testDatabase, type TestDatabase } from '#tests/support/database.ts'

let directory: string
let database: TestDatabase

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'crossdock-migrations-'))
  database = await testDatabase('empty')
})
afterEach(async () => {
  await database.end()
  await rm(directory, { recursive: true })
})

const put = (name: string, sql: string) => writeFile(join(directory, name), sql)
const up = (options: { dryRun?: boolean } = {}) => migrate(database.url, { directory, ...options })

async function ask(statement: string): Promise<unknown[]> {
  const client = new Client({ connectionString: database.url })
  await client.connect()
  try {
    return (await client.query(statement)).rows
  } finally {
    await client.end()
  }
}

test('files are applied in the order of their numbers, once', async () => {
  await put('020-fill.sql', 'insert into crate values (1), (2);')
  await put('010-make.sql', 'create table crate (id int primary key);')
  expect(await up()).toEqual({ applied: ['010-make.sql', '020-fill.sql'], pending: [] })
  expect(await up()).toEqual({ applied: [], pending: [] })
  await put('030-more.sql', 'insert into crate values (3);')
  expect(await up()).toEqual({ applied: ['030-more.sql'], pending: [] })
  expect(await ask('select id from crate order by id')).toEqual([{ id: 1 }, { id: 2 }, { id: 3 }])
})

test('a dry run names what is pending and changes nothing', async () => {
  await put('010-make.sql', 'create table crate (id int);')
  expect(await up({ dryRun: true })).toEqual({ applied: [], pending: ['010-make.sql'] })
  expect(await ask(`select to_regclass('crate') as crate, to_regclass('migration') as history`)).toEqual([
    { crate: null, history: null },
  ])
})

test('programs that start together apply each file once between them', async () => {
  await put('010-make.sql', 'create table crate (id int);')
  await put('020-fill.sql', 'insert into crate values (1);')
  const outcomes = await Promise.all(Array.from({ length: 6 }, () => up()))
  expect(outcomes.flatMap(({ applied }) => applied).toSorted()).toEqual(['010-make.sql', '020-fill.sql'])
  expect(await ask('select id from crate')).toEqual([{ id: 1 }])
})

/** Whoever asks dies at this statement, as by SIGKILL; answers whether he came so far. */
function dieAt(nth: number, when: 'before' | 'after'): () => boolean {
  const ask = Client.prototype.query as (...args: unknown[]) => Promise<unknown>
  let asked = 0
  async function meddle(this: Client, ...args: unknown[]): Promise<unknown> {
    if (asked++ !== nth) return ask.apply(this, args)
    if (when === 'after') await ask.apply(this, args)
    this.connection.stream.destroy()
    throw new Error('died')
  }
  vi.spyOn(Client.prototype, 'query').mockImplementation(meddle)
  return () => asked > nth
}

test.each(['before', 'after'] as const)(
  'who dies %s any of its statements leaves others to apply each file once',
  async (when) => {
    await put('010-make.sql', 'create table crate (id int);')
    await put('020-fill.sql', 'insert into crate values (1); insert into crate values (2);')
    let deaths = 0
    for (let hasDied = true; hasDied; deaths++) {
      const died = dieAt(deaths, when)
      const [outcome] = await Promise.allSettled([up()])
      vi.restoreAllMocks()
      hasDied = died()
      expect(outcome.status).toBe(hasDied ? 'rejected' : 'fulfilled')
      await Promise.all([up(), up()])
      expect(await up()).toEqual({ applied: [], pending: [] })
      expect(await ask('select id from crate order by id')).toEqual([{ id: 1 }, { id: 2 }])
      await ask('drop table crate, migration')
    }
    expect(deaths).toBeGreaterThan(15)
  },
)

test('a file that fails leaves nothing of itself, and everything before it', async () => {
  await put('010-make.sql', 'create table crate (id int primary key);')
  await put('020-fill.sql', 'insert into crate values (1);\ninsert into crate values (1);')
  await expect(up()).rejects.toThrow('020-fill.sql')
  expect(await ask('select id from crate')).toEqual([])
  expect(await ask('select name from migration')).toEqual([{ name: '010-make.sql' }])
  await put('020-fill.sql', 'insert into crate values (1);')
  expect(await up()).toEqual({ applied: ['020-fill.sql'], pending: [] })
})

test.each([
  ['a word that is no SQL', 'select 1;\n\ncreate tabel x ();', 3, 'syntax error at or near "tabel"'],
  ['an unknown name', 'select 1;\nselect\n  missing\nfrom pg_class;', 3, 'column "missing" does not exist'],
  [
    'a broken rule',
    `create table t (i int primary key);\n-- ;\ninsert into t\nvalues (1), (1);`,
    3,
    'duplicate key',
  ],
  ['a failing block', `select ';';\n/* ; */ do $$ begin\n raise 'no; not now'; end $$;`, 2, 'no; not now'],
])('%s is reported with file and line', async (_, sql, line, message) => {
  await put('010-bad.sql', sql)
  await expect(up()).rejects.toThrow(new RegExp(`migrations/010-bad\\.sql:${line}: .*${message}`))
})

test('an applied file that has changed is refused, but not for its line endings', async () => {
  await put('010-make.sql', 'create table crate (\n  id int);\n')
  await up()
  await put('010-make.sql', 'create table crate (\r\n  id int);\r\n')
  expect(await up()).toEqual({ applied: [], pending: [] })
  await put('010-make.sql', 'create table crate (id bigint);\n')
  await expect(up()).rejects.toThrow(/010-make\.sql has changed since it was applied[\s\S]*new migration/)
})

test('a database that was migrated by a newer program is refused', async () => {
  await put('010-make.sql', 'select 1;')
  await put('020-more.sql', 'select 1;')
  await up()
  await unlink(join(directory, '020-more.sql'))
  await expect(up()).rejects.toThrow(/020-more\.sql, which this program does not know/)
})

test('a file that comes late under a lower number is refused', async () => {
  await put('020-second.sql', 'select 1;')
  await up()
  await put('010-first.sql', 'select 1;')
  await expect(up()).rejects.toThrow(
    /010-first\.sql cannot be put into the order[\s\S]*020-second\.sql is already applied/,
  )
})

test.each([
  ['10-short.sql', 'The name of a migration is NNN-name.sql.'],
  ['010-Upper.sql', 'The name of a migration is NNN-name.sql.'],
  ['010-other.sql', '010-make.sql has the same number.'],
])('the name %s is refused', async (name, reason) => {
  await put('010-make.sql', 'select 1;')
  await put(name, 'select 1;')
  await expect(readMigrations(directory)).rejects.toThrow(reason)
})

test('statements are found where they begin, whatever holds a semicolon', () => {
  const text = `-- a;b\ncreate table "x;y" (z text default 'it''s;');\n\n/* ; */ do $body$ begin; $$;$$ end $body$;;\n  select 1`
  expect(statementLines(text)).toEqual([2, 4, 5])
})
