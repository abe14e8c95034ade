/**
 * The runner of one epoch: owns documents between transactions, claims due ones, hands effects to their lanes and takes
 * what the lanes bring, and lets nothing that fails stop a neighbour.
 */
import { createDoor, type Door } from './batch.ts'
import type { Clock } from './clock.ts'
import { CommitUnknown, type Database, type Transaction } from './database.ts'
import { claimDocuments, type Claimed, isAnyDue, letGoDocuments } from './desk.ts'
import { effectKey, nextAttempt, type Verdict } from './effects.ts'
import { callBackDocuments } from './effects-held.ts'
import { bindingOf, type Lane } from './lanes.ts'
import type { CalledBack } from './lanes-recall.ts'
import { Outage } from './faults.ts'
import type { Cause } from './log.ts'
import { isOutage } from './outage.ts'
import { nextTry } from './poison.ts'
import type { Docket, Process } from './process.ts'
import { type Rehearsal, type Stage, undone } from './rehearsal.ts'
import { type Committed, type Planned, Turn } from './turn.ts'
import type { Outcome } from './turn-answers.ts'
import type { ParkedEffect, SpokenLate, TurnContext } from './turn-context.ts'
import { type Active, newActive } from './turn-entry.ts'
import { askOnly } from './turn-overrides.ts'
import { letGo, parkInDoubt } from './verdicts.ts'

export type Poisoned = {
  readonly doc: number
  readonly kind: string
  readonly company: string
  readonly error: unknown
}

export type RunnerOptions = {
  readonly database: Database
  readonly clock: Clock
  readonly random: () => number
  readonly epoch: number
  readonly processes: readonly Process[]
  readonly lanes: ReadonlyMap<string, Lane>
  readonly route: (company: string, capability: string, location: string | undefined) => string
  /** Documents owned at once; doors wait for room beyond it. */
  readonly inFlightMax: number
  readonly batchMax: number
  /** Between short lists of outcomes. */
  readonly restMs: number
  readonly claimPollMs: number
  readonly verifyFacts: boolean
  /** Due documents were claimed, and their systems will be called. */
  readonly claimed?: () => void
  /** Documents are due that this process has no room for. */
  readonly leftDue?: () => void
  /** In the transaction that parks them. */
  readonly parked: (tx: Transaction, effects: readonly ParkedEffect[]) => Promise<void>
  /** In the transaction that takes an outcome which a person did not wait for. */
  readonly spokenLate: (tx: Transaction, late: readonly SpokenLate[]) => Promise<void>
  readonly poisoned: (tx: Transaction, document: Poisoned) => Promise<void>
  /** Nobody knows what a transaction did, so memory no longer knows what this epoch owns: it has to end. */
  readonly inDoubt: (error: Error) => void
  readonly onError: (message: string, error: unknown) => void
}

export interface Runner {
  /** A transaction in which documents begin or are woken; their processes go as far as they can inside it. */
  transaction<T>(cause: Cause, work: (tx: Transaction, turn: Docket) => Promise<T>): Promise<T>
  /** Resolves when there is room for more documents. */
  room(): Promise<void>
  readonly owned: number
  start(): void
  /** Claims what is due without waiting for the next poll. */
  claimNow(): void
  /** Takes up to `limit` documents that a closed gate or a full lane of this system sent away, while there is room. */
  callBack(system: string, limit: number): Promise<CalledBack>
  /** Stops claiming and waits until nothing is under way, or forgets everything when the lease is lost. */
  stop(how: 'drain' | 'forget'): Promise<void>
}

const AWAY_MS = 100
/** A document of a process that only another version of the program has is left to that one for so long. */
const STRANGE_MS = 30_000
/** What other systems have not answered by then is left to whoever works next. */
const DRAIN_MS = 5_000

type Item = { readonly doc: number; readonly outcome?: Outcome }

const RUNNER: Cause = { source: 'crossdock', actor: 'process' }

export const createRunner = (options: RunnerOptions): Runner & Stage => new EpochRunner(options)

