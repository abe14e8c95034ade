/** The SQL of doubt that a snapshot left: which places have less than was claimed, and claims that have ended since. */
import type { Queries } from '#platform/database.ts'
import { sql } from '#platform/database.ts'

// What is in doubt since the snapshot for another reason is for a person to explain.
const claimsEnded = sql(
  'inventory.doubts_without_claims',
  `select p.company, p.item_id as "itemId", p.location
   from unnest($1::int[], $2::text[]) as k(item_id, location)
   cross join lateral (
     select * from inventory.position p where p.item_id = k.item_id and p.location = k.location and p.lot = ''
       and p.owner = 'own' and p.unreconciled < 0 and p.reserved < p.available and p.counted_at is not null
     offset 0) p
   where not exists (
     select from inventory.movement m where m.item_id = p.item_id and m.location = p.location and m.owner = 'own'
       and 'unreconciled' in (m.from_bucket, m.to_bucket) and m.reason <> $3
       and m.recorded_at >= p.counted_at - interval '1 hour'
       and case when m.source = p.counted_by and m.mark is not null and p.counted_mark is not null
         then m.mark > p.counted_mark else m.at > p.counted_at end
     offset 0)
   order by p.item_id, p.location`,
)

export type DoubtfulPlace = { readonly company: string; readonly itemId: number; readonly location: string }

/** Where the last snapshot counted less than was claimed, nothing came in doubt since, and fewer claim it now. */
export function selectClaimsEnded(
  queries: Queries,
  places: readonly Pick<DoubtfulPlace, 'itemId' | 'location'>[],
  reason: string,
): Promise<DoubtfulPlace[]> {
  if (places.length === 0) return Promise.resolve([])
  return queries.query<DoubtfulPlace>(claimsEnded, [
    places.map(({ itemId }) => itemId),
    places.map(({ location }) => location),
    reason,
  ])
}
