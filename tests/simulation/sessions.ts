/** The database port of the simulated programs: each statement is an action, each session can be ended under its owner. */
import type { Connection, Connections, Result, Statement } from '#platform/database.ts'
import type { Backend } from './backend.ts'
import type { Actor, Scheduler } from './scheduler.ts'
import { timeAt } from './virtual-clock.ts'

const LOCK_TIMEOUT_MS = 5_000
const IDLE_IN_TRANSACTION_MS = 20_000

/** An error as the driver would throw it. */
export const serverError = (code: string, message: string): Error =>
  Object.assign(new Error(message), { code })
const FAILING: Statement = {
  name: 'simulation.fails',
  text: `do $$ begin raise exception 'could not serialize access' using errcode = '40001'; end $$`,
}
const ENDED = () => serverError('57P01', 'terminating connection due to administrator command')

/** Told of each statement that ran; `rows` are its answer's. */
export type Watcher = (
  actor: Actor,
  statement: Statement,
  outcome: Result | { readonly error: unknown },
) => void

export class DatabaseServer {
  readonly #scheduler: Scheduler
  readonly #free: Backend[]
  readonly #sessions = new Set<Session>()
  readonly #watch: Watcher
  /** Loses the acknowledgement of this session's commit. */
  losesAcknowledgement: (actor: Actor) => boolean = () => false
  /** Fails a statement within a transaction as a serialization failure. */
  fails: (actor: Actor, statement: Statement) => boolean = () => false
  /** The server itself, whose timers go on when programs stand still. */
  readonly #actor: Actor = { name: 'database', alive: true, stalledUntilMs: 0 }

  constructor(scheduler: Scheduler, backends: readonly Backend[], watch: Watcher) {
    this.#scheduler = scheduler
    this.#free = [...backends]
    this.#watch = watch
  }

  /** A pool of a program's own. */
  pool(actor: Actor, size: number): Connections {
    const idle: Session[] = []
    const waiting: ((session: Session) => void)[] = []
    let open = 0
    const lend = (session: Session): Connection => ({
      execute: (statement, values) => session.execute(statement, values),
      release: (broken) => {
        if (broken || session.ended) {
          open--
          void this.#giveBack(session)
          const next = waiting.shift()
          if (next) next(fresh())
          return
        }
        const next = waiting.shift()
        if (next) next(session)
        else idle.push(session)
      },
    })
    const fresh = (): Session => {
      open++
      return this.#open(actor)
    }
    return {
      acquire: async () => {
        const session = idle.pop()
        if (session && !session.ended) return lend(session)
        if (session) open--
        if (open < size) return lend(fresh())
        return lend(await new Promise<Session>((resolve) => waiting.push(resolve)))
      },
    }
  }

