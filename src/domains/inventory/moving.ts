/** What moves from one bucket to another, taken from where it was; pure. */
import type { Quantity } from '#platform/quantity.ts'
import { type Books, bucketChange } from './books.ts'
import type { Bucket, Movement } from './contract.ts'
import { countHeld } from './held.ts'

export type Moving = Omit<Movement, 'doc'> & {
  readonly doc?: number | undefined
  /** Our own hold of a lot, or its end. */
  readonly isOurs?: boolean | undefined
  /** A system of that place tells it, so that whatever counts the place later knows it too. */
  readonly isTold?: boolean | undefined
  /** The first moment at which it can have happened, where that is earlier than when it counts from. */
  readonly since?: Date | undefined
}

type Moved = {
  readonly movements: readonly Movement[]
  /** What its bucket could not give. */
  readonly missing: Quantity
}

export function moveBetween(books: Books, change: Moving): Moved {
  const covered = books.cover(change, '')
  const missing = change.quantity - covered
  books.change(change, '', {
    ...bucketChange(change.from, -covered),
    ...bucketChange(change.to, change.quantity),
  })
  if (missing > 0) books.change(change, '', { unreconciled: -missing })
  if (change.lot) books.moveInLot(change)
  countHeld(books, change)
  const moved = (from: Bucket, quantity: Quantity): Movement[] =>
    quantity > 0 && from !== change.to ? [{ ...change, from, quantity, doc: change.doc ?? null }] : []
  return { movements: [...moved(change.from, covered), ...moved('unreconciled', missing)], missing }
}
