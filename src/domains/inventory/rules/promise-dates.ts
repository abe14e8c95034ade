/** On which day each of those who wait for an item has what it waits for, in the order of the queue; pure. */
import type { Quantity } from '#platform/quantity.ts'

/** What comes on a day. */
export type Coming = { readonly on: string; readonly quantity: Quantity }

export type PromiseAsked = {
  /** What each waits for, the first in the queue first. */
  readonly queue: readonly Quantity[]
  readonly free: Quantity
  readonly coming: readonly Coming[]
  readonly today: string
}

/**
 * Of each the day on which all of it is there; null where what is to come does not reach it. What was to come on a day
 * that has passed is promised to nobody.
 */
export function promiseDates({ queue, free, coming, today }: PromiseAsked): (string | null)[] {
  const due = coming.filter(({ on }) => on >= today).toSorted((a, b) => (a.on < b.on ? -1 : 1))
  let there = Math.max(0, free)
  let day = today
  let next = 0
  return queue.map((quantity) => {
    while (there < quantity && next < due.length) {
      there += due[next]!.quantity
      day = due[next]!.on
      next += 1
    }
    if (there < quantity) {
      // who comes later gets nothing that an earlier one waits for
      there = 0
      return null
    }
    there -= quantity
    return day
  })
}

export type Promised = { readonly promisedOn: string | null; readonly slippedFrom: string | null }

/** What becomes of a promise that is now for another day: the first day that was broken is kept until it can be kept. */
export function moved(
  { promisedOn, slippedFrom }: Promised,
  on: string | null,
): Promised & { readonly slips: boolean } {
  const slips = promisedOn !== null && (on === null || on > promisedOn)
  const first = slippedFrom ?? (slips ? promisedOn : null)
  const isKept = first !== null && on !== null && on <= first
  return { promisedOn: on, slippedFrom: isKept ? null : first, slips }
}
