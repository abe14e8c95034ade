/**
 * Transactions over a pool of connections: fenced, retried, with the commit checked and a lost acknowledgement
 * read back. `numeric` means a quantity everywhere in the house; see quantity.ts.
 */
import type { Clock } from './clock.ts'
import { Outage, Refusal } from './faults.ts'
import { lockOrder, type LockOrder, type LockRank } from './lock-order.ts'

/** A prepared statement. Its name is unique in the house; its text never depends on values. */
export type Statement = { readonly name: string; readonly text: string }

export function sql(name: string, text: string): Statement {
  return { name, text }
}

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

export interface Database extends Queries {
  /**
   * Runs `work` in one transaction, committed when it resolves and rolled back when it throws. A serialization
   * failure or deadlock runs `work` again, so it must not have effects of its own.
   */
  transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T>
}

export type Result = { readonly command: string; readonly rows: unknown[] }

/** One session. The port that a simulation replaces. */
export interface Connection {
  execute(statement: Statement, values: readonly unknown[]): Promise<Result>
  /** Gives the session back; a broken one is thrown away. */
  release(broken: boolean): void
}

export interface Connections {
  acquire(): Promise<Connection>
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
const BEGIN = sql('database.begin', 'begin')
const COMMIT = sql('database.commit', 'commit')
const ROLLBACK = sql('database.rollback', 'rollback')
const CURRENT_XID = sql('database.xid', 'select pg_current_xact_id()::text as xid')
const XID_STATUS = sql('database.xid_status', 'select pg_xact_status($1::xid8) as status')

const RETRYABLE = new Set(['40001', '40P01'])

/** SQLSTATE of an error of PostgreSQL, if it is one. */
export function sqlState(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : undefined
}

export class CommitUnknown extends Error {
  constructor(xid: string, cause: unknown) {
    super(`the answer to COMMIT of transaction ${xid} was lost and its outcome could not be read back`, { cause })
    this.name = 'CommitUnknown'
  }
}

export function createDatabase(connections: Connections, options: DatabaseOptions): Database {
  const { clock, random } = options

  async function query<Row>(statement: Statement, values: readonly unknown[] = []): Promise<Row[]> {
    const connection = await connections.acquire()
    let broken = true
    try {
      const result = await connection.execute(statement, values)
      broken = false
      return result.rows as Row[]
    } catch (error) {
      broken = sqlState(error) === undefined
      throw error
    } finally {
      connection.release(broken)
    }
  }

  async function transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await runOnce(connections, options, work)
      } catch (error) {
        if (error instanceof LostAcknowledgement) {
          if (await wasCommitted(error)) return error.answer as T
          if (attempt === ATTEMPTS_MAX) throw error.cause
          continue
        }
        const state = sqlState(error)
        if (!state || !RETRYABLE.has(state) || attempt === ATTEMPTS_MAX) throw error
        options.onRetry?.(state)
        await clock.sleep(random() * 10 * 2 ** attempt)
      }
    }
  }

  /** Asks the server what became of a transaction whose COMMIT was sent but not answered. */
  async function wasCommitted(lost: LostAcknowledgement): Promise<boolean> {
    for (let attempt = 0; attempt < 40; attempt++) {
      try {
        const [row] = await query<{ status: string | null }>(XID_STATUS, [lost.xid])
        if (row?.status === 'committed') return true
        if (row?.status === 'aborted') return false
      } catch (error) {
        if (sqlState(error) === '22023') break
      }
      await clock.sleep(250)
    }
    throw new CommitUnknown(lost.xid, lost.cause)
  }

  return { query, transaction }
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
  const connection = await connections.acquire()
  let broken = true
  try {
    const tx = new OpenTransaction(connection, options.assertLockOrder ? lockOrder() : undefined)
    tx.send(BEGIN)
    const fence = options.fence ?? { statement: CURRENT_XID, values: [] }
    const opened = tx.query<{ xid: string }>(fence.statement, fence.values)
    let answer: T
    try {
      ;[answer] = await Promise.all([work(tx), opened])
    } catch (error) {
      await tx.settle()
      broken = !(await connection.execute(ROLLBACK, []).then(
        () => true,
        () => false,
      ))
      throw tx.firstError ?? error
    }
    const xid = (await opened)[0]?.xid ?? '0'
    await commit(connection, tx, xid, answer)
    broken = false
    return answer
  } finally {
    connection.release(broken)
  }
}

/** Sends COMMIT behind what is still under way. A failed transaction "commits" with the tag ROLLBACK: refused here. */
async function commit(connection: Connection, tx: OpenTransaction, xid: string, answer: unknown): Promise<void> {
  const committed = connection.execute(COMMIT, []).then(
    (result) => ({ command: result.command }),
    (error: unknown) => ({ error }),
  )
  await tx.settle()
  const outcome = await committed
  if ('error' in outcome) {
    if (sqlState(outcome.error) === undefined || isShutdown(outcome.error)) {
      throw new LostAcknowledgement(xid, answer, outcome.error)
    }
    throw tx.firstError ?? outcome.error
  }
  if (outcome.command !== 'COMMIT') {
    throw tx.firstError ?? new Error(`commit answered ${outcome.command} without an error before it`)
  }
}

/** Class 57P: the server went away while it worked; the commit may or may not have been done. */
const isShutdown = (error: unknown): boolean => sqlState(error)?.startsWith('57P') ?? false

class OpenTransaction implements Transaction {
  /** The error that broke the transaction, not one that merely followed from it. */
  firstError: unknown
  readonly #connection: Connection
  readonly #locks: LockOrder | undefined
  readonly #open: Promise<unknown>[] = []

  constructor(connection: Connection, locks: LockOrder | undefined) {
    this.#connection = connection
    this.#locks = locks
  }

  query<Row>(statement: Statement, values: readonly unknown[] = []): Promise<Row[]> {
    const answer = this.#connection.execute(statement, values)
    this.#open.push(
      answer.catch((error: unknown) => {
        this.firstError ??= error
      }),
    )
    return answer.then((result) => result.rows as Row[])
  }

  send(statement: Statement, values: readonly unknown[] = []): void {
    this.query(statement, values).catch(() => undefined)
  }

  locking(rank: LockRank, keys: readonly (number | string)[]): void {
    this.#locks?.take(rank, keys)
  }

  async settle(): Promise<void> {
    await Promise.all(this.#open)
  }
}

/** The database is away or this process was fenced: nobody's own fault, so nothing is bisected or parked for it. */
export function isOutage(error: unknown): boolean {
  if (error instanceof Outage) return true
  if (error instanceof Refusal) return false
  const state = sqlState(error)
  if (state === undefined) return (error as { code?: unknown } | null)?.code !== undefined || isConnectionLoss(error)
  return state.startsWith('08') || state.startsWith('57P') || state === '53300' || state === 'CD001'
}

const isConnectionLoss = (error: unknown): boolean =>
  error instanceof Error && /connection|timeout exceeded when trying to connect/i.test(error.message)
