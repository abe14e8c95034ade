/** Connections of the `pg` driver: pipelined, prepared, with the house's session settings and types. */
import pg from 'pg'
import { arrayText } from './array-text.ts'
import type { Connection, Connections, Result, Statement } from './database.ts'
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

/** What `pg` keeps inside: the socket, corked so that the statements of one turn leave in one write. */
type Wired = pg.PoolClient & {
  connection: { stream: { cork(): void; uncork(): void } }
}

function session(client: pg.PoolClient): Connection {
  const { stream } = (client as Wired).connection
  let corked = false
  let broken = false
  const onError = (): void => {
    broken = true
  }
  client.on('error', onError)

  function uncork(): void {
    corked = false
    stream.uncork()
  }

  return {
    execute(statement: Statement, values: readonly unknown[]): Promise<Result> {
      const sent = values.map((value) => (Array.isArray(value) ? (arrayText(value) ?? value) : value))
      if (!corked) {
        corked = true
        stream.cork()
        process.nextTick(uncork)
      }
      const question = { name: statement.name, text: statement.text, values: sent }
      let unsent: Error | undefined
      let sending = true
      const answer = new Promise<Result>((resolve, reject) => {
        client.query(question, (error: Error | null, result) => {
          if (!error) resolve(result)
          else if (sending) unsent = error
          else reject(error)
        })
      })
      sending = false
      if (!unsent) return answer
      // The driver now mistakes the statement for a prepared one.
      broken = true
      throw unsent
    },
    release(afterFailure) {
      client.off('error', onError)
      client.release(afterFailure || broken)
    },
  }
}
