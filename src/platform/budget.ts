/** The retry budget of one process towards one system: what it cannot pay for now, it does later. */
import type { RetryPolicy } from './retry.ts'

/**
 * Good calls and time earn retries, each failed call spends one. A spent budget goes into debt, and `delayMs` is the
 * time until the debt is paid: retries are spread out and none is lost. In any window there are at most
 * `max + ratio × good calls + perSecond × seconds` retries, as long as each failed call is retried by one call.
 */
export class RetryBudget {
  readonly #policy: RetryPolicy['budget']
  #balance: number
  #countedAtMs: number

  constructor(policy: RetryPolicy['budget'], nowMs: number) {
    this.#policy = policy
    this.#balance = policy.max
    this.#countedAtMs = nowMs
  }

  succeeded(): void {
    this.#balance = Math.min(this.#policy.max, this.#balance + this.#policy.ratio)
  }

  failed(nowMs: number): void {
    this.#count(nowMs)
    this.#balance -= 1
  }

  /** How much later than its backoff the retry of the latest failure must come. */
  delayMs(nowMs: number): number {
    this.#count(nowMs)
    return Math.ceil((Math.max(0, -this.#balance) / this.#policy.perSecond) * 1_000)
  }

  #count(nowMs: number): void {
    const earned = ((nowMs - this.#countedAtMs) / 1_000) * this.#policy.perSecond
    this.#balance = Math.min(this.#policy.max, this.#balance + earned)
    this.#countedAtMs = nowMs
  }
}
