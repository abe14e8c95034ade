/** What the house shows of stock: read without locks, as of the moment of reading. */
import type { Queries } from '#platform/database.ts'
import { sql } from '#platform/database.ts'
import type { Quantity } from '#platform/quantity.ts'

const availability = sql(
  'inventory.availability',
  `select k.item_id as "itemId", k.location, coalesce(p.available, 0) as available, coalesce(p.reserved, 0) as reserved,
     coalesce(p.quality_hold + p.damaged, 0) as "onHold", coalesce(p.in_transit, 0) as "inTransit",
     coalesce(p.unreconciled, 0) as unreconciled, now() as "asOf"
   from (select item_id, location from unnest($2::int[]) as i(item_id) cross join unnest($3::text[]) as l(location)) k
   left join inventory.position p on p.item_id = k.item_id and p.location = k.location and p.lot = ''
     and p.owner = 'own' and p.company = $1
   order by k.item_id, k.location`,
)

export type StockPosition = {
  readonly itemId: number
  readonly location: string
  /** In the building and sellable, reserved or not. */
  readonly available: Quantity
  readonly reserved: Quantity
  /** In quality hold or damaged. */
  readonly onHold: Quantity
  readonly inTransit: Quantity
  /** Minus what left although our books could not cover it. */
  readonly unreconciled: Quantity
  readonly asOf: Date
}

/** Every item at every location, in base units; zeros where there is no position. */
export function positionsOf(
  queries: Queries,
  company: string,
  items: readonly number[],
  locations: readonly string[],
): Promise<StockPosition[]> {
  return queries.query<StockPosition>(availability, [company, items, locations])
}

/** The rule of `availableToPromise` as it is published beside each figure. */
export const FORMULA = 'available = max(0, onHand - onHold - reserved + min(0, unreconciled))'

/** What may be promised now: the same figure that reservations are checked against. */
export const availableToPromise = ({ available, reserved, unreconciled }: StockPosition): Quantity =>
  Math.max(0, available - reserved + Math.min(0, unreconciled))

const waiting = sql(
  'inventory.waiting_orders',
  'select count(distinct doc) as waiting from inventory.backorder',
)

/** How many orders wait for stock. */
export async function countWaiting(queries: Queries): Promise<number> {
  const [row] = await queries.query<{ waiting: number }>(waiting)
  return row?.waiting ?? 0
}

const claims = sql(
  'inventory.claims',
  `select p.item_id as "itemId", p.location, sum(p.reserved) as reserved, coalesce(max(r.held), 0) as held
   from inventory.position p
   left join (select item_id, location, sum(quantity) as held from inventory.reservation group by item_id, location) r
     on r.item_id = p.item_id and r.location = p.location
   where p.lot = '' group by p.item_id, p.location order by p.item_id, p.location`,
)

export type ReservedPlace = {
  readonly itemId: number
  readonly location: string
  readonly reserved: Quantity
  /** By orders that are not released there. */
  readonly held: Quantity
}

export const claimsInInventory = (queries: Queries): Promise<ReservedPlace[]> =>
  queries.query<ReservedPlace>(claims)

const drifted = sql(
  'inventory.drifted_positions',
  `with booked as (
     select company, item_id, location, bucket, sum(quantity) as quantity from (
       select company, item_id, location, to_bucket as bucket, quantity from inventory.movement
       union all select company, item_id, location, from_bucket, -quantity from inventory.movement) m
     group by company, item_id, location, bucket)
   select 'item ' || p.item_id || ' at ' || p.location || ': ' || trim_scale(held.quantity) || ' ' || held.bucket || ', ' ||
     trim_scale(coalesce(b.quantity, 0)) || ' by movements' as broken
   from inventory.position p
   cross join lateral (values ('available', p.available), ('quality_hold', p.quality_hold), ('damaged', p.damaged),
     ('in_transit', p.in_transit), ('unreconciled', p.unreconciled)) as held(bucket, quantity)
   left join booked b on b.company = p.company and b.item_id = p.item_id and b.location = p.location
     and b.bucket = held.bucket
   where p.lot = '' and held.quantity <> coalesce(b.quantity, 0) limit 50`,
)

/** Positions of which a bucket is not the sum of its movements. */
export const driftedPositions = async (queries: Queries): Promise<string[]> =>
  (await queries.query<{ broken: string }>(drifted)).map((row) => row.broken)
