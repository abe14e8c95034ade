/** A system's policy at work in one process: whether a call may start now, and what its outcome means for the next. */
import { RetryBudget } from './budget.ts'
import type { Clock } from './clock.ts'
import type { CallReport, Gate, Permission } from './lanes.ts'
import { Allowance } from './policies-allowance.ts'
import { SharedBreaker } from './policies-breaker.ts'
import { maintenanceAt, type MaintenanceState } from './policies-maintenance.ts'
import type { SharedState, Wish } from './policies-shares.ts'
import type { Known } from './policies-store.ts'
import type { NotNow, Policy, PolicyView } from './policies.ts'
import { backoffMs, RETRY_AFTER_MAX_MS } from './retry.ts'

export type GateOptions = {
  readonly instance: string
  readonly policy: Policy
  readonly clock: Clock
  readonly random: () => number
  /** How many processes call the system at this moment. */
  readonly workers: () => number
  /** Has the shared rows read, and our wishes told, soon. */
  readonly ask: () => void
}

/** After a pause the workers start spread over a tenth of it, at most this long. */
const RESUME_SPREAD_MS = 1_000
/** The shortest wait that is worth naming. */
const SOON_MS = 5
const GO: Permission = { go: true }
const NO_ALLOWANCE = { active: false, tokensBack: 0, tokensWanted: 0, slotsInUse: 0, slotsWanted: 0 }
const NO_PROBES = { events: [], probesHeld: 0, probesWanted: 0 }

/**
 * `enter` and `report` touch memory only. PostgreSQL hears of the system when it pauses, fails or recovers and, where
 * calls at once or calls a second are shared among processes, once a second.
 */
export class SystemGate implements Gate {
  readonly instance: string
  readonly policy: Policy
  readonly timeoutMs: number
  readonly attemptsMax: number
  readonly batchMax: number
  readonly #clock: Clock
  readonly #random: () => number
  readonly #ask: () => void
  readonly #breaker: SharedBreaker
  readonly #allowance: Allowance
  readonly #budget: RetryBudget
  #inUse = 0
  #revision = 0
  #pausedUntilMs = 0
  #pausedReason = ''
  #pause: Wish['pause']
  #maintenance: MaintenanceState = { closed: false, untilMs: 0 }

  constructor(options: GateOptions) {
    const { policy, clock } = options
    this.instance = options.instance
    this.policy = policy
    this.timeoutMs = policy.timeoutMs
    this.attemptsMax = policy.retry.maxAttempts
    this.batchMax = policy.batchMax
    this.#clock = clock
    this.#random = options.random
    this.#ask = options.ask
    this.#breaker = new SharedBreaker(policy.breaker, options.ask)
    this.#allowance = new Allowance(policy, options.ask)
    this.#budget = new RetryBudget(policy.retry.budget, clock.monotonicMs(), options.workers)
  }

