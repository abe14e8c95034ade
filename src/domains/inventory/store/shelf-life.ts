/** The SQL of lots by how long they live, and of claims that want them to. */
import { type Queries, sql } from '#platform/database.ts'
import type { Quantity } from '#platform/quantity.ts'

const lots = sql(
  'inventory.dated_lots',
  `select p.company, p.item_id as "itemId", p.location, p.lot, p.available as quantity, l.expires_on::text as "expiresOn"
   from inventory.position p
   cross join lateral (
     select expires_on from inventory.lot l
     where l.company = p.company and l.item_id = p.item_id and l.lot = p.lot and l.expires_on is not null
       and l.held_by is null offset 0) l
   where p.item_id = any($1::int[]) and p.location = any($2::text[]) and p.owner = 'own' and p.lot <> ''
     and p.available > 0`,
)

export type DatedStock = {
  readonly company: string
  readonly itemId: number
  readonly location: string
  readonly lot: string
  readonly quantity: Quantity
  readonly expiresOn: string
}

/** What is for sale of lots of which it is known when they expire. */
export const selectDatedStock = (
  queries: Queries,
  items: readonly number[],
  locations: readonly string[],
): Promise<DatedStock[]> => queries.query<DatedStock>(lots, [items, locations])

const claims = sql(
  'inventory.claims_on_life',
  `select doc, line, item_id as "itemId", location, minimum_shelf_life_days as days, quantity from inventory.reservation
   where item_id = any($1::int[]) and location = any($2::text[]) and minimum_shelf_life_days is not null`,
)

export type LifeClaim = {
  readonly doc: number
  readonly line: number
  readonly itemId: number
  readonly location: string
  readonly days: number
  readonly quantity: Quantity
}

/** Claims of orders that only lots serve which live for so many days, until a warehouse is asked for them. */
export const selectLifeClaims = (
  queries: Queries,
  items: readonly number[],
  locations: readonly string[],
): Promise<LifeClaim[]> => queries.query<LifeClaim>(claims, [items, locations])

const claimedItems = sql(
  'inventory.items_with_claims_on_life',
  `select distinct item_id as "itemId" from inventory.reservation
   where minimum_shelf_life_days is not null and item_id > $1 order by item_id limit $2`,
)

/** Items of which orders keep what is to live long, page by page. */
export async function selectLifeClaimedItems(
  queries: Queries,
  after: number,
  limit: number,
): Promise<number[]> {
  const rows = await queries.query<{ itemId: number }>(claimedItems, [after, limit])
  return rows.map(({ itemId }) => itemId)
}

const waiting = sql(
  'inventory.waiting_for_life',
  `select item_id as "itemId", doc, line, quantity, days, place from (
     select q.item_id, q.doc, q.line, q.quantity, q.minimum_shelf_life_days as days,
       row_number() over (partition by q.item_id order by q.since, q.doc, q.line)::int as place
     from inventory.backorder q where q.item_id = any($1::int[])) b
   where days is not null order by item_id, place`,
)

export type LifeAwaited = {
  readonly itemId: number
  readonly doc: number
  readonly line: number
  readonly days: number
  readonly quantity: Quantity
  /** In the queue of its item. */
  readonly place: number
}

export const selectLifeAwaited = (queries: Queries, items: readonly number[]): Promise<LifeAwaited[]> =>
  queries.query<LifeAwaited>(waiting, [items])
