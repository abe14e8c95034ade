/** The SQL of reservations: what order lines may take from a location until a fulfillment request carries the claim. */
import type { Queries, Transaction } from '#platform/database.ts'
import { sql } from '#platform/database.ts'
import { formatQuantity } from '#platform/quantity.ts'
import type { Reservation } from '../contract.ts'

const insertReservationRows = sql(
  'inventory.insert_reservations',
  `insert into inventory.reservation as r (doc, line, location, company, item_id, quantity, minimum_shelf_life_days)
   select doc, line, location, company, item_id, quantity, days
   from unnest($1::bigint[], $2::smallint[], $3::text[], $4::text[], $5::int[], $6::numeric[], $7::int[])
     as n(doc, line, location, company, item_id, quantity, days)
   on conflict (doc, line, location) do update set quantity = r.quantity + excluded.quantity`,
)

export function insertReservations(tx: Transaction, reservations: readonly Reservation[]): void {
  if (reservations.length === 0) return
  tx.send(insertReservationRows, [
    reservations.map((row) => row.doc),
    reservations.map((row) => row.line),
    reservations.map((row) => row.location),
    reservations.map((row) => row.company),
    reservations.map((row) => row.itemId),
    reservations.map((row) => formatQuantity(row.quantity)),
    reservations.map((row) => row.minimumShelfLifeDays ?? null),
  ])
}

const reduceReservationRows = sql(
  'inventory.reduce_reservations',
  `with given as (
     select * from unnest($1::bigint[], $2::smallint[], $3::text[], $4::numeric[]) as g(doc, line, location, quantity)),
   ended as (
     delete from inventory.reservation r using given g
     where r.doc = any($1::bigint[]) and r.doc = g.doc and r.line = g.line and r.location = g.location
       and r.quantity = g.quantity)
   update inventory.reservation r set quantity = r.quantity - g.quantity from given g
   where r.doc = any($1::bigint[]) and r.doc = g.doc and r.line = g.line and r.location = g.location
     and r.quantity > g.quantity`,
)

/** Takes so much off these claims; one of which nothing is left goes. */
export function reduceReservations(tx: Transaction, claims: readonly Reservation[]): void {
  tx.send(reduceReservationRows, [
    claims.map((claim) => claim.doc),
    claims.map((claim) => claim.line),
    claims.map((claim) => claim.location),
    claims.map((claim) => formatQuantity(claim.quantity)),
  ])
}

const deleteReservationRows = sql(
  'inventory.delete_reservations',
  `delete from inventory.reservation where doc = any($1::bigint[]) and doc || ' ' || location = any($2::text[])`,
)

/** Removes an order's claims on these locations; what follows them is the caller's to say. */
export function deleteReservations(
  tx: Transaction,
  claims: readonly { readonly doc: number; readonly location: string }[],
): void {
  if (claims.length === 0) return
  const docs = [...new Set(claims.map((claim) => claim.doc))]
  tx.send(deleteReservationRows, [docs, claims.map((claim) => `${claim.doc} ${claim.location}`)])
}

const reservations = sql(
  'inventory.reservations',
  `select doc, line, location, company, item_id as "itemId", quantity from inventory.reservation
   where doc = any($1::bigint[]) order by doc, line, location`,
)

export function selectReservations(queries: Queries, docs: readonly number[]): Promise<Reservation[]> {
  return queries.query<Reservation>(reservations, [docs])
}
