/** Connections of the `pg` driver: pipelined, prepared, with the house's session settings and types. */
import pg from 'pg'
import type { Connection, Connections, Result, Statement } from './database.ts'
import { Journey, type KnownColumns, type Wire } from './postgres-journey.ts'
import { parseQuantity } from './quantity.ts'

export type ConnectionSettings = {
  readonly url: string
  readonly size: number
  readonly statementTimeoutMs: number
  readonly lockTimeoutMs: number
  readonly idleInTransactionTimeoutMs: number
  /**
   * `hot`: generic plans by index only, since a queue table is analyzed when it is empty and the planner would then
   * scan all of it. `screen`: the planner's own choice, for reads that join and sort.
   */
  readonly plans: 'hot' | 'screen'
  readonly onError: (error: Error) => void
}

/** As options of a session. */
export const HOT_PLANS =
  '-c plan_cache_mode=force_generic_plan -c jit=off -c enable_hashjoin=off -c enable_mergejoin=off -c enable_seqscan=off'

/**
 * How many statement timeouts an answer may take, since it waits for those of the statements sent before it. By then the
 * server would have answered something: whoever is silent is cut off, which a session notices by nothing else.
 */
const SILENCE_STATEMENTS = 4
const KEEP_ALIVE_AFTER_MS = 10_000

const INT8 = 20
const NUMERIC = 1700

function safeInteger(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value)) throw new Error(`${text} does not fit a safe integer`)
  return value
}

/** What the house reads out of columns. */
export const types: pg.CustomTypesConfig = {
  getTypeParser(oid: number, format?: 'text' | 'binary') {
    if (oid === INT8) return safeInteger
    if (oid === NUMERIC) return parseQuantity
    return pg.types.getTypeParser(oid, format)
  },
}

export interface ConnectionPool extends Connections {
  end(): Promise<void>
}

export function openConnections(settings: ConnectionSettings): ConnectionPool {
  const pool = new pg.Pool({
    connectionString: settings.url,
    max: settings.size,
    types,
    statement_timeout: settings.statementTimeoutMs,
    query_timeout: SILENCE_STATEMENTS * settings.statementTimeoutMs,
    lock_timeout: settings.lockTimeoutMs,
    idle_in_transaction_session_timeout: settings.idleInTransactionTimeoutMs,
    connectionTimeoutMillis: 10_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_AFTER_MS,
    application_name: 'crossdock',
    pipeline: true,
    ...(settings.plans === 'hot' ? { options: HOT_PLANS } : {}),
  })
  pool.on('error', settings.onError)
  // A session may end while it changes hands, when nobody listens; its next statement, or nobody, notices.
  pool.on('connect', (client) => client.on('error', () => undefined))
  return {
    acquire: async () => session(await pool.connect()),
    end: () => pool.end(),
  }
}

type Wired = pg.PoolClient & { readonly connection: Wire }

/** What is known of a session, whoever has it. */
type Known = { readonly columns: KnownColumns; journey: Journey | undefined }
const sessions = new WeakMap<Wire, Known>()

function knownOf(wire: Wire): Known {
  const known = sessions.get(wire) ?? { columns: new Map(), journey: undefined }
  sessions.set(wire, known)
  return known
}

function session(client: pg.PoolClient): Connection {
  const wire = (client as Wired).connection
  const known = knownOf(wire)
  let broken = false
  const onError = (): void => {
    broken = true
  }
  client.on('error', onError)

  /** Corked, so that what is asked in this turn leaves in one write. */
  function setOut(): Journey {
    const journey = new Journey(wire, types, known.columns)
    wire.stream.cork()
    client.query(journey as unknown as pg.Submittable)
    process.nextTick(() => {
      known.journey = undefined
      wire.sync()
      wire.stream.uncork()
    })
    return journey
  }

  return {
    execute(statement: Statement, values: readonly unknown[]): Promise<Result> {
      known.journey ??= setOut()
      return known.journey.ask(statement, values)
    },
    release(afterFailure) {
      client.off('error', onError)
      client.release(afterFailure || broken)
    },
  }
}
