/**
 * A lane sends the effects of one system instance, under that system's gate: by priority, then age, in batches where
 * the system takes them. A slow or closed system delays only its own lane.
 */
import type { Clock } from './clock.ts'
import type { Connector, Effect, LookUpOutcome, OperationBinding } from './connector.ts'
import { type Attempt, type IntentKey, judge, type Verdict } from './effects.ts'
import { NotSent } from './http-client.ts'

export type Sendable = {
  readonly intent: IntentKey
  readonly operation: string
  readonly effect: Effect
  readonly attempt: Attempt
  readonly attempts: number
  readonly absentAfter: Date | null
  readonly priority: number
  /** Called once with what is known now. */
  readonly settled: (verdict: Verdict) => void
}

export type Permission = { readonly go: true } | { readonly go: false; readonly until: Date; readonly reason: string }

export type CallReport = {
  readonly outcome: 'success' | 'failure' | 'throttled'
  readonly tookMs: number
  /** The system asked for silence until then. */
  readonly retryAt?: Date | undefined
}

/** A system's policy at work: whether a call may start now, and what became of it. */
export interface Gate {
  /** Takes a place for one call, to be given back by `report`. */
  enter(): Permission
  report(report: CallReport): void
  readonly timeoutMs: number
  readonly attemptsMax: number
  /** When a call that failed `attempts` times may be tried again. */
  retryAt(attempts: number): Date
}

export type LaneOptions = {
  readonly connector: Connector
  readonly gate: Gate
  readonly clock: Clock
  readonly random: () => number
  /** More than this many waiting are let go to sleep, so that a slow system does not fill the process. */
  readonly waitingMax: number
  /** False once the process may have been replaced: then nothing is sent. */
  readonly mayStillSend: () => boolean
  readonly onCall?: (call: { operation: string; size: number; outcome: string; tookMs: number }) => void
}

export interface Lane {
  readonly connector: Connector
  readonly waiting: number
  enqueue(sendable: Sendable): void
  stop(): void
}

/** A closed gate that opens this soon is waited for; for a longer time documents go to sleep. */
const WAIT_MS = 250
/** Documents that a closed gate sent to sleep come back spread over this time. */
const SPREAD_MS = 2_000

export function createLane(options: LaneOptions): Lane {
  const { clock, gate, connector } = options
  const groups = new Map<string, Sendable[]>()
  let waiting = 0
  let scheduled = false
  let stopped = false

  function enqueue(sendable: Sendable): void {
    if (stopped) return
    if (waiting >= options.waitingMax) return letGo([sendable], new Date(clock.now().getTime() + 1_000), 'lane is full')
    const name = `${sendable.operation} ${sendable.attempt}`
    const group = groups.get(name)
    if (group) insertByPriority(group, sendable)
    else groups.set(name, [sendable])
    waiting++
    schedule()
  }

  function schedule(): void {
    if (scheduled) return
    scheduled = true
    clock.soon(pump)
  }

  function pump(): void {
    scheduled = false
    while (waiting > 0 && !stopped) {
      const permission = gate.enter()
      if (!permission.go) return closed(permission)
      void send(takeBatch()).finally(schedule)
    }
  }

  function closed({ until, reason }: { until: Date; reason: string }): void {
    const delayMs = until.getTime() - clock.now().getTime()
    if (delayMs > WAIT_MS) {
      letGo([...groups.values()].flat(), until, reason)
      groups.clear()
      waiting = 0
    } else if (delayMs > 0) {
      scheduled = true
      clock.after(delayMs, pump)
    }
    // otherwise every place is taken, and the next answer pumps again
  }

  function letGo(sendables: readonly Sendable[], until: Date, reason: string): void {
    for (const sendable of sendables) {
      sendable.settled({
        kind: 'deferred',
        state: sendable.attempt === 'send' ? 'retry' : 'unknown',
        reason,
        at: new Date(until.getTime() + options.random() * SPREAD_MS),
        absentAfter: sendable.absentAfter,
        counts: false,
      })
    }
  }

  /** The group whose first effect is the most urgent, as much of it as one call takes. */
  function takeBatch(): Sendable[] {
    let chosen: [string, Sendable[]] | undefined
    for (const group of groups) if (!chosen || group[1][0]!.priority < chosen[1][0]!.priority) chosen = group
    const [name, queue] = chosen!
    const batch = queue.splice(0, bindingOf(connector, queue[0]!.operation).batchMax)
    if (queue.length === 0) groups.delete(name)
    waiting -= batch.length
    return batch
  }

  async function send(batch: readonly Sendable[]): Promise<void> {
    const binding = bindingOf(connector, batch[0]!.operation)
    const startedMs = clock.monotonicMs()
    if (!options.mayStillSend()) return gate.report({ outcome: 'failure', tookMs: 0 })
    const outcomes = await callSystem(options, binding, batch)
    if (stopped) return
    const tookMs = clock.monotonicMs() - startedMs
    const report = reportOf(outcomes, tookMs)
    gate.report(report)
    options.onCall?.({ operation: batch[0]!.operation, size: batch.length, outcome: report.outcome, tookMs })
    for (const [sendable, outcome] of outcomes) sendable.settled(verdictOn(options, binding, sendable, outcome))
  }

  return {
    connector,
    get waiting() {
      return waiting
    },
    enqueue,
    stop: () => void (stopped = true),
  }
}

