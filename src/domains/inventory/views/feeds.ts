/** Feeds that miss something, and how each stands: read without locks. */
import type { Queries } from '#platform/database.ts'
import { sql } from '#platform/database.ts'
import type { FeedKey } from '../contract/feeds.ts'

/** The longest first; whatever is beyond has its turn when they go on. */
const LIMIT = 2_000

const blocked = sql(
  'inventory.blocked_feeds',
  `select f.item_id as "itemId", f.location, f.source, f.owner, f.company, w.sku, f.last_sequence as "lastSequence",
     jsonb_build_object('from', f.missing_from, 'to', f.missing_to) as missing, f.blocked_since as since, w.waiting
   from inventory.feed f
   cross join lateral (
     select count(*)::int as waiting, min(h.fact->>'sku') as sku from inventory.feed_held h
     where h.item_id = f.item_id and h.location = f.location and h.source = f.source and h.owner = f.owner
     offset 0) w
   where f.blocked_since <= now() - make_interval(secs => $1::float8 / 1000)
   order by f.blocked_since, f.item_id, f.location limit ${LIMIT}`,
)

export type BlockedFeed = FeedKey & {
  readonly company: string
  readonly sku: string
  /** 0 where nothing was ever taken. */
  readonly lastSequence: number
  readonly missing: { readonly from: number; readonly to: number }
  readonly since: Date
  /** How many facts wait for what is missing. */
  readonly waiting: number
}

/** Those that have missed something for at least `forMs`. */
export const blockedFeeds = (queries: Queries, forMs: number): Promise<BlockedFeed[]> =>
  queries.query<BlockedFeed>(blocked, [forMs])

const stocked = sql(
  'inventory.stocked_places',
  `select p.item_id as "itemId" from inventory.position p
   where p.item_id > $3 and p.company = $1 and p.location = $2 and p.lot = '' and p.owner = 'own'
     and (p.available <> 0 or p.unreconciled <> 0 or p.quality_hold <> 0 or p.damaged <> 0)
   order by p.item_id limit $4`,
)

/** Items of which the books have something at a place, in the order of their ids after this one. */
export async function stockedItems(
  queries: Queries,
  place: { readonly company: string; readonly location: string },
  page: { readonly after: number; readonly limit: number },
): Promise<number[]> {
  const rows = await queries.query<{ itemId: number }>(stocked, [
    place.company,
    place.location,
    page.after,
    page.limit,
  ])
  return rows.map(({ itemId }) => itemId)
}
