/** The house in seven figures: how the orders of the last day fare, what waits for somebody, and how fast it goes. */
import type { Clock } from '#platform/clock.ts'
import type { Queries } from '#platform/database.ts'
import { countOpenExceptions } from '#platform/exceptions-views.ts'
import { countInvoiced, lastPostedInvoices } from '#domains/billing/views.ts'
import { countWaiting } from '#domains/inventory/views.ts'
import { acceptedTimes, countAccepted, countHeld } from '#domains/orders/views.ts'
import { countShipped } from '#domains/shipments/views.ts'

export type Summary = {
  /** Of the last 24 hours; `shipped` and `invoiced` are of these orders. */
  readonly accepted: number
  readonly shipped: number
  readonly invoiced: number
  /** Now, however old. */
  readonly held: number
  readonly backordered: number
  readonly exceptions: number
  /** Accepted to posted invoice, of the newest invoices; undefined while there is none. */
  readonly p95Ms: number | undefined
}

const WINDOW_MS = 24 * 3_600_000
const SAMPLE = 500
/** Counting is shared by everybody who looks within this time. */
const FRESH_MS = 1_000
/** And within so many times as long as it took. */
const REST = 10

export async function summarize(queries: Queries, now: Date): Promise<Summary> {
  const [{ accepted, firstId }, held, backordered, exceptions, p95Ms] = await Promise.all([
    countAccepted(queries, new Date(now.getTime() - WINDOW_MS)),
    countHeld(queries),
    countWaiting(queries),
    countOpenExceptions(queries),
    slowest(queries),
  ])
  const from = firstId ?? Number.MAX_SAFE_INTEGER
  const [shipped, invoiced] = await Promise.all([countShipped(queries, from), countInvoiced(queries, from)])
  return { accepted, shipped, invoiced, held, backordered, exceptions, p95Ms }
}

/** The 95th percentile; the ERP's clock may run behind ours, so no duration is below zero. */
async function slowest(queries: Queries): Promise<number | undefined> {
  const posted = await lastPostedInvoices(queries, SAMPLE)
  const accepted = await acceptedTimes(queries, [...new Set(posted.map((invoice) => invoice.orderId))])
  const durations = posted
    .flatMap(({ orderId, postedAt }) => {
      const at = accepted.get(orderId)
      return at ? [Math.max(0, postedAt.getTime() - at.getTime())] : []
    })
    .toSorted((a, b) => a - b)
  return durations[Math.ceil(durations.length * 0.95) - 1]
}

/**
 * A summary at most a second old, in a house where counting takes long ten times as old as that: one count at a time,
 * and most of the time none.
 */
export function createSummary(queries: Queries, clock: Clock): () => Promise<Summary> {
  let counted: Promise<Summary> | undefined
  let freshUntilMs = 0

  async function count(): Promise<Summary> {
    const begunMs = clock.monotonicMs()
    freshUntilMs = Number.POSITIVE_INFINITY
    try {
      const summary = await summarize(queries, clock.now())
      const tookMs = clock.monotonicMs() - begunMs
      freshUntilMs = clock.monotonicMs() + Math.max(FRESH_MS, REST * tookMs)
      return summary
    } catch (error) {
      counted = undefined
      throw error
    }
  }

  return () => {
    if (!counted || clock.monotonicMs() >= freshUntilMs) counted = count()
    return counted
  }
}
