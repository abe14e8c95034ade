/** The SQL of orders; the only file that writes its tables. */
import type { Statement, Transaction } from '#platform/database.ts'
import { sql } from '#platform/database.ts'
import { formatQuantity, type Quantity } from '#platform/quantity.ts'
import type { HoldType, ShippingRule, ShipTo } from './contract.ts'

export type NewOrder = {
  readonly doc: number
  readonly company: string
  readonly customerId: number
  readonly customer: string
  readonly termsDays: number
  readonly taxId: string | null
  /** The customer buys for resale under a certificate. */
  readonly taxExempt: boolean
  readonly channel: string
  readonly sender: string
  readonly externalId: string | null
  readonly customerOrder: string
  readonly orderDate: string | null
  readonly requestedDate: string | null
  readonly currency: string
  readonly shipToCode: string | null
  readonly shipTo: ShipTo | null
  readonly shippingRule: ShippingRule
  readonly note: string | null
  readonly totalMinor: number
  /** What counts against the customer's credit: less than the total where the rest was cancelled at once. */
  readonly exposureMinor: number
  /** W3C, 32 hexadecimal digits. */
  readonly traceId: string | null
}

const insertOrderRows = sql(
  'orders.insert',
  `insert into orders.sales_order (id, company, customer_id, channel, sender, external_id, customer_order, order_date,
     requested_date, currency, ship_to_code, shipping_rule, note, total_minor, trace_id, customer, terms_days, tax_id,
     tax_exempt, exposure_minor)
   select * from unnest($1::bigint[], $2::text[], $3::int[], $4::text[], $5::text[], $6::text[], $7::text[], $8::date[],
     $9::date[], $10::text[], $11::text[], $12::text[], $13::text[], $14::bigint[], $15::uuid[], $16::text[], $17::int[],
     $18::text[], $19::boolean[], $20::bigint[])`,
)

export function insertOrders(tx: Transaction, orders: readonly NewOrder[]): void {
  tx.send(insertOrderRows, [
    orders.map((order) => order.doc),
    orders.map((order) => order.company),
    orders.map((order) => order.customerId),
    orders.map((order) => order.channel),
    orders.map((order) => order.sender),
    orders.map((order) => order.externalId),
    orders.map((order) => order.customerOrder),
    orders.map((order) => order.orderDate),
    orders.map((order) => order.requestedDate),
    orders.map((order) => order.currency),
    orders.map((order) => order.shipToCode),
    orders.map((order) => order.shippingRule),
    orders.map((order) => order.note),
    orders.map((order) => order.totalMinor),
    orders.map((order) => order.traceId),
    orders.map((order) => order.customer),
    orders.map((order) => order.termsDays),
    orders.map((order) => order.taxId),
    orders.map((order) => order.taxExempt),
    orders.map((order) => order.exposureMinor),
  ])
  insertShipTos(
    tx,
    orders.flatMap(({ doc, shipTo }) => (shipTo ? [{ doc, shipTo }] : [])),
  )
}

const insertShipToRows = sql(
  'orders.insert_ship_tos',
  `insert into orders.ship_to (order_id, name, lines, city, region, postal_code, country)
   select order_id, name, array(select jsonb_array_elements_text(lines)), city, region, postal_code, country
   from unnest($1::bigint[], $2::text[], $3::jsonb[], $4::text[], $5::text[], $6::text[], $7::text[])
     as a(order_id, name, lines, city, region, postal_code, country)`,
)

function insertShipTos(tx: Transaction, rows: readonly { doc: number; shipTo: ShipTo }[]): void {
  if (rows.length === 0) return
  tx.send(insertShipToRows, [
    rows.map((row) => row.doc),
    rows.map((row) => row.shipTo.name ?? null),
    rows.map((row) => JSON.stringify(row.shipTo.lines ?? [])),
    rows.map((row) => row.shipTo.city ?? null),
    rows.map((row) => row.shipTo.region ?? null),
    rows.map((row) => row.shipTo.postalCode ?? null),
    rows.map((row) => row.shipTo.country ?? null),
  ])
}

export type NewLine = {
  readonly n: number
  readonly customerLine: string
  readonly itemId: number
  readonly sku: string
  readonly baseUnit: string
  readonly taxClass: string
  /** As ordered, in `unit`. */
  readonly quantity: Quantity
  readonly unit: string
  readonly numerator: number
  readonly denominator: number
  readonly priceMinor: number
  readonly priceUnit: string
  readonly netMinor: number
  /** The line's own; null where the order's counts. */
  readonly requestedDate: string | null
  /** For how long what is shipped must live afterwards; null where any lot will do. */
  readonly minimumShelfLifeDays: number | null
  readonly rejection: string | null
  /** In base units. */
  readonly ordered: Quantity
  readonly reserved: Quantity
  readonly backordered: Quantity
  readonly cancelled: Quantity
}

