/** The SQL of the queue: which waiting lines have their turn, and at what they may take it. */
import type { Queries, Transaction } from '#platform/database.ts'
import { sql } from '#platform/database.ts'
import type { Quantity } from '#platform/quantity.ts'

const queued = sql(
  'inventory.queued_lines',
  `select b.doc, b.line, b.item_id as "itemId", b.channel, b.quantity, b.ahead,
     b.minimum_shelf_life_days as "minimumShelfLifeDays", b."inTurns", b.promised_on::text as "promisedOn" from (
     select q.item_id, q.doc, q.line, q.channel, q.quantity, q.promised_on, q.minimum_shelf_life_days,
       bool_or(q.minimum_shelf_life_days is not null) over (partition by q.item_id) as "inTurns",
       sum(q.quantity) over (partition by q.item_id order by q.since, q.doc, q.line) - q.quantity as ahead
     from inventory.backorder q where q.item_id = any($2::int[])) b
   where b.doc = any($1::bigint[]) order by b.doc, b.line`,
)

export type QueuedLine = {
  readonly doc: number
  readonly line: number
  readonly itemId: number
  readonly channel: string
  readonly quantity: Quantity
  /** What those before it in the queue wait for. */
  readonly ahead: Quantity
  readonly minimumShelfLifeDays: number | null
  /** Some of those who wait for the item want it to live long: what is ahead is not the same for everybody. */
  readonly inTurns: boolean
  /** When supply is to reach it; null where that is not known. */
  readonly promisedOn: string | null
}

export const selectQueued = (
  queries: Queries,
  docs: readonly number[],
  items: readonly number[],
): Promise<QueuedLine[]> => queries.query<QueuedLine>(queued, [docs, items])

// Those who stand behind each other in one channel and want the same are one row; lines of the named orders stand by themselves.
const byChannel = sql(
  'inventory.queue_by_channel',
  `select item_id as "itemId", channel, days as "minimumShelfLifeDays", doc, line, sum(quantity) as quantity from (
     select q.item_id, q.channel, q.minimum_shelf_life_days as days, own.doc, own.line, q.quantity,
       row_number() over (partition by q.item_id order by q.since, q.doc, q.line) as n,
       row_number() over (partition by q.item_id, q.channel, q.minimum_shelf_life_days, own.doc, own.line order by q.since, q.doc, q.line) as nth
     from inventory.backorder q
     left join lateral (select q.doc, q.line where q.doc = any($2::bigint[]) offset 0) own on true
     where q.item_id = any($1::int[])) b
   group by item_id, channel, days, doc, line, n - nth order by item_id, min(n)`,
)

export type QueuedTogether = {
  readonly itemId: number
  readonly channel: string
  readonly minimumShelfLifeDays: number | null
  readonly quantity: Quantity
  /** Null where they are not of the named orders. */
  readonly doc: number | null
  readonly line: number | null
}

/** All who wait for these items, in the order of the queue. */
export const selectQueueByChannel = (
  queries: Queries,
  items: readonly number[],
  docs: readonly number[] = [],
): Promise<QueuedTogether[]> => queries.query<QueuedTogether>(byChannel, [items, docs])

// Whom the rest reaches; of items of which something is kept for channels everybody, since each has a reach of his own.
// Who wants lots to live long is before nobody else; whether one does, he sees for himself.
const fillable = sql(
  'inventory.fillable',
  `select q.doc, q.item_id as "itemId", q.channel, q.quantity, q.days as "minimumShelfLifeDays", stock.shared from (
     select b.item_id, b.doc, b.line, b.since, b.channel, b.quantity, b.minimum_shelf_life_days as days,
       coalesce(sum(b.quantity) filter (where b.minimum_shelf_life_days is null)
         over (partition by b.item_id order by b.since, b.doc, b.line rows between unbounded preceding and 1 preceding), 0) as ahead
     from inventory.backorder b where b.item_id = any($1::int[])) q
   cross join lateral (
     select sum(greatest(p.available - p.reserved + least(p.unreconciled, 0) - kept.quantity, 0)) as free,
       bool_or(kept.shared) as shared
     from inventory.position p
     cross join lateral (
       select coalesce(sum(a.quantity - a.taken), 0) as quantity, coalesce(bool_or(a.kind <> 'safety'), false) as shared
       from inventory.allocation a where a.item_id = p.item_id and a.location = p.location) kept
     where p.item_id = q.item_id and p.lot = '' and p.owner = 'own') stock
   where q.ahead < stock.free or stock.shared
   order by q.since, q.doc, q.line`,
)

