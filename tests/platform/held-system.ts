/** A system whose calls stay under way until the test answers them, and a gate that the test opens and closes. */
import type { Clock } from '#platform/clock.ts'
import type { CallTerms, Effect, LookUpOutcome, OperationBinding } from '#platform/connector.ts'
import type { CallReport, Gate, Permission } from '#platform/lanes.ts'

export type Call = {
  readonly operation: string
  readonly keys: readonly string[]
  readonly terms: CallTerms
  answer(outcome?: LookUpOutcome): void
  answerEach(outcomes: Readonly<Record<string, LookUpOutcome>>): void
  fail(error: unknown): void
}

export const confirmed: LookUpOutcome = { kind: 'confirmed', answer: 'ok' }

/** Every call is added to `calls`; a look-up's name ends with a question mark. */
export function heldBinding(operation: string, batchMax: number, calls: Call[]): OperationBinding {
  return {
    batchMax,
    recovery: 'lookup',
    visibilityLagMs: 20_000,
    send: heldCall(operation, calls),
    lookUp: heldCall(`${operation}?`, calls),
  }
}

function heldCall<Outcome extends LookUpOutcome>(operation: string, calls: Call[]) {
  return (effects: readonly Effect[], terms: CallTerms): Promise<ReadonlyMap<Effect, Outcome>> => {
    const { promise, resolve, reject } = Promise.withResolvers<ReadonlyMap<Effect, Outcome>>()
    const by = (outcomeOf: (effect: Effect) => LookUpOutcome | undefined): void => {
      const known = effects.flatMap((effect) => {
        const outcome = outcomeOf(effect)
        return outcome ? [[effect, outcome as Outcome] as const] : []
      })
      // In reverse, since the order of answers must not matter.
      resolve(new Map(known.toReversed()))
    }
    calls.push({
      operation,
      keys: effects.map(({ key }) => key),
      terms,
      answer: (outcome = confirmed) => by(() => outcome),
      answerEach: (outcomes) => by(({ key }) => outcomes[key]),
      fail: reject,
    })
    return promise
  }
}

export class TestGate implements Gate {
  readonly timeoutMs = 10_000
  readonly attemptsMax = 5
  readonly batchMax = 100
  readonly reports: CallReport[] = []
  closedUntil: Date | undefined
  isDown = false
  readonly #clock: Clock
  #free: number

  constructor(clock: Clock, places: number) {
    this.#clock = clock
    this.#free = places
  }

  enter(): Permission {
    const now = this.#clock.now()
    if (this.closedUntil && this.closedUntil > now) {
      return { go: false, until: this.closedUntil, reason: 'breaker_open: the system fails' }
    }
    if (this.#free === 0) return { go: false, until: now, reason: 'concurrency: full' }
    this.#free--
    return { go: true }
  }

  report(report: CallReport): void {
    this.#free++
    this.reports.push(report)
  }

  retryAt(attempts: number): Date {
    return new Date(this.#clock.now().getTime() + 1_000 * attempts)
  }
}