const insertLineRows = sql(
  'orders.insert_lines',
  `insert into orders.line (order_id, n, customer_line, item_id, quantity, unit, numerator, denominator, price_minor,
     price_unit, net_minor, rejection, ordered, reserved, backordered, cancelled, sku, base_unit, tax_class, requested_date,
     minimum_shelf_life_days, erp_closed)
   select l.*, l.cancelled from unnest($1::bigint[], $2::smallint[], $3::text[], $4::int[], $5::numeric[], $6::text[],
     $7::bigint[], $8::bigint[], $9::bigint[], $10::text[], $11::bigint[], $12::text[], $13::numeric[], $14::numeric[],
     $15::numeric[], $16::numeric[], $17::text[], $18::text[], $19::text[], $20::date[], $21::int[])
     as l(order_id, n, customer_line, item_id, quantity, unit, numerator, denominator, price_minor, price_unit, net_minor,
       rejection, ordered, reserved, backordered, cancelled, sku, base_unit, tax_class, requested_date,
       minimum_shelf_life_days)`,
)

export function insertLines(tx: Transaction, lines: readonly (NewLine & { readonly doc: number })[]): void {
  tx.send(insertLineRows, [
    lines.map((line) => line.doc),
    lines.map((line) => line.n),
    lines.map((line) => line.customerLine),
    lines.map((line) => line.itemId),
    lines.map((line) => formatQuantity(line.quantity)),
    lines.map((line) => line.unit),
    lines.map((line) => line.numerator),
    lines.map((line) => line.denominator),
    lines.map((line) => line.priceMinor),
    lines.map((line) => line.priceUnit),
    lines.map((line) => line.netMinor),
    lines.map((line) => line.rejection),
    lines.map((line) => formatQuantity(line.ordered)),
    lines.map((line) => formatQuantity(line.reserved)),
    lines.map((line) => formatQuantity(line.backordered)),
    lines.map((line) => formatQuantity(line.cancelled)),
    lines.map((line) => line.sku),
    lines.map((line) => line.baseUnit),
    lines.map((line) => line.taxClass),
    lines.map((line) => line.requestedDate),
    lines.map((line) => line.minimumShelfLifeDays),
  ])
}

export type NewHold = {
  readonly id: number
  readonly doc: number
  readonly company: string
  readonly type: HoldType
  readonly reason: string
  readonly blocks: readonly string[]
  readonly raisedBy: string
  readonly owner: string
  /** When nobody needs to decide any more: the order is taken back. */
  readonly expiresAt: Date | null
}

const insertHoldRows = sql(
  'orders.insert_holds',
  `insert into orders.hold (id, order_id, company, type, reason, blocks, raised_by, owner, expires_at)
   select id, order_id, company, type, reason, array(select jsonb_array_elements_text(blocks)), raised_by, owner, expires_at
   from unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::jsonb[], $7::text[], $8::text[],
     $9::timestamptz[]) as h(id, order_id, company, type, reason, blocks, raised_by, owner, expires_at)`,
)

export function insertHolds(tx: Transaction, holds: readonly NewHold[]): void {
  if (holds.length === 0) return
  tx.send(insertHoldRows, [
    holds.map((hold) => hold.id),
    holds.map((hold) => hold.doc),
    holds.map((hold) => hold.company),
    holds.map((hold) => hold.type),
    holds.map((hold) => hold.reason),
    holds.map((hold) => JSON.stringify(hold.blocks)),
    holds.map((hold) => hold.raisedBy),
    holds.map((hold) => hold.owner),
    holds.map((hold) => hold.expiresAt),
  ])
}

const endHoldRows = sql(
  'orders.end_holds',
  `update orders.hold set status = $3, resolution = $4, resolved_by = $5, resolved_at = now()
   where order_id = any($1::bigint[]) and ($2::bigint[] is null or id = any($2::bigint[])) and status = 'open'
   returning id, order_id as "doc", type`,
)

export type HoldsEnded = {
  readonly docs: readonly number[]
  /** All of these orders when absent. */
  readonly ids?: readonly number[]
  readonly status: 'resolved' | 'rejected' | 'expired'
  readonly reason: string
  readonly actor: string
}

/** Ends open holds; answers them. */
export function updateHolds(
  tx: Transaction,
  { docs, ids, status, reason, actor }: HoldsEnded,
): Promise<{ id: number; doc: number; type: HoldType }[]> {
  return tx.query(endHoldRows, [docs, ids ?? null, status, reason, actor])
}

export type Reference = {
  readonly value: string
  readonly scheme: string
  readonly doc: number
  readonly orderId: number
}

const insertReferenceRows = sql(
  'orders.insert_references',
  `insert into orders.reference (value, scheme, doc, order_id)
   select * from unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[]) on conflict do nothing`,
)

export function insertReferences(tx: Transaction, references: readonly Reference[]): void {
  if (references.length === 0) return
  tx.send(insertReferenceRows, [
    references.map((reference) => reference.value),
    references.map((reference) => reference.scheme),
    references.map((reference) => reference.doc),
    references.map((reference) => reference.orderId),
  ])
}

// Changes of the header: each raises the version, which is the number of the event that tells it -------------------------

export type Versioned = { readonly doc: number; readonly version: number }

const setErpNumber = sql(
  'orders.set_erp_number',
  `update orders.sales_order o set erp_number = s.number, version = o.version + 1
   from unnest($1::bigint[], $2::text[]) as s(id, number)
   where o.id = s.id returning o.id as doc, o.version`,
)

