/** What moved at places after a snapshot was taken, by lot or as a whole; pure. */
import type { Quantity } from '#platform/quantity.ts'
import { ownedKey } from '../rules.ts'
import { isOwn, type Owned } from '../contract/owners.ts'
import { type Later, NOTHING_LATER } from './counting.ts'
import { lotKey } from './lots.ts'

export type MovedLater = Owned & {
  readonly itemId: number
  readonly location: string
  readonly lot: string
  readonly bucket: string
  readonly quantity: Quantity
}

export type LaterAt = (
  place: Owned & { readonly itemId: number; readonly location: string },
  lot: string | undefined,
) => Later

/** Places whose books were opened after the snapshot was taken, by `ownedKey`: what opened them knows of all that it tells. */
export const openedLater = (moved: readonly MovedLater[]): ReadonlySet<string> =>
  new Set(moved.filter(({ bucket }) => bucket === 'opening').map(ownedKey))

/** Of a lot, or of the whole place. What came for sale of a lot that we hold is on hold, like what was counted of it. */
export function laterByPlace(moved: readonly MovedLater[], held: ReadonlySet<string>): LaterAt {
  const asHeld = (row: MovedLater): MovedLater =>
    row.bucket === 'available' && isOwn(row) && held.has(lotKey(row))
      ? { ...row, bucket: 'quality_hold' }
      : row
  const byPlace = Map.groupBy(moved.map(asHeld), ownedKey)
  return (place, lot) => {
    const rows = (byPlace.get(ownedKey(place)) ?? []).filter((row) => lot === undefined || row.lot === lot)
    if (rows.length === 0) return NOTHING_LATER
    const sum = (bucket: string): Quantity =>
      rows.reduce((all, row) => (row.bucket === bucket ? all + row.quantity : all), 0)
    return {
      available: sum('available'),
      qualityHold: sum('quality_hold'),
      damaged: sum('damaged'),
      unreconciled: sum('unreconciled'),
    }
  }
}
