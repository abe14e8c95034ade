/** What moved at places after a snapshot was taken, by lot or as a whole; pure. */
import type { Quantity } from '#platform/quantity.ts'
import { ownedKey } from '../rules.ts'
import type { Owned } from '../contract/owners.ts'
import { type Later, NOTHING_LATER } from './counting.ts'

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

/** Of a lot, or of the whole place. */
export function laterByPlace(moved: readonly MovedLater[]): LaterAt {
  const byPlace = Map.groupBy(moved, ownedKey)
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
