/** The policy of one system instance: how long, how often, how many and when it may be called. */
import { z } from 'zod'
import { BreakerPolicy } from './breaker.ts'
import { Maintenance } from './policies-maintenance.ts'
import { RetryPolicy } from './retry.ts'

export const Policy = z.strictObject({
  /** For one call, from asking for a connection to the last byte of the answer. */
  timeoutMs: z.int().min(1).max(600_000).default(10_000),
  /** Effects in one call, where the connector takes batches; the smaller of this and the connector's own limit. */
  batchMax: z.int().min(1).max(10_000).default(50),
  /** Calls at once from one process. */
  concurrencyPerProcess: z.int().min(1).max(1_000).default(16),
  /** Calls at once from all processes together, for systems that serve few. Costs a transaction or more a second. */
  concurrency: z.int().min(1).max(10_000).optional(),
  /** Calls a second from all processes together. Costs one transaction a second, ten a process when it is used up. */
  rate: z
    .strictObject({
      perSecond: z.number().gt(0).max(100_000),
      /** Calls that a quiet time saves up: a second's worth unless given, a tenth of a second's worth at least. */
      burst: z.int().min(1).max(100_000).optional(),
    })
    .optional(),
  /** How long all workers leave the system alone after a 429 that names no time. */
  throttledMs: z.int().min(1).max(3_600_000).default(5_000),
  retry: RetryPolicy.prefault({}),
  breaker: BreakerPolicy.prefault({}),
  maintenance: Maintenance.optional(),
})
export type Policy = z.infer<typeof Policy>

/** Why a system is not called now. */
export type ClosedReason = 'paused' | 'maintenance' | 'breaker_open' | 'concurrency' | 'rate'

/** Not now, and until when by the monotonic clock it is not worth asking again. */
export type NotNow = { readonly reason: ClosedReason; readonly detail: string; readonly untilMs: number }

/** A policy at work in this process, for screens, the command line and metrics. */
export type PolicyView = {
  readonly instance: string
  readonly policy: Policy
  /** Undefined while calls may start. */
  readonly closed:
    | { readonly reason: ClosedReason; readonly detail: string; readonly until: Date }
    | undefined
  readonly breaker: 'closed' | 'open' | 'half_open'
  readonly callsUnderWay: number
  /** What this process holds of what all share; undefined where the policy shares nothing. */
  readonly slots: number | undefined
  readonly tokens: number | undefined
  /** How much later than their backoff retries come, since the retry budget is spent. */
  readonly retryDelayMs: number
}
