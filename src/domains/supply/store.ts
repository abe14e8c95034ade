/** The SQL of supply; the only file that writes its tables. */
import type { Reading } from '#platform/copies.ts'
import { type Queries, sql, type Transaction } from '#platform/database.ts'
import { formatQuantity, type Quantity } from '#platform/quantity.ts'
import type { SupplyReceipt, SupplyRecord } from './contract.ts'
import type { ReceivingLine, Share } from './rules.ts'

export type LineKey = { readonly number: string; readonly line: number }

/** As its source gave it; a date that nobody has said is infinity. */
export type SupplyRow = Omit<SupplyRecord, 'expectedOn'> & { readonly expectedOn: string }

export type HeldRow = SupplyRow & { readonly asOf: Date }

// A lateral with an offset cannot be flattened, so the keys drive and the rows are locked in their order.
const held = sql(
  'supply.held',
  `select l.* from unnest($2::text[], $3::int[]) as k(number, line)
   cross join lateral (
     select number, line, supplier, item_id as "itemId", sku, location, ordered, told_received as received, cancelled,
       expected_on::text as "expectedOn", changed_at as "changedAt", as_of as "asOf"
     from supply.line where company = $1 and number = k.number and line = k.line offset 0 for no key update) l`,
)

/** Locks what we hold of these lines, in the order of the list. */
export const selectHeld = (tx: Transaction, company: string, keys: readonly LineKey[]): Promise<HeldRow[]> =>
  tx.query<HeldRow>(held, [company, keys.map(({ number }) => number), keys.map(({ line }) => line)])

const upsert = sql(
  'supply.upsert',
  `insert into supply.line as l (company, source, as_of, number, line, supplier, item_id, sku, location, ordered,
     told_received, carried, cancelled, expected_on, changed_at)
   select $1, $2, $3, number, line, supplier, item_id, sku, location, ordered, received, received, cancelled,
     expected_on, changed_at
   from unnest($4::text[], $5::int[], $6::text[], $7::int[], $8::text[], $9::text[], $10::numeric[], $11::numeric[],
     $12::numeric[], $13::date[], $14::timestamptz[])
     as r(number, line, supplier, item_id, sku, location, ordered, received, cancelled, expected_on, changed_at)
   on conflict (company, number, line) do update set source = excluded.source, as_of = excluded.as_of,
     supplier = excluded.supplier, item_id = excluded.item_id, sku = excluded.sku, location = excluded.location,
     ordered = excluded.ordered, told_received = excluded.told_received, cancelled = excluded.cancelled,
     expected_on = excluded.expected_on, changed_at = excluded.changed_at,
     dated_at = case when l.expected_on = excluded.expected_on then l.dated_at else excluded.changed_at end
   where (l.changed_at, l.as_of) <= (excluded.changed_at, excluded.as_of)
   returning number, line`,
)

/** Answers those that were written: a newer one that came in between stays. */
export function upsertRows(
  tx: Transaction,
  { company, source, asOf }: Reading,
  rows: readonly SupplyRow[],
): Promise<LineKey[]> {
  return tx.query<LineKey>(upsert, [
    company,
    source,
    asOf,
    rows.map((row) => row.number),
    rows.map((row) => row.line),
    rows.map((row) => row.supplier),
    rows.map((row) => row.itemId),
    rows.map((row) => row.sku),
    rows.map((row) => row.location),
    rows.map((row) => formatQuantity(row.ordered)),
    rows.map((row) => formatQuantity(row.received)),
    rows.map((row) => formatQuantity(row.cancelled)),
    rows.map((row) => row.expectedOn),
    rows.map((row) => row.changedAt),
  ])
}

// Receipts --------------------------------------------------------------------------------------------------------------

export type OrderKey = { readonly company: string; readonly number: string }

