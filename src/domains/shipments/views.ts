/** What the house reads of shipments, for decisions and for screens. */
import type { Queries } from '#platform/database.ts'
import { sql } from '#platform/database.ts'
import type { Fulfillment, FulfillmentLine, ShipmentLine } from './contract.ts'
import type { ShipmentMilestone } from './contract/tracking.ts'

const FULFILLMENT = `id as doc, company, order_id as "orderId", location, state, wms_number as "wmsNumber", version,
  cancel_requested_at is not null as "cancelRequested", cancel_reason as "cancelReason", by_hand as "byHand"`

const fulfillmentRows = sql(
  'shipments.fulfillments',
  `select ${FULFILLMENT} from shipments.fulfillment where id = any($1::bigint[]) order by id`,
)
// Ordered by the order first: by the key alone, the planner walks all of a table that was small when it was analyzed.
const fulfillmentsOfOrderRows = sql(
  'shipments.fulfillments_of_orders',
  `select ${FULFILLMENT} from shipments.fulfillment where order_id = any($1::bigint[]) order by order_id, id`,
)
const fulfillmentLineRows = sql(
  'shipments.fulfillment_lines',
  `select fulfillment_id as doc, line, item_id as "itemId", quantity, shipped, short, picked, packed,
     minimum_expiry::text as "minimumExpiry"
   from shipments.fulfillment_line where fulfillment_id = any($1::bigint[]) order by fulfillment_id, line`,
)

export const fulfillmentsOf = (queries: Queries, docs: readonly number[]): Promise<Fulfillment[]> =>
  queries.query<Fulfillment>(fulfillmentRows, [docs])
export const fulfillmentsOfOrders = (queries: Queries, orders: readonly number[]): Promise<Fulfillment[]> =>
  queries.query<Fulfillment>(fulfillmentsOfOrderRows, [orders])
export const linesOfFulfillments = (queries: Queries, docs: readonly number[]): Promise<FulfillmentLine[]> =>
  queries.query<FulfillmentLine>(fulfillmentLineRows, [docs])

export type ShipmentHeader = {
  readonly doc: number
  readonly company: string
  readonly orderId: number
  readonly fulfillmentId: number
  readonly location: string
  readonly carrier: string
  readonly service: string | null
  readonly shippedAt: Date
  readonly number: string
  readonly notified: boolean
  /** How far its carrier has told it to be. */
  readonly milestone: ShipmentMilestone | null
  readonly version: number
}

const SHIPMENT = `id as doc, company, order_id as "orderId", fulfillment_id as "fulfillmentId", location, carrier, service,
  shipped_at as "shippedAt", source_key as number, notified_at is not null as notified, milestone, version`

const shipmentsOfOrderRows = sql(
  'shipments.of_orders',
  `select ${SHIPMENT} from shipments.shipment where order_id = any($1::bigint[]) order by order_id, id`,
)
const lockShipmentRows = sql(
  'shipments.for_update',
  `select ${SHIPMENT} from shipments.shipment where id = any($1::bigint[]) order by id for no key update`,
)
const shipmentRows = sql(
  'shipments.of',
  `select ${SHIPMENT} from shipments.shipment where id = any($1::bigint[]) order by id`,
)
const shipmentLineRows = sql(
  'shipments.lines',
  `select shipment_id as doc, n, package, line, item_id as "itemId", quantity, lot, expires_on::text as "expiresOn",
     catch_weight as "catchWeight", serials
   from shipments.shipment_line where shipment_id = any($1::bigint[]) order by shipment_id, n`,
)
const packageRows = sql(
  'shipments.packages',
  `select shipment_id as doc, n, sscc, tracking, weight_grams as "weightGrams"
   from shipments.package where shipment_id = any($1::bigint[]) order by shipment_id, n`,
)

export const shipmentsOfOrders = (queries: Queries, orders: readonly number[]): Promise<ShipmentHeader[]> =>
  queries.query<ShipmentHeader>(shipmentsOfOrderRows, [orders])
export const lockShipments = (queries: Queries, docs: readonly number[]): Promise<ShipmentHeader[]> =>
  queries.query<ShipmentHeader>(lockShipmentRows, [docs])
export const shipmentsOf = (queries: Queries, docs: readonly number[]): Promise<ShipmentHeader[]> =>
  queries.query<ShipmentHeader>(shipmentRows, [docs])
export const linesOfShipments = (
  queries: Queries,
  docs: readonly number[],
): Promise<(ShipmentLine & { readonly doc: number })[]> => queries.query(shipmentLineRows, [docs])

export type PackageRow = {
  readonly doc: number
  readonly n: number
  readonly sscc: string | null
  readonly tracking: string | null
  readonly weightGrams: number | null
}

export const packagesOf = (queries: Queries, docs: readonly number[]): Promise<PackageRow[]> =>
  queries.query<PackageRow>(packageRows, [docs])

const linesOfLot = sql(
  'shipments.lines_of_lot',
  `select l.shipment_id as doc, l.n, l.quantity, l.expires_on::text as "expiresOn", s.* from (
     select shipment_id, n, quantity, expires_on, item_id, lot from shipments.shipment_line
     where item_id = $1 and lot = $2 and (shipment_id, n) < ($3::bigint, $4::smallint)
     order by item_id desc, lot desc, shipment_id desc, n desc limit $5) l
   cross join lateral (
     select order_id as "orderId", location, carrier, shipped_at as "shippedAt", source_key as number
     from shipments.shipment where id = l.shipment_id offset 0) s
   order by l.shipment_id desc, l.n desc`,
)

export type LotLine = Pick<
  ShipmentHeader,
  'doc' | 'orderId' | 'location' | 'carrier' | 'shippedAt' | 'number'
> &
  Pick<ShipmentLine, 'n' | 'quantity' | 'expiresOn'>

const LAST_LINE = 32_767

/** What left of an item's lot, the newest first, after where the page before ended; by index, however much has left. */
export const shippedOfLot = (
  queries: Queries,
  { itemId, lot }: { readonly itemId: number; readonly lot: string },
  after: readonly [doc: number, n: number] | undefined,
  limit: number,
): Promise<LotLine[]> =>
  queries.query<LotLine>(linesOfLot, [
    itemId,
    lot,
    after?.[0] ?? Number.MAX_SAFE_INTEGER,
    after?.[1] ?? LAST_LINE,
    limit,
  ])

const shippedOrders = sql(
  'shipments.shipped_orders',
  'select count(distinct order_id) as shipped from shipments.shipment where order_id >= $1',
)

/** How many of the orders from this number on have shipped, in part at least. */
export async function countShipped(queries: Queries, fromOrder: number): Promise<number> {
  const [row] = await queries.query<{ shipped: number }>(shippedOrders, [fromOrder])
  return row?.shipped ?? 0
}
