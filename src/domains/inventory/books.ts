/** The arithmetic of positions that one transaction holds: what a bucket can give, and what is missing; pure. */
import type { Quantity } from '#platform/quantity.ts'
import type { Bucket } from './contract.ts'
import { type Owned, ownerOf } from './contract/owners.ts'
import { ownedKey } from './rules.ts'
import type { PositionChange } from './store.ts'

export type Place = Owned & {
  readonly company: string
  readonly itemId: number
  readonly location: string
  readonly lot: string
}
type Moving = Place & { readonly from: Bucket; readonly to: Bucket; readonly quantity: Quantity }
type Delta = Partial<Omit<PositionChange, keyof Place | 'countedBy' | 'countedMark' | 'countedAt'>>

const COLUMN = {
  available: 'available',
  quality_hold: 'qualityHold',
  quarantine: 'quarantine',
  damaged: 'damaged',
  blocked: 'blocked',
  in_transit: 'inTransit',
  unreconciled: 'unreconciled',
} as const

/** The buckets outside the position (supplier, shipped, adjustment, opening, transfer, owner) have no column. */
const columnOf = (bucket: Bucket): keyof Delta | undefined =>
  bucket in COLUMN ? COLUMN[bucket as keyof typeof COLUMN] : undefined

export function bucketChange(bucket: Bucket, quantity: Quantity): Delta {
  const column = columnOf(bucket)
  return column ? { [column]: quantity } : {}
}

export const placeKey = (place: Place, lot: string): string => `${ownedKey(place)} ${lot}`

/** The keys under which the positions of items at locations are locked. */
export const positionKeys = (items: readonly number[], locations: readonly string[]): string[] =>
  items.flatMap((item) => locations.map((location) => `${String(item).padStart(12, '0')} ${location}`))

/** Everybody inserts and updates in this order, so that two of them never wait for each other. */
export function byPlace(a: Place, b: Place): number {
  if (a.itemId !== b.itemId) return a.itemId - b.itemId
  if (a.location !== b.location) return a.location < b.location ? -1 : 1
  if (a.lot !== b.lot) return a.lot < b.lot ? -1 : 1
  return ownerOf(a) < ownerOf(b) ? -1 : 1
}

/** Positions as they stand after each change, and the sum of what is to be written. */
export class Books {
  readonly #rows = new Map<string, PositionChange>()
  readonly #changes = new Map<string, PositionChange>()
  readonly #stored: ReadonlySet<string>
  readonly #lots = new Map<string, string[]>()

  constructor(rows: readonly PositionChange[]) {
    for (const row of rows) {
      this.#rows.set(placeKey(row, row.lot), row)
      if (row.lot === '') continue
      const key = ownedKey(row)
      this.#lots.set(key, [...(this.#lots.get(key) ?? []), row.lot])
    }
    this.#stored = new Set(this.#rows.keys())
  }

  at(place: Place, lot: string): PositionChange {
    return this.#rows.get(placeKey(place, lot)) ?? { ...place, lot, ...EMPTY }
  }

  change(place: Place, lot: string, told: Delta): void {
    const key = placeKey(place, lot)
    const delta = withinHold(this.at(place, lot), told)
    this.#rows.set(key, added(this.at(place, lot), delta))
    const { company, itemId, location, owner } = place
    this.#changes.set(
      key,
      added(this.#changes.get(key) ?? { company, itemId, location, owner, lot, ...EMPTY }, delta),
    )
  }

  /**
   * How much of a movement its bucket can give; the buckets outside the position, and `unreconciled`, give everything.
   */
  cover({ from, quantity, ...place }: Moving, lot: string): Quantity {
    const column = columnOf(from)
    if (!column || from === 'unreconciled') return quantity
    const row = this.at(place, lot)
    return Math.max(0, Math.min(quantity, row[column] - (column === 'available' ? row.reserved : 0)))
  }

  /** The lots of a place that are stored. */
  lotsAt(place: Owned & Pick<Place, 'itemId' | 'location'>): readonly string[] {
    return this.#lots.get(ownedKey(place)) ?? []
  }

  /** Some of what left we held. */
  takeFromLot(place: Place, left: { readonly quantity: Quantity; readonly held: Quantity }): void {
    const rest = left.quantity - left.held
    const covered = Math.min(rest, this.at(place, place.lot).available)
    this.change(place, place.lot, {
      available: -covered,
      qualityHold: -left.held,
      held: -left.held,
      unreconciled: covered - rest,
    })
  }

  moveInLot(change: Moving): void {
    const covered = this.cover(change, change.lot)
    this.change(change, change.lot, {
      ...bucketChange(change.from, -covered),
      ...bucketChange(change.to, change.quantity),
    })
    if (covered < change.quantity)
      this.change(change, change.lot, { unreconciled: covered - change.quantity })
  }

  /** What is to be added to each position, in the order in which everybody writes. */
  get changes(): readonly PositionChange[] {
    return [...this.#changes.values()].toSorted(byPlace)
  }

  /** Which of them do not exist yet. */
  get missing(): readonly PositionChange[] {
    return this.changes.filter((row) => !this.#stored.has(placeKey(row, row.lot)))
  }
}

/** No more of a lot is held than is on hold. */
function withinHold(row: PositionChange, delta: Delta): Delta {
  const after = added(row, delta)
  return after.held <= after.qualityHold ? delta : { ...delta, held: after.qualityHold - row.held }
}

const EMPTY = {
  available: 0,
  reserved: 0,
  qualityHold: 0,
  held: 0,
  quarantine: 0,
  damaged: 0,
  blocked: 0,
  inTransit: 0,
  unreconciled: 0,
} as const

const added = (row: PositionChange, delta: Delta): PositionChange => ({
  ...row,
  available: row.available + (delta.available ?? 0),
  reserved: row.reserved + (delta.reserved ?? 0),
  qualityHold: row.qualityHold + (delta.qualityHold ?? 0),
  held: row.held + (delta.held ?? 0),
  quarantine: row.quarantine + (delta.quarantine ?? 0),
  damaged: row.damaged + (delta.damaged ?? 0),
  blocked: row.blocked + (delta.blocked ?? 0),
  inTransit: row.inTransit + (delta.inTransit ?? 0),
  unreconciled: row.unreconciled + (delta.unreconciled ?? 0),
})
