/** The SQL of releases from hold that were told before their hold. */
import type { Transaction } from '#platform/database.ts'
import { sql } from '#platform/database.ts'
import { formatQuantity, type Quantity } from '#platform/quantity.ts'
import type { Place } from '../books.ts'
import { ownerOf } from '../contract/owners.ts'

export type ReleaseAhead = Place & { readonly at: Date; readonly quantity: Quantity }

const ahead = sql(
  'inventory.released_ahead',
  `select r.company, r.item_id as "itemId", r.location, r.lot, r.owner, r.at, r.quantity
   from unnest($1::int[], $2::text[]) as k(item_id, location)
   cross join lateral (
     select * from inventory.released_ahead r where r.item_id = k.item_id and r.location = k.location offset 0) r
   order by r.at`,
)
const keep = sql(
  'inventory.keep_released_ahead',
  `insert into inventory.released_ahead (company, item_id, location, lot, owner, at, quantity)
   select company, item_id, location, lot, owner, at, quantity
   from unnest($1::text[], $2::int[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::numeric[])
     as r(company, item_id, location, lot, owner, at, quantity)
   on conflict (item_id, location, lot, owner, at, company) do update set quantity = excluded.quantity`,
)
const drop = sql(
  'inventory.drop_released_ahead',
  `delete from inventory.released_ahead where item_id = any($1::int[]) and quantity = 0`,
)

/** Behind the lock of their positions; the earliest first. */
export function selectReleasedAhead(
  tx: Transaction,
  places: readonly Pick<Place, 'itemId' | 'location'>[],
): Promise<ReleaseAhead[]> {
  return tx.query(ahead, [places.map(({ itemId }) => itemId), places.map(({ location }) => location)])
}

/** How much is left of each; with nothing left it is over. */
export function writeReleasedAhead(tx: Transaction, rows: readonly ReleaseAhead[]): void {
  if (rows.length === 0) return
  tx.send(keep, [
    rows.map((row) => row.company),
    rows.map((row) => row.itemId),
    rows.map((row) => row.location),
    rows.map((row) => row.lot),
    rows.map(ownerOf),
    rows.map((row) => row.at),
    rows.map((row) => formatQuantity(row.quantity)),
  ])
  const over = rows.filter(({ quantity }) => quantity === 0)
  if (over.length > 0) tx.send(drop, [over.map(({ itemId }) => itemId)])
}
