/** What moved at places after a snapshot was taken, by lot or as a whole; pure. */
import type { Quantity } from '#platform/quantity.ts'
import { stockKey } from '../rules.ts'
import { type Later, NOTHING_LATER } from './counting.ts'

export type MovedLater = {
  readonly itemId: number
  readonly location: string
  readonly lot: string
  readonly bucket: string
  readonly quantity: Quantity
}

export type LaterAt = (
  place: { readonly itemId: number; readonly location: string },
  lot: string | undefined,
) => Later

/** Places whose books were opened after the snapshot was taken: what opened them knows of all that it tells. */
export const openedLater = (moved: readonly MovedLater[]): ReadonlySet<string> =>
  new Set(
    moved
      .filter(({ bucket }) => bucket === 'opening')
      .map(({ itemId, location }) => stockKey(itemId, location)),
  )

/** Of a lot, or of the whole place. */
export function laterByPlace(moved: readonly MovedLater[]): LaterAt {
  const byPlace = Map.groupBy(moved, ({ itemId, location }) => stockKey(itemId, location))
  return ({ itemId, location }, lot) => {
    const rows = (byPlace.get(stockKey(itemId, location)) ?? []).filter(
      (row) => lot === undefined || row.lot === lot,
    )
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