  /** A refusal whose `until` is not in the future ends with the next call that ends. */
  enter(): Permission {
    const nowMs = this.#clock.monotonicMs()
    const refusal = this.#closed(nowMs) ?? this.#full(nowMs)
    if (refusal) {
      if (refusal.reason === 'breaker_open' && this.#breaker.wanted(nowMs)) this.#allowance.wanted()
      const reason = `${refusal.reason}: ${refusal.detail}`
      return { go: false, reason, until: this.#wall(refusal.untilMs, nowMs) }
    }
    this.#inUse += 1
    this.#breaker.entered()
    this.#allowance.entered(this.#inUse)
    return GO
  }

  report({ outcome, tookMs, retryAt }: CallReport): void {
    if (this.#inUse === 0) throw new Error(`a call of ${this.instance} is reported that never entered`)
    const nowMs = this.#clock.monotonicMs()
    this.#inUse -= 1
    if (outcome === 'success') this.#budget.succeeded()
    if (outcome === 'failure') this.#budget.failed(nowMs)
    if (outcome === 'throttled') this.#throttled(retryAt)
    const bad = outcome === 'failure' || tookMs >= this.policy.breaker.slowCallMs
    const isUndecided = outcome === 'throttled' || outcome === 'withheld'
    this.#breaker.left(isUndecided ? 'undecided' : bad ? 'bad' : 'good', nowMs - tookMs, nowMs)
    this.#allowance.left(this.#inUse)
  }

  get isDown(): boolean {
    return this.#breaker.state !== 'closed'
  }

  retryAt(attempts: number): Date {
    const backoff = backoffMs(attempts, this.policy.retry, this.#random)
    const delayMs = this.#budget.delayMs(this.#clock.monotonicMs())
    return new Date(this.#clock.now().getTime() + backoff + delayMs)
  }

  /** Stops the calls of all processes; a longer pause that is already in force stays. */
  pause(forMs: number, reason: string): void {
    const untilMs = this.#clock.monotonicMs() + forMs
    if (untilMs <= this.#pausedUntilMs) return
    this.#pausedUntilMs = untilMs
    this.#pausedReason = reason
    this.#pause = { forMs, reason }
    this.#ask()
  }

  /** Ends a pause everywhere, whoever asked for it. */
  resume(): void {
    this.#pausedUntilMs = 0
    this.#pause = 'resume'
    this.#ask()
  }

  /** What this process has to tell and to ask, if anything. */
  takeWish(): Wish | undefined {
    const nowMs = this.#clock.monotonicMs()
    const probes = this.#breaker.takeWish(nowMs)
    const allowance = this.#allowance.takeWish(this.#inUse, nowMs)
    if (!probes && !allowance && !this.#pause) return undefined
    return { pause: this.#pause, ...(probes ?? NO_PROBES), ...(allowance ?? NO_ALLOWANCE) }
  }

  /** Takes over what the shared row says. `wish` is what this process told and asked at `askedAtMs`. */
  adopt({ state, nowMs: databaseMs, grant }: Known, wish: Wish | undefined, askedAtMs: number): void {
    const nowMs = this.#clock.monotonicMs()
    const here = (atMs: number): number => nowMs + (atMs - databaseMs)
    if (this.#pause === wish?.pause) this.#pause = undefined
    if (!this.#pause && state.revision !== this.#revision) this.#adoptPause(state, here, nowMs)
    const breaker = { ...state.breaker, untilMs: here(state.breaker.untilMs) }
    const answered = wish && grant && { wish, probes: grant.probes }
    this.#breaker.adopt(breaker, state.revision, answered, nowMs)
    if (grant) this.#allowance.adopt(grant, askedAtMs, nowMs)
  }

  /** The exchange failed; what was to be told is told with the next one. */
  missed(): void {
    const nowMs = this.#clock.monotonicMs()
    this.#breaker.missed(nowMs)
    this.#allowance.missed(nowMs)
  }

  view(): PolicyView {
    const nowMs = this.#clock.monotonicMs()
    const closed = this.#closed(nowMs)
    return {
      instance: this.instance,
      policy: this.policy,
      closed: closed && {
        reason: closed.reason,
        detail: closed.detail,
        until: this.#wall(closed.untilMs, nowMs),
      },
      breaker: this.#breaker.state,
      callsUnderWay: this.#inUse,
      slots: this.#allowance.slots,
      tokens: this.#allowance.tokens,
      retryDelayMs: this.#budget.delayMs(nowMs),
    }
  }

  #closed(nowMs: number): NotNow | undefined {
    if (nowMs < this.#pausedUntilMs) {
      return { reason: 'paused', detail: this.#pausedReason, untilMs: this.#pausedUntilMs }
    }
    return this.#inMaintenance(nowMs) ?? this.#breaker.refusal(nowMs)
  }

  #full(nowMs: number): NotNow | undefined {
    if (this.#inUse >= this.policy.concurrencyPerProcess) {
      // The next call that ends is the time to ask again.
      return { reason: 'concurrency', detail: 'every place of this process is taken', untilMs: nowMs }
    }
    return this.#allowance.refusal(this.#inUse, nowMs)
  }

  #inMaintenance(nowMs: number): NotNow | undefined {
    const { maintenance } = this.policy
    if (!maintenance) return undefined
    const wallMs = this.#clock.now().getTime()
    if (wallMs >= this.#maintenance.untilMs) this.#maintenance = maintenanceAt(maintenance, wallMs)
    if (!this.#maintenance.closed) return undefined
    const untilMs = nowMs + this.#maintenance.untilMs - wallMs
    return { reason: 'maintenance', detail: 'planned maintenance', untilMs }
  }

  #throttled(retryAt: Date | undefined): void {
    const askedMs = retryAt ? retryAt.getTime() - this.#clock.now().getTime() : this.policy.throttledMs
    this.pause(Math.min(RETRY_AFTER_MAX_MS, askedMs), 'the system asked to be left alone')
  }

  #adoptPause(state: SharedState, here: (atMs: number) => number, nowMs: number): void {
    this.#revision = state.revision
    const untilMs = here(state.pausedUntilMs ?? 0)
    const spreadMs = Math.min(RESUME_SPREAD_MS, (untilMs - nowMs) / 10)
    this.#pausedUntilMs = untilMs > nowMs ? untilMs + this.#random() * spreadMs : 0
    this.#pausedReason = state.pausedReason ?? ''
  }

  /** A time that has come means "at the next answer", so one that is about to come is put off a little. */
  #wall(untilMs: number, nowMs: number): Date {
    const waitMs = untilMs <= nowMs ? 0 : Math.max(SOON_MS, untilMs - nowMs)
    return new Date(this.#clock.now().getTime() + Math.ceil(waitMs))
  }
}
