/** What channels were told last, as far as it has changed since a moment. */
import { type Queries, sql } from '#platform/database.ts'
import type { Quantity } from '#platform/quantity.ts'

export type Published = { readonly itemId: number; readonly available: Quantity; readonly asOf: Date }

const since = sql(
  'inventory.published_since',
  `select item_id as "itemId", available, as_of as "asOf" from inventory.published
   where company = $1 and channel = $2 and as_of > $3 order by as_of, item_id limit $4`,
)

type Asked = {
  readonly company: string
  readonly channel: string
  readonly after: Date
  readonly limit: number
}

/** Oldest first; of those that were told as of one moment all or none, unless these alone are more than the limit. */
export async function publishedSince(
  queries: Queries,
  { company, channel, after, limit }: Asked,
): Promise<readonly Published[]> {
  const rows = await queries.query<Published>(since, [company, channel, after, limit])
  const lastMs = rows.at(-1)?.asOf.getTime()
  const whole = rows.length < limit ? rows : rows.filter(({ asOf }) => asOf.getTime() !== lastMs)
  return whole.length > 0 ? whole : rows
}
