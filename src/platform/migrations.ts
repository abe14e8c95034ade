/**
 * Applies the forward-only SQL files of `migrations/`: each once, in the order of their numbers, in a transaction of
 * its own. A file that has been applied is history and may not change; a correction is a new file.
 */
import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Client, DatabaseError } from 'pg'
import { type Connection, sql } from './database.ts'
import { Misconfiguration } from './misconfiguration.ts'
import { lineAt, statementLines } from './sql-lines.ts'

export type Migration = { readonly name: string; readonly sql: string; readonly checksum: string }

export type MigrationOptions = {
  readonly directory?: string
  /** Only says what would be applied; takes no lock and writes nothing. */
  readonly dryRun?: boolean
}

/** The session in which they run. The port that a simulation replaces. */
export type MigrationSession = Pick<Connection, 'execute'> & {
  /** How many statements of a text of several were done when one of them failed. */
  readonly completed: number
}

export type MigrationOutcome = { readonly applied: readonly string[]; readonly pending: readonly string[] }

const DIRECTORY = fileURLToPath(new URL('../../migrations/', import.meta.url))
/** `crossdock` in ASCII, first four letters: the class of our advisory locks that guard the whole database. */
const LOCK = [0x63726f73, 2] as const

const BEGIN = sql('migrations.begin', 'begin')
const COMMIT = sql('migrations.commit', 'commit')
const ROLLBACK = sql('migrations.rollback', 'rollback')
const IS_HISTORY = sql('migrations.is_history', `select to_regclass('public.migration') is not null as there`)
const READ_HISTORY = sql('migrations.read_history', 'select name, checksum from public.migration')
const TAKE_LOCK = sql('migrations.lock', 'select pg_advisory_xact_lock($1, $2)')
// A change of a table in use would queue everyone else behind it; better to fail and try at a quiet moment.
const SET_LIMITS = sql(
  'migrations.limits',
  `select set_config('lock_timeout', '10s', true), set_config('statement_timeout', '0', true)`,
)
const CREATE_HISTORY = sql(
  'migrations.create_history',
  `create table if not exists public.migration (
  name text primary key,
  checksum text not null,
  applied_at timestamptz not null default clock_timestamp()
)`,
)
const RECORD = sql(
  'migrations.record',
  'insert into public.migration (name, checksum) values ($1, $2) on conflict do nothing returning name',
)
/** The statement that is a file. */
const APPLY = 'migrations.apply'

/**
 * Brings the database up to the files. Programs that start together wait for each other and apply each file once.
 * `applied` is what this call did, in order; `pending` is what is left, which is nothing unless it was a dry run.
 */
export async function migrate(url: string, options: MigrationOptions = {}): Promise<MigrationOutcome> {
  const migrations = await readMigrations(options.directory)
  const client = new Client({ connectionString: url, application_name: 'crossdock migrate' })
  client.on('error', () => undefined)
  await client.connect()
  try {
    return await applyMigrations(sessionOf(client), migrations, options)
  } finally {
    await client.end()
  }
}

export async function applyMigrations(
  session: MigrationSession,
  migrations: readonly Migration[],
  { dryRun = false }: Pick<MigrationOptions, 'dryRun'> = {},
): Promise<MigrationOutcome> {
  const pending = pendingOf(migrations, await readHistory(session))
  if (dryRun) return { applied: [], pending: pending.map(({ name }) => name) }
  const applied: string[] = []
  for (const migration of pending) {
    if (await applyOnce(session, migration)) applied.push(migration.name)
  }
  return { applied, pending: [] }
}

/** Nothing is prepared: a file is a text of several statements, and everything else is asked a few times. */
function sessionOf(client: Client): MigrationSession {
  let completed = 0
  client.connection.on('commandComplete', () => void completed++)
  return {
    get completed() {
      return completed
    },
    execute({ text }, values) {
      completed = 0
      return values.length > 0 ? client.query(text, [...values]) : client.query(text)
    },
  }
}

