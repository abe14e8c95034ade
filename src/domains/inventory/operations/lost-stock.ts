/** Claims whose stock a lot that is held takes away: how much that is, and what becomes of those that come back from a warehouse. */
import type { Transaction } from '#platform/database.ts'
import type { Quantity } from '#platform/quantity.ts'
import type { Books, Place } from '../books.ts'
import type { Movement } from '../contract.ts'
import { endsInName } from '../held.ts'
import { lockBooks, stockKey, writeBooks } from '../operations.ts'
import { claimsLost, claimsTooLong, type ClaimToLose } from '../rules/lots.ts'
import { insertMovements } from '../store.ts'
import { type LotKey, placesOfItem, placesOfLot } from '../store/lots.ts'

export type { ClaimToLose }
export const whoLoses = claimsLost
export const whoLivesTooShort = claimsTooLong
export const placesWithLot = placesOfLot

/** By `stockKey`, how much of what is claimed at each place has no stock once the lot is on hold there; locks the item. */
export async function shortWithoutLot(
  tx: Transaction,
  lot: LotKey,
  locations: readonly string[],
): Promise<ReadonlyMap<string, Quantity>> {
  const all = await placesOfItem(tx, lot.itemId, lot.company)
  const books = await lockBooks(
    tx,
    all.map((location) => ({ ...lot, location })),
  )
  return new Map(
    locations.map((location) => {
      const place = { ...lot, location }
      const whole = books.at(place, '')
      const free = Math.max(0, whole.available - whole.reserved)
      return [
        stockKey(place.itemId, place.location),
        Math.max(0, books.at(place, place.lot).available - free),
      ]
    }),
  )
}

export type ClaimBack = ClaimToLose & { readonly company: string }
type Act = Pick<Movement, 'source' | 'sourceKey' | 'at'>

/**
 * Of claims that come back from warehouses, those are given up here that lots on hold have taken the stock from; answers
 * them. What they had was there in name only.
 */
export async function giveUpLost<Claim extends ClaimBack>(
  tx: Transaction,
  claims: readonly Claim[],
  act: Act,
): Promise<Claim[]> {
  if (claims.length === 0) return []
  const places = claims.map((claim): Place => ({ ...claim, lot: '' }))
  const books = await lockBooks(tx, places)
  const short = new Map(places.map((place) => [stockKey(place.itemId, place.location), lostAt(books, place)]))
  const lost = claimsLost(claims, short)
  if (lost.length === 0) return []
  const movements = lost.flatMap((claim): Movement[] => {
    const place = { ...claim, lot: '' }
    books.change(place, '', { reserved: -claim.quantity })
    const quantity = endsInName(books, place, claim.quantity)
    books.change(place, '', { available: -quantity, unreconciled: quantity })
    const { company, itemId, location, doc } = claim
    const moved = { company, itemId, location, lot: '', doc, quantity, reason: 'claims ended', ...act }
    return quantity > 0 ? [{ ...moved, from: 'available', to: 'unreconciled' }] : []
  })
  writeBooks(tx, books)
  insertMovements(tx, movements)
  return lost
}

/** What is claimed beyond what there is, as far as it is what we hold. */
function lostAt(books: Books, place: Place): Quantity {
  const { available, reserved, unreconciled } = books.at(place, '')
  const held = books.lotsAt(place).reduce((sum, lot) => sum + books.at(place, lot).held, 0)
  return Math.min(held, Math.max(0, reserved - available - Math.min(0, unreconciled)))
}
