/**
 * Transactions over a pool of connections: fenced, retried, with the commit checked and a lost acknowledgement
 * read back. `numeric` means a quantity everywhere in the house; see quantity.ts.
 */
import type { Clock } from './clock.ts'
import { Outage } from './faults.ts'
import { lockOrder, type LockOrder, type LockRank } from './lock-order.ts'

/** A prepared statement. Its name is unique in the house; its text never depends on values. */
export type Statement = { readonly name: string; readonly text: string }

const known = new Map<string, Statement>()

/** Declares a statement. One name with two texts is a bug: the driver would refuse the second in mid-transaction. */
export function sql(name: string, text: string): Statement {
  const declared = known.get(name)
  if (declared && declared.text !== text) throw new Error(`two statements are named ${name}`)
  const statement = declared ?? { name, text }
  known.set(name, statement)
  return statement
}

/** Every statement that the modules loaded so far declare. */
export const statements = (): readonly Statement[] => [...known.values()]

export interface Queries {
  /** Runs one statement. Several may be sent without awaiting: they travel together. */
  query<Row = unknown>(statement: Statement, values?: readonly unknown[]): Promise<Row[]>
}

export interface Transaction extends Queries {
  /** Sends a statement whose rows nobody needs; it travels with the commit, and its failure fails the commit. */
  send(statement: Statement, values?: readonly unknown[]): void
  /** Says which rows the next statements lock, so that tests catch a lock taken out of order. */
  locking(rank: LockRank, keys: readonly (number | string)[]): void
}

export interface Database extends Snapshots {
  /**
   * Runs `work` in one transaction, committed when it resolves and rolled back when it throws. A serialization
   * failure or deadlock runs `work` again, so it must not have effects of its own.
   */
  transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T>
}

export interface Snapshots extends Queries {
  /** All that `work` reads is as of one moment, however many statements it takes; it cannot write. */
  snapshot<T>(work: (queries: Queries) => Promise<T>): Promise<T>
}

export type Result = { readonly command: string; readonly rows: unknown[] }

/** One session. The port that a simulation replaces. */
export interface Connection {
  /** Throws at once what keeps a statement from being sent: nothing of it reaches the server. */
  execute(statement: Statement, values: readonly unknown[]): Promise<Result>
  /** Gives the session back; a broken one is thrown away. */
  release(broken: boolean): void
}

export interface Connections {
  acquire(): Promise<Connection>
}

const PING = sql('database.ping', 'select 1')

/** Fails when the database does not answer. */
export async function ping(queries: Queries): Promise<void> {
  await queries.query(PING)
}

export type DatabaseOptions = {
  readonly clock: Clock
  /** In [0, 1): spreads retries. */
  readonly random: () => number
  /** Asserts the house's lock order; on in tests. */
  readonly assertLockOrder?: boolean
  /** The statement that refuses a process which was declared dead, and its epoch. */
  readonly fence?: { readonly statement: Statement; readonly values: readonly unknown[] }
  readonly onRetry?: (code: string) => void
}

const ATTEMPTS_MAX = 5
/** For as long as a server may take to notice that a session is gone, or to recover from a crash. */
const READ_BACKS_MAX = 40
const READ_BACK_MS = 250
const BEGIN = sql('database.begin', 'begin')
const BEGIN_SNAPSHOT = sql('database.snapshot', 'begin isolation level repeatable read read only')
const COMMIT = sql('database.commit', 'commit')
const ROLLBACK = sql('database.rollback', 'rollback')
const CURRENT_XID = sql('database.xid', 'select pg_current_xact_id()::text as xid')
// The server's age counts from its last crash too: only its checkpointer is started anew then.
const XID_STATUS = sql(
  'database.xid_status',
  `select pg_xact_status($1::xid8) as status, 1000 * extract(epoch from clock_timestamp() - greatest(
     pg_postmaster_start_time(),
     (select max(backend_start) from pg_stat_activity where backend_type = 'checkpointer')))::float8 as "upMs"`,
)

