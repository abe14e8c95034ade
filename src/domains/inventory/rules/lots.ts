/** In which order lots are taken; pure. */
import type { Quantity } from '#platform/quantity.ts'

type LotStock = {
  readonly lot: string
  /** ISO 8601; null: nobody has said. */
  readonly expiresOn: string | null
  readonly held: boolean
  readonly available: Quantity
}

/** What expires first comes first, what nobody dates last. */
export const byExpiry = (a: LotStock, b: LotStock): number =>
  compareText(a.expiresOn ?? '9999', b.expiresOn ?? '9999') || compareText(a.lot, b.lot)

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** First expired, first out: how much of a quantity comes out of each; nothing of what is held or has expired. */
export function firstExpiredFirst<Row extends LotStock>(
  lots: readonly Row[],
  quantity: Quantity,
  today: string,
): ReadonlyMap<Row, Quantity> {
  let missing = quantity
  return new Map(
    lots.toSorted(byExpiry).map((row) => {
      const isGood = !row.held && (row.expiresOn === null || row.expiresOn >= today)
      const taken = isGood ? Math.min(missing, row.available) : 0
      missing -= taken
      return [row, taken]
    }),
  )
}
