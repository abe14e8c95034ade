/**
 * The runner of one epoch: owns documents between transactions, claims due ones, hands effects to their lanes and takes
 * what the lanes bring, and lets nothing that fails stop a neighbour.
 */
import { createDoor, type Turnstile } from './batch.ts'
import type { Clock } from './clock.ts'
import type { Database, Transaction } from './database.ts'
import { isOutage } from './outage.ts'
import { claimDocuments, letGoDocuments } from './desk.ts'
import { effectKey, nextAttempt, type Verdict } from './effects.ts'
import { bindingOf, type Lane } from './lanes.ts'
import type { Cause } from './log.ts'
import type { Process } from './process.ts'
import { type Active, type Outcome, type ParkedEffect, type Planned, Turn } from './turn.ts'

export type Poisoned = { readonly doc: number; readonly kind: string; readonly company: string; readonly error: unknown }

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
  readonly turnstile: Turnstile
  readonly claimPollMs: number
  readonly verifyFacts: boolean
  /** In the transaction that parks them. */
  readonly parked: (tx: Transaction, effects: readonly ParkedEffect[]) => void
  readonly poisoned: (tx: Transaction, document: Poisoned) => void
  readonly onError: (message: string, error: unknown) => void
}

export interface Runner {
  /** A transaction in which documents begin or are woken; their processes go as far as they can inside it. */
  transaction<T>(cause: Cause, work: (tx: Transaction, turn: Turn) => Promise<T>): Promise<T>
  /** Resolves when there is room for more documents. */
  room(): Promise<void>
  readonly owned: number
  start(): void
  /** Stops claiming and waits until nothing is under way, or forgets everything when the lease is lost. */
  stop(how: 'drain' | 'forget'): Promise<void>
}

const FAILURES_MAX = 5
const FOREVER_MS = 100 * 365 * 24 * 3_600_000

type Item = { readonly doc: number; readonly outcome?: Outcome }

