/**
 * One session of the real server, driven statement by statement. A statement that waits for a lock is recognised, its
 * backend is frozen so that only the scheduler decides who gets the lock, and the turn is given away.
 */
import type pg from 'pg'
import { arrayText } from '#platform/array-text.ts'
import type { Result, Statement } from '#platform/database.ts'

/** `waiting`: for a lock that another session holds. */
export type Reply = { readonly result: Result } | { readonly error: unknown } | 'waiting'

type Answer = Exclude<Reply, 'waiting'>

const CLOCK: Statement = { name: 'simulation.now', text: `select set_config('sim.now', $1, false)` }
/** A statement that waits for nobody has answered by then, also where lanes share their core. */
const LOOK_MS = 3

export class Backend {
  readonly pid: number
  readonly #client: pg.Client
  readonly #side: pg.Client
  #answer: Promise<Answer> | undefined
  #frozen = false

  private constructor(pid: number, client: pg.Client, side: pg.Client) {
    this.pid = pid
    this.#client = client
    this.#side = side
  }

  static async of(client: pg.Client, side: pg.Client): Promise<Backend> {
    const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid')
    return new Backend(rows[0]!.pid, client, side)
  }

  /** Runs to the answer, or until it is known to wait. With `now`, the session's clock is set first, on the same trip. */
  async execute(statement: Statement, values: readonly unknown[], now?: Date): Promise<Reply> {
    const stream = (this.#client as unknown as Wired).connection.stream
    stream.cork()
    if (now) void this.#ask(CLOCK, [now.toISOString()])
    this.#answer = this.#ask(statement, values)
    stream.uncork()
    return this.#answerOrWait()
  }

  /** Goes on with the statement that waited. */
  async resume(): Promise<Reply> {
    this.#thaw()
    return this.#answerOrWait()
  }

  /** Ends the statement that waits, as a deadlock or a timeout would. */
  async cancel(): Promise<void> {
    if (!this.#answer) return
    process.kill(this.pid, 'SIGINT')
    this.#thaw()
    await this.#answer
    this.#answer = undefined
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

  async #answerOrWait(): Promise<Reply> {
    for (;;) {
      const answer = await firstOf(this.#answer!)
      if (answer) {
        this.#answer = undefined
        return answer
      }
      const blockers = await this.blockers()
      // It may have answered while we looked; then it waits for nobody.
      if (blockers.length === 0) continue
      process.kill(this.pid, 'SIGSTOP')
      this.#frozen = true
      return 'waiting'
    }
  }

  #thaw(): void {
    if (this.#frozen) process.kill(this.pid, 'SIGCONT')
    this.#frozen = false
  }

  #ask({ name, text }: Statement, values: readonly unknown[]): Promise<Answer> {
    const sent = values.map((value) => (Array.isArray(value) ? (arrayText(value) ?? value) : value))
    return this.#client.query({ name, text, values: sent }).then(
      ({ command, rows }) => ({ result: { command, rows } }),
      (error: unknown) => ({ error }),
    )
  }
}

type Wired = { connection: { stream: { cork(): void; uncork(): void } } }

/** The answer, or undefined when it takes longer than a statement that waits for nobody. */
async function firstOf(answer: Promise<Answer>): Promise<Answer | undefined> {
  const { promise: later, resolve } = Promise.withResolvers<undefined>()
  const timer = setTimeout(() => resolve(undefined), LOOK_MS)
  try {
    return await Promise.race([answer, later])
  } finally {
    clearTimeout(timer)
  }
}
