/** When a failed call is tried again: full jitter, and what the other system asked for in `Retry-After`. */
import { z } from 'zod'

export const RetryPolicy = z.strictObject({
  /** Attempts in all, the first included; after the last the work is parked. */
  maxAttempts: z.int().min(1).max(100).default(12),
  baseMs: z.int().min(1).max(60_000).default(500),
  maxMs: z.int().min(1).max(3_600_000).default(300_000),
  /** Retries that a process may add to the calls that succeed; more would turn an outage into an overload. */
  budget: z
    .strictObject({
      /** Retries earned by each good call. */
      ratio: z.number().min(0).max(1).default(0.2),
      /** Retries earned by each second, so that a system that only fails is retried too. */
      perSecond: z.number().positive().max(1_000).default(1),
      /** Retries saved up at most. */
      max: z.int().min(1).max(10_000).default(100),
    })
    .prefault({}),
})
export type RetryPolicy = z.infer<typeof RetryPolicy>

/** No system may silence us for longer by one header. */
export const RETRY_AFTER_MAX_MS = 3_600_000

/**
 * How long to wait after the failed attempt number `attempt`, 1 being the first. Any time up to the doubled bound is as
 * likely as another, which spreads those who failed together
 * (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/, "full jitter").
 */
export function backoffMs(attempt: number, policy: RetryPolicy, random: () => number): number {
  const boundMs = Math.min(policy.maxMs, policy.baseMs * 2 ** Math.max(0, attempt - 1))
  return Math.floor(random() * (boundMs + 1))
}

/**
 * How long the answer asks to be left alone (RFC 9110, 10.2.3): seconds, or a date, which is read against the
 * answer's own `Date` so that a wrong clock on either side does no harm. Undefined when it says nothing legible.
 */
export function retryAfterMs(headers: Readonly<Record<string, string>>, now: Date): number | undefined {
  const value = headers['retry-after']?.trim()
  if (!value) return undefined
  if (/^\d{1,9}$/.test(value)) return Math.min(RETRY_AFTER_MAX_MS, Number(value) * 1_000)
  const until = parseHttpDate(value)
  if (until === undefined) return undefined
  const theirNow = parseHttpDate(headers['date'] ?? '') ?? now.getTime()
  return Math.min(RETRY_AFTER_MAX_MS, Math.max(0, until - theirNow))
}

const IMF_OR_RFC850 = /^[A-Z][a-z]{2,8}, \d{2}[ -][A-Z][a-z]{2}[ -]\d{2,4} \d{2}:\d{2}:\d{2} GMT$/
const ASCTIME = /^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} \d{4}$/

/** The three forms that RFC 9110, 5.6.7 makes a recipient accept, all in UTC. */
function parseHttpDate(text: string): number | undefined {
  const utc = IMF_OR_RFC850.test(text) ? text : ASCTIME.test(text) ? `${text} GMT` : undefined
  const ms = utc === undefined ? Number.NaN : Date.parse(utc)
  return Number.isNaN(ms) ? undefined : ms
}
