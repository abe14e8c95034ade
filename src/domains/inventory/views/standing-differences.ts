/** Differences between books and counts that were told and that no count has explained yet. */
import type { Queries } from '#platform/database.ts'
import { sql } from '#platform/database.ts'
import type { Quantity } from '#platform/quantity.ts'
import type { Difference } from '../contract/feeds.ts'
import type { CountedPlace, StandingDifference } from '../contract/reconciliations.ts'
import { agrees } from '../rules/counting.ts'

const standing = sql(
  'inventory.standing_differences',
  `select s.item_id as "itemId", s.reason, s.first_id as "firstId", r.taken_at as "takenAt", d.sku, d.value_minor as "valueMinor",
     d.ours_available as "oursAvailable", d.ours_hold as "oursHold", d.ours_damaged as "oursDamaged",
     d.theirs_available as "theirsAvailable", d.theirs_hold as "theirsHold", d.theirs_damaged as "theirsDamaged"
   from inventory.standing_difference s
   cross join lateral (
     select * from inventory.reconciliation_difference d
     where d.reconciliation_id = s.last_id and d.item_id = s.item_id offset 0) d
   cross join lateral (
     select taken_at from inventory.reconciliation r where r.id = s.last_id offset 0) r
   where s.company = $1 and s.location = $2 and s.source = $3
   order by s.first_id, s.reason, d.value_minor desc nulls last, d.sku`,
)

const later = sql(
  'inventory.told_of_later',
  `select d.sku from inventory.standing_difference s
   cross join lateral (
     select taken_at from inventory.reconciliation r where r.id = s.last_id offset 0) r
   cross join lateral (
     select sku from inventory.reconciliation_difference d
     where d.reconciliation_id = s.last_id and d.item_id = s.item_id offset 0) d
   where s.company = $1 and s.location = $2 and s.source = $3 and r.taken_at > $4`,
)

/** Items of which a count after that time was told and did not correct the books. */
export async function toldOfLater(
  queries: Queries,
  { company, location, source }: CountedPlace,
  takenAt: Date,
): Promise<string[]> {
  return (await queries.query<{ sku: string }>(later, [company, location, source, takenAt])).map(
    ({ sku }) => sku,
  )
}

type Row = Pick<StandingDifference, 'itemId' | 'sku' | 'reason' | 'firstId' | 'takenAt' | 'valueMinor'> &
  Readonly<Record<`${'ours' | 'theirs'}${'Available' | 'Hold' | 'Damaged'}`, Quantity>>

/** Of one source at a place: what was told together stands together, the dearest first. */
export async function standingDifferences(
  queries: Queries,
  { company, location, source }: CountedPlace,
): Promise<StandingDifference[]> {
  const rows = await queries.query<Row>(standing, [company, location, source])
  return rows.map(({ itemId, sku, reason, firstId, takenAt, valueMinor, ...row }) => ({
    itemId,
    location,
    company,
    sku,
    reason,
    firstId,
    takenAt,
    valueMinor,
    ours: { available: row.oursAvailable, qualityHold: row.oursHold, damaged: row.oursDamaged },
    theirs: { available: row.theirsAvailable, qualityHold: row.theirsHold, damaged: row.theirsDamaged },
  }))
}

/** Whether all of these were told when a count of the same moment found them. */
export async function isToldAlready(
  queries: Queries,
  { takenAt, ...place }: CountedPlace & { readonly takenAt: Date },
  differences: readonly Difference[],
): Promise<boolean> {
  const standing = await standingDifferences(queries, place)
  const told = new Map(standing.map((known) => [known.itemId, known]))
  return differences.every(({ itemId, ours, theirs }) => {
    const known = told.get(itemId)
    if (known?.takenAt.getTime() !== takenAt.getTime()) return false
    return agrees(known.ours, ours) && agrees(known.theirs, theirs)
  })
}
