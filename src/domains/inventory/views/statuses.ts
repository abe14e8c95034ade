/** What the books have at places, by what may be done with it; reads without locks. */
import type { Queries } from '#platform/database.ts'
import { sql } from '#platform/database.ts'
import { ownedKey } from '../rules.ts'
import type { Statuses } from '../contract/feeds.ts'
import { type Owned, ownerOf } from '../contract/owners.ts'

export { ownedKey }

const atPlaces = sql(
  'inventory.statuses_at',
  `select k.item_id as "itemId", k.location, k.owner, p.available + p.unreconciled as available,
     p.quality_hold as "qualityHold", p.damaged
   from unnest($1::int[], $2::text[], $3::text[]) as k(item_id, location, owner)
   cross join lateral (
     select * from inventory.position p
     where p.item_id = k.item_id and p.location = k.location and p.lot = '' and p.owner = k.owner offset 0) p`,
)

type Place = Owned & { readonly itemId: number; readonly location: string }

/** By `ownedKey`; what is in doubt is part of what should be there. A place that the books do not know is left out. */
export async function statusesAt(
  queries: Queries,
  places: readonly Place[],
): Promise<ReadonlyMap<string, Statuses>> {
  const rows = await queries.query<Place & Statuses>(atPlaces, [
    places.map(({ itemId }) => itemId),
    places.map(({ location }) => location),
    places.map(ownerOf),
  ])
  return new Map(
    rows.map(({ itemId, location, owner, ...statuses }) => [ownedKey({ itemId, location, owner }), statuses]),
  )
}
