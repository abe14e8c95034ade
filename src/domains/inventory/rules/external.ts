/** How much of what other systems sold is claimed of our stock: what is free, first read first served, until it leaves; pure. */
import type { Quantity } from '#platform/quantity.ts'
import type { ExternalReservation } from '../contract/external.ts'
import { stockKey } from '../rules.ts'

export type Place = { readonly itemId: number; readonly location: string }

/** What a line wants now, and what it claimed where before. */
export type Want = Place & {
  readonly wanted: Quantity
  readonly before: (Place & { readonly claimed: Quantity }) | undefined
}

const isHere = (a: Place, b: Place): boolean => a.itemId === b.itemId && a.location === b.location

/** What each of them claims from now on, in their order. What some give up, others can have; no claim of another is touched. */
export function sharedOut(wants: readonly Want[], free: ReadonlyMap<string, Quantity>): Quantity[] {
  const left = new Map(free)
  const keyOf = ({ itemId, location }: Place): string => stockKey(itemId, location)
  const kept = wants.map(({ before, wanted, ...place }) => {
    if (!before) return 0
    const stays = isHere(before, place) ? Math.min(before.claimed, wanted) : 0
    const key = keyOf(before)
    left.set(key, (left.get(key) ?? 0) + before.claimed - stays)
    return stays
  })
  return wants.map(({ wanted, ...place }, at) => {
    const key = keyOf(place)
    const there = left.get(key) ?? 0
    const more = Math.max(0, Math.min(wanted - kept[at]!, there))
    left.set(key, there - more)
    return kept[at]! + more
  })
}

type Leaving = Pick<ExternalReservation, 'ordered' | 'gone' | 'wanted' | 'claimed'>

/** A line of which so much has left in all; less than was known before changes nothing. What leaves takes its own claim along. */
export function afterLeaving<Line extends Leaving>(line: Line, left: Quantity): Line {
  const gone = Math.max(line.gone, left)
  const wanted = stillWanted(line.ordered, gone)
  const claimed = Math.min(wanted, Math.max(0, line.claimed - (gone - line.gone)))
  return { ...line, gone, wanted, claimed }
}

/** A movement may be told before the reading that says what was ordered. */
export const stillWanted = (ordered: Quantity, gone: Quantity): Quantity => Math.max(0, ordered - gone)
