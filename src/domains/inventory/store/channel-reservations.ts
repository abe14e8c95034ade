/** The SQL of what channels reserve: reservations, their lines, and what they claim at each place while it is open. */
import type { Transaction } from '#platform/database.ts'
import { sql } from '#platform/database.ts'
import { formatQuantity } from '#platform/quantity.ts'
import type { Portion } from '../contract.ts'
import type { ChannelReservation, Taking } from '../contract/reservations.ts'

const insertHeaders = sql(
  'inventory.insert_channel_reservations',
  `insert into inventory.channel_reservation (id, company, client, partner, channel, reference, class, priority, kind,
     expires_at, created_at)
   select id, company, client, partner, channel, reference, class, priority, kind, expires_at, created_at
   from unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::smallint[],
     $9::text[], $10::timestamptz[], $11::timestamptz[])
     as r(id, company, client, partner, channel, reference, class, priority, kind, expires_at, created_at)`,
)
const insertLines = sql(
  'inventory.insert_channel_reservation_lines',
  `insert into inventory.channel_reservation_line (reservation_id, n, line, item_id, sku, base_unit, requested, unit,
     wanted, granted, open)
   select reservation_id, n, line, item_id, sku, base_unit, requested, unit, wanted, open, open
   from unnest($1::bigint[], $2::smallint[], $3::text[], $4::int[], $5::text[], $6::text[], $7::numeric[], $8::text[],
     $9::numeric[], $10::numeric[])
     as l(reservation_id, n, line, item_id, sku, base_unit, requested, unit, wanted, open)`,
)
const insertClaims = sql(
  'inventory.insert_channel_claims',
  `insert into inventory.channel_claim (reservation_id, n, location, company, item_id, quantity, allocations,
     portions)
   select reservation_id, n, location, company, item_id, quantity, allocations::bigint[], portions::numeric[]
   from unnest($1::bigint[], $2::smallint[], $3::text[], $4::text[], $5::int[], $6::numeric[], $7::text[], $8::text[])
     as c(reservation_id, n, location, company, item_id, quantity, allocations, portions)`,
)

/** New ones, with what they claim. */
export function insertChannelReservations(tx: Transaction, rows: readonly ChannelReservation[]): void {
  tx.send(insertHeaders, [
    rows.map((row) => row.id),
    rows.map((row) => row.company),
    rows.map((row) => row.client),
    rows.map((row) => row.partner),
    rows.map((row) => row.channel),
    rows.map((row) => row.reference),
    rows.map((row) => row.class),
    rows.map((row) => row.priority),
    rows.map((row) => row.kind),
    rows.map((row) => row.expiresAt),
    rows.map((row) => row.createdAt),
  ])
  const lines = rows.flatMap(({ id, company, lines: own }) =>
    own.map((line) => ({ reservation: id, company, ...line })),
  )
  tx.send(insertLines, [
    lines.map((line) => line.reservation),
    lines.map((line) => line.n),
    lines.map((line) => line.line),
    lines.map((line) => line.itemId),
    lines.map((line) => line.sku),
    lines.map((line) => line.baseUnit),
    lines.map((line) => formatQuantity(line.requested)),
    lines.map((line) => line.unit),
    lines.map((line) => formatQuantity(line.wanted)),
    lines.map((line) => formatQuantity(line.open)),
  ])
  const claims = lines.flatMap(({ places, ...line }) => places.map((place) => ({ ...line, ...place })))
  tx.send(insertClaims, [
    claims.map((claim) => claim.reservation),
    claims.map((claim) => claim.n),
    claims.map((claim) => claim.location),
    claims.map((claim) => claim.company),
    claims.map((claim) => claim.itemId),
    claims.map((claim) => formatQuantity(claim.quantity)),
    claims.map(({ from = [] }) => `{${from.map(({ id }) => id).join(',')}}`),
    claims.map(({ from = [] }) => portionsOf(from)),
  ])
}

const portionsOf = (from: readonly Portion[]): string =>
  `{${from.map(({ quantity }) => formatQuantity(quantity)).join(',')}}`

