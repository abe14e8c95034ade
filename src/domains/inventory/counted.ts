/** What left a place before a snapshot counted it: the count is without it, so that only its claim ends; pure. */
import type { Quantity } from '#platform/quantity.ts'
import type { Books, Place } from './books.ts'
import type { Bucket, Movement } from './contract.ts'
import { settled } from './rules/counting.ts'
import { isContained } from './rules/feeds.ts'

type Fact = Place & Pick<Movement, 'source' | 'at' | 'mark'>

type Leaving = Fact &
  Pick<Movement, 'sourceKey' | 'doc'> & {
    readonly quantity: Quantity
    readonly claimEnds: Quantity
  }

/** Whether the last snapshot of its source contains it. */
export function isCounted(books: Books, { source, mark, at, ...place }: Fact): boolean {
  const { countedBy, countedMark = null, countedAt = null } = books.at(place, '')
  return countedBy === source && isContained({ mark, at }, { mark: countedMark, at: countedAt })
}

/** Whether another source has counted the place since: it knows what happened there, whoever tells of it. */
export function isCountedByAnother(books: Books, { source, at, ...place }: Fact): boolean {
  const { countedBy, countedAt = null } = books.at(place, '')
  return countedBy !== source && countedAt !== null && at <= countedAt
}

/** As it was told, and taken back: the snapshot's correction was it. */
export const bookedBefore = (movement: Movement): Movement[] => [
  movement,
  { ...movement, from: movement.to, to: movement.from, reason: 'counted before' },
]

/**
 * The ledger says that it left and that the snapshot's correction was it. What the place has stays what was counted; as
 * far as claims had more than that, the claim that ends gives it back.
 */
export function leaveCounted(books: Books, leaving: Leaving): Movement[] {
  const { company, itemId, location, lot, source, sourceKey, doc, at, mark, quantity, claimEnds } = leaving
  const before = books.at(leaving, '')
  const there = before.available + before.unreconciled
  const doubt = Math.max(0, before.unreconciled)
  const after = settled(there, { doubt, reserved: before.reserved - claimEnds })
  const explained = before.available - after.available
  books.change(leaving, '', { available: -explained, reserved: -claimEnds, unreconciled: explained })
  const common = { company, itemId, location, source, sourceKey, doc, at, mark }
  const moved = (
    from: Bucket,
    to: Bucket,
    part: Quantity,
    more: Pick<Movement, 'lot' | 'reason'>,
  ): Movement[] => (part > 0 ? [{ ...common, ...more, from, to, quantity: part }] : [])
  return [
    ...moved('available', 'shipped', quantity, { lot, reason: 'ship' }),
    ...moved('adjustment', 'available', quantity, { lot, reason: 'counted before' }),
    ...moved('available', 'unreconciled', explained, { lot: '', reason: 'counted before' }),
    ...moved('unreconciled', 'available', -explained, { lot: '', reason: 'counted before' }),
  ]
}