const SERIALIZATION_FAILURE = '40001'
const DEADLOCK = '40P01'
const IN_FAILED_TRANSACTION = '25P02'
const XID_IN_THE_FUTURE = '22023'

/** SQLSTATE of an error of PostgreSQL, if it is one. None begins with E, as the codes of sockets do. */
export function sqlState(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code
  return typeof code === 'string' && /^[0-9A-DF-Z][0-9A-Z]{4}$/.test(code) ? code : undefined
}

/** The transaction may or may not have been committed; only its own facts tell. */
export class CommitUnknown extends Outage {
  constructor(xid: string, cause: unknown) {
    super(
      'postgres',
      `the answer to COMMIT of transaction ${xid} was lost and its outcome could not be read back`,
      { cause },
    )
    this.name = 'CommitUnknown'
  }
}

export function createDatabase(connections: Connections, options: DatabaseOptions): Database {
  const { clock, random } = options

  async function query<Row>(statement: Statement, values: readonly unknown[] = []): Promise<Row[]> {
    const connection = await connections.acquire()
    let broken = false
    try {
      return (await connection.execute(statement, values)).rows as Row[]
    } catch (error) {
      broken = isLoss(error)
      throw error
    } finally {
      connection.release(broken)
    }
  }

  async function snapshot<T>(work: (queries: Queries) => Promise<T>): Promise<T> {
    const tx = new OpenTransaction(await connections.acquire(), undefined)
    try {
      tx.send(BEGIN_SNAPSHOT)
      const answer = await work(tx)
      await tx.commit('', answer)
      return answer
    } catch (error) {
      // of what only reads nobody needs to know whether it was committed
      throw error instanceof LostAcknowledgement ? error.cause : await tx.rollBack(error)
    } finally {
      tx.release()
    }
  }

  async function transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      const startedMs = clock.monotonicMs()
      try {
        return await runOnce(connections, options, work)
      } catch (error) {
        const lost = error instanceof LostAcknowledgement
        if (lost && (await wasCommitted(error, startedMs))) return error.answer as T
        const retryable = lost || isRetryable(error)
        if (!retryable || attempt === ATTEMPTS_MAX) throw lost ? error.cause : error
        options.onRetry?.(lost ? 'lost' : sqlState(error)!)
        await clock.sleep(random() * 10 * 2 ** attempt)
      }
    }
  }

  /** Asks the server what became of a transaction whose COMMIT was sent but not answered. */
  async function wasCommitted(lost: LostAcknowledgement, startedMs: number): Promise<boolean> {
    for (let attempt = 0; attempt < READ_BACKS_MAX; attempt++) {
      try {
        const [row] = await query<{ status: string | null; upMs: number }>(XID_STATUS, [lost.xid])
        if (row?.status === 'aborted') return false
        // A server that recovered since then may have given the number to another transaction.
        if (row?.status === 'committed' && row.upMs < clock.monotonicMs() - startedMs) break
        if (row?.status === 'committed') return true
      } catch (error) {
        // A server that recovered and does not know the number yet has lost the transaction.
        if (sqlState(error) === XID_IN_THE_FUTURE) return false
      }
      await clock.sleep(READ_BACK_MS)
    }
    throw new CommitUnknown(lost.xid, lost.cause)
  }

  return { query, snapshot, transaction }
}

class LostAcknowledgement extends Error {
  readonly xid: string
  readonly answer: unknown
  constructor(xid: string, answer: unknown, cause: unknown) {
    super('the connection broke while COMMIT was under way', { cause })
    this.xid = xid
    this.answer = answer
  }
}

async function runOnce<T>(
  connections: Connections,
  options: DatabaseOptions,
  work: (tx: Transaction) => Promise<T>,
): Promise<T> {
  const locks = options.assertLockOrder ? lockOrder() : undefined
  const tx = new OpenTransaction(await connections.acquire(), locks)
  try {
    const opened = tx.begin(options.fence)
    // Without the transaction's id a lost acknowledgement could not be read back, so COMMIT waits for it.
    const [answer, xid] = await Promise.all([work(tx), opened])
    await tx.commit(xid, answer)
    return answer
  } catch (error) {
    throw await tx.rollBack(error)
  } finally {
    tx.release()
  }
}