function insertByPriority(group: Sendable[], sendable: Sendable): void {
  const last = group.at(-1)
  if (!last || last.priority <= sendable.priority) return void group.push(sendable)
  group.splice(
    group.findIndex((other) => other.priority > sendable.priority),
    0,
    sendable,
  )
}

export function bindingOf(connector: Connector, operation: string): OperationBinding {
  const binding = connector.operations[operation]
  if (!binding) throw new Error(`${connector.instance} does not implement ${operation}`)
  return binding
}

async function callSystem(
  { clock, gate }: LaneOptions,
  binding: OperationBinding,
  batch: readonly Sendable[],
): Promise<Map<Sendable, LookUpOutcome>> {
  const effects = batch.map((sendable) => sendable.effect)
  const deadline = new AbortController()
  const cancel = clock.after(gate.timeoutMs, () => deadline.abort())
  try {
    const ask = batch[0]!.attempt === 'send' ? binding.send : binding.lookUp
    if (!ask) throw new Error('a look-up is asked of an operation that has none')
    const answers = await ask.call(binding, effects, deadline.signal)
    const silent: LookUpOutcome = { kind: 'unknown', reason: 'the answer leaves this call out' }
    return new Map(batch.map((sendable) => [sendable, answers.get(sendable.effect) ?? silent]))
  } catch (error) {
    const outcome = outcomeOfFailure(error)
    return new Map(batch.map((sendable) => [sendable, outcome]))
  } finally {
    cancel()
  }
}

/** A transport that knows that nothing was sent says so; any other failure leaves the effect in doubt. */
function outcomeOfFailure(error: unknown): LookUpOutcome {
  const reason = error instanceof Error ? error.message : String(error)
  return error instanceof NotSent ? { kind: 'retry', reason, at: error.retryAt } : { kind: 'unknown', reason }
}

function reportOf(outcomes: ReadonlyMap<Sendable, LookUpOutcome>, tookMs: number): CallReport {
  let failed = 0
  for (const outcome of outcomes.values()) {
    if (outcome.kind === 'retry' && outcome.at) return { outcome: 'throttled', tookMs, retryAt: outcome.at }
    if (outcome.kind === 'retry' || outcome.kind === 'unknown') failed++
  }
  return { outcome: failed === outcomes.size ? 'failure' : 'success', tookMs }
}

function verdictOn(
  { gate, clock }: LaneOptions,
  binding: OperationBinding,
  sendable: Sendable,
  outcome: LookUpOutcome,
): Verdict {
  return judge({
    attempt: sendable.attempt,
    outcome,
    recovery: binding.recovery,
    attempts: sendable.attempts,
    attemptsMax: gate.attemptsMax,
    absentAfter: sendable.absentAfter,
    now: clock.now(),
    retryAt: gate.retryAt(sendable.attempts),
    doubtMs: gate.timeoutMs + binding.visibilityLagMs,
  })
}
