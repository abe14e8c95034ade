/** A throw-away PostgreSQL of one lane: its clock is the simulation's, its plans are fixed, and it is reset for each seed. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { systemClock } from '#platform/clock.ts'
import { migrate } from '#platform/migrations.ts'
import { HOT_PLANS, types } from '#platform/postgres-connections.ts'
import { startPostgres } from '#platform/postgres-server.ts'
import { createLog } from '#platform/telemetry-log.ts'
import { Backend } from './backend.ts'
import { BEGIN } from './virtual-clock.ts'
import { WITNESS } from './witness.ts'
import { passableFolder } from '#tests/support/passable-folder.ts'

/** Enough for every pool of every program and of its successor, dead ones' connections being used again. */
const BACKENDS = 40

export type Cluster = {
  readonly url: string
  readonly backends: readonly Backend[]
  /** Looks into the server beside the simulated programs; between two actions only. */
  readonly side: pg.Client
  /** From now on a reset brings back what is in the database at this moment, or was when it was first kept. */
  keepBaseline(): Promise<void>
  reset(): Promise<void>
  end(): Promise<void>
}

const log = createLog({ level: 'error', clock: systemClock, destination: process.stderr })

// The built-ins are shadowed by functions of the same name that come first in the path, also in defaults of columns. The
// age of the server is real time, which no decision may depend on: it is always old.
const VIRTUAL_NOW = `
  create function public.now() returns timestamptz language sql stable as
  $$ select current_setting('sim.now')::timestamptz $$;
  create function public.clock_timestamp() returns timestamptz language sql stable as
  $$ select public.now() + interval '50 years' $$`

const ownTime = (database: string): readonly string[] => [
  `alter database ${database} set search_path = public, pg_catalog`,
  `alter database ${database} set sim.now = '${BEGIN.toISOString()}'`,
  VIRTUAL_NOW,
]

const SETTINGS = [
  // A backend that stands still must never be caught looking for deadlocks: the simulation finds them itself.
  `alter system set deadlock_timeout = '1d'`,
  'alter system set autovacuum = off',
  'alter system set log_lock_waits = off',
  'alter system set log_min_duration_statement = -1',
  // Nobody watches it.
  'alter system set track_activities = off',
  'alter system set track_counts = off',
  'alter system set update_process_title = off',
  // Two lanes stand on it while a bug is planted, each for a while beside a database that is empty.
  'alter system set max_connections = 200',
]

/** `backends`: as many as the scheduler runs statements on; none where time leaps. */
export async function openCluster(backends = BACKENDS): Promise<Cluster> {
  const folder = passableFolder('simulation')
  const options = { dataDirectory: join(folder, 'postgres'), durable: false, clock: systemClock, log }
  const unset = await startPostgres(options)
  await run(unset.url, SETTINGS)
  await unset.stop()
  const server = await startPostgres(options)
  async function end(): Promise<void> {
    await server.stop()
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    await run(server.url, ownTime(databaseOf(server.url)))
    await migrate(server.url)
    await run(server.url, [WITNESS])
    return await joinCluster(server.url, { end, backends })
  } catch (error) {
    await end()
    throw error
  }
}

type Joining = { readonly end?: () => Promise<void>; readonly backends?: number }

/** Connections to a cluster that somebody else has opened, and that nobody else uses meanwhile. */
export async function joinCluster(
  url: string,
  { end = async () => undefined, backends: count = BACKENDS }: Joining = {},
): Promise<Cluster> {
  const side = await connect(url)
  const sweeper = await connect(url, '-c session_replication_role=replica')
  const clients = await Promise.all(Array.from({ length: count }, () => connect(url)))
  const backends = await Backend.eachOf(clients, side)
  return {
    url,
    backends,
    side,
    ...resets(sweeper),
    async end() {
      await Promise.all([side, sweeper, ...clients].map((client) => client.end()))
      await end()
    },
  }
}

