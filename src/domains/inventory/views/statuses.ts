/** What the books have at places, by what may be done with it; reads without locks. */
import type { Queries } from '#platform/database.ts'
import { sql } from '#platform/database.ts'
import { stockKey } from '../rules.ts'
import type { Statuses } from '../contract/feeds.ts'

const atPlaces = sql(
  'inventory.statuses_at',
  `select k.item_id as "itemId", k.location, p.available + p.unreconciled as available,
     p.quality_hold as "qualityHold", p.damaged
   from unnest($1::int[], $2::text[]) as k(item_id, location)
   cross join lateral (
     select * from inventory.position p
     where p.item_id = k.item_id and p.location = k.location and p.lot = '' and p.owner = 'own' offset 0) p`,
)

type Place = { readonly itemId: number; readonly location: string }

/** By `stockKey`; what is in doubt is part of what should be there. A place that the books do not know is left out. */
export async function statusesAt(
  queries: Queries,
  places: readonly Place[],
): Promise<ReadonlyMap<string, Statuses>> {
  const rows = await queries.query<Place & Statuses>(atPlaces, [
    places.map(({ itemId }) => itemId),
    places.map(({ location }) => location),
  ])
  return new Map(
    rows.map(({ itemId, location, ...statuses }) => [stockKey(itemId, location), statuses] as const),
  )
}