class EpochRunner implements Runner, Stage {
  readonly #options: RunnerOptions
  readonly #context: TurnContext
  readonly #actives = new Map<number, Active>()
  readonly #processes: ReadonlyMap<string, Process>
  readonly #door: Door<Item, void>
  readonly #waiters: (() => void)[] = []
  /** A tenth is kept from doors that are never empty: what is due on the desk would wait for ever behind them. */
  readonly #roomForDoors: number
  /** Claims nothing and asks no system any more. */
  #draining = false
  #stopped = false
  #claiming = false
  #claimAgain = false
  /** The last claim ended for want of room. */
  #crowded = false
  /** Transactions that may make documents this process's own. */
  #underWay = 0
  #atRest: () => void = () => undefined
  #polling: Promise<void> = Promise.resolve()
  #cancelPoll: () => void = () => undefined

  constructor(options: RunnerOptions) {
    const { clock, epoch, route, parked, spokenLate, verifyFacts, batchMax, restMs } = options
    this.#options = options
    this.#roomForDoors = options.inFlightMax - Math.floor(options.inFlightMax / 10)
    this.#processes = new Map(options.processes.map((process) => [process.name, process]))
    const [actives, processes] = [this.#actives, this.#processes]
    const told = { parked, spokenLate }
    this.#context = { epoch, actives, processes, route, ...told, verifyFacts, now: () => clock.now() }
    this.#door = createDoor<Item, void>({
      clock,
      batchMax,
      restMs,
      bisects: (error) => !isOutage(error),
      run: (items) => this.#run(items),
    })
  }

  get owned(): number {
    return this.#actives.size
  }

  transaction<T>(cause: Cause, work: (tx: Transaction, turn: Turn) => Promise<T>): Promise<T> {
    return this.#counted(async () => {
      const { answer, turn } = await this.#commit(async (tx) => {
        const opened = new Turn(tx, this.#context, cause)
        const result = await work(tx, opened)
        await opened.close()
        return { answer: result, turn: opened }
      })
      await this.#remember(turn, cause)
      return answer
    })
  }

  rehearse<T>({ cause, work, takesUp, look }: Rehearsal<T>): Promise<T> {
    return undone(this.#options.database, async (tx) => {
      const turn = new Turn(tx, this.#context, cause)
      await work(tx, turn)
      const process = takesUp && this.#processes.get(takesUp.process)
      if (process) turn.look([newActive(takesUp, process, takesUp.version)])
      await turn.close()
      return look(tx, turn.planned)
    })
  }

  /** Whoever stops waits for it; what would begin after that would own documents that nobody works on. */
  async #counted<T>(work: () => Promise<T>): Promise<T> {
    if (this.#stopped)
      throw new Outage('database', 'the program has let go of its work; ask again in a second')
    this.#underWay++
    try {
      return await work()
    } finally {
      this.#underWay--
      if (this.#rests) this.#atRest()
    }
  }

  get #rests(): boolean {
    return this.owned === 0 && this.#underWay === 0
  }

  async #commit<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    try {
      return await this.#options.database.transaction(work)
    } catch (error) {
      if (error instanceof CommitUnknown) this.#options.inDoubt(error)
      throw error
    }
  }

  room(): Promise<void> {
    if (this.owned < this.#roomForDoors) return Promise.resolve()
    return new Promise((free) => this.#waiters.push(free))
  }

  start(): void {
    this.#polling = this.#poll()
  }

  claimNow(): void {
    this.#claimAgain = true
    if (this.#claiming || this.#draining) return
    this.#cancelPoll()
    this.start()
  }

  async callBack(system: string, limit: number): Promise<CalledBack> {
    const { epoch, inFlightMax, onError } = this.#options
    const room = Math.min(limit, inFlightMax - this.owned)
    if (this.#draining || room <= 0) return { count: 0, areMore: true }
    try {
      const count = await this.#take((tx) => callBackDocuments(tx, epoch, { system, limit: room }))
      return { count, areMore: count > 0 }
    } catch (error) {
      if (!this.#stopped) onError(`documents that wait for ${system} could not be called back`, error)
      return { count: 0, areMore: true }
    }
  }

  async stop(how: 'drain' | 'forget'): Promise<void> {
    this.#draining = true
    this.#cancelPoll()
    if (how === 'drain') await this.#drain()
    this.#stopped = true
    this.#actives.clear()
    for (const free of this.#waiters.splice(0)) free()
  }

  /** Until every document has come to rest, or has had time enough for it. */
  async #drain(): Promise<void> {
    const enough = new AbortController()
    const { promise: atRest, resolve } = Promise.withResolvers<void>()
    this.#atRest = resolve
    const rests = this.#polling.then(() => (this.#rests ? undefined : atRest))
    await Promise.race([rests, this.#options.clock.sleep(DRAIN_MS, enough.signal)])
    enough.abort()
    await this.#door.idle()
  }

  /** Looks and outcomes, whatever has come in, in one transaction. */
  async #run(items: readonly Item[]): Promise<ReadonlyMap<Item, void>> {
    await this.transaction(RUNNER, async (_, turn) => {
      turn.look(items.flatMap(({ doc, outcome }) => (outcome ? [] : (this.#actives.get(doc) ?? []))))
      await turn.settle(items.flatMap(({ outcome }) => outcome ?? []))
    })
    return new Map(items.map((item) => [item, undefined]))
  }

  /** What the commit made true becomes memory, and what was promised to other systems goes to the lanes. */
  async #remember(turn: Turn, cause: Cause): Promise<void> {
    const committed = await this.#answersOf(turn)
    if (this.#stopped || !committed) return
    const { owned, gone, stale, lookAgain } = committed
    for (const active of owned) this.#actives.set(active.doc, active)
    // The acknowledgement may come so late that the document was taken again.
    for (const { doc, stint } of gone) if (this.#actives.get(doc)?.stint === stint) this.#actives.delete(doc)
    for (const doc of stale) this.#forget(doc)
    for (const active of lookAgain) {
      this.#actives.set(active.doc, active)
      void this.#deliver({ doc: active.doc })
    }
    for (const planned of turn.planned) this.#send(planned, cause)
    this.#noticeRoom()
  }

  /** Undefined when the acknowledgement was lost and took them along: the commit was read back, not who left the desk. */
  async #answersOf(turn: Turn): Promise<Committed | undefined> {
    try {
      return await turn.committed()
    } catch (cause) {
      const lost = 'a transaction was committed, and its answers were lost: who left the desk is not known'
      this.#options.inDoubt(new Error(lost, { cause }))
      return undefined
    }
  }

  #noticeRoom(): void {
    while (this.owned < this.#roomForDoors && this.#waiters.length > 0) this.#waiters.shift()!()
    if (this.#crowded && this.owned <= this.#options.inFlightMax / 2) this.claimNow()
    if (this.#rests) this.#atRest()
  }

  #forget(doc: number): void {
    const active = this.#actives.get(doc)
    if (active) active.facts = undefined
  }

  /** A request that cannot be made is the document's own failure; its intent stays open. */
  #send(planned: Planned, cause: Cause): void {
    try {
      this.#enqueue(planned, cause)
    } catch (error) {
      void this.#giveUp(planned.intent.doc, error)
    }
  }

  #enqueue({ intent, call, facts, priority, isDecided }: Planned, cause: Cause): void {
    const lane = this.#options.lanes.get(intent.system)
    if (!lane) throw new Error(`no lane leads to ${intent.system}`)
    const binding = bindingOf(lane.connector, intent.operation)
    const attempt = isDecided ? askOnly(binding) : nextAttempt(intent.state, binding.recovery)
    const { doc, operation, businessKey, attempts, absentAfter } = intent
    const settled = (verdict: Verdict) => this.#deliver({ doc, outcome: { doc, intent, verdict } })
    const now = this.#options.clock.now()
    if (attempt === 'park') return void settled(parkInDoubt(absentAfter ?? now))
    const inDoubt = intent.state !== 'retry'
    if (this.#draining) return void settled(letGo(inDoubt, absentAfter, now))
    const traceId = facts.traceId ?? cause.traceId
    const request = call.request(facts, intent.subject)
    const trace = traceId ? { traceparent: `00-${traceId}-${traceId.slice(0, 16)}-01` } : {}
    const effect = { key: effectKey(intent), businessKey, request, ...trace }
    lane.enqueue({ intent, operation, effect, attempt, inDoubt, attempts, absentAfter, priority, settled })
  }

  /** Brings an item through the door: again while the database is away, alone and at last parked when it is poison. */
  async #deliver(item: Item): Promise<void> {
    while (!this.#stopped) {
      try {
        return await this.#door.add(item)
      } catch (error) {
        if (!isOutage(error)) return this.#giveUp(item.doc, error)
        await this.#options.clock.sleep(AWAY_MS * (1 + this.#options.random()))
      }
    }
  }

  /** Gives a document back that could not be worked on, for later; the one that fails again and again is parked. */
  async #giveUp(doc: number, error: unknown): Promise<void> {
    const active = this.#actives.get(doc)
    if (!active) return
    const { database, clock, epoch, poisoned, onError } = this.#options
    const { kind } = active.process
    onError(`${kind} ${doc} could not be worked on`, error)
    this.#actives.delete(doc)
    this.#noticeRoom()
    const { failed, delayMs, parks } = nextTry(active.failures, error)
    const seen = [{ doc, version: active.seen }]
    try {
      await database.transaction(async (tx) => {
        const waits = await letGoDocuments(tx, epoch, { seen, delayMs, failed })
        if (parks && waits.length > 0) await poisoned(tx, { doc, kind, company: active.company, error })
      })
    } catch (failure) {
      onError(`${kind} ${doc} could not be given back`, failure)
      await clock.sleep(10 * AWAY_MS)
      if (this.#stopped) return
      this.#actives.set(doc, active)
      void this.#giveUp(doc, error)
    }
  }

  async #poll(): Promise<void> {
    const { clock, claimPollMs, database, onError } = this.#options
    this.#claiming = true
    do {
      const isTold = this.#claimAgain
      this.#claimAgain = false
      try {
        if (isTold || (await isAnyDue(database))) await this.#claim()
      } catch (error) {
        if (!this.#stopped) onError('due documents could not be claimed', error)
      }
    } while (this.#claimAgain && !this.#draining)
    this.#claiming = false
    if (!this.#draining) this.#cancelPoll = clock.after(claimPollMs, () => this.start())
  }

  /** Takes due documents while there is room; a full batch means that there may be more. */
  async #claim(): Promise<void> {
    const { batchMax, inFlightMax, leftDue, epoch } = this.#options
    for (let more = false; !this.#draining; more = true) {
      const room = Math.min(batchMax, inFlightMax - this.owned)
      this.#crowded = room <= 0
      if (this.#crowded) return more ? leftDue?.() : undefined
      const count = await this.#take((tx) => claimDocuments(tx, epoch, room))
      if (this.#stopped || count < room) return
    }
  }

  /** Owns what `claim` finds and has it looked at; answers how much that is. */
  #take(claim: (tx: Transaction) => Promise<Claimed[]>): Promise<number> {
    return this.#counted(async () => {
      const claimed = await this.#commit(async (tx) => this.#withoutStrangers(tx, await claim(tx)))
      if (this.#stopped) return 0
      if (claimed.length > 0) this.#options.claimed?.()
      for (const { version, failures, ...row } of claimed) {
        const process = this.#processes.get(row.process)
        if (!process) continue
        this.#actives.set(row.doc, { ...newActive(row, process, version), failures })
        void this.#deliver({ doc: row.doc })
      }
      return claimed.length
    })
  }

  /** Documents of processes that only another version of the program has are given back. */
  async #withoutStrangers(tx: Transaction, claimed: Claimed[]): Promise<Claimed[]> {
    const { epoch, onError } = this.#options
    const strangers = claimed.filter(({ process }) => !this.#processes.has(process))
    if (strangers.length > 0) {
      await letGoDocuments(tx, epoch, { seen: strangers, delayMs: STRANGE_MS })
      const names = new Set(strangers.map(({ process }) => process))
      onError('documents of unknown processes are due', new Error([...names].join(', ')))
    }
    return claimed
  }
}
