/** How stock is shared out; pure. */
import type { Quantity } from '#platform/quantity.ts'
import type { Allocation } from './contract.ts'

/** Free quantity by item and location, counted down as it is given away. */
export type FreeStock = Map<string, Quantity>

export const stockKey = (itemId: number, location: string): string => `${itemId} ${location}`

export type WantedLine = { readonly itemId: number; readonly quantity: Quantity }

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
  const left = new Map<number, Quantity>()
  return lines.filter(({ itemId, quantity }) => {
    const have = left.get(itemId) ?? freeOf(free, itemId, locations)
    left.set(itemId, have < quantity ? have : have - quantity)
    return have >= quantity
  })
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

function take(free: FreeStock, { itemId, quantity }: WantedLine, locations: readonly string[]): Allocation[] {
  const allocations: Allocation[] = []
  let missing = quantity
  for (const location of locations) {
    const key = stockKey(itemId, location)
    const taken = Math.min(missing, free.get(key) ?? 0)
    if (taken <= 0) continue
    free.set(key, free.get(key)! - taken)
    allocations.push({ location, quantity: taken })
    missing -= taken
    if (missing === 0) break
  }
  return allocations
}

/** Sets aside what those who came before will take, from the locations that they would be given it from. */
export function setAside(
  free: FreeStock,
  waiting: readonly WantedLine[],
  locations: readonly string[],
): void {
  for (const line of waiting) take(free, line, locations)
}
