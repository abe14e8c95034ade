/**
 * Releases from hold that are told before their hold: what is let go was held before, so the hold that is told later, of
 * the same goods and of an earlier time, is over as far as they went; pure.
 */
import type { Quantity } from '#platform/quantity.ts'
import { type Books, type Place, placeKey } from './books.ts'
import { type Bucket, type Movement, RELEASED_AHEAD } from './contract.ts'
import { isOwn } from './contract/owners.ts'
import type { Moving } from './moving.ts'
import { lotKey } from './rules/lots.ts'
import type { ReleaseAhead } from './store/released-ahead.ts'

const isToldBetween = ({ isTold, isOurs, ...moved }: Moving, from: Bucket, to: Bucket): boolean =>
  isTold === true && !isOurs && moved.from === from && moved.to === to
const isHold = (change: Moving): boolean => isToldBetween(change, 'available', 'quality_hold')
const isRelease = (change: Moving): boolean => isToldBetween(change, 'quality_hold', 'available')

export const concernsHold = (change: Moving): boolean => isHold(change) || isRelease(change)

export class ReleasedAhead {
  readonly #rows: Map<string, ReleaseAhead>
  readonly #changed = new Set<string>()

  constructor(rows: readonly ReleaseAhead[]) {
    this.#rows = new Map(rows.map((row) => [keyOf(row), row]))
  }

  /** What a release lets go beyond what its warehouse holds; what of the lot we hold ourselves is not its to let go. */
  note(books: Books, change: Moving, held: ReadonlySet<string>): Quantity {
    if (!isRelease(change)) return 0
    const { quantity, lot } = change
    const isOurs = lot !== '' && isOwn(change) && held.has(lotKey(change))
    const row = books.at(change, isOurs ? lot : '')
    const beyond = Math.max(0, quantity - Math.max(0, row.qualityHold - row.held))
    const before = this.#rows.get(keyOf(change))
    if (beyond > 0) this.#set({ ...(before ?? change), quantity: (before?.quantity ?? 0) + beyond })
    return isOurs ? 0 : beyond
  }

  /** How much of a hold was let go before it was told; counts down. What was counted since is no doubt any more. */
  take(books: Books, change: Moving): Quantity {
    if (!isHold(change)) return 0
    const { countedAt = null } = books.at(change, '')
    let left = change.quantity
    for (const row of this.#rows.values()) {
      if (placeKey(row, row.lot) !== placeKey(change, change.lot) || row.company !== change.company) continue
      if (row.at < (change.since ?? change.at) || (countedAt !== null && row.at <= countedAt)) continue
      const some = Math.min(left, row.quantity)
      if (some > 0) this.#set({ ...row, quantity: row.quantity - some })
      left -= some
    }
    return change.quantity - left
  }

  #set({ company, itemId, location, lot, owner, at, quantity }: ReleaseAhead): void {
    const row = { company, itemId, location, lot, owner, at, quantity }
    this.#rows.set(keyOf(row), row)
    this.#changed.add(keyOf(row))
  }

  get changed(): ReleaseAhead[] {
    return [...this.#changed].map((key) => this.#rows.get(key)!)
  }
}

const keyOf = ({ at, ...place }: Place & Pick<Moving, 'at'>): string =>
  `${place.company} ${placeKey(place, place.lot)} ${at.getTime()}`

/** The hold was told with its end: what its release has put in doubt is explained, and nothing is on hold of it. */
export function holdAndRelease(books: Books, change: Moving, quantity: Quantity): Movement[] {
  const explained = explainedOf(books, change, '', quantity)
  for (const lot of change.lot ? ['', change.lot] : ['']) {
    const some = explainedOf(books, change, lot, quantity)
    books.change(change, lot, { available: -some, unreconciled: some })
  }
  const movement = { ...change, doc: change.doc ?? null }
  const ended = (to: Bucket, part: Quantity): Movement[] =>
    part > 0 ? [{ ...movement, from: 'quality_hold', to, quantity: part, reason: RELEASED_AHEAD }] : []
  return [
    { ...movement, quantity },
    ...ended('unreconciled', explained),
    ...ended('available', quantity - explained),
  ]
}

function explainedOf(books: Books, place: Place, lot: string, quantity: Quantity): Quantity {
  const { available, reserved, unreconciled } = books.at(place, lot)
  return Math.max(0, Math.min(quantity, -unreconciled, available - reserved))
}

/** A release whose hold is not told yet comes from hold nevertheless; what was missing there is in doubt. */
export const releasedFromHold = (movements: readonly Movement[]): Movement[] =>
  movements.flatMap((one): Movement[] =>
    one.from === 'unreconciled'
      ? [
          { ...one, to: 'quality_hold', reason: RELEASED_AHEAD },
          { ...one, from: 'quality_hold' },
        ]
      : [one],
  )
