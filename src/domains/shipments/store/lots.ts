/** The SQL of the lots that requests are for. */
import type { Queries, Transaction } from '#platform/database.ts'
import { sql } from '#platform/database.ts'
import { formatQuantity } from '#platform/quantity.ts'
import type { Fulfillment, NewFulfillment, RequestedLot } from '../contract.ts'

const insert = sql(
  'shipments.insert_requested_lots',
  `insert into shipments.requested_lot (fulfillment_id, line, lot, n, item_id, location, quantity)
   select * from unnest($1::bigint[], $2::smallint[], $3::text[], $4::smallint[], $5::int[], $6::text[], $7::numeric[])`,
)

export const lotsOfRequest = ({ doc, location, lines }: NewFulfillment): RequestedLot[] =>
  lines.flatMap(({ line, itemId, lots = [] }) =>
    lots.map(({ lot, quantity }, at) => ({ doc, line, n: at + 1, itemId, location, lot, quantity })),
  )

export function insertRequestedLots(tx: Transaction, rows: readonly RequestedLot[]): void {
  if (rows.length === 0) return
  tx.send(insert, [
    rows.map((row) => row.doc),
    rows.map((row) => row.line),
    rows.map((row) => row.lot),
    rows.map((row) => row.n),
    rows.map((row) => row.itemId),
    rows.map((row) => row.location),
    rows.map((row) => formatQuantity(row.quantity)),
  ])
}

const REQUESTED = `r.fulfillment_id as doc, r.line, r.lot, r.n, r.item_id as "itemId", r.location, r.quantity`

const ofRequests = sql(
  'shipments.requested_lots',
  `select ${REQUESTED} from shipments.requested_lot r where r.fulfillment_id = any($1::bigint[])
   order by r.fulfillment_id, r.line, r.n`,
)
export const selectRequestedLots = (queries: Queries, docs: readonly number[]): Promise<RequestedLot[]> =>
  queries.query<RequestedLot>(ofRequests, [docs])

const sums = sql(
  'shipments.requested_of_lots',
  `select item_id as "itemId", location, lot, sum(quantity) as quantity from shipments.requested_lot
   where item_id = any($1::int[]) and location = any($2::text[]) and lot <> '' group by 1, 2, 3`,
)
/** How much of each lot open requests are for. */
export const sumRequestedLots = (
  queries: Queries,
  items: readonly number[],
  locations: readonly string[],
): Promise<Pick<RequestedLot, 'itemId' | 'location' | 'lot' | 'quantity'>[]> =>
  queries.query(sums, [items, locations])

const loose = sql(
  'shipments.requested_of_any_lot',
  `select r.item_id as "itemId", r.location, f.company, l.minimum_expiry::text as "minimumExpiry", r.quantity
   from shipments.requested_lot r
   cross join lateral (
     select minimum_expiry from shipments.fulfillment_line l
     where l.fulfillment_id = r.fulfillment_id and l.line = r.line and l.minimum_expiry is not null offset 0) l
   cross join lateral (select company from shipments.fulfillment f where f.id = r.fulfillment_id offset 0) f
   where r.item_id = any($1::int[]) and r.location = any($2::text[]) and r.lot = ''`,
)

export type RequestedLife = Pick<RequestedLot, 'itemId' | 'location' | 'quantity'> & {
  readonly company: string
  readonly minimumExpiry: string
}

/** What open requests are for out of any lot that does not expire before a day. */
export const selectRequestedLives = (
  queries: Queries,
  items: readonly number[],
  locations: readonly string[],
): Promise<RequestedLife[]> => queries.query<RequestedLife>(loose, [items, locations])

// Ordered by the item first: by the key alone, the planner walks all of a table that was small when it was analyzed.
const ofItem = sql(
  'shipments.requests_of_item',
  `select ${REQUESTED}, f.order_id as "orderId", f.company, f.state, f.cancel_requested_at is not null as "cancelRequested"
   from shipments.requested_lot r
   cross join lateral (select * from shipments.fulfillment f where f.id = r.fulfillment_id offset 0) f
   where r.item_id = $1 and r.location = any($2::text[]) order by r.item_id, r.location, r.fulfillment_id, r.line, r.n`,
)
export type RequestOfItem = RequestedLot &
  Pick<Fulfillment, 'orderId' | 'company' | 'state' | 'cancelRequested'>

/** What of an item is open in requests at these places, by lot. */
export const selectRequestsOfItem = (
  queries: Queries,
  itemId: number,
  locations: readonly string[],
): Promise<RequestOfItem[]> => queries.query<RequestOfItem>(ofItem, [itemId, locations])

const end = sql(
  'shipments.end_requested_lots',
  `delete from shipments.requested_lot
   where fulfillment_id = any($1::bigint[]) and fulfillment_id || ' ' || line = any($2::text[])`,
)
/** Nothing of these lines is open any more. */
export function endRequestedLots(
  tx: Transaction,
  lines: readonly { readonly doc: number; readonly line: number }[],
): void {
  if (lines.length === 0) return
  const docs = [...new Set(lines.map(({ doc }) => doc))]
  tx.send(end, [docs, lines.map(({ doc, line }) => `${doc} ${line}`)])
}

/** What is left of some lines takes the place of what was. */
export function replaceRequestedLots(
  tx: Transaction,
  lines: readonly { readonly doc: number; readonly line: number }[],
  left: readonly RequestedLot[],
): void {
  endRequestedLots(tx, lines)
  insertRequestedLots(tx, left)
}
