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

const newest = sql(
  'inventory.newest_published',
  `select as_of as "asOf" from inventory.published where company = $1 and channel = $2
   order by as_of desc limit 1`,
)

type Audience = { readonly company: string; readonly channel: string }

/** As of when a channel was told last of anything; undefined before the first time. */
export async function newestPublished(
  queries: Queries,
  { company, channel }: Audience,
): Promise<Date | undefined> {
  const [row] = await queries.query<{ asOf: Date }>(newest, [company, channel])
  return row?.asOf
}

export type Told = Published & {
  readonly version: number
  readonly confidence: 'normal' | 'careful' | 'ask'
}

const page = sql(
  'inventory.published_page',
  `select item_id as "itemId", available, as_of as "asOf", version, confidence from inventory.published
   where item_id > $3 and company = $1 and channel = $2 order by item_id limit $4`,
)

/** What a channel was told last of every item, in portions. */
export async function* allPublished(
  queries: Queries,
  { company, channel }: Audience,
  size: number,
): AsyncGenerator<Told[]> {
  for (let after = 0; ;) {
    const rows = await queries.query<Told>(page, [company, channel, after, size])
    if (rows.length > 0) yield rows
    if (rows.length < size) return
    after = rows.at(-1)!.itemId
  }
}
