/** The circuit breaker: when a system counts as down, and how it proves that it is back. */
import { z } from 'zod'

export const BreakerPolicy = z.strictObject({
  /** Share of bad calls in the window that opens the breaker. */
  failureRatio: z.number().gt(0).max(1).default(0.5),
  /** Fewer calls in the window never open it. */
  minCalls: z.int().min(1).max(100_000).default(20),
  windowMs: z.int().min(100).max(3_600_000).default(30_000),
  openMs: z.int().min(1).max(3_600_000).default(15_000),
  /** A call that takes this long is bad even when it succeeds. */
  slowCallMs: z.int().min(1).max(600_000).default(8_000),
  /** Calls let through after `openMs`; all must be good to close the breaker, one bad one opens it again. */
  halfOpenProbes: z.int().min(1).max(1_000).default(3),
})
export type BreakerPolicy = z.infer<typeof BreakerPolicy>

export type BreakerState = 'closed' | 'open' | 'half_open'

export type Breaker = {
  readonly state: BreakerState
  /** While open: when it may be probed. */
  readonly untilMs: number
  /** While half open: probes that came back good. */
  readonly proven: number
}

export const CLOSED: Breaker = { state: 'closed', untilMs: 0, proven: 0 }

export type BreakerEvent = 'tripped' | 'waited' | 'probe_succeeded' | 'probe_failed'

/** Where each event leads; an event that is not named changes nothing, such as the late failure of an old call. */
const TRANSITIONS: Readonly<Record<BreakerState, Partial<Record<BreakerEvent | 'proven', BreakerState>>>> = {
  closed: { tripped: 'open' },
  open: { waited: 'half_open' },
  half_open: { proven: 'closed', probe_failed: 'open' },
}

/** The breaker after `event`; the very same object when nothing changes. */
export function nextBreaker(
  breaker: Breaker,
  event: BreakerEvent,
  policy: BreakerPolicy,
  nowMs: number,
): Breaker {
  if (event === 'waited' && nowMs < breaker.untilMs) return breaker
  if (event === 'probe_succeeded' && breaker.state === 'half_open') {
    const proven = breaker.proven + 1
    return proven >= policy.halfOpenProbes
      ? enter(TRANSITIONS.half_open.proven, policy, nowMs)
      : { ...breaker, proven }
  }
  const state = TRANSITIONS[breaker.state][event]
  return state ? enter(state, policy, nowMs) : breaker
}

function enter(state: BreakerState = 'closed', policy: BreakerPolicy, nowMs: number): Breaker {
  if (state === 'closed') return CLOSED
  return { state, untilMs: state === 'open' ? nowMs + policy.openMs : 0, proven: 0 }
}

const SLICES = 10

/** Calls of the last `windowMs`, counted in ten slices: constant memory, and old calls are forgotten a tenth at a time. */
export class CallWindow {
  readonly #policy: BreakerPolicy
  readonly #sliceMs: number
  readonly #calls = new Uint32Array(SLICES)
  readonly #bad = new Uint32Array(SLICES)
  #slice = 0
  #totalCalls = 0
  #totalBad = 0

  constructor(policy: BreakerPolicy) {
    this.#policy = policy
    this.#sliceMs = policy.windowMs / SLICES
  }

  /** Counts a call that ended; true when the breaker must open. */
  record(bad: boolean, nowMs: number): boolean {
    this.#forget(nowMs)
    const index = this.#slice % SLICES
    this.#calls[index]! += 1
    this.#totalCalls += 1
    if (!bad) return false
    this.#bad[index]! += 1
    this.#totalBad += 1
    const { minCalls, failureRatio } = this.#policy
    return this.#totalCalls >= minCalls && this.#totalBad >= failureRatio * this.#totalCalls
  }

  clear(): void {
    this.#calls.fill(0)
    this.#bad.fill(0)
    this.#totalCalls = 0
    this.#totalBad = 0
  }

  #forget(nowMs: number): void {
    const slice = Math.floor(nowMs / this.#sliceMs)
    if (slice - this.#slice >= SLICES) this.clear()
    else {
      for (let old = this.#slice + 1; old <= slice; old++) {
        const index = old % SLICES
        this.#totalCalls -= this.#calls[index]!
        this.#totalBad -= this.#bad[index]!
        this.#calls[index] = 0
        this.#bad[index] = 0
      }
    }
    this.#slice = slice
  }
}
