/** What shops have not been told yet, and why. */
import { type Queries, sql } from '#platform/database.ts'

export type RefusedStock = {
  readonly company: string
  readonly code: string
  readonly count: number
  readonly itemId: number
}

const refused = sql(
  'inventory.refused_untold',
  `select company, refusal as code, count(*)::int as count, min(item_id) as "itemId" from inventory.untold
   where shop = $1 and refusal is not null group by company, refusal order by company, refusal`,
)

/** Each cause for which a shop did not take figures, with how many items it stops, and one of them. */
export const refusedStock = (queries: Queries, shop: string): Promise<RefusedStock[]> =>
  queries.query(refused, [shop])
