/** Requests of which more must come: a warehouse has not shipped, refused or given back all of them. */
import { type Queries, sql } from '#platform/database.ts'

export type OpenRequest = {
  readonly doc: number
  readonly location: string
  readonly version: number
  readonly requestedAt: Date
}

const open = sql(
  'shipments.open_requests_of_orders',
  `select id as doc, location, version, requested_at as "requestedAt" from shipments.fulfillment
   where order_id = any($1::bigint[]) and state in ('requested', 'accepted', 'picking', 'packed') and requested_at <= $2
   order by order_id, id`,
)

/** Those of these orders that were made by then. */
export const openRequestsOf = (
  queries: Queries,
  orders: readonly number[],
  madeBy: Date,
): Promise<OpenRequest[]> => queries.query<OpenRequest>(open, [orders, madeBy])