const isRetryable = (error: unknown): boolean => {
  const state = sqlState(error)
  return state === SERIALIZATION_FAILURE || state === DEADLOCK
}

/** The session is gone, and a COMMIT under way may or may not have been done. */
const isLoss = (error: unknown): boolean => /^(08|57P)/.test(sqlState(error) ?? '08')

class OpenTransaction implements Transaction {
  readonly #connection: Connection
  readonly #locks: LockOrder | undefined
  readonly #answers: Promise<unknown>[] = []
  /** The error that broke the transaction, not one that merely followed from it. */
  #firstError: unknown
  /** A statement never reached the server, which would therefore commit without it. */
  #incomplete = false
  /** Nothing more may be sent: what still runs of `work` would be committed statement by statement. */
  #sealed = false
  #over = false
  #broken = true

  constructor(connection: Connection, locks: LockOrder | undefined) {
    this.#connection = connection
    this.#locks = locks
  }

  query<Row>(statement: Statement, values: readonly unknown[] = []): Promise<Row[]> {
    if (this.#sealed) return Promise.reject(new Error(`${statement.name} comes after its transaction's end`))
    const rows = this.#execute(statement, values).then((result) => result.rows as Row[])
    // Also keeps the failure of a statement that nobody awaits from ending the process: it fails the commit instead.
    this.#answers.push(
      rows.catch((error: unknown) => {
        this.#firstError ??= error
      }),
    )
    return rows
  }

  send(statement: Statement, values: readonly unknown[] = []): void {
    void this.query(statement, values)
  }

  locking(rank: LockRank, keys: readonly (number | string)[]): void {
    this.#locks?.take(rank, keys)
  }

  /** Answers the transaction's id. */
  async begin(fence: DatabaseOptions['fence']): Promise<string> {
    this.send(BEGIN)
    const [row] = await this.query<{ xid: string }>(fence?.statement ?? CURRENT_XID, fence?.values)
    if (!row) throw new Error('the transaction has no number')
    return row.xid
  }

  /** Sends COMMIT behind what is still under way. A failed transaction "commits" with the tag ROLLBACK. */
  async commit(xid: string, answer: unknown): Promise<void> {
    if (this.#incomplete) throw this.#firstError
    this.#sealed = true
    const committed = this.#connection.execute(COMMIT, []).then(
      (result) => ({ command: result.command }),
      (error: unknown) => ({ error }),
    )
    await Promise.all(this.#answers)
    const outcome = await committed
    if ('error' in outcome) {
      this.#over = isLoss(outcome.error)
      if (this.#over) throw new LostAcknowledgement(xid, answer, outcome.error)
      throw this.#firstError ?? outcome.error
    }
    this.#over = true
    this.#broken = false
    if (outcome.command === 'COMMIT') return
    throw this.#firstError ?? new Error(`commit answered ${outcome.command} without an error before it`)
  }

  /** Ends what is not over yet; answers the error to report. */
  async rollBack(failure: unknown): Promise<unknown> {
    if (this.#over) return failure
    this.#sealed = true
    await Promise.all(this.#answers)
    try {
      await this.#connection.execute(ROLLBACK, [])
      this.#broken = false
    } catch {
      // Whoever closes the session rolls back.
    }
    return sqlState(failure) === IN_FAILED_TRANSACTION ? this.#firstError : failure
  }

  release(): void {
    this.#connection.release(this.#broken)
  }

  #execute(statement: Statement, values: readonly unknown[]): Promise<Result> {
    try {
      return this.#connection.execute(statement, values)
    } catch (error) {
      this.#incomplete = true
      this.#firstError ??= error
      return Promise.reject(error)
    }
  }
}