export function createRunner(options: RunnerOptions): Runner {
  const { clock, database, epoch } = options
  const actives = new Map<number, Active>()
  const waiters: (() => void)[] = []
  const processes = new Map(options.processes.map((process) => [process.name, process]))
  let stopped = false
  let cancelPoll: () => void = () => undefined

  const context = {
    epoch,
    actives,
    processes,
    route: options.route,
    now: () => clock.now(),
    parked: options.parked,
    verifyFacts: options.verifyFacts,
  }

  const door = createDoor<Item, void>({
    clock,
    batchMax: options.batchMax,
    turnstile: options.turnstile,
    bisects: (error) => !isOutage(error),
    run: async (items) => {
      await transaction(RUNNER, async (_, turn) => {
        const looks = items.filter((item) => !item.outcome)
        turn.look(looks.flatMap(({ doc }) => actives.get(doc) ?? []))
        await turn.settle(items.flatMap(({ outcome }) => (outcome && actives.has(outcome.doc) ? [outcome] : [])))
      })
      return new Map(items.map((item) => [item, undefined]))
    },
  })

  async function transaction<T>(cause: Cause, work: (tx: Transaction, turn: Turn) => Promise<T>): Promise<T> {
    const { answer, turn } = await database.transaction(async (tx) => {
      const opened = new Turn(tx, context, cause)
      const result = await work(tx, opened)
      await opened.close()
      return { answer: result, turn: opened }
    })
    await remember(turn, cause)
    return answer
  }

  /** What the commit made true becomes memory, and what was promised to other systems goes to the lanes. */
  async function remember(turn: Turn, cause: Cause): Promise<void> {
    const { owned, gone, stale, lookAfter } = await turn.committed()
    if (stopped) return
    for (const active of owned) actives.set(active.doc, active)
    for (const doc of gone) actives.delete(doc)
    for (const doc of stale) {
      const active = actives.get(doc)
      if (active) active.facts = undefined
    }
    for (const active of lookAfter) {
      if (!actives.has(active.doc)) actives.set(active.doc, active)
      void deliver({ doc: active.doc })
    }
    for (const planned of turn.planned) send(planned, cause)
    while (actives.size < options.inFlightMax && waiters.length > 0) waiters.shift()!()
  }

  function send({ intent, call, facts, priority }: Planned, cause: Cause): void {
    const lane = options.lanes.get(intent.system)
    if (!lane) throw new Error(`no lane leads to ${intent.system}`)
    const attempt = nextAttempt(intent.state, bindingOf(lane.connector, intent.operation).recovery)
    const settled = (verdict: Verdict): void => void deliver({ doc: intent.doc, outcome: { doc: intent.doc, intent, verdict } })
    if (attempt === 'park') return settled(inDoubt)
    lane.enqueue({
      intent,
      operation: intent.operation,
      effect: {
        key: effectKey(intent),
        businessKey: intent.businessKey,
        request: call.request(facts, intent.subject),
        ...(cause.traceId ? { traceparent: `00-${cause.traceId}-${cause.traceId.slice(0, 16)}-01` } : {}),
      },
      attempt,
      attempts: intent.attempts,
      absentAfter: intent.absentAfter,
      priority,
      settled,
    })
  }

  /** Brings an item through the door: again while the database is away, alone and at last parked when it is poison. */
  async function deliver(item: Item): Promise<void> {
    while (!stopped) {
      try {
        return await door.add(item)
      } catch (error) {
        if (!isOutage(error)) return giveUp(item.doc, error)
        await clock.sleep(100 + options.random() * 200)
      }
    }
  }

  async function giveUp(doc: number, error: unknown): Promise<void> {
    const active = actives.get(doc)
    if (!active) return
    options.onError(`${active.process.kind} ${doc} could not be worked on`, error)
    actives.delete(doc)
    const parks = active.failures + 1 >= FAILURES_MAX
    const delayMs = parks ? FOREVER_MS : 250 * 2 ** active.failures
    try {
      await database.transaction(async (tx) => {
        await letGoDocuments(tx, epoch, { docs: [doc], delayMs, failed: true })
        if (parks) options.poisoned(tx, { doc, kind: active.process.kind, company: active.company, error })
      })
    } catch (failure) {
      options.onError(`${active.process.kind} ${doc} could not be given back`, failure)
      actives.set(doc, active)
      await clock.sleep(1_000)
      if (!stopped) void giveUp(doc, error)
    }
  }

  async function poll(): Promise<void> {
    try {
      await claim()
    } catch (error) {
      if (!stopped) options.onError('due documents could not be claimed', error)
    }
    if (!stopped) cancelPoll = clock.after(options.claimPollMs, () => void poll())
  }

  /** Takes due documents while there is room; a full batch means that there may be more. */
  async function claim(): Promise<void> {
    while (!stopped) {
      const room = Math.min(options.batchMax, options.inFlightMax - actives.size)
      if (room <= 0) return
      const claimed = await database.transaction((tx) => claimDocuments(tx, epoch, room))
      for (const { process: name, version, ...row } of claimed) {
        const process = processes.get(name)
        if (!process) throw new Error(`document ${row.doc} belongs to ${name}, a process this program does not have`)
        const unknown = { facts: undefined, seen: version, inFlight: new Set<string>(), steps: new Map() }
        actives.set(row.doc, { ...row, process, ...unknown })
        void deliver({ doc: row.doc })
      }
      if (claimed.length < room) return
    }
  }

  return {
    transaction,
    room: () => (actives.size < options.inFlightMax ? Promise.resolve() : new Promise((free) => waiters.push(free))),
    get owned() {
      return actives.size
    },
    start: () => void poll(),
    async stop(how) {
      cancelPoll()
      if (how === 'drain') await door.idle()
      stopped = true
      actives.clear()
      for (const free of waiters.splice(0)) free()
    },
  }
}

const RUNNER: Cause = { source: 'crossdock', actor: 'process' }

const inDoubt: Verdict = {
  kind: 'deferred',
  state: 'parked',
  reason: 'it may have been sent, and this system can neither be asked nor be trusted with a repetition',
  at: null,
  absentAfter: null,
  counts: false,
}
