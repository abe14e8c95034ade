/** What the house reads of orders: headers with their lines and holds, for decisions and for screens. */
import type { Queries } from '#platform/database.ts'
import { sql } from '#platform/database.ts'
import type { HoldType, ShippingRule } from './contract.ts'
import { isTerminal, type LineQuantities } from './rules.ts'

export type OrderHeader = {
  readonly doc: number
  readonly company: string
  readonly version: number
  readonly customerId: number
  readonly customer: string
  readonly termsDays: number
  readonly channel: string
  readonly sender: string
  readonly externalId: string | null
  readonly customerOrder: string
  readonly orderDate: string | null
  readonly requestedDate: string | null
  readonly currency: string
  readonly shipToCode: string | null
  readonly shippingRule: ShippingRule
  readonly totalMinor: number
  readonly exposureMinor: number
  readonly erpNumber: string | null
  readonly erpCancelled: boolean
  readonly turn: number
  readonly acknowledgedTurn: number
  readonly cancelRequested: boolean
  readonly closed: boolean
}

export type OrderLine = LineQuantities & {
  readonly doc: number
  readonly n: number
  readonly customerLine: string
  readonly itemId: number
  readonly sku: string
  readonly baseUnit: string
  readonly taxClass: string
  readonly quantity: number
  readonly unit: string
  readonly numerator: number
  readonly denominator: number
  readonly priceMinor: number
  readonly priceUnit: string
  readonly netMinor: number
  readonly rejection: string | null
}

export type OpenHold = {
  readonly id: number
  readonly doc: number
  readonly type: HoldType
  readonly reason: string
  readonly blocks: readonly string[]
}

const HEADER = `o.id as doc, o.company, o.version, o.customer_id as "customerId", o.customer, o.terms_days as "termsDays", o.channel, o.sender,
  o.external_id as "externalId", o.customer_order as "customerOrder", o.order_date::text as "orderDate",
  o.requested_date::text as "requestedDate", o.currency, o.ship_to_code as "shipToCode",
  o.shipping_rule as "shippingRule", o.total_minor as "totalMinor", o.exposure_minor as "exposureMinor",
  o.erp_number as "erpNumber", o.erp_cancelled_at is not null as "erpCancelled", o.turn,
  o.acknowledged_turn as "acknowledgedTurn", o.cancel_requested_at is not null as "cancelRequested",
  o.closed_at is not null as closed`

const headersForUpdate = sql(
  'orders.headers_for_update',
  `select ${HEADER} from orders.sales_order o where o.id = any($1::bigint[]) order by o.id for no key update`,
)
const headers = sql(
  'orders.headers',
  `select ${HEADER} from orders.sales_order o where o.id = any($1::bigint[]) order by o.id`,
)

/** Locks the orders, in the order of keys. */
export const lockHeaders = (queries: Queries, docs: readonly number[]): Promise<OrderHeader[]> =>
  queries.query<OrderHeader>(headersForUpdate, [docs])

export const headersOf = (queries: Queries, docs: readonly number[]): Promise<OrderHeader[]> =>
  queries.query<OrderHeader>(headers, [docs])

const lines = sql(
  'orders.lines',
  `select l.order_id as doc, l.n, l.customer_line as "customerLine", l.item_id as "itemId", l.sku,
     l.base_unit as "baseUnit", l.tax_class as "taxClass", l.quantity, l.unit, l.numerator, l.denominator, l.price_minor as "priceMinor",
     l.price_unit as "priceUnit", l.net_minor as "netMinor", l.rejection, l.ordered, l.cancelled, l.open, l.backordered,
     l.reserved, l.released, l.picked, l.packed, l.shipped
   from orders.line l where l.order_id = any($1::bigint[]) order by l.order_id, l.n`,
)

export const linesOf = (queries: Queries, docs: readonly number[]): Promise<OrderLine[]> =>
  queries.query<OrderLine>(lines, [docs])

const openHolds = sql(
  'orders.open_holds',
  `select id, order_id as doc, type, reason, blocks from orders.hold
   where order_id = any($1::bigint[]) and status = 'open' order by order_id, id`,
)

export const openHoldsOf = (queries: Queries, docs: readonly number[]): Promise<OpenHold[]> =>
  queries.query<OpenHold>(openHolds, [docs])

export type ShipToSnapshot = {
  readonly doc: number
  readonly name: string | null
  readonly lines: readonly string[]
  readonly city: string | null
  readonly region: string | null
  readonly postalCode: string | null
  readonly country: string | null
}

const shipTos = sql(
  'orders.ship_tos',
  `select order_id as doc, name, lines, city, region, postal_code as "postalCode", country
   from orders.ship_to where order_id = any($1::bigint[]) order by order_id`,
)

/** The addresses of orders that name one of their own. */
export const shipTosOf = (queries: Queries, docs: readonly number[]): Promise<ShipToSnapshot[]> =>
  queries.query<ShipToSnapshot>(shipTos, [docs])

const byReference = sql(
  'orders.by_reference',
  `select distinct order_id as doc from orders.reference where value = $1 order by order_id limit 20`,
)

/** Orders that anybody knows by this number. */
export async function ordersByReference(queries: Queries, value: string): Promise<number[]> {
  return (await queries.query<{ doc: number }>(byReference, [value])).map((row) => row.doc)
}

const referencesOf = sql(
  'orders.references_of',
  `select value, scheme, doc from orders.reference where order_id = $1 order by scheme, value`,
)

export const numbersOf = (
  queries: Queries,
  doc: number,
): Promise<{ value: string; scheme: string; doc: number }[]> => queries.query(referencesOf, [doc])

/** Nothing more will happen to the line by itself. */
export const isFinal = (line: LineQuantities): boolean => isTerminal(line)
