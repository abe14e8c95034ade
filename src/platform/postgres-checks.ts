/** What a server must be before it is trusted with orders: recent enough, and durable. */
import type { ClientBase } from 'pg'
import { Misconfiguration } from './misconfiguration.ts'

const OLDEST_MAJOR = 15

/** Refuses a server older than PostgreSQL 15. */
export async function assertSupported(client: ClientBase): Promise<void> {
  const { rows } = await client.query<{ number: number; version: string }>(
    `select current_setting('server_version_num')::int as number, current_setting('server_version') as version`,
  )
  const server = rows[0]
  if (server && server.number >= OLDEST_MAJOR * 10_000) return
  throw new Misconfiguration({
    problem: `The database server is PostgreSQL ${server?.version ?? 'of unknown version'}.`,
    reason: `Crossdock needs PostgreSQL ${OLDEST_MAJOR} or later.`,
    cure: 'Upgrade that server, point DATABASE_URL at another one, or unset it to use the embedded server.',
  })
}

const LOST_WITHOUT: Readonly<Record<string, string>> = {
  fsync: 'a power cut or a crash of the machine can corrupt the whole database',
  full_page_writes: 'a page torn by a power cut cannot be restored',
  synchronous_commit: 'an order that was acknowledged can be gone after a crash',
}

type Row = { name: string; source: string; sourcefile: string | null }

/** Refuses a server, role or database on which an acknowledged commit can be lost. */
export async function assertDurable(client: ClientBase): Promise<void> {
  const { rows } = await client.query<Row>(
    `select name, source, sourcefile from pg_settings
     where name = any($1) and setting = 'off' order by name`,
    [Object.keys(LOST_WITHOUT)],
  )
  const first = rows[0]
  if (!first) return
  const where = (row: Row) => `${row.name} is off (set by: ${row.sourcefile ?? row.source})`
  throw new Misconfiguration({
    problem: `The database does not keep what it acknowledges: ${rows.map(where).join('; ')}.`,
    reason: `${rows.map((row) => `With ${row.name} off, ${LOST_WITHOUT[row.name]}`).join('. ')}.`,
    cure: rows.map(cureFor).join('. '),
  })
}

function cureFor(row: Row): string {
  if (row.source === 'user') return `Run: alter role current_user reset ${row.name}`
  if (row.source === 'database') return `Run: alter database <name> reset ${row.name}`
  if (row.source === 'client') return `Take ${row.name} out of the options in DATABASE_URL`
  if (row.source === 'command line') return `Start the server without "-c ${row.name}=off"`
  return `Run: alter system set ${row.name} = on; select pg_reload_conf()`
}
