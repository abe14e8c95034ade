/** What lies with us of items and is another's: shown, never promised. */
import type { Queries } from '#platform/database.ts'
import { sql } from '#platform/database.ts'
import type { Quantity } from '#platform/quantity.ts'

const ofOthers = sql(
  'inventory.stock_of_others',
  `select item_id as "itemId", location, owner, available, unreconciled,
     quality_hold + quarantine + damaged + blocked as "onHold",
     extract(epoch from now() - told_at)::int as "ageSeconds"
   from inventory.position where item_id = any($1::int[]) and lot = '' and owner <> 'own'
   order by item_id, location, owner`,
)

export type StockOfOther = {
  readonly itemId: number
  readonly location: string
  readonly owner: string
  readonly available: Quantity
  readonly onHold: Quantity
  readonly unreconciled: Quantity
  /** How long ago somebody last told something of it. */
  readonly ageSeconds: number
}

/** By item, location and owner. */
export const stockOfOthers = (queries: Queries, items: readonly number[]): Promise<StockOfOther[]> =>
  queries.query<StockOfOther>(ofOthers, [items])
