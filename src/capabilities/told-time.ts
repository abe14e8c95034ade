/** When what is told of stock happened: not later than now, as far as the clocks of others may be off. */
import { Refusal } from '#platform/faults.ts'

/** As much as the time in a signature may be off unless a connector says otherwise. */
const AHEAD_MS = 300_000

/**
 * Why it cannot have happened then; undefined where it can. A word that is taken with such a time is the latest of its
 * source until then: all that happens meanwhile would count as old.
 */
export function notYet(at: Date, now: Date): Refusal | undefined {
  if (at.getTime() <= now.getTime() + AHEAD_MS) return undefined
  const message = `${at.toISOString()} has not come yet: here it is ${now.toISOString()}`
  return new Refusal('inventory.time_ahead', message)
}
