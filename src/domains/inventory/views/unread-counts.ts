/** Items that counts left unread and of which no later one has said what is there. */
import type { Queries } from '#platform/database.ts'
import { sql } from '#platform/database.ts'
import type { CountedPlace, UnreadItem } from '../contract/reconciliations.ts'

const unread = sql(
  'inventory.unread_items',
  `select * from (
     select cause, item, line, text, reason, cure, taken_at as "takenAt", (count(*) over same)::int as "inAll",
       row_number() over (partition by cause order by taken_at desc, line) as nth
     from inventory.unread_count
     where company = $1 and location = $2 and source = $3 and cause = any($4::text[])
     window same as (partition by cause)) u
   where nth <= $5 order by cause, nth`,
)
const countedSince = sql(
  'inventory.counted_since',
  `select k.item_id as "itemId" from unnest($1::int[]) as k(item_id)
   cross join lateral (
     select 1 from inventory.feed f
     where f.item_id = k.item_id and f.location = $2 and f.source = $3 and f.owner = 'own' and f.counted_at >= $4 offset 0) f`,
)
const lots = sql(
  'inventory.lots_there',
  `select p.item_id as "itemId", p.lot from unnest($1::int[]) as k(item_id)
   cross join lateral (
     select * from inventory.position p
     where p.item_id = k.item_id and p.location = $2 and p.lot = any($3::text[]) and p.owner = 'own' and p.company = $4
       and (p.available <> 0 or p.quality_hold <> 0 or p.damaged <> 0) offset 0) p`,
)

export type UnreadTold = UnreadItem & {
  readonly cause: string
  readonly takenAt: Date
  /** How many there are of its cause. */
  readonly inAll: number
}

/** Of each of these causes, the newest of a source at a place. */
export const unreadItems = (
  queries: Queries,
  { company, location, source }: CountedPlace,
  { causes, limit }: { readonly causes: readonly string[]; readonly limit: number },
): Promise<UnreadTold[]> => queries.query<UnreadTold>(unread, [company, location, source, causes, limit])

/** Those of the items that the source has counted as of that moment or later. */
export async function countedSinceAt(
  queries: Queries,
  { location, source }: Pick<CountedPlace, 'location' | 'source'>,
  { takenAt, itemIds }: { readonly takenAt: Date; readonly itemIds: readonly number[] },
): Promise<ReadonlySet<number>> {
  if (itemIds.length === 0) return new Set()
  const rows = await queries.query<{ itemId: number }>(countedSince, [itemIds, location, source, takenAt])
  return new Set(rows.map(({ itemId }) => itemId))
}

/** Which of these lots the books have something of, of these items at a place. */
export const lotsThere = (
  queries: Queries,
  { company, location }: Pick<CountedPlace, 'company' | 'location'>,
  { itemIds, lots: names }: { readonly itemIds: readonly number[]; readonly lots: readonly string[] },
): Promise<{ itemId: number; lot: string }[]> => queries.query(lots, [itemIds, location, names, company])
