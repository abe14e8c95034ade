/** The SQL of differences that stand until a count agrees. */
import type { Transaction } from '#platform/database.ts'
import { sql } from '#platform/database.ts'
import type { CountedPlace, ReasonedDifference } from '../contract/reconciliations.ts'

const explain = sql(
  'inventory.explain_differences',
  `delete from inventory.standing_difference
   where company = $1 and location = $2 and source = $3
     and ($4::int[] is null or item_id = any($4::int[])) and item_id <> all($5::int[])`,
)
// What differs for the same reason as before stays with what it was told with.
const stand = sql(
  'inventory.let_differences_stand',
  `insert into inventory.standing_difference as s (company, location, source, item_id, reason, first_id, last_id)
   select $1, $2, $3, k.item_id, k.reason, $4, $4 from unnest($5::int[], $6::text[]) as k(item_id, reason)
   on conflict (company, location, source, item_id) do update set last_id = excluded.last_id, reason = excluded.reason,
     first_id = case when s.reason = excluded.reason then s.first_id else excluded.first_id end`,
)

/** Of what was counted, that stands which is told now; without `counted` the whole place was. */
export function writeStanding(
  tx: Transaction,
  { company, location, source }: CountedPlace,
  found: {
    readonly id: number
    readonly counted: readonly number[] | undefined
    readonly told: readonly ReasonedDifference[]
  },
): void {
  const items = found.told.map(({ itemId }) => itemId)
  tx.send(explain, [company, location, source, found.counted ?? null, items])
  const reasons = found.told.map(({ reason }) => reason)
  if (items.length > 0) tx.send(stand, [company, location, source, found.id, items, reasons])
}
