/** The SQL of what is kept back: safety stock, and what is allocated to channels. */
import type { Queries, Transaction } from '#platform/database.ts'
import { sql } from '#platform/database.ts'
import { formatQuantity, type Quantity } from '#platform/quantity.ts'
import type { Kept, KeptKind } from '../contract.ts'

const kept = sql(
  'inventory.kept',
  `select id, item_id as "itemId", location, name, kind, channels, quantity - taken as left from inventory.allocation
   where item_id = any($1::int[]) order by item_id, location, name`,
)

/** What is still kept of these items, at all locations. */
export function selectKept(queries: Queries, itemIds: readonly number[]): Promise<Kept[]> {
  return queries.query<Kept>(kept, [itemIds])
}

const take = sql(
  'inventory.take_allocated',
  `update inventory.allocation a set taken = a.taken + s.quantity
   from unnest($1::bigint[], $2::numeric[]) as s(id, quantity) where a.id = s.id`,
)

/** Counts what was granted of allocations, or with negative quantities given back; one set anew is left alone. */
export function updateTaken(
  tx: Transaction,
  portions: readonly { readonly id: number; readonly quantity: Quantity }[],
): void {
  if (portions.length === 0) return
  const sums = new Map<number, Quantity>()
  for (const { id, quantity } of portions) sums.set(id, (sums.get(id) ?? 0) + quantity)
  tx.send(take, [[...sums.keys()], [...sums.values()].map((quantity) => formatQuantity(quantity))])
}

const remove = sql(
  'inventory.remove_allocations',
  `delete from inventory.allocation where item_id = any($1::int[]) and item_id || ' ' || location = any($2::text[])
     and guards is null`,
)
const insert = sql(
  'inventory.insert_allocations',
  `insert into inventory.allocation (company, item_id, location, name, kind, channels, within, quantity, set_by)
   select company, item_id, location, name, kind, string_to_array(channels, ','), within, quantity, $9
   from unnest($1::text[], $2::int[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::numeric[])
     as a(company, item_id, location, name, kind, channels, within, quantity)`,
)

export type NewAllocation = {
  readonly name: string
  readonly kind: KeptKind
  readonly channels: readonly string[]
  readonly within: string | null
  /** Without what is kept within it. */
  readonly quantity: Quantity
}

export type AllocatedPlace = {
  readonly company: string
  readonly itemId: number
  readonly location: string
  readonly allocations: readonly NewAllocation[]
}

/** Puts these in the place of whatever people kept there. */
export function replaceAllocations(tx: Transaction, places: readonly AllocatedPlace[], setBy: string): void {
  tx.send(remove, [
    [...new Set(places.map(({ itemId }) => itemId))],
    places.map(({ itemId, location }) => `${itemId} ${location}`),
  ])
  const rows = places.flatMap(({ allocations, ...place }) =>
    allocations.map((allocation) => ({ ...place, ...allocation })),
  )
  tx.send(insert, [
    rows.map((row) => row.company),
    rows.map((row) => row.itemId),
    rows.map((row) => row.location),
    rows.map((row) => row.name),
    rows.map((row) => row.kind),
    rows.map((row) => row.channels.join(',')),
    rows.map((row) => row.within),
    rows.map((row) => formatQuantity(row.quantity)),
    setBy,
  ])
}
