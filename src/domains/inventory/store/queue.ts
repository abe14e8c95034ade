/** The SQL of the queue: which waiting lines have their turn, and at what they may take it. */
import type { Queries, Transaction } from '#platform/database.ts'
import { sql } from '#platform/database.ts'
import type { Quantity } from '#platform/quantity.ts'

const queued = sql(
  'inventory.queued_lines',
  `select b.doc, b.line, b.item_id as "itemId", b.quantity, b.ahead,
     b.promised_on::text as "promisedOn" from (
     select q.item_id, q.doc, q.line, q.quantity, q.promised_on,
       sum(q.quantity) over (partition by q.item_id order by q.since, q.doc, q.line) - q.quantity as ahead
     from inventory.backorder q where q.item_id = any($2::int[])) b
   where b.doc = any($1::bigint[]) order by b.doc, b.line`,
)

export type QueuedLine = {
  readonly doc: number
  readonly line: number
  readonly itemId: number
  readonly quantity: Quantity
  /** What those before it in the queue wait for. */
  readonly ahead: Quantity
  /** When supply is to reach it; null where that is not known. */
  readonly promisedOn: string | null
}

export const selectQueued = (
  queries: Queries,
  docs: readonly number[],
  items: readonly number[],
): Promise<QueuedLine[]> => queries.query<QueuedLine>(queued, [docs, items])

const rest = sql(
  'inventory.rest_of_items',
  `select p.item_id as "itemId", p.location, p.available - p.reserved + least(p.unreconciled, 0) - (
       select coalesce(sum(a.quantity - a.taken), 0) from inventory.allocation a
       where a.item_id = p.item_id and a.location = p.location) as free
   from inventory.position p
   where p.item_id = any($1::int[]) and p.location = any($2::text[]) and p.lot = '' and p.owner = 'own'`,
)

export type RestAt = { readonly itemId: number; readonly location: string; readonly free: Quantity }

/** What is free of these items and kept for nobody. */
export const selectRest = (
  queries: Queries,
  items: readonly number[],
  locations: readonly string[],
): Promise<RestAt[]> => queries.query<RestAt>(rest, [items, locations])

const free = sql(
  'inventory.free_of_items',
  `select item_id as "itemId", location, available - reserved + least(unreconciled, 0) as free
   from inventory.position
   where item_id = any($1::int[]) and location = any($2::text[]) and lot = '' and owner = 'own'`,
)

/** What is free of these items, whoever it is kept for. */
export const selectFree = (
  queries: Queries,
  items: readonly number[],
  locations: readonly string[],
): Promise<RestAt[]> => queries.query<RestAt>(free, [items, locations])

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
