/** How much of what lots can give may be claimed by who wants them to live for so many days; pure. */
import type { Quantity } from '#platform/quantity.ts'
import { stockKey } from '../rules.ts'

type At = { readonly itemId: number; readonly location: string; readonly quantity: Quantity }

/** What is there of a lot and named to no warehouse, with the days until it expires. */
export type LivingLot = At & { readonly days: number }
/** A claim that only lots serve which live for at least so many days. */
export type ClaimOnLife = LivingLot

/** Quantities by the days that they have, or are to have. */
type ByDays = Map<number, Quantity>
type Place = { readonly lots: ByDays; readonly claims: ByDays }

/**
 * Whoever wants a longer life can use fewer lots, all of which serve who wants a shorter one. So claims can be served
 * together exactly when for each number of days those that want so many or more are no more than the lots that have
 * them; who wants none takes what expires first of the rest.
 */
export class ShelfLives {
  readonly #places = new Map<string, Place>()

  constructor(lots: readonly LivingLot[], claims: readonly ClaimOnLife[]) {
    for (const lot of lots) this.receive(lot)
    for (const claim of claims) this.claim(claim)
  }

  /** How much more who wants so many days can claim there; whoever has claimed before keeps his. */
  at(itemId: number, location: string, days: number): Quantity {
    const place = this.#places.get(stockKey(itemId, location))
    if (!place) return 0
    const { lots, claims } = place
    const shorter = [...claims.keys()].filter((other) => other < days)
    const left = [days, ...shorter].map((limit) => living(lots, limit) - living(claims, limit))
    return Math.max(0, Math.min(...left))
  }

  /** Below zero it is claimed no more. */
  claim(claim: ClaimOnLife): void {
    add(this.#place(claim).claims, claim)
  }

  receive(lot: LivingLot): void {
    add(this.#place(lot).lots, lot)
  }

  /** Another that is counted down by itself. */
  copy(): ShelfLives {
    return this.#copyOf(this.#places.keys())
  }

  /** The same of one item alone. */
  of(itemId: number, locations: readonly string[]): ShelfLives {
    return this.#copyOf(locations.map((location) => stockKey(itemId, location)))
  }

  #copyOf(keys: Iterable<string>): ShelfLives {
    const copy = new ShelfLives([], [])
    for (const key of keys) {
      const place = this.#places.get(key)
      if (place) copy.#places.set(key, { lots: new Map(place.lots), claims: new Map(place.claims) })
    }
    return copy
  }

  #place({ itemId, location }: Omit<At, 'quantity'>): Place {
    const key = stockKey(itemId, location)
    const place = this.#places.get(key) ?? { lots: new Map(), claims: new Map() }
    this.#places.set(key, place)
    return place
  }
}

const add = (some: ByDays, { days, quantity }: LivingLot): unknown =>
  some.set(days, (some.get(days) ?? 0) + quantity)

function living(some: ByDays, days: number): Quantity {
  let sum = 0
  for (const [has, quantity] of some) if (has >= days) sum += quantity
  return sum
}
