/** What the house shows of stock: read without locks, as of the moment of reading. */
import type { Queries } from '#platform/database.ts'
import { sql } from '#platform/database.ts'
import type { Quantity } from '#platform/quantity.ts'

const availability = sql(
  'inventory.availability',
  `select k.item_id as "itemId", k.location, coalesce(p.available, 0) as available, coalesce(p.reserved, 0) as reserved,
     coalesce(p.quality_hold + p.quarantine + p.damaged + p.blocked, 0) as "onHold", coalesce(p.in_transit, 0) as "inTransit",
     coalesce(p.unreconciled, 0) as unreconciled, coalesce(p.told_at, now()) as "toldAt", now() as "asOf"
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
  /** In the building and not for sale: on quality hold, in quarantine, damaged or blocked. */
  readonly onHold: Quantity
  readonly inTransit: Quantity
  /** Minus what left although our books could not cover it. */
  readonly unreconciled: Quantity
  /** When a source last told something of it. */
  readonly toldAt: Date
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

const locations = sql(
  'inventory.locations_of_item',
  `select location from inventory.position where item_id = $1 and lot = '' and owner = 'own' order by location`,
)

/** Where an item has a position, whether or not something is there. */
export async function locationsOfItem(queries: Queries, itemId: number): Promise<string[]> {
  const rows = await queries.query<{ location: string }>(locations, [itemId])
  return rows.map(({ location }) => location)
}

const waiting = sql(
  'inventory.waiting_orders',
  'select count(distinct doc) as waiting from inventory.backorder',
)

/** How many orders wait for stock. */
export async function countWaiting(queries: Queries): Promise<number> {
  const [row] = await queries.query<{ waiting: number }>(waiting)
  return row?.waiting ?? 0
}