  #open(actor: Actor): Session {
    // The one that was free last has its plans ready.
    const backend = this.#free.pop()
    if (!backend) throw new Error('the simulated server has no connection left')
    const session: Session = new Session({ actor, backend, scheduler: this.#scheduler, server: this })
    this.#sessions.add(session)
    return session
  }

  /** Ends the session of a connection that its pool throws away. */
  async #giveBack(session: Session): Promise<void> {
    session.ended = true
    this.#scheduler.offer({
      actor: this.#actor,
      label: 'disconnect',
      run: () => this.end(session),
    })
  }

  /** Between two actions: rolled back, locks gone, and its owner finds it broken. */
  async end(session: Session): Promise<void> {
    if (!this.#sessions.delete(session)) return
    session.fail(ENDED())
    await session.backend.clear()
    this.#free.push(session.backend)
    await this.lookAgain()
  }

  async endAllOf(actor: Actor): Promise<void> {
    for (const session of this.sessionsOf(actor)) await this.end(session)
  }

  /** As after an immediate stop: every session is gone, what was committed is there. */
  async restart(): Promise<void> {
    for (const session of this.#sessions) await this.end(session)
  }

  /** All of them at once, when nobody goes on. */
  async shutDown(): Promise<void> {
    const sessions = [...this.#sessions]
    this.#sessions.clear()
    for (const session of sessions) session.fail(ENDED())
    await Promise.all(sessions.map(({ backend }) => backend.clear()))
  }

  async endPids(pids: readonly number[]): Promise<void> {
    for (const session of this.#sessions) if (pids.includes(session.backend.pid)) await this.end(session)
  }

  sessionsOf(actor: Actor): readonly Session[] {
    return [...this.#sessions].filter((session) => session.actor === actor)
  }

  /** Who waited for a lock that is free now may go on. */
  async lookAgain(): Promise<void> {
    for (const session of this.#sessions) {
      if (!session.isWaiting || session.isOffered) continue
      if ((await session.backend.blockers()).length > 0) continue
      session.isOffered = true
      this.#scheduler.offer({
        actor: this.#actor,
        label: `resume ${session.actor.name}`,
        run: () => session.resume(),
      })
    }
  }

  /** The statement that closes a circle of waiting sessions is the victim. */
  async isDeadlock(session: Session): Promise<boolean> {
    const seen = new Set<number>()
    const open = [...(await session.backend.blockers())]
    for (let pid = open.pop(); pid !== undefined; pid = open.pop()) {
      if (pid === session.backend.pid) return true
      if (seen.has(pid)) continue
      seen.add(pid)
      const other = [...this.#sessions].find(({ backend, isWaiting }) => backend.pid === pid && isWaiting)
      if (other) open.push(...(await other.backend.blockers()))
    }
    return false
  }

  watch(session: Session, statement: Statement, outcome: Result | { readonly error: unknown }): void {
    this.#watch(session.actor, statement, outcome)
  }

  /** After `ms`, whatever becomes of the session's owner. */
  later(ms: number, run: () => Promise<void> | void): () => void {
    return this.#scheduler.after(ms, { actor: this.#actor, label: 'database timer', run })
  }
}

type Queued = {
  readonly statement: Statement
  readonly values: readonly unknown[]
  readonly resolve: (result: Result) => void
  readonly reject: (error: unknown) => void
}

type SessionParts = {
  readonly actor: Actor
  readonly backend: Backend
  readonly scheduler: Scheduler
  readonly server: DatabaseServer
}

export class Session {
  readonly actor: Actor
  readonly backend: Backend
  ended = false
  isWaiting = false
  isOffered = false
  inTransaction = false
  readonly #parts: SessionParts
  readonly #queue: Queued[] = []
  readonly #untold: (() => void)[] = []
  /** The `begin` that travels with the next statement. */
  #opens: string | undefined
  /** Such a transaction never fails to be put in order with others. */
  #onlyReads = false
  #running: Queued | undefined
  #isHeadOffered = false
  #cancelIdle: () => void = () => undefined
  #cancelLock: () => void = () => undefined

  constructor(parts: SessionParts) {
    this.#parts = parts
    this.actor = parts.actor
    this.backend = parts.backend
  }

  execute(statement: Statement, values: readonly unknown[]): Promise<Result> {
    const { promise, resolve, reject } = Promise.withResolvers<Result>()
    const queued = { statement, values, resolve, reject }
    // Only the head of the line is sent: statements of one pipeline are apart for everybody else.
    if (this.ended) this.#refuse(queued, ENDED())
    else {
      this.#queue.push(queued)
      this.#next()
    }
    return promise
  }

  /** Its owner hears of the loss at the next statement or of the one under way. */
  fail(error: Error): void {
    this.ended = true
    this.isWaiting = false
    this.#cancelIdle()
    this.#cancelLock()
    const lost = this.#running ? [this.#running, ...this.#queue] : [...this.#queue]
    this.#running = undefined
    this.#queue.length = 0
    for (const queued of lost) this.#refuse(queued, error)
  }

  async resume(): Promise<void> {
    this.isOffered = false
    if (!this.isWaiting || this.ended) return
    this.isWaiting = false
    await this.#take(await this.backend.resume())
  }

  /** Offers the head of the line, once, when nothing is under way. */
  #next(): void {
    const [head] = this.#queue
    if (!head || this.ended || this.#running || this.#isHeadOffered) return
    if (head.statement.text.startsWith('begin')) return this.#begin(this.#queue.shift()!)
    this.#isHeadOffered = true
    this.#parts.scheduler.offer({ actor: this.actor, label: head.statement.name, run: () => this.#run() })
  }

  /** Holds nothing and sees nothing by itself: it travels with the statement after it. */
  #begin(queued: Queued): void {
    this.inTransaction = true
    this.#opens = queued.statement.text
    this.#onlyReads = queued.statement.text.endsWith('read only')
    this.#answer(queued, { command: 'BEGIN', rows: [] })
    this.#next()
  }

  async #run(): Promise<void> {
    this.#isHeadOffered = false
    const queued = this.#queue.shift()
    if (!queued || this.ended) return
    this.#cancelIdle()
    this.#running = queued
    const { server } = this.#parts
    if (queued.statement.name === 'lease.end_session') return this.#endOthers(queued)
    const isFailing = this.inTransaction && !this.#onlyReads && server.fails(this.actor, queued.statement)
    const { statement, values } = isFailing ? { statement: FAILING, values: [] } : queued
    const reply = await this.backend.execute(statement, values, this.#opening())
    if (reply === 'waiting' && (await server.isDeadlock(this))) {
      await this.backend.cancel()
      return this.#take({ error: serverError('40P01', 'deadlock detected') })
    }
    await this.#take(reply)
  }

  /** Outside a transaction, and at its beginning, it becomes the simulation's time. */
  #opening(): string | undefined {
    if (this.inTransaction && !this.#opens) return undefined
    const clock = `set sim.now = '${timeAt(this.#parts.scheduler.nowMs).toISOString()}'`
    const opening = this.#opens ? `${clock}; ${this.#opens}` : clock
    this.#opens = undefined
    return opening
  }

  /** `pg_terminate_backend` would take real time to be heard. */
  async #endOthers(queued: Queued): Promise<void> {
    const text = queued.statement.text.replace('pg_terminate_backend(pid)', 'pid')
    const found = await this.backend.execute({ name: 'simulation.end_session', text }, queued.values)
    if (found === 'waiting' || 'error' in found) throw new Error('sessions of the dead cannot be looked up')
    this.#running = undefined
    await this.#parts.server.endPids((found.result.rows as { pid: number }[]).map(({ pid }) => pid))
    this.#answer(queued, { command: 'SELECT', rows: [] })
    this.#next()
  }

  async #take(reply: Awaited<ReturnType<Backend['execute']>>): Promise<void> {
    const { server } = this.#parts
    if (reply === 'waiting') {
      this.isWaiting = true
      this.#cancelLock = server.later(LOCK_TIMEOUT_MS, () => this.#timeOut())
      return
    }
    this.#cancelLock()
    const queued = this.#running!
    this.#running = undefined
    const ends = /^(?:commit|rollback)$/.test(queued.statement.text)
    if (ends) this.inTransaction = false
    server.watch(this, queued.statement, 'error' in reply ? reply : reply.result)
    if (ends && server.losesAcknowledgement(this.actor)) {
      this.#running = queued
      return server.end(this)
    }
    if ('error' in reply) this.#refuse(queued, reply.error)
    else this.#answer(queued, reply.result)
    if (ends || !this.inTransaction || 'error' in reply) await server.lookAgain()
    if (this.inTransaction) this.#cancelIdle = server.later(IDLE_IN_TRANSACTION_MS, () => server.end(this))
    this.#next()
  }

  async #timeOut(): Promise<void> {
    if (!this.isWaiting) return
    this.isWaiting = false
    await this.backend.cancel()
    await this.#take({ error: serverError('55P03', 'canceling statement due to lock timeout') })
  }

  #answer(queued: Queued, result: Result): void {
    this.#tell(() => queued.resolve(result))
  }

  #refuse(queued: Queued, error: unknown): void {
    this.#tell(() => queued.reject(error))
  }

  /** A program that stands still reads its answers later, in the order in which they came. */
  #tell(run: () => void): void {
    const { scheduler } = this.#parts
    if (this.#untold.length === 0 && this.actor.stalledUntilMs <= scheduler.nowMs) {
      if (this.actor.alive) run()
      return
    }
    this.#untold.push(run)
    if (this.#untold.length > 1) return
    const tellAll = (): void => this.#untold.splice(0).forEach((tell) => tell())
    scheduler.offer({ actor: this.actor, label: 'answer', run: tellAll })
  }
}
