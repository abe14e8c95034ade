/** How stock is shared out; pure. */
import type { Quantity } from '#platform/quantity.ts'
import type { Allocation } from './contract.ts'
import { type Owned, ownerOf } from './contract/owners.ts'

/** Free quantity by item and location, counted down as it is given away. */
export type FreeStock = Map<string, Quantity>

export const stockKey = (itemId: number, location: string): string => `${itemId} ${location}`

/** Of what one owner has of an item at a location. */
export const ownedKey = (place: Owned & { readonly itemId: number; readonly location: string }): string =>
  `${ownerOf(place)} ${stockKey(place.itemId, place.location)}`

export type WantedLine = {
  readonly itemId: number
  readonly quantity: Quantity
  /** Whole ones of this alone are taken from one place, unless that is all that is missing; any quantity when absent. */
  readonly part?: Quantity | undefined
  /** For how long what is shipped of it must live; any lot will do when absent. */
  readonly minimumShelfLifeDays?: number | null | undefined
}

/**
 * Gives an order what there is: from one location when one can serve it whole, else line by line in the order of
 * preference. Counts `free` down, so that demand for one item inside a list is seen together.
 */
export function allocate(
  free: FreeStock,
  lines: readonly WantedLine[],
  locations: readonly string[],
): readonly (readonly Allocation[])[] {
  const whole = locations.find((location) => servesWhole(free, lines, location))
  const order = whole === undefined ? locations : [whole]
  return lines.map((line) => take(free, line, order))
}

/** The lines that can be given all they want, whatever a location owes; demand for one item in the list is seen together. */
export function coverable<Line extends WantedLine>(
  free: FreeStock,
  lines: readonly Line[],
  locations: readonly string[],
): Line[] {
  const left: FreeStock = new Map()
  for (const { itemId } of lines) {
    for (const key of locations.map((location) => stockKey(itemId, location)))
      left.set(key, free.get(key) ?? 0)
  }
  return lines.filter((line) => {
    const taken = take(left, line, locations)
    if (taken.reduce((sum, { quantity }) => sum + quantity, 0) === line.quantity) return true
    for (const { location, quantity } of taken) {
      const key = stockKey(line.itemId, location)
      left.set(key, left.get(key)! + quantity)
    }
    return false
  })
}

/**
 * How much of a line is taken at each place of what is there, in their order: whole parts, or all that is missing. What
 * is less than a part is the last to be taken, from the first place that has it.
 */
export function partsOf(there: readonly Quantity[], quantity: Quantity, part: Quantity = 1): Quantity[] {
  let missing = quantity
  const taken = there.map((here) => {
    const some = here >= missing ? missing : here - (here % part)
    missing -= some
    return some
  })
  const last = missing > 0 ? there.findIndex((here, at) => here - taken[at]! >= missing) : -1
  if (last >= 0) taken[last]! += missing
  return taken
}

/** How much of an item these locations can give; what one of them owes takes nothing from the others. */
export const freeOf = (free: FreeStock, itemId: number, locations: readonly string[]): Quantity =>
  locations.reduce((sum, location) => sum + Math.max(0, free.get(stockKey(itemId, location)) ?? 0), 0)

function servesWhole(free: FreeStock, lines: readonly WantedLine[], location: string): boolean {
  const wanted = new Map<number, Quantity>()
  for (const { itemId, quantity } of lines) wanted.set(itemId, (wanted.get(itemId) ?? 0) + quantity)
  for (const [itemId, quantity] of wanted) {
    if ((free.get(stockKey(itemId, location)) ?? 0) < quantity) return false
  }
  return true
}

function take(
  free: FreeStock,
  { itemId, quantity, part }: WantedLine,
  locations: readonly string[],
): Allocation[] {
  const there = locations.map((location) => Math.max(0, free.get(stockKey(itemId, location)) ?? 0))
  return partsOf(there, quantity, part).flatMap((taken, at) => {
    if (taken === 0) return []
    const location = locations[at]!
    free.set(stockKey(itemId, location), there[at]! - taken)
    return [{ location, quantity: taken }]
  })
}

/** What those who came before will take, from the locations that they would be given it from; counts `free` down. */
export const setAside = (
  free: FreeStock,
  waiting: readonly WantedLine[],
  locations: readonly string[],
): Allocation[][] => waiting.map((line) => take(free, line, locations))
