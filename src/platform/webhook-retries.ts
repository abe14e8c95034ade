/** When a webhook is tried again: the schedule of Standard Webhooks 1.0.0, and what the receiver asks for. */

const SECOND_MS = 1_000
const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000

/** Between one attempt and the next; the first is made at once. */
const DELAYS_MS = [
  5 * SECOND_MS,
  5 * MINUTE_MS,
  30 * MINUTE_MS,
  2 * HOUR_MS,
  5 * HOUR_MS,
  10 * HOUR_MS,
  14 * HOUR_MS,
  20 * HOUR_MS,
  24 * HOUR_MS,
] as const
/** No later, so that those who were away together do not come back together. */
const JITTER = 0.1
/** A receiver that is back is noticed within this time. */
const PAUSE_MAX_MS = 5 * MINUTE_MS

export type Plan = {
  /** Failed so far. */
  readonly attempts: number
  readonly retryAfterMs?: number | undefined
  readonly random: () => number
}

/** Undefined after the tenth attempt. */
export function afterFailure({ attempts, retryAfterMs = 0, random }: Plan): number | undefined {
  const delayMs = DELAYS_MS[attempts - 1]
  return delayMs === undefined ? undefined : Math.max(retryAfterMs, delayMs * (1 + JITTER * random()))
}

/** How long a receiver that is away is left alone altogether. */
export const pauseMs = (plan: Plan): number =>
  Math.max(plan.retryAfterMs ?? 0, Math.min(PAUSE_MAX_MS, afterFailure(plan) ?? PAUSE_MAX_MS))