export function updateErpNumbers(
  tx: Transaction,
  orders: readonly { readonly doc: number; readonly number: string }[],
): Promise<Versioned[]> {
  return tx.query<Versioned>(setErpNumber, [
    orders.map((order) => order.doc),
    orders.map((order) => order.number),
  ])
}

const setAcknowledged = sql(
  'orders.set_acknowledged',
  `update orders.sales_order o set acknowledged_turn = greatest(o.acknowledged_turn, s.turn), version = o.version + 1
   from unnest($1::bigint[], $2::int[]) as s(id, turn)
   where o.id = s.id returning o.id as doc, o.version`,
)

/** What was told of a turn says nothing of a later one, which began while it was under way. */
export const updateAcknowledged = (
  tx: Transaction,
  orders: readonly { readonly doc: number; readonly turn: number }[],
): Promise<Versioned[]> =>
  tx.query<Versioned>(setAcknowledged, [orders.map((order) => order.doc), orders.map((order) => order.turn)])

// Quantities move between the buckets of a line ---------------------------------------------------------------------------

export type LineChange = {
  readonly doc: number
  readonly n: number
  readonly cancelled?: Quantity
  readonly backordered?: Quantity
  readonly reserved?: Quantity
  readonly released?: Quantity
  readonly picked?: Quantity
  readonly packed?: Quantity
  readonly shipped?: Quantity
}

type Bucket = Exclude<keyof LineChange, 'doc' | 'n'>

const changeLines = (name: string, buckets: readonly Bucket[]): Statement =>
  sql(
    name,
    `update orders.line l set ${buckets.map((bucket) => `${bucket} = l.${bucket} + c.${bucket}`).join(', ')}
     from unnest($1::bigint[], $2::smallint[], ${buckets.map((_, place) => `$${place + 3}::numeric[]`).join(', ')})
       as c(order_id, n, ${buckets.join(', ')})
     where l.order_id = c.order_id and l.n = c.n`,
  )

const USUAL_BUCKETS = ['cancelled', 'backordered', 'reserved', 'released', 'shipped'] as const
const BUCKETS = [...USUAL_BUCKETS, 'picked', 'packed'] as const
const changeUsual = changeLines('orders.change_lines', USUAL_BUCKETS)
const changeAny = changeLines('orders.change_all_buckets', BUCKETS)

/** Adds to the buckets; what enters one must leave another, or the line's CHECK fails. */
export function updateLines(tx: Transaction, changes: readonly LineChange[]): void {
  if (changes.length === 0) return
  const sums = sumByLine(changes)
  // most warehouses tell of shipments alone, and need not pay for those that tell more
  const isUsual = sums.every(({ picked = 0, packed = 0 }) => picked === 0 && packed === 0)
  tx.send(isUsual ? changeUsual : changeAny, [
    sums.map((change) => change.doc),
    sums.map((change) => change.n),
    ...(isUsual ? USUAL_BUCKETS : BUCKETS).map((bucket) =>
      sums.map((change) => formatQuantity(change[bucket] ?? 0)),
    ),
  ])
}

/** An update takes one row of several that match, so changes of one line in one list are added up here. */
function sumByLine(changes: readonly LineChange[]): LineChange[] {
  const sums = new Map<string, LineChange>()
  for (const change of changes) {
    const key = `${change.doc} ${change.n}`
    const sum = sums.get(key)
    sums.set(key, sum ? added(sum, change) : change)
  }
  return [...sums.values()]
}

const added = (a: LineChange, b: LineChange): LineChange => ({
  ...a,
  ...Object.fromEntries(BUCKETS.map((bucket) => [bucket, (a[bucket] ?? 0) + (b[bucket] ?? 0)])),
})

const closeAtErp = sql(
  'orders.close_at_erp',
  `update orders.line l set erp_closed = greatest(l.erp_closed, c.closed)
   from unnest($1::bigint[], $2::smallint[], $3::numeric[]) as c(order_id, n, closed)
   where l.order_id = any($1::bigint[]) and l.order_id = c.order_id and l.n = c.n`,
)

/** What the ERP has closed of a line in all. */
export type ErpClosing = { readonly doc: number; readonly n: number; readonly closed: Quantity }

export function updateErpClosed(tx: Transaction, closings: readonly ErpClosing[]): void {
  tx.send(closeAtErp, [
    closings.map((closing) => closing.doc),
    closings.map((closing) => closing.n),
    closings.map((closing) => formatQuantity(closing.closed)),
  ])
}

const lowerExposure = sql(
  'orders.lower_exposure',
  `update orders.sales_order set exposure_minor = exposure_minor - s.amount from unnest($1::bigint[], $2::bigint[]) as s(id, amount)
   where sales_order.id = s.id`,
)

export function reduceExposure(
  tx: Transaction,
  orders: readonly { readonly doc: number; readonly amountMinor: number }[],
): void {
  if (orders.length > 0)
    tx.send(lowerExposure, [orders.map((order) => order.doc), orders.map((order) => order.amountMinor)])
}