const lockOrders = sql(
  'supply.lock_orders',
  `select l.* from unnest($1::text[], $2::text[]) as k(company, number)
   cross join lateral (
     select company, number, line, item_id as "itemId", location, expected_on::text as "expectedOn", open, received
     from supply.line where company = k.company and number = k.number order by line for no key update) l`,
)

/** Locks all lines of these orders, in the order of the list and of their lines. */
export const selectOrders = (tx: Transaction, orders: readonly OrderKey[]): Promise<ReceivingLine[]> =>
  tx.query<ReceivingLine>(lockOrders, [
    orders.map(({ company }) => company),
    orders.map(({ number }) => number),
  ])

// What was carried over may be the very receipts that find their line only now.
const receive = sql(
  'supply.receive',
  `with told as (
     insert into supply.receipt (company, source, source_key, number, line, named_line, item_id, location, quantity, at)
     select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::int[], $6::int[], $7::int[], $8::text[],
       $9::numeric[], $10::timestamptz[])
     on conflict do nothing returning company, number, line, quantity),
   sums as (select company, number, line, sum(quantity) as quantity from told where line > 0 group by 1, 2, 3)
   update supply.line l set received = l.received + s.quantity,
     carried = case when $11 then greatest(l.carried - greatest(s.quantity, 0), 0) else l.carried end
   from sums s where l.company = s.company and l.number = s.number and l.line = s.line`,
)

/** Writes receipts and counts them on their lines; one that is written already counts no more. */
export function insertReceipts(tx: Transaction, shares: readonly Share[], options: { late: boolean }): void {
  if (shares.length === 0) return
  const receipts = shares.map(({ receipt }) => receipt)
  tx.send(receive, [
    receipts.map(({ company }) => company),
    receipts.map(({ source }) => source),
    receipts.map(({ sourceKey }) => sourceKey),
    receipts.map(({ purchaseOrder }) => purchaseOrder?.number ?? ''),
    shares.map(({ line }) => line),
    receipts.map(({ purchaseOrder }) => purchaseOrder?.line ?? null),
    receipts.map(({ itemId }) => itemId),
    receipts.map(({ location }) => location),
    shares.map(({ quantity }) => formatQuantity(quantity)),
    receipts.map(({ at }) => at),
    options.late,
  ])
}

const placeable = sql(
  'supply.placeable',
  `select distinct r.company, r.number from supply.receipt r
   where r.line = 0 and r.number <> '' and r.quantity > 0 and exists (
     select from supply.line l where l.company = r.company and l.number = r.number and l.item_id = r.item_id)
   order by r.company, r.number limit $1`,
)

/** Orders that have become known with the item of a receipt that stands on no line; what was only taken back finds none. */
export const selectPlaceable = (queries: Queries, limit: number): Promise<OrderKey[]> =>
  queries.query<OrderKey>(placeable, [limit])

const takeUnplaced = sql(
  'supply.take_unplaced',
  `delete from supply.receipt r using unnest($1::text[], $2::text[]) as k(company, number)
   where r.company = k.company and r.number = k.number and r.line = 0 and not exists (
     select from supply.receipt o where o.source = r.source and o.source_key = r.source_key and o.line > 0)
   returning r.company, r.source, r.source_key as "sourceKey", r.number, r.named_line as line, r.item_id as "itemId",
     r.location, r.quantity, r.at`,
)

type UnplacedRow = Omit<SupplyReceipt, 'purchaseOrder'> & {
  readonly number: string
  readonly line: number | null
  readonly quantity: Quantity
}

/**
 * Takes out the receipts of these orders that stand on no line; the caller puts them in again. The rest of one that was
 * taken back in part stays.
 */
export async function deleteUnplaced(tx: Transaction, orders: readonly OrderKey[]): Promise<SupplyReceipt[]> {
  const rows = await tx.query<UnplacedRow>(takeUnplaced, [
    orders.map(({ company }) => company),
    orders.map(({ number }) => number),
  ])
  return rows.map(({ number, line, ...row }) => ({
    ...row,
    purchaseOrder: { number, line: line ?? undefined },
  }))
}
