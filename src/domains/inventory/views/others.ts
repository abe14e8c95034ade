/** What lies with us of an item and is another's: shown, never promised. */
import type { Queries } from '#platform/database.ts'
import { sql } from '#platform/database.ts'
import type { Quantity } from '#platform/quantity.ts'

const ofOthers = sql(
  'inventory.stock_of_others',
  `select location, owner, available, quality_hold + quarantine + damaged + blocked as "onHold", unreconciled,
     extract(epoch from now() - told_at)::int as "ageSeconds"
   from inventory.position where item_id = $1 and company = $2 and lot = '' and owner <> 'own' order by location, owner`,
)

export type StockOfOther = {
  readonly location: string
  readonly owner: string
  readonly available: Quantity
  readonly onHold: Quantity
  readonly unreconciled: Quantity
  /** How long ago somebody last told something of it. */
  readonly ageSeconds: number
}

/** By location and owner. */
export const stockOfOthers = (
  queries: Queries,
  { itemId, company }: { readonly itemId: number; readonly company: string },
): Promise<StockOfOther[]> => queries.query<StockOfOther>(ofOthers, [itemId, company])
