/** What left a place, taken from where it was; pure. */
import type { Quantity } from '#platform/quantity.ts'
import type { Books, Place } from './books.ts'
import type { Bucket, Movement } from './contract.ts'
import { endsInName, leftFromHold } from './held.ts'

type Leaving = Place &
  Omit<Movement, 'from' | 'to' | 'reason'> & { readonly claimEnds: Quantity; readonly short: Quantity }

type Left = {
  readonly movements: readonly Movement[]
  /** What the books could not cover. */
  readonly missing: Quantity
}

/** Of a lot what is for sale leaves first, then what is on hold; nobody else's claim is touched. */
export function leave(books: Books, leaving: Leaving): Left {
  const { quantity, claimEnds, short } = leaving
  const held = leftFromHold(books, leaving, quantity)
  const rest = quantity - held
  const whole = books.at(leaving, '')
  const covered = Math.max(0, Math.min(rest, whole.available - (whole.reserved - claimEnds)))
  books.change(leaving, '', {
    available: -covered - short,
    reserved: -claimEnds,
    qualityHold: -held,
    unreconciled: covered - rest + short,
  })
  const inName = endsInName(books, leaving, held)
  books.change(leaving, '', { available: -inName, unreconciled: inName })
  if (leaving.lot) books.takeFromLot(leaving, { quantity, held })
  const missing = rest - covered
  return { movements: movementsOf(leaving, { covered, held, inName, missing }), missing }
}

function movementsOf(
  leaving: Leaving,
  { covered, held, inName, missing }: Readonly<Record<'covered' | 'held' | 'inName' | 'missing', Quantity>>,
): Movement[] {
  const { claimEnds: _, short, quantity: __, ...rest } = leaving
  const moved = (from: Bucket, to: Bucket, quantity: Quantity, reason: string): Movement[] =>
    quantity > 0 ? [{ ...rest, from, to, quantity, reason }] : []
  return [
    ...moved('available', 'shipped', covered, 'ship'),
    ...moved('quality_hold', 'shipped', held, 'ship'),
    ...moved('unreconciled', 'shipped', missing, 'ship'),
    ...moved('available', 'unreconciled', short, 'short'),
    ...moved('available', 'unreconciled', inName, 'claims ended').map((one) => ({ ...one, lot: '' })),
  ]
}