const updateHeaders = sql(
  'inventory.update_channel_reservations',
  `update inventory.channel_reservation r set version = r.version + 1, channel = c.channel, reference = c.reference,
     kind = c.kind, expires_at = c.expires_at, ended_at = case when c.open then null else now() end
   from unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::boolean[])
     as c(id, channel, reference, kind, expires_at, open)
   where r.id = c.id`,
)
const updateLines = sql(
  'inventory.update_channel_reservation_lines',
  `update inventory.channel_reservation_line l set granted = c.granted, open = c.open, committed = c.committed,
     released = c.released, expired = c.expired
   from unnest($1::bigint[], $2::smallint[], $3::numeric[], $4::numeric[], $5::numeric[], $6::numeric[], $7::numeric[])
     as c(reservation_id, n, granted, open, committed, released, expired)
   where l.reservation_id = c.reservation_id and l.n = c.n`,
)

/** As they now are; each becomes one version older. */
export function updateChannelReservations(
  tx: Transaction,
  rows: readonly { readonly reservation: ChannelReservation; readonly open: boolean }[],
): void {
  tx.send(updateHeaders, [
    rows.map(({ reservation }) => reservation.id),
    rows.map(({ reservation }) => reservation.channel),
    rows.map(({ reservation }) => reservation.reference),
    rows.map(({ reservation }) => reservation.kind),
    rows.map(({ reservation }) => reservation.expiresAt),
    rows.map(({ open }) => open),
  ])
  const lines = rows.flatMap(({ reservation: { id, lines: own } }) =>
    own.map((line) => ({ reservation: id, ...line })),
  )
  tx.send(updateLines, [
    lines.map((line) => line.reservation),
    lines.map((line) => line.n),
    lines.map((line) => formatQuantity(line.granted)),
    lines.map((line) => formatQuantity(line.open)),
    lines.map((line) => formatQuantity(line.committed)),
    lines.map((line) => formatQuantity(line.released)),
    lines.map((line) => formatQuantity(line.expired)),
  ])
}

const reduceClaims = sql(
  'inventory.reduce_channel_claims',
  `with taken as (
     select * from unnest($1::bigint[], $2::smallint[], $3::text[], $4::numeric[], $5::text[])
       as t(reservation_id, n, location, quantity, portions)),
   ended as (
     delete from inventory.channel_claim c using taken t
     where c.reservation_id = any($1::bigint[]) and c.reservation_id = t.reservation_id and c.n = t.n
       and c.location = t.location and c.quantity = t.quantity)
   update inventory.channel_claim c set quantity = c.quantity - t.quantity, portions = array(
     select p.kept - p.taken from unnest(c.portions, t.portions::numeric[]) with ordinality as p(kept, taken, at) order by at)
   from taken t
   where c.reservation_id = any($1::bigint[]) and c.reservation_id = t.reservation_id and c.n = t.n
     and c.location = t.location and c.quantity <> t.quantity`,
)

export type TakenClaim = Taking & { readonly reservation: number }

/** Takes so much off these claims, of each their portions too; one of which nothing is left goes, and the CHECK refuses to take more. */
export function reduceChannelClaims(tx: Transaction, takings: readonly TakenClaim[]): void {
  if (takings.length === 0) return
  tx.send(reduceClaims, [
    takings.map((taking) => taking.reservation),
    takings.map((taking) => taking.n),
    takings.map((taking) => taking.location),
    takings.map((taking) => formatQuantity(taking.quantity)),
    takings.map(({ from = [] }) => portionsOf(from)),
  ])
}

const lockHeaders = sql(
  'inventory.lock_channel_reservations',
  `select id, coalesce(expires_at <= now(), false) as "isPast" from inventory.channel_reservation
   where id = any($1::bigint[]) order by id for no key update`,
)

/** Locks them; `isPast`: the time has come, whether or not somebody has ended them. */
export function lockChannelReservations(
  tx: Transaction,
  ids: readonly number[],
): Promise<{ id: number; isPast: boolean }[]> {
  return tx.query(lockHeaders, [ids])
}

const due = sql(
  'inventory.due_channel_reservations',
  `select id from inventory.channel_reservation
   where expires_at <= now() and ended_at is null and expires_at is not null
   order by expires_at limit $1 for no key update skip locked`,
)

/** Soft reservations whose time has come, locked; those that somebody works on come next time. */
export async function lockDueReservations(tx: Transaction, limit: number): Promise<number[]> {
  const rows = await tx.query<{ id: number }>(due, [limit])
  return rows.map(({ id }) => id).toSorted((a, b) => a - b)
}
