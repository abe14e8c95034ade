/** The SQL of feeds: where each stands, what waits in it, what was counted and what moved since. */
import type { Queries, Transaction } from '#platform/database.ts'
import { sql } from '#platform/database.ts'
import { LOT_HOLD, RELEASED_AHEAD } from '../contract.ts'
import type { FeedKey } from '../contract/feeds.ts'
import { type Owned, ownerOf } from '../contract/owners.ts'
import type { Missing } from '../rules/feeds.ts'
import type { MovedLater } from '../rules/later.ts'

const ensure = sql(
  'inventory.ensure_feeds',
  `insert into inventory.feed (item_id, location, source, owner, company)
   select item_id, location, source, owner, company
   from unnest($1::int[], $2::text[], $3::text[], $4::text[], $5::text[]) as k(item_id, location, source, owner, company)
   on conflict do nothing`,
)
const lock = sql(
  'inventory.lock_feeds',
  `select f.item_id as "itemId", f.location, f.source, f.owner, f.last_sequence as "lastSequence",
     f.missing_from is not null as "isBlocked", f.counted_mark as "countedMark", f.counted_at as "countedAt"
   from unnest($1::int[], $2::text[], $3::text[], $4::text[]) as k(item_id, location, source, owner)
   cross join lateral (
     select * from inventory.feed f where f.item_id = k.item_id and f.location = k.location and f.source = k.source
       and f.owner = k.owner for no key update offset 0) f`,
)
const move = sql(
  'inventory.move_feeds',
  `update inventory.feed f set last_sequence = k.last_sequence, missing_from = k.missing_from, missing_to = k.missing_to,
     blocked_since = case when k.missing_from = f.missing_from then f.blocked_since
       when k.missing_from is not null then now() end,
     repeated = f.repeated + k.repeated, late = f.late + k.late
   from unnest($1::int[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[], $8::int[], $9::int[])
     as k(item_id, location, source, owner, last_sequence, missing_from, missing_to, repeated, late)
   where f.item_id = k.item_id and f.location = k.location and f.source = k.source and f.owner = k.owner`,
)
const markCounted = sql(
  'inventory.mark_feeds_counted',
  `update inventory.feed f set counted_mark = $4, counted_at = $5
   from unnest($1::int[], $2::text[], $6::text[]) as k(item_id, location, owner)
   where f.item_id = k.item_id and f.location = k.location and f.source = $3 and f.owner = k.owner`,
)
// An older count of another source that comes late is none of the position.
const markPositions = sql(
  'inventory.mark_positions_counted',
  `update inventory.position p set counted_by = $3, counted_mark = $4, counted_at = $5, told_at = now()
   from unnest($1::int[], $2::text[], $6::text[], $7::text[]) as k(item_id, location, owner, company)
   where p.item_id = k.item_id and p.location = k.location and p.lot = '' and p.owner = k.owner
     and p.company = k.company and (p.counted_by is null or p.counted_by = $3 or p.counted_at < $5)`,
)
const held = sql(
  'inventory.held_facts',
  `select h.item_id as "itemId", h.location, h.source, h.owner, h.sequence, h.fact
   from unnest($1::int[], $2::text[], $3::text[], $4::text[]) as k(item_id, location, source, owner)
   cross join lateral (
     select * from inventory.feed_held h
     where h.item_id = k.item_id and h.location = k.location and h.source = k.source and h.owner = k.owner
     order by h.sequence offset 0) h`,
)
const hold = sql(
  'inventory.hold_facts',
  `insert into inventory.feed_held (item_id, location, source, owner, sequence, fact)
   select * from unnest($1::int[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::jsonb[])`,
)
const drop = sql(
  'inventory.drop_held_facts',
  `delete from inventory.feed_held
   where item_id = any($1::int[])
     and item_id || ' ' || location || ' ' || source || ' ' || owner || ' ' || sequence = any($2::text[])`,
)
// What a snapshot does not contain was booked after it was asked for, whatever the clock of its source says. What was let
// go before we heard of its hold has left that hold, which the snapshot may contain. Lots that we hold are no movement of
// the source's: its figures are read as held or not by what holds now.
const later = sql(
  'inventory.moved_later',
  `select k.item_id as "itemId", k.location, k.owner, m.lot, m.bucket, sum(m.quantity) as quantity
   from unnest($1::int[], $2::text[], $7::text[]) as k(item_id, location, owner)
   cross join lateral (
     select m.lot, b.bucket, b.quantity from inventory.movement m
     cross join lateral (values (m.to_bucket, m.quantity), (m.from_bucket, -m.quantity)) b(bucket, quantity)
     where m.item_id = k.item_id and m.location = k.location and m.owner = k.owner
       and m.recorded_at >= least($6::timestamptz, $5::timestamptz) - interval '1 hour'
       and m.reason not in ('${RELEASED_AHEAD}', '${LOT_HOLD}')
       and case when m.source = $3 and m.mark is not null and $4::bigint is not null then m.mark > $4
         else m.at > $5::timestamptz end
     offset 0) m
   group by 1, 2, 3, 4, 5`,
)

