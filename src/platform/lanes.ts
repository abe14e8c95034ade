/**
 * A lane sends the effects of one system instance, under that system's gate: by priority, then age, in batches where
 * the system takes them. A slow or closed system delays only its own lane.
 */
import type { Clock } from './clock.ts'
import type { Connector, Effect, LookUpOutcome, OperationBinding } from './connector.ts'
import { type Attempt, type IntentKey, judge, type Verdict } from './effects.ts'
import { NotSent } from './http-client.ts'
import { type CalledBack, Recall } from './lanes-recall.ts'

export type Sendable = {
  readonly intent: IntentKey
  readonly operation: string
  readonly effect: Effect
  readonly attempt: Attempt
  /** An attempt before this one may have done it. */
  readonly inDoubt: boolean
  readonly attempts: number
  readonly absentAfter: Date | null
  readonly priority: number
  /** Called once with what is known now; answers when that is written down. */
  readonly settled: (verdict: Verdict) => Promise<void>
}

/** No, and when to ask again; a time that has come means: when the next call ends. */
export type Permission =
  | { readonly go: true }
  | { readonly go: false; readonly until: Date; readonly reason: string }

export type CallReport = {
  /** `withheld`: kept at home by ourselves, which says nothing of the system. */
  readonly outcome: 'success' | 'failure' | 'throttled' | 'withheld'
  readonly tookMs: number
  /** The system asked for silence until then. */
  readonly retryAt?: Date | undefined
}

/** A system's policy at work: whether a call may start now, and what became of it. */
export interface Gate {
  /** Takes a place for one call, to be given back by `report`. */
  enter(): Permission
  report(report: CallReport): void
  /** The system has failed, and has not proved yet that it is back. */
  readonly isDown: boolean
  readonly timeoutMs: number
  readonly attemptsMax: number
  /** Effects in one call, where the connector takes as many. */
  readonly batchMax: number
  /** When a call that failed `attempts` times may be tried again. */
  retryAt(attempts: number): Date
}

export type LaneOptions = {
  readonly connector: Connector
  readonly gate: Gate
  readonly clock: Clock
  readonly random: () => number
  /** More than this many, waiting or under way, are sent away, so that a slow system does not fill the process. */
  readonly openMax: number
  /** Has documents that were sent away come back, up to `limit`: the most urgent first, and the oldest of those. */
  readonly callBack: (limit: number) => Promise<CalledBack>
  /** False once the process may have been replaced: then nothing is sent, also of what queues for a connection. */
  readonly mayStillSend: () => boolean
  readonly onCall?: (call: { operation: string; size: number; outcome: string; tookMs: number }) => void
}

export interface Lane {
  readonly connector: Connector
  readonly waiting: number
  enqueue(sendable: Sendable): void
  /** Calls back what others may have sent away who are gone. */
  recall(): void
  stop(): void
}

/** A closed gate that opens this soon is waited for; for a longer time documents are sent away. */
const WAIT_MS = 250
/** The shortest wait before a gate is asked again. */
const SOON_MS = 5
const REPLACED = 'this process may have been replaced'
/** How long a call that was cut off may take to say whether anything was sent. */
const GRACE_MS = 1_000

export function createLane(options: LaneOptions): Lane {
  return new SystemLane(options)
}

export function bindingOf(connector: Connector, operation: string): OperationBinding {
  const binding = connector.operations[operation]
  if (!binding) throw new Error(`${connector.instance} does not implement ${operation}`)
  return binding
}

type Waiting = { readonly sendable: Sendable; readonly arrival: number }

/** What may travel in one call: effects of one operation that are asked for in the same way. */
type Group = {
  readonly name: string
  readonly operation: string
  readonly attempt: Attempt
  readonly binding: OperationBinding
  /** By priority, then arrival; never empty while the lane knows the group. */
  readonly queue: Waiting[]
}

class SystemLane implements Lane {
  readonly connector: Connector
  readonly #options: LaneOptions
  readonly #groups = new Map<string, Group>()
  readonly #recall: Recall
  #waiting = 0
  /** Calls, and how many effects travel in them. */
  #underWay = 0
  #travelling = 0
  #arrivals = 0
  #scheduled = false
  #stopped = false

  constructor(options: LaneOptions) {
    this.connector = options.connector
    this.#options = options
    const { openMax, ...ports } = options
    this.#recall = new Recall({ ...ports, openMax, open: () => this.#waiting + this.#travelling })
  }

  get waiting(): number {
    return this.#waiting
  }

