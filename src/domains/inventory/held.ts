/** What becomes of stock of a lot that is held by us, as it moves: what is on hold for us stays so, whoever tells of it; pure. */
import type { Quantity } from '#platform/quantity.ts'
import type { Books, Place } from './books.ts'
import { type Bucket, LOT_HOLD } from './contract.ts'
import { isOwn, type Owned } from './contract/owners.ts'
import { lotKey } from './rules/lots.ts'

type Moving = Place & {
  readonly from: Bucket
  readonly to: Bucket
  readonly quantity: Quantity
  readonly reason: string
  /** Our own hold or release, which is what it changes. */
  readonly isOurs?: boolean | undefined
}

/** Nothing of another owner is for sale, so we hold nothing of it. */
export const concernsSale = ({
  lot,
  from,
  to,
  ...of
}: Owned & Pick<Moving, 'lot' | 'from' | 'to'>): boolean =>
  lot !== '' && isOwn(of) && (from === 'available' || to === 'available')

/**
 * The movements that a told one is of a lot that we hold. What comes for sale goes on hold behind it. What leaves sale
 * leaves what we hold, since that is where it is for us; what its warehouse puts on hold itself is its own from then on.
 */
export function whileHeld<Change extends Moving>(
  books: Books,
  change: Change,
  held: ReadonlySet<string>,
): Change[] {
  if (change.isOurs || !concernsSale(change) || !held.has(lotKey(change))) return [change]
  const { from, to, quantity } = change
  if (to === 'available')
    return [change, { ...change, from: 'available', to: 'quality_hold', reason: LOT_HOLD, isOurs: true }]
  const mine = Math.min(quantity, books.at(change, change.lot).held)
  books.change(change, change.lot, { held: -mine })
  const parts: Change[] = to === 'quality_hold' ? [] : [{ ...change, from: 'quality_hold', quantity: mine }]
  return [...parts, { ...change, from, quantity: quantity - mine }].filter((part) => part.quantity > 0)
}

/** Counts what we hold on with a movement of ours. */
export function countHeld(books: Books, { lot, from, to, quantity, isOurs, ...place }: Moving): void {
  if (!isOurs) return
  const change = from === 'quality_hold' ? -quantity : to === 'quality_hold' ? quantity : 0
  books.change({ ...place, lot }, lot, { held: Math.max(change, -books.at({ ...place, lot }, lot).held) })
}

/** How much of what left of a lot we held: what there was for sale of it left first, what its warehouse holds stays. */
export function leftFromHold(books: Books, place: Place, quantity: Quantity): Quantity {
  if (place.lot === '') return 0
  const { available, held } = books.at(place, place.lot)
  return Math.max(0, Math.min(quantity - Math.max(0, available), held))
}

/** Claims that ended had more than there is since their stock was put on hold: that much was for sale in name only. */
export function endsInName(books: Books, place: Place, quantity: Quantity): Quantity {
  const { available, reserved, unreconciled } = books.at(place, '')
  return Math.max(0, Math.min(quantity, -unreconciled, available - reserved))
}

/** A source counts what it holds itself; the rest of what is on hold is held by us. */
export function holdRest(books: Books, place: Place, theirs: Quantity): void {
  const { qualityHold, held } = books.at(place, place.lot)
  books.change(place, place.lot, { held: Math.max(0, qualityHold - Math.max(0, theirs)) - held })
}