export type FillableLine = {
  readonly doc: number
  readonly itemId: number
  readonly channel: string
  readonly quantity: Quantity
  readonly minimumShelfLifeDays: number | null
  /** Something of the item is kept for channels: whether it is reached is not decided yet. */
  readonly shared: boolean
}

/** In the order of the queue; all of them, since nobody wakes the others later. */
export const selectFillable = (queries: Queries, itemIds: readonly number[]): Promise<FillableLine[]> =>
  queries.query<FillableLine>(fillable, [itemIds])

const free = sql(
  'inventory.free_of_items',
  `select item_id as "itemId", location, available - reserved + least(unreconciled, 0) as free
   from inventory.position
   where item_id = any($1::int[]) and ($2::text[] is null or location = any($2::text[])) and lot = '' and owner = 'own'
   order by item_id, location`,
)

export type FreeAt = { readonly itemId: number; readonly location: string; readonly free: Quantity }

/** What is free of these items, whoever it is kept for; everywhere where no places are named. */
export const selectFree = (
  queries: Queries,
  items: readonly number[],
  locations: readonly string[] | null,
): Promise<FreeAt[]> => queries.query<FreeAt>(free, [items, locations])

/** Nobody waits longer for a place that tells nothing: it is asked again. */
const AVOIDED_FOR = `interval '1 hour'`

const avoided = sql(
  'inventory.avoided_places',
  `select s.doc, s.line, s.location from inventory.short_pick s
   where s.doc = any($1::bigint[]) and s.at > now() - ${AVOIDED_FOR} and exists (
     select from inventory.position p where p.item_id = s.item_id and p.location = s.location and p.lot = ''
       and p.owner = 'own' and p.told_at <= s.at offset 0)`,
)

export type AvoidedPlace = { readonly doc: number; readonly line: number; readonly location: string }

/** Where a pick of these orders' lines found too little lately, and nobody has told anything of the place since. */
export const selectAvoided = (queries: Queries, docs: readonly number[]): Promise<AvoidedPlace[]> =>
  queries.query<AvoidedPlace>(avoided, [docs])

const endAvoided = sql(
  'inventory.end_avoiding',
  `delete from inventory.short_pick s where s.at <= now() - ${AVOIDED_FOR} or exists (
     select from inventory.position p where p.item_id = s.item_id and p.location = s.location and p.lot = ''
       and p.owner = 'own' and p.told_at > s.at offset 0)
   returning s.doc`,
)

/** Forgets short picks at places of which something was told since, and those of long ago; answers whose they were. */
export async function deleteShortPicks(tx: Transaction): Promise<number[]> {
  const rows = await tx.query<{ doc: number }>(endAvoided)
  return [...new Set(rows.map(({ doc }) => doc))]
}

const sourcedBy = sql(
  'inventory.sourced_by',
  `select distinct on (d.doc) d.doc, p.id, p.name, p.version, p.rules, d.ship_to as "shipTo"
   from inventory.sourcing_decision d
   cross join lateral (
     select id, name, version, rules from inventory.sourcing_profile where id = d.profile offset 0) p
   where d.doc = any($1::bigint[]) order by d.doc, d.id`,
)

export type SourcedBy = {
  readonly doc: number
  readonly id: number
  readonly name: string
  readonly version: number
  readonly rules: unknown
  readonly shipTo: string | null
}

/** The version that each of these orders was sourced by when it came; those without one are absent. */
export const selectSourcedBy = (queries: Queries, docs: readonly number[]): Promise<SourcedBy[]> =>
  queries.query<SourcedBy>(sourcedBy, [docs])