  enqueue(sendable: Sendable): void {
    if (this.#stopped) return
    insertByPriority(this.#groupOf(sendable).queue, { sendable, arrival: this.#arrivals++ })
    this.#waiting++
    if (this.#waiting + this.#travelling > this.#recall.placesForNext()) this.#sendAway(this.#leastUrgent())
    this.#schedule()
  }

  recall(): void {
    this.#recall.lookForAll()
  }

  stop(): void {
    this.#stopped = true
    this.#recall.stop()
  }

  #sendAway({ name, queue }: Group): void {
    const { sendable } = queue.pop()!
    if (queue.length === 0) this.#groups.delete(name)
    this.#waiting--
    this.#recall.sentAway(this.#letGo([sendable], this.#options.clock.now(), 'the lane is full'))
  }

  #groupOf({ operation, attempt }: Sendable): Group {
    const name = `${operation} ${attempt}`
    const known = this.#groups.get(name)
    if (known) return known
    const group = { name, operation, attempt, binding: bindingOf(this.connector, operation), queue: [] }
    this.#groups.set(name, group)
    return group
  }

  #schedule(): void {
    if (this.#scheduled || this.#waiting === 0) return
    this.#scheduled = true
    this.#options.clock.soon(() => this.#pump())
  }

  #pump(): void {
    this.#scheduled = false
    while (this.#waiting > 0 && !this.#stopped) {
      if (!this.#options.mayStillSend()) {
        return this.#letAllGo(this.#fromNow(0), REPLACED)
      }
      const permission = this.#options.gate.enter()
      if (!permission.go) return this.#closed(permission)
      const group = this.#mostUrgent()
      void this.#send(group, this.#take(group))
    }
  }

  #closed({ until, reason }: { until: Date; reason: string }): void {
    const delayMs = until.getTime() - this.#options.clock.now().getTime()
    if (delayMs > WAIT_MS) return this.#letAllGo(until, reason)
    // The end of a call pumps again; where none of ours is under way, only time does.
    if (delayMs <= 0 && this.#underWay > 0) return
    this.#scheduled = true
    this.#options.clock.after(Math.max(SOON_MS, delayMs), () => this.#pump())
  }

  #letAllGo(until: Date, reason: string): void {
    const all = [...this.#groups.values()].flatMap((group) => group.queue)
    this.#groups.clear()
    this.#waiting = 0
    const sendables = all.map(({ sendable }) => sendable)
    this.#recall.after(until, this.#letGo(sendables, until, reason))
  }