/** The files in their order. Refuses names that leave the order open. */
export async function readMigrations(directory = DIRECTORY): Promise<Migration[]> {
  const names = (await readdir(directory)).filter((name) => name.endsWith('.sql')).toSorted()
  const numbers = new Map<string, string>()
  for (const name of names) {
    const number = /^(\d{3})-[a-z0-9-]+\.sql$/.exec(name)?.[1]
    if (!number) throw misplaced(name, 'The name of a migration is NNN-name.sql.')
    const other = numbers.get(number)
    if (other) throw misplaced(name, `${other} has the same number.`)
    numbers.set(number, name)
  }
  return Promise.all(names.map((name) => readMigration(directory, name)))
}

async function readMigration(directory: string, name: string): Promise<Migration> {
  // The checkout of a system that ends lines with CR LF is the same migration.
  const sql = (await readFile(join(directory, name), 'utf8')).replaceAll('\r\n', '\n')
  return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') }
}

type History = ReadonlyMap<string, string>

async function readHistory(session: MigrationSession): Promise<History> {
  const [history] = (await session.execute(IS_HISTORY, [])).rows as { there: boolean }[]
  if (!history?.there) return new Map()
  const { rows } = await session.execute(READ_HISTORY, [])
  return new Map((rows as Migration[]).map(({ name, checksum }) => [name, checksum]))
}

function pendingOf(migrations: readonly Migration[], history: History): Migration[] {
  const files = new Set(migrations.map(({ name }) => name))
  const unknown = [...history.keys()].find((name) => !files.has(name))
  if (unknown) throw newerDatabase(unknown)
  const changed = migrations.find(({ name, checksum }) => history.has(name) && history.get(name) !== checksum)
  if (changed) throw changedFile(changed.name)
  const last = [...history.keys()].toSorted().at(-1) ?? ''
  const pending = migrations.filter(({ name }) => !history.has(name))
  const late = pending.find(({ name }) => name < last)
  if (late) throw misplaced(late.name, `${last} is already applied; a new migration has a higher number.`)
  return pending
}

/** False when another program has applied it while this one waited for the lock. */
async function applyOnce(session: MigrationSession, migration: Migration): Promise<boolean> {
  await session.execute(BEGIN, [])
  try {
    await session.execute(TAKE_LOCK, LOCK)
    await session.execute(SET_LIMITS, [])
    await session.execute(CREATE_HISTORY, [])
    const { rows } = await session.execute(RECORD, [migration.name, migration.checksum])
    if (rows.length > 0) await run(session, migration)
    await session.execute(COMMIT, [])
    return rows.length > 0
  } catch (error) {
    await session.execute(ROLLBACK, []).catch(() => undefined)
    throw error
  }
}

async function run(session: MigrationSession, { name, sql: text }: Migration): Promise<void> {
  try {
    await session.execute({ name: APPLY, text }, [])
  } catch (cause) {
    if (!(cause instanceof DatabaseError)) throw cause
    throw failed(name, text, session.completed, cause)
  }
}

function failed(name: string, text: string, completed: number, cause: DatabaseError): Misconfiguration {
  const line = cause.position ? lineAt(text, Number(cause.position) - 1) : statementLines(text)[completed]
  const more = [cause.detail, cause.hint, cause.where].filter(Boolean).join(' ')
  const explanation = {
    problem: `migrations/${name}:${line ?? 1}: ${cause.message} (SQLSTATE ${cause.code})`,
    ...(more ? { reason: more } : {}),
    cure: 'Nothing of this file was applied. Mend it, or the data it stumbles over, and start again.',
  }
  return new Misconfiguration(explanation, cause)
}

function changedFile(name: string): Misconfiguration {
  return new Misconfiguration({
    problem: `migrations/${name} has changed since it was applied to this database.`,
    reason: 'Databases that applied the old text would differ from those that apply the new one.',
    cure: `Restore the file ("git checkout migrations/${name}") and put the change into a new migration.`,
  })
}

function newerDatabase(name: string): Misconfiguration {
  return new Misconfiguration({
    problem: `The database has the migration ${name}, which this program does not know.`,
    reason: 'It was migrated by a newer release, or on another branch.',
    cure: 'Start the release that migrated it, or use another database.',
  })
}

function misplaced(name: string, reason: string): Misconfiguration {
  return new Misconfiguration({
    problem: `migrations/${name} cannot be put into the order of migrations.`,
    reason,
    cure: 'Rename it to the next free number.',
  })
}
