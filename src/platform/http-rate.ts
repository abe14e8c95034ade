/** Rate limits: a token bucket per client and class of requests, in this process. */
import type { Clock } from './clock.ts'
import { Refusal } from './faults.ts'

/** `burst` requests at once, refilled with `perSecond`. */
export type Rate = { readonly perSecond: number; readonly burst: number }
export type Rates = Readonly<Record<string, Rate>>

type Bucket = { tokens: number; filledMs: number }
const MAX_BUCKETS = 20_000

export interface RateLimits {
  /** Takes one token and answers the headers to send; refuses when none is left. */
  take(client: string, rateClass: string): Record<string, string>
}

export function createRateLimits(rates: Rates, clock: Clock): RateLimits {
  const classes = new Map(Object.entries(rates).map(([name, rate]) => [name, rateClassOf(name, rate)]))
  return {
    take(client, rateClass) {
      const limit = classes.get(rateClass)
      if (!limit) throw new Error(`unknown rate class "${rateClass}"`)
      const nowMs = clock.monotonicMs()
      const bucket = fill(limit, client, nowMs)
      const headers = {
        ratelimit: `"${rateClass}";r=${Math.max(0, Math.floor(bucket.tokens) - 1)}`,
        'ratelimit-policy': limit.policy,
      }
      if (bucket.tokens < 1) {
        const retryAfterMs = Math.ceil(((1 - bucket.tokens) / limit.rate.perSecond) * 1_000)
        throw new Refusal(
          'http.rate_limited',
          `The allowance of ${limit.rate.perSecond} requests a second for "${rateClass}" is used up.`,
          { retryAfterMs, rateClass },
        )
      }
      bucket.tokens -= 1
      return headers
    },
  }
}

type RateClass = { readonly rate: Rate; readonly policy: string; readonly buckets: Map<string, Bucket> }

function rateClassOf(name: string, rate: Rate): RateClass {
  if (!(rate.perSecond > 0 && rate.burst >= 1)) throw new Error(`rate class "${name}" lets nothing through`)
  const windowSeconds = Math.max(1, Math.round(rate.burst / rate.perSecond))
  return { rate, policy: `"${name}";q=${rate.burst};w=${windowSeconds}`, buckets: new Map() }
}

function fill({ rate, buckets }: RateClass, client: string, nowMs: number): Bucket {
  const bucket = buckets.get(client)
  if (!bucket) {
    if (buckets.size >= MAX_BUCKETS) forgetFull(buckets, rate, nowMs)
    const full = { tokens: rate.burst, filledMs: nowMs }
    buckets.set(client, full)
    return full
  }
  const gained = ((nowMs - bucket.filledMs) / 1_000) * rate.perSecond
  bucket.tokens = Math.min(rate.burst, bucket.tokens + gained)
  bucket.filledMs = nowMs
  return bucket
}

/** A bucket that is full again says nothing; if none is, the oldest half goes, which only lets through more. */
function forgetFull(buckets: Map<string, Bucket>, rate: Rate, nowMs: number): void {
  const fillMs = (rate.burst / rate.perSecond) * 1_000
  for (const [client, bucket] of buckets) if (nowMs - bucket.filledMs >= fillMs) buckets.delete(client)
  if (buckets.size < MAX_BUCKETS) return
  let surplus = MAX_BUCKETS / 2
  for (const client of buckets.keys()) if (surplus-- > 0) buckets.delete(client)
}