  /** Answers when all of them are written down. */
  async #letGo(sendables: readonly Sendable[], until: Date, reason: string): Promise<void> {
    const held = (sendable: Sendable): Verdict => ({
      kind: 'deferred',
      state: sendable.inDoubt ? 'unknown' : 'retry',
      reason,
      at: until,
      absentAfter: sendable.absentAfter,
      counts: false,
      held: true,
    })
    await Promise.all(sendables.map((sendable) => sendable.settled(held(sendable))))
  }

  #mostUrgent(): Group {
    return [...this.#groups.values()].reduce((first, group) =>
      comesBefore(group.queue[0]!, first.queue[0]!) ? group : first,
    )
  }

  #leastUrgent(): Group {
    return [...this.#groups.values()].reduce((last, group) =>
      comesBefore(last.queue.at(-1)!, group.queue.at(-1)!) ? group : last,
    )
  }

  /** As much of the group as one call takes. */
  #take({ name, binding, queue }: Group): Sendable[] {
    const taken = queue.splice(0, Math.min(binding.batchMax, this.#options.gate.batchMax))
    if (queue.length === 0) this.#groups.delete(name)
    this.#waiting -= taken.length
    return taken.map(({ sendable }) => sendable)
  }

  async #send(group: Group, batch: readonly Sendable[]): Promise<void> {
    const { gate, clock, onCall } = this.#options
    const [startedMs, askedAt] = [clock.monotonicMs(), clock.now()]
    this.#underWay++
    this.#travelling += batch.length
    const answer = await callSystem(this.#options, group, batch)
    this.#underWay--
    this.#travelling -= batch.length
    const tookMs = clock.monotonicMs() - startedMs
    const outcomes = answer instanceof NotSent ? notSent(batch, answer) : answer
    const withheld = answer instanceof NotSent && answer.reason === 'withdrawn'
    const report: CallReport = withheld ? { outcome: 'withheld', tookMs } : reportOf(outcomes, tookMs)
    gate.report(report)
    this.#recall.answered(report.outcome === 'success')
    this.#schedule()
    // A process that was replaced has forgotten what it asked; who took over finds it intended, and in doubt.
    if (this.#stopped) return
    if (withheld) return this.#sendHome(batch, REPLACED)
    onCall?.({ operation: group.operation, size: batch.length, outcome: report.outcome, tookMs })
    if (answer instanceof NotSent && gate.isDown) return this.#sendHome(batch, answer.message)
    for (const [sendable, outcome] of outcomes) {
      void sendable.settled(verdictOn(this.#options, group.binding, { sendable, outcome, askedAt }))
    }
  }

  /** What never left, for a reason that is not the documents': called back, and no attempt of theirs. */
  #sendHome(batch: readonly Sendable[], reason: string): void {
    const now = this.#options.clock.now()
    this.#recall.after(now, this.#letGo(batch, now, reason))
  }

  #fromNow(ms: number): Date {
    return new Date(this.#options.clock.now().getTime() + ms)
  }
}

const comesBefore = (a: Waiting, b: Waiting): boolean =>
  a.sendable.priority < b.sendable.priority ||
  (a.sendable.priority === b.sendable.priority && a.arrival < b.arrival)

function insertByPriority(queue: Waiting[], waiting: Waiting): void {
  const last = queue.at(-1)
  if (!last || last.sendable.priority <= waiting.sendable.priority) return void queue.push(waiting)
  const place = queue.findIndex((other) => other.sendable.priority > waiting.sendable.priority)
  queue.splice(place, 0, waiting)
}

async function callSystem(
  { clock, gate, mayStillSend }: LaneOptions,
  { binding, attempt }: Group,
  batch: readonly Sendable[],
): Promise<ReadonlyMap<Sendable, LookUpOutcome> | NotSent> {
  const effects = batch.map((sendable) => sendable.effect)
  const deadline = startDeadline(clock, gate.timeoutMs)
  try {
    const ask = attempt === 'send' ? binding.send : binding.lookUp
    if (!ask) throw new Error('a look-up is asked of an operation that has none')
    const terms = { signal: deadline.signal, mayStillSend }
    const answers = await Promise.race([ask.call(binding, effects, terms), deadline.overrun])
    const silent: LookUpOutcome = { kind: 'unknown', reason: 'the answer leaves this call out' }
    return new Map(batch.map((sendable) => [sendable, answers.get(sendable.effect) ?? silent]))
  } catch (error) {
    // A transport that knows that nothing was sent says so; any other failure leaves the effect in doubt.
    if (error instanceof NotSent) return error
    const reason = error instanceof Error ? error.message : String(error)
    return new Map(batch.map((sendable) => [sendable, { kind: 'unknown', reason }]))
  } finally {
    deadline.cancel()
  }
}

/** Cuts the call off in time; `overrun` fails when the connector does not even heed that. */
function startDeadline(
  clock: Clock,
  timeoutMs: number,
): { readonly signal: AbortSignal; readonly overrun: Promise<never>; cancel(): void } {
  const controller = new AbortController()
  const { promise, reject } = Promise.withResolvers<never>()
  let cancel = clock.after(timeoutMs, () => {
    cancel = clock.after(GRACE_MS, () => reject(new Error(`no answer within ${timeoutMs} ms`)))
    controller.abort()
  })
  return { signal: controller.signal, overrun: promise, cancel: () => cancel() }
}

const notSent = (
  batch: readonly Sendable[],
  { message: reason, retryAt: at }: NotSent,
): ReadonlyMap<Sendable, LookUpOutcome> =>
  new Map(batch.map((sendable) => [sendable, { kind: 'retry', reason, at }]))

function reportOf(outcomes: ReadonlyMap<Sendable, LookUpOutcome>, tookMs: number): CallReport {
  let failed = 0
  for (const outcome of outcomes.values()) {
    if (outcome.kind === 'retry' && (outcome.throttled || outcome.at)) {
      return { outcome: 'throttled', tookMs, retryAt: outcome.at }
    }
    if (outcome.kind === 'retry' || outcome.kind === 'unknown') failed++
  }
  return { outcome: failed === outcomes.size ? 'failure' : 'success', tookMs }
}

function verdictOn(
  { gate, clock }: LaneOptions,
  binding: OperationBinding,
  {
    sendable,
    outcome,
    askedAt,
  }: { readonly sendable: Sendable; readonly outcome: LookUpOutcome; readonly askedAt: Date },
): Verdict {
  if (outcome.kind === 'confirmed' || outcome.kind === 'refused') return outcome
  return judge({
    inDoubt: sendable.inDoubt,
    outcome,
    recovery: binding.recovery,
    attempts: sendable.attempts,
    attemptsMax: gate.attemptsMax,
    absentAfter: sendable.absentAfter,
    now: clock.now(),
    askedAt,
    retryAt: gate.retryAt(sendable.attempts + 1),
    doubtMs: gate.timeoutMs + binding.visibilityLagMs,
  })
}
