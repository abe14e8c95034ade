/**
 * One session of the real server, driven statement by statement. A statement that waits for a lock is recognised, its
 * backend is frozen so that only the scheduler decides who gets the lock, and the turn is given away.
 */
import type pg from 'pg'
import type { Result, Statement } from '#platform/database.ts'
import { wireText } from '#platform/wire-text.ts'

/** `waiting`: for a lock that another session holds. */
export type Reply = { readonly result: Result } | { readonly error: unknown } | 'waiting'

type Answer = Exclude<Reply, 'waiting'>

/** A statement that waits for nobody has answered by then, also where lanes share their core. */
const LOOK_MS = 3
/** Sent as text, in one message: for what plans nothing, that costs both sides less than a prepared statement. */
const PLAIN: ReadonlySet<string> = new Set(['commit', 'rollback'])
/** A text of several statements, which cannot be prepared. */
const FILE = 'migrations.apply'

export class Backend {
  readonly pid: number
  readonly #client: pg.Client
  readonly #side: pg.Client
  readonly #patience: Patience
  /** Whoever waits for the answer of the statement under way. */
  #tell: ((reply: Reply) => void) | undefined
  #isUnderWay = false
  #frozen = false

  private constructor(pid: number, client: pg.Client, side: pg.Client, patience: Patience) {
    this.pid = pid
    this.#client = client
    this.#side = side
    this.#patience = patience
  }

  /** Of a lane, of whose statements one is under way at a time. */
  static async eachOf(clients: readonly pg.Client[], side: pg.Client): Promise<Backend[]> {
    const patience = new Patience()
    return Promise.all(
      clients.map(async (client) => {
        const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid')
        return new Backend(rows[0]!.pid, client, side, patience)
      }),
    )
  }

  /** Runs to the answer, or until it is known to wait; `opening` before it, on the same trip. */
  execute(statement: Statement, values: readonly unknown[], opening?: string): Promise<Reply> {
    const { stream } = (this.#client as unknown as Wired).connection
    stream.cork()
    if (PLAIN.has(statement.text) || statement.name === FILE)
      this.#ask(opening ? `${opening}; ${statement.text}` : statement.text)
    else {
      if (opening) this.#client.query(opening, ignore)
      this.#ask({ name: statement.name, text: statement.text, values: values.map(wireText) })
    }
    stream.uncork()
    return this.#answerOrWait()
  }

  /** Goes on with the statement that waited. */
  resume(): Promise<Reply> {
    this.#thaw()
    return this.#answerOrWait()
  }

  /** Ends the statement that waits, as a deadlock or a timeout would. */
  async cancel(): Promise<void> {
    if (!this.#isUnderWay) return
    const { promise, resolve } = Promise.withResolvers<Reply>()
    this.#tell = resolve
    process.kill(this.pid, 'SIGINT')
    this.#thaw()
    await promise
  }

  /** What the end of a session does to it: rolled back, its locks gone. */
  async clear(): Promise<void> {
    await this.cancel()
    // A simple query, so that a failed transaction does not mind.
    await this.#client.query('rollback; select pg_advisory_unlock_all()').catch(() => undefined)
  }

  /** Sessions that hold what this one waits for. */
  async blockers(): Promise<readonly number[]> {
    const { rows } = await this.#side.query<{ pids: number[] }>({
      name: 'simulation.blockers',
      text: 'select pg_blocking_pids($1) as pids',
      values: [this.pid],
    })
    return rows[0]!.pids
  }

  #answerOrWait(): Promise<Reply> {
    const { promise, resolve } = Promise.withResolvers<Reply>()
    this.#tell = resolve
    this.#patience.begin(() => void this.#look(resolve))
    return promise
  }

  /** It has not answered in time: it waits for a lock, or is merely slow. */
  async #look(tell: (reply: Reply) => void): Promise<void> {
    const blockers = await this.blockers()
    // It may have answered while we looked; then it waits for nobody.
    if (this.#tell !== tell) return
    if (blockers.length === 0) return this.#patience.begin(() => void this.#look(tell))
    process.kill(this.pid, 'SIGSTOP')
    this.#frozen = true
    this.#tell = undefined
    tell('waiting')
  }

  #thaw(): void {
    if (this.#frozen) process.kill(this.pid, 'SIGCONT')
    this.#frozen = false
  }

  #ask(question: string | pg.QueryConfig): void {
    this.#isUnderWay = true
    // Several statements in one text have as many results.
    this.#client.query(
      question as string,
      (error: Error | null, result: pg.QueryResult | pg.QueryResult[]) => {
        if (error) return this.#answered({ error })
        const { command, rows } = Array.isArray(result) ? result.at(-1)! : result
        this.#answered({ result: { command, rows } })
      },
    )
  }

  #answered(answer: Answer): void {
    this.#isUnderWay = false
    this.#patience.end()
    const tell = this.#tell
    this.#tell = undefined
    tell?.(answer)
  }
}

const ignore = (): void => undefined

type Wired = { connection: { stream: { cork(): void; uncork(): void } } }

/** One timer for all statements of a lane: nearly all of them are answered before it would be their turn. */
class Patience {
  #late: (() => void) | undefined
  #sinceMs = 0
  #isTicking = false

  /** Calls `late` when the end does not come in time. */
  begin(late: () => void): void {
    this.#late = late
    this.#sinceMs = performance.now()
    if (!this.#isTicking) this.#tick()
  }

  end(): void {
    this.#late = undefined
  }

  #tick(): void {
    this.#isTicking = this.#late !== undefined
    const late = this.#late
    if (!late) return
    if (performance.now() - this.#sinceMs < LOOK_MS) return void setTimeout(() => this.#tick(), LOOK_MS)
    this.#isTicking = false
    this.#late = undefined
    late()
  }
}
