/** One process's part of the retry budget of all workers towards one system: what it cannot pay for now, it does later. */
import type { RetryPolicy } from './retry.ts'

/**
 * Good calls and time earn retries, each failed call spends one. A spent budget goes into debt, and `delayMs` is the
 * time until the debt is paid: retries are spread out and none is lost. Of `max` and `perSecond` each worker has an equal
 * part. In any window all together make at most `max + ratio × good calls + perSecond × seconds` retries, as long as each
 * failed call is retried by one call and no worker comes or goes; who comes brings its part of `max` with it.
 */
export class RetryBudget {
  readonly #policy: RetryPolicy['budget']
  readonly #workers: () => number
  #balance: number
  #countedAtMs: number

  /** `workers`: how many share the budget at this moment. */
  constructor(policy: RetryPolicy['budget'], nowMs: number, workers: () => number) {
    this.#policy = policy
    this.#workers = workers
    this.#balance = this.#max
    this.#countedAtMs = nowMs
  }

  succeeded(): void {
    this.#balance = Math.min(this.#max, this.#balance + this.#policy.ratio)
  }

  failed(nowMs: number): void {
    this.#count(nowMs)
    this.#balance -= 1
  }

  /** How much later than its backoff the retry of the latest failure must come. */
  delayMs(nowMs: number): number {
    this.#count(nowMs)
    return Math.ceil((Math.max(0, -this.#balance) / this.#perSecond) * 1_000)
  }

  get #max(): number {
    return this.#policy.max / this.#workers()
  }

  get #perSecond(): number {
    return this.#policy.perSecond / this.#workers()
  }

  #count(nowMs: number): void {
    const earned = ((nowMs - this.#countedAtMs) / 1_000) * this.#perSecond
    this.#balance = Math.min(this.#max, this.#balance + earned)
    this.#countedAtMs = nowMs
  }
}
