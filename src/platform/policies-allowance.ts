/** What this process may use of the calls a second and the calls at once that all processes share. */
import type { NotNow, Policy } from './policies.ts'
import type { Grant, Wish } from './policies-shares.ts'
import { SLOT_LEASE_MS } from './policies-store.ts'

/** Tokens not used by then are lost, so that a process that slept cannot spend old seconds at once. */
const TOKEN_LEASE_MS = 2_000
/** An answer of PostgreSQL takes about this long. */
const ANSWER_MS = 5
/** Callers ask again at least this often. */
const LOOK_AGAIN_MS = 250
const ASK_AGAIN_MS = 1_000

type AllowanceWish = Pick<Wish, 'active' | 'tokensBack' | 'tokensWanted' | 'slotsInUse' | 'slotsWanted'>

export class Allowance {
  readonly #policy: Policy
  readonly #ask: () => void
  #slots = 0
  #slotsUntilMs = 0
  #tokens = 0
  #tokensUntilMs = 0
  #asking = false
  #askAtMs = 0
  // Since the last wish:
  #entered = 0
  #peak = 0
  #shortOfSlots = false
  #shortOfTokens = false
  /** The shared row still says that we are active or hold something. */
  #known = false

  constructor(policy: Policy, ask: () => void) {
    this.#policy = policy
    this.#ask = ask
  }

  get slots(): number | undefined {
    return this.#policy.concurrency === undefined ? undefined : this.#slots
  }

  get tokens(): number | undefined {
    return this.#policy.rate ? this.#tokens : undefined
  }

  refusal(inUse: number, nowMs: number): NotNow | undefined {
    const { concurrency, rate } = this.#policy
    const noSlot = concurrency !== undefined && (inUse >= this.#slots || nowMs >= this.#slotsUntilMs)
    const noToken = rate !== undefined && (this.#tokens < 1 || nowMs >= this.#tokensUntilMs)
    if (!noSlot && !noToken) return undefined
    this.#shortOfSlots ||= noSlot
    this.#shortOfTokens ||= noToken
    const untilMs = this.#askedUntil(nowMs)
    if (noToken)
      return { reason: 'rate', detail: `${rate.perSecond} calls a second for all workers`, untilMs }
    const detail = `${concurrency} calls at once for all workers`
    // With calls under way, the next one that ends is the time to ask again.
    return { reason: 'concurrency', detail, untilMs: inUse > 0 && !this.#asking ? nowMs : untilMs }
  }

  /** A call is to start as soon as the breaker lets it, and needs its share in the same answer. */
  wanted(): void {
    this.#shortOfSlots = this.#policy.concurrency !== undefined
    this.#shortOfTokens = this.#policy.rate !== undefined
  }

  /** A call starts; `inUse` counts it. */
  entered(inUse: number): void {
    this.#entered += 1
    this.#tokens -= 1
    this.#peak = Math.max(this.#peak, inUse)
  }

  /** A call has ended; `inUse` counts it no more. What is over our part goes to those who wait, at once. */
  left(inUse: number): void {
    if (this.#policy.concurrency !== undefined && !this.#asking && inUse >= this.#slots) this.#ask()
  }

  /**
   * What to ask for, if anything. Until the answer no token is left and no further slot is used: what is offered back
   * may be another's already.
   */
  takeWish(inUse: number, nowMs: number): AllowanceWish | undefined {
    const { concurrency, rate } = this.#policy
    if (concurrency === undefined && !rate) return undefined
    const active = inUse > 0 || this.#entered > 0 || this.#shortOfSlots || this.#shortOfTokens
    if (!active && !this.#known) return undefined
    const wish: AllowanceWish = {
      active,
      tokensBack: rate && nowMs < this.#tokensUntilMs ? this.#tokens : 0,
      tokensWanted: rate ? (this.#shortOfTokens ? Math.ceil(rate.perSecond) : this.#entered) : 0,
      slotsInUse: concurrency === undefined ? 0 : inUse,
      slotsWanted:
        concurrency === undefined ? 0 : this.#shortOfSlots ? concurrency : Math.max(this.#peak, inUse),
    }
    this.#known = active
    this.#asking = true
    this.#tokens = 0
    this.#slots = Math.min(this.#slots, inUse)
    this.#entered = 0
    this.#peak = inUse
    this.#shortOfSlots = false
    this.#shortOfTokens = false
    return wish
  }

  /** `askedAtMs`: when the wish was taken. Leases count from there, so that ours ends before others think so. */
  adopt(grant: Grant, askedAtMs: number, nowMs: number): void {
    this.#asking = false
    this.#slots = grant.slots
    this.#slotsUntilMs = askedAtMs + SLOT_LEASE_MS
    this.#tokens = grant.tokens
    this.#tokensUntilMs = askedAtMs + TOKEN_LEASE_MS
    this.#askAtMs = nowMs + (this.#policy.rate ? grant.nextTokenInMs : LOOK_AGAIN_MS)
  }

  /** The answer did not come. It may have been given, so nothing is taken back. */
  missed(nowMs: number): void {
    this.#asking = false
    this.#known = true
    this.#askAtMs = nowMs + ASK_AGAIN_MS
  }

  #askedUntil(nowMs: number): number {
    if (!this.#asking && nowMs >= this.#askAtMs) {
      this.#asking = true
      this.#ask()
    }
    if (this.#asking) return nowMs + ANSWER_MS
    return Math.min(this.#askAtMs, nowMs + LOOK_AGAIN_MS)
  }
}
