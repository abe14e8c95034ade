/** What a snapshot makes of a position: the count, what moved after it, and the claims that it must not erase; pure. */
import type { Quantity } from '#platform/quantity.ts'
import type { Count, Statuses } from '../contract/feeds.ts'

/** Buckets of a position that a count knows, with what is in doubt. */
export type Held = Statuses & { readonly unreconciled: Quantity; readonly reserved: Quantity }

/** What moved in and out of each bucket after the snapshot was taken. */
export type Later = Statuses & { readonly unreconciled: Quantity }

export type Correction = Statuses & { readonly unreconciled: Quantity }

export const NOTHING = { available: 0, qualityHold: 0, damaged: 0 } as const
export const NOTHING_LATER: Later = { ...NOTHING, unreconciled: 0 }

export const inAll = ({ lots }: Pick<Count, 'lots'>): Statuses => [...lots.values()].reduce(plus, NOTHING)

const plus = (a: Statuses, b: Statuses): Statuses => ({
  available: a.available + b.available,
  qualityHold: a.qualityHold + b.qualityHold,
  damaged: a.damaged + b.damaged,
})

/** The books as they were when the snapshot was taken; what is in doubt is part of what should be there. */
export const asOf = (held: Held, later: Later): Statuses => ({
  available: held.available + held.unreconciled - later.available - later.unreconciled,
  qualityHold: held.qualityHold - later.qualityHold,
  damaged: held.damaged - later.damaged,
})

export const agrees = (a: Statuses, b: Statuses): boolean =>
  a.available === b.available && a.qualityHold === b.qualityHold && a.damaged === b.damaged

/**
 * What there is for sale when so much is there: claims stay covered, what is in doubt is not sold, and what claims have
 * beyond what is there is unreconciled.
 */
export function settled(
  there: Quantity,
  { doubt, reserved }: { readonly doubt: Quantity; readonly reserved: Quantity },
): { readonly available: Quantity; readonly unreconciled: Quantity } {
  const available = Math.max(there - doubt, reserved)
  return { available, unreconciled: there - available }
}

/** What is to be added to each bucket. The count explains what was in doubt before it; what came in doubt later stays so. */
export function correctionOf(held: Held, counted: Statuses, later: Later): Correction {
  const hold = counted.qualityHold + later.qualityHold
  const damaged = counted.damaged + later.damaged
  // what left a bucket that did not have it was there for sale
  const owed = Math.min(0, hold) + Math.min(0, damaged)
  const there = counted.available + later.available + later.unreconciled + owed
  const after = settled(there, { doubt: Math.max(0, later.unreconciled), reserved: held.reserved })
  return {
    available: after.available - held.available,
    unreconciled: after.unreconciled - held.unreconciled,
    qualityHold: Math.max(0, hold) - held.qualityHold,
    damaged: Math.max(0, damaged) - held.damaged,
  }
}