/** Feeds are locked and written in its order. */
export const feedKey = ({ itemId, location, source, ...of }: FeedKey): string =>
  `${String(itemId).padStart(12, '0')} ${location} ${source} ${ownerOf(of)}`

const keys = (rows: readonly FeedKey[]): [number[], string[], string[], string[]] => [
  rows.map((row) => row.itemId),
  rows.map((row) => row.location),
  rows.map((row) => row.source),
  rows.map(ownerOf),
]

export type FeedRow = FeedKey & {
  readonly lastSequence: number
  readonly isBlocked: boolean
  readonly countedMark: number | null
  readonly countedAt: Date | null
}

/** Sorted by key; those that there are not yet are made. */
export function lockFeeds(
  tx: Transaction,
  feeds: readonly (FeedKey & { readonly company: string })[],
): Promise<FeedRow[]> {
  tx.locking('stock feed', feeds.map(feedKey))
  tx.send(ensure, [...keys(feeds), feeds.map((feed) => feed.company)])
  return tx.query<FeedRow>(lock, keys(feeds))
}

export type FeedMoved = FeedKey & {
  readonly last: number
  readonly missing: Missing | undefined
  readonly repeated: number
  readonly late: number
}

export function updateFeeds(tx: Transaction, rows: readonly FeedMoved[]): void {
  if (rows.length === 0) return
  tx.send(move, [
    ...keys(rows),
    rows.map((row) => row.last),
    rows.map((row) => row.missing?.from ?? null),
    rows.map((row) => row.missing?.to ?? null),
    rows.map((row) => row.repeated),
    rows.map((row) => row.late),
  ])
}

type CountedPlace = Owned & { readonly itemId: number; readonly location: string; readonly company: string }
type Counted = { readonly source: string; readonly mark: number | null; readonly takenAt: Date }

/** Says of these places what a snapshot contained. */
export function markAsCounted(
  tx: Transaction,
  places: readonly CountedPlace[],
  { source, mark, takenAt }: Counted,
): void {
  const [items, locations] = [places.map((row) => row.itemId), places.map((row) => row.location)]
  const of = [items, locations, source, mark, takenAt, places.map(ownerOf)]
  tx.send(markCounted, of)
  tx.send(markPositions, [...of, places.map((row) => row.company)])
}

export type HeldFact = FeedKey & { readonly sequence: number; readonly fact: object }

export function selectHeld(queries: Queries, feeds: readonly FeedKey[]): Promise<HeldFact[]> {
  return feeds.length === 0 ? Promise.resolve([]) : queries.query<HeldFact>(held, keys(feeds))
}

export function insertHeld(tx: Transaction, rows: readonly HeldFact[]): void {
  if (rows.length === 0) return
  tx.send(hold, [...keys(rows), rows.map((row) => row.sequence), rows.map((row) => JSON.stringify(row.fact))])
}

export function deleteHeld(
  tx: Transaction,
  rows: readonly (FeedKey & { readonly sequence: number })[],
): void {
  if (rows.length === 0) return
  const items = [...new Set(rows.map((row) => row.itemId))]
  const names = rows.map(
    ({ itemId, location, source, sequence, ...of }) =>
      `${itemId} ${location} ${source} ${ownerOf(of)} ${sequence}`,
  )
  tx.send(drop, [items, names])
}

type Since = {
  readonly source: string
  readonly mark: number | null
  readonly takenAt: Date
  readonly askedAt: Date
}

/** What moved at these places that a snapshot of the source does not contain, by lot and bucket. */
export function selectMovedLater(
  queries: Queries,
  places: readonly (Owned & { readonly itemId: number; readonly location: string })[],
  { source, mark, takenAt, askedAt }: Since,
): Promise<MovedLater[]> {
  if (places.length === 0) return Promise.resolve([])
  const [items, locations] = [places.map((row) => row.itemId), places.map((row) => row.location)]
  return queries.query<MovedLater>(later, [
    items,
    locations,
    source,
    mark,
    takenAt,
    askedAt,
    places.map(ownerOf),
  ])
}