const databaseOf = (url: string): string => new URL(url).pathname.slice(1)

/**
 * A database of its own on the server of a cluster, as it is before its first migration; it ends with its connections.
 */
export async function openEmpty({ url }: Cluster): Promise<Cluster> {
  const name = `empty_${process.pid}`
  const drop = `drop database if exists ${name} with (force)`
  await run(url, [drop, `create database ${name}`])
  const own = new URL(url)
  own.pathname = name
  await run(own.href, ownTime(name))
  return joinCluster(own.href, { end: () => run(url, [drop]) })
}

async function run(url: string, statements: readonly string[]): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  for (const statement of statements) await client.query(statement)
  await client.end()
}

async function connect(url: string, option = ''): Promise<pg.Client> {
  const options = `${HOT_PLANS} ${option}`
  const client = new pg.Client({ connectionString: url, types, options, pipeline: true })
  client.on('error', () => undefined)
  await client.connect()
  return client
}

/** `columns` are those that are written; others are generated from them. */
type Table = { readonly name: string; readonly columns: string; readonly kept: boolean }

/**
 * Tables are emptied and filled again from copies; sequences go on from where the copies were taken. By a function, whose
 * plans are made once, in a session of its own, which fires no triggers.
 */
function resets(client: pg.Client): Pick<Cluster, 'keepBaseline' | 'reset'> {
  return {
    async keepBaseline() {
      const isThere =
        (await client.query(`select from pg_namespace where nspname = 'baseline'`)).rowCount === 1
      if (!isThere) await client.query('create schema baseline')
      const { rows } = await client.query<{ name: string; sequence: boolean }>(`
        select format('%I.%I', n.nspname, c.relname) as name, c.relkind = 'S' as sequence
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where c.relkind in ('r', 'p', 'S') and not c.relispartition
          and n.nspname not in ('pg_catalog', 'information_schema', 'baseline', 'pg_toast') and c.relname <> 'migration'
        order by n.nspname, c.relname`)
      const tables = await Promise.all(
        rows.filter(({ sequence }) => !sequence).map(({ name }) => keepTable(client, name)),
      )
      const sequences = await Promise.all(
        rows.filter(({ sequence }) => sequence).map(({ name }) => keepSequence(client, name)),
      )
      const statements = [
        ...tables.map(({ name }) => `delete from ${name}`),
        ...tables.filter(({ kept }) => kept).map(fill),
        ...sequences,
      ]
      await client.query(`create or replace function baseline.reset() returns void language plpgsql as
        $reset$ begin ${statements.map((statement) => `${statement};`).join(' ')} end $reset$`)
    },
    reset: async () => void (await client.query({ name: 'reset', text: 'select baseline.reset()' })),
  }
}

const copyOf = (name: string): string => `baseline."${name.replaceAll('"', '')}"`
const fill = ({ name, columns }: Table): string =>
  `insert into ${name} (${columns}) overriding system value select ${columns} from ${copyOf(name)}`

async function keepTable(client: pg.Client, name: string): Promise<Table> {
  await client.query(`create table if not exists ${copyOf(name)} as select * from ${name}`)
  const { rows } = await client.query<Omit<Table, 'name'>>(
    `select exists (select from ${copyOf(name)}) as kept, string_agg(quote_ident(attname), ', ') as columns
     from pg_attribute where attrelid = $1::regclass and attnum > 0 and not attisdropped and attgenerated = ''`,
    [name],
  )
  return { name, ...rows[0]! }
}

async function keepSequence(client: pg.Client, name: string): Promise<string> {
  const copy = copyOf(name)
  await client.query(`create table if not exists ${copy} as select last_value, is_called from ${name}`)
  const { rows } = await client.query<{ last: string; called: boolean }>(
    `select last_value::text as last, is_called as called from ${copy}`,
  )
  return `perform setval('${name}', ${rows[0]!.last}, ${rows[0]!.called})`
}
