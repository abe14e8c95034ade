/** How much of what lots can give may be claimed by who wants them to live for so many days; pure. */
import type { Quantity } from '#platform/quantity.ts'
import { stockKey } from '../rules.ts'

type At = { readonly itemId: number; readonly location: string; readonly quantity: Quantity }

/** What is there of a lot and named to no warehouse, with the days until it expires. */
export type LivingLot = At & { readonly days: number }
/** A claim that only lots serve which live for at least so many days. */
export type ClaimOnLife = LivingLot

type Place = { readonly lots: LivingLot[]; readonly claims: ClaimOnLife[] }

/**
 * Whoever wants a longer life can use fewer lots, all of which serve who wants a shorter one. So claims can be served
 * together exactly when for each number of days those that want so many or more are no more than the lots that have
 * them; who wants none takes what expires first of the rest.
 */
export class ShelfLives {
  readonly #places: Map<string, Place>

  constructor(lots: readonly LivingLot[], claims: readonly ClaimOnLife[]) {
    const claimsAt = Map.groupBy(claims, keyOf)
    this.#places = new Map(
      [...Map.groupBy(lots, keyOf)].map(([key, here]) => [
        key,
        { lots: [...here], claims: [...(claimsAt.get(key) ?? [])] },
      ]),
    )
  }

  /** How much more who wants so many days can claim there; whoever has claimed before keeps his. */
  at(itemId: number, location: string, days: number): Quantity {
    const place = this.#places.get(stockKey(itemId, location))
    if (!place) return 0
    const shorter = place.claims.map((claim) => claim.days).filter((other) => other < days)
    const left = [days, ...new Set(shorter)].map(
      (limit) => living(place.lots, limit) - living(place.claims, limit),
    )
    return Math.max(0, Math.min(...left))
  }

  claim(claim: ClaimOnLife): void {
    if (claim.quantity !== 0) this.#places.get(keyOf(claim))?.claims.push(claim)
  }

  receive(lot: LivingLot): void {
    const place = this.#places.get(keyOf(lot)) ?? { lots: [], claims: [] }
    place.lots.push(lot)
    this.#places.set(keyOf(lot), place)
  }

  /** Another that is counted down by itself. */
  copy(): ShelfLives {
    const places = [...this.#places.values()]
    return new ShelfLives(
      places.flatMap(({ lots }) => lots),
      places.flatMap(({ claims }) => claims),
    )
  }
}

const keyOf = ({ itemId, location }: At): string => stockKey(itemId, location)

const living = (some: readonly LivingLot[], days: number): Quantity =>
  some.reduce((sum, one) => (one.days >= days ? sum + one.quantity : sum), 0)
