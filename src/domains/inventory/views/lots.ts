/** Lots of an item in the order in which they are to be taken. */
import type { Queries } from '#platform/database.ts'
import { formatQuantity, type Quantity } from '#platform/quantity.ts'
import type { LotView } from '../contract/lots.ts'
import { byExpiry, firstExpiredFirst } from '../rules/lots.ts'
import { selectLots } from '../store/lots.ts'

type Asked = {
  readonly itemId: number
  readonly company: string
  readonly locations: readonly string[]
  /** How much is to come out of them. */
  readonly wanted?: Quantity | undefined
  /** ISO 8601, by the company's clock. */
  readonly today: string
}

/** What expires first before the rest; with a quantity, how much of it comes out of each. */
export async function lotsInOrder(queries: Queries, { wanted, today, ...of }: Asked): Promise<LotView[]> {
  const rows = await selectLots(queries, of)
  const taken = wanted === undefined ? undefined : firstExpiredFirst(rows, wanted, today)
  return rows.toSorted(byExpiry).map((row) => ({
    lot: row.lot,
    location: row.location,
    ...(row.expiresOn !== null && { expiresOn: row.expiresOn }),
    held: row.held,
    available: formatQuantity(row.available),
    qualityHold: formatQuantity(row.qualityHold),
    ...(taken && { take: formatQuantity(taken.get(row)!) }),
  }))
}
