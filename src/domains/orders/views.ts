/** What the house reads of orders: headers with their lines and holds, for decisions and for screens. */
import type { Queries } from '#platform/database.ts'
import { sql } from '#platform/database.ts'
import { eventsOf } from '#platform/log.ts'
import type { Quantity } from '#platform/quantity.ts'
import type { HoldType } from './contract.ts'
import { type Milestone, milestonesFrom } from './milestones.ts'
import { isTerminal, type LineQuantities, stageOf } from './rules.ts'
import type { NewLine, NewOrder } from './store.ts'

export type OrderHeader = Omit<NewOrder, 'shipTo' | 'note'> & {
  readonly version: number
  readonly erpNumber: string | null
  readonly erpCancelled: boolean
  readonly turn: number
  readonly acknowledgedTurn: number
  readonly cancelRequested: boolean
  /** The last turn at which cancelling the whole order was refused. */
  readonly cancelRefusedTurn: number | null
  readonly closed: boolean
}

export type OrderLine = NewLine &
  LineQuantities & {
    readonly doc: number
    /** How much of what is cancelled the ERP has off its order, or never had on it. */
    readonly erpClosed: Quantity
  }

export type OpenHold = {
  readonly id: number
  readonly doc: number
  readonly type: HoldType
  readonly reason: string
  readonly blocks: readonly string[]
  readonly expiresAt: Date | null
}

const HEADER = `o.id as doc, o.company, o.version, o.customer_id as "customerId", o.customer, o.terms_days as "termsDays", o.tax_id as "taxId",
  o.tax_exempt as "taxExempt", o.channel, o.sender,
  o.external_id as "externalId", o.customer_order as "customerOrder", o.order_date::text as "orderDate",
  o.requested_date::text as "requestedDate", o.currency, o.ship_to_code as "shipToCode",
  o.shipping_rule as "shippingRule", o.total_minor as "totalMinor", o.exposure_minor as "exposureMinor",
  o.erp_number as "erpNumber", o.erp_cancelled_at is not null as "erpCancelled", o.turn,
  o.acknowledged_turn as "acknowledgedTurn", replace(o.trace_id::text, '-', '') as "traceId", o.cancel_requested_at is not null as "cancelRequested",
  o.cancel_refused_turn as "cancelRefusedTurn", o.closed_at is not null as closed`

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

export const headersOf = async (queries: Queries, docs: readonly number[]): Promise<OrderHeader[]> =>
  docs.length === 0 ? [] : queries.query<OrderHeader>(headers, [docs])

const lines = sql(
  'orders.lines',
  `select l.order_id as doc, l.n, l.customer_line as "customerLine", l.item_id as "itemId", l.sku,
     l.base_unit as "baseUnit", l.tax_class as "taxClass", l.quantity, l.unit, l.numerator, l.denominator, l.price_minor as "priceMinor",
     l.price_unit as "priceUnit", l.net_minor as "netMinor", l.requested_date::text as "requestedDate",
     l.minimum_shelf_life_days as "minimumShelfLifeDays", l.rejection, l.erp_closed as "erpClosed", l.ordered, l.cancelled, l.open, l.backordered,
     l.reserved, l.released, l.picked, l.packed, l.shipped
   from orders.line l where l.order_id = any($1::bigint[]) order by l.order_id, l.n`,
)

export const linesOf = (queries: Queries, docs: readonly number[]): Promise<OrderLine[]> =>
  queries.query<OrderLine>(lines, [docs])

const openHolds = sql(
  'orders.open_holds',
  `select id, order_id as doc, type, reason, blocks, expires_at as "expiresAt" from orders.hold
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
  `with named as materialized (select order_id from orders.reference where value = $1)
   select distinct order_id as doc from named order by order_id limit 20`,
)

/** Orders that anybody knows by this number. */
export async function ordersByReference(queries: Queries, value: string): Promise<number[]> {
  return (await queries.query<{ doc: number }>(byReference, [value])).map((row) => row.doc)
}

const byReferences = sql(
  'orders.by_references',
  `select distinct value, order_id as doc from orders.reference
   where value = any($1::text[]) and scheme like '%-order' order by value, order_id`,
)

/** Orders by the number that its channel or customer gave them; a number may lead to several. */
export async function ordersByReferences(
  queries: Queries,
  values: readonly string[],
): Promise<ReadonlyMap<string, readonly number[]>> {
  const rows = await queries.query<{ value: string; doc: number }>(byReferences, [values])
  const groups = Map.groupBy(rows, (row) => row.value)
  return new Map([...groups].map(([value, group]) => [value, group.map(({ doc }) => doc)]))
}

const byTracking = sql(
  'orders.documents_by_tracking',
  `select value, max(doc) as doc from orders.reference
   where value = any($1::text[]) and scheme = 'tracking' group by value`,
)

/** The newest document by a tracking number: carriers use theirs again. */
export async function documentsByTracking(
  queries: Queries,
  tracking: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const rows = await queries.query<{ value: string; doc: number }>(byTracking, [tracking])
  return new Map(rows.map(({ value, doc }) => [value, doc]))
}

const holdersByNumber = sql(
  'orders.holders_of_numbers',
  `select k.n::int as n, min(r.doc) as doc
   from unnest($1::text[], $2::text[], $3::text[], $4::bigint[]) with ordinality as k(value, scheme, company, doc, n)
     cross join lateral (
       select doc, order_id from orders.reference where value = k.value and scheme = k.scheme and doc <> k.doc offset 0) r
     cross join lateral (
       select from orders.sales_order where id = r.order_id and company = k.company offset 0) o
   group by k.n`,
)

export type NumberOfDocument = {
  readonly value: string
  readonly scheme: string
  readonly company: string
  readonly doc: number
}

/** Which other document of the company is known by each of these numbers. */
export async function holdersOf<N extends NumberOfDocument>(
  queries: Queries,
  numbers: readonly N[],
): Promise<ReadonlyMap<N, number>> {
  if (numbers.length === 0) return new Map()
  const rows = await queries.query<{ n: number; doc: number }>(holdersByNumber, [
    numbers.map(({ value }) => value),
    numbers.map(({ scheme }) => scheme),
    numbers.map(({ company }) => company),
    numbers.map(({ doc }) => doc),
  ])
  return new Map(rows.map(({ n, doc }) => [numbers[n - 1]!, doc]))
}

const referencesOf = sql(
  'orders.references_of',
  `select value, scheme, doc from orders.reference where order_id = $1 order by scheme, value`,
)

export const numbersOf = (
  queries: Queries,
  doc: number,
): Promise<{ value: string; scheme: string; doc: number }[]> => queries.query(referencesOf, [doc])

/** How far an order has come, for its header. */
export const stageOfOrder = stageOf

/** Nothing more will happen to the line by itself. */
export const isFinal = (line: LineQuantities): boolean => isTerminal(line)

// Credit ------------------------------------------------------------------------------------------------------------------

const releasedOnCredit = sql(
  'orders.released_on_credit',
  `select distinct order_id as doc from orders.hold
   where order_id = any($1::bigint[]) and type = 'credit' and status = 'resolved'`,
)

/** Orders that a person let go on although credit said no. */
export async function creditReleased(
  queries: Queries,
  docs: readonly number[],
): Promise<ReadonlySet<number>> {
  const rows = await queries.query<{ doc: number }>(releasedOnCredit, [docs])
  return new Set(rows.map((row) => row.doc))
}

const WORTH_OF_OPEN_LINES =
  'sum(round(l.net_minor * (l.ordered - l.cancelled - l.shipped) / nullif(l.ordered, 0)))'

const heldOnCredit = sql(
  'orders.held_on_credit',
  `select customer_id as "customerId", sum(least(exposure_minor, (
     select ${WORTH_OF_OPEN_LINES} from orders.line l where l.order_id = o.id)))::bigint as "amountMinor"
   from orders.sales_order o
   where id in (select order_id from orders.hold where status = 'open' and type = 'credit')
     and customer_id = any($1::int[]) and closed_at is null group by customer_id`,
)

type CustomerAmount = { readonly customerId: number; readonly amountMinor: number }

const byCustomer = (rows: readonly CustomerAmount[]): ReadonlyMap<number, number> =>
  new Map(rows.map((row) => [row.customerId, row.amountMinor]))

/** What orders that wait for credit would take of it, by customer; what has left is owed whoever waits. */
export const heldExposure = async (
  queries: Queries,
  customerIds: readonly number[],
): Promise<ReadonlyMap<number, number>> =>
  byCustomer(await queries.query<CustomerAmount>(heldOnCredit, [customerIds]))

const worthOfOpen = sql(
  'orders.open_worth',
  `select o.customer_id as "customerId",
     (${WORTH_OF_OPEN_LINES})::bigint as "amountMinor"
   from orders.sales_order o join orders.line l on l.order_id = o.id
   where o.id = any($1::bigint[]) and l.order_id = any($1::bigint[]) and o.closed_at is null group by o.customer_id`,
)

/** What has neither shipped nor been cancelled of these orders is worth, by customer. */
export const openWorth = async (
  queries: Queries,
  docs: readonly number[],
): Promise<ReadonlyMap<number, number>> =>
  byCustomer(await queries.query<CustomerAmount>(worthOfOpen, [docs]))

/** A partner sees the orders it sent and those it is the customer of; without a partner everything is visible. */
export const isPartners = (
  order: Pick<OrderHeader, 'sender' | 'customer'>,
  partner: string | undefined,
): boolean => partner === undefined || order.sender === partner || order.customer === partner

// Milestones, for screens -----------------------------------------------------------------------------------------------

/** What an order has reached, oldest first; `documents` are its fulfillment requests, shipments and invoices. */
export async function milestonesOf(
  queries: Queries,
  doc: number,
  documents: readonly number[] = [],
): Promise<Milestone[]> {
  const [events, lines] = await Promise.all([eventsOf(queries, [doc, ...documents]), linesOf(queries, [doc])])
  return milestonesFrom(events, lines)
}

// Counts, for summaries ---------------------------------------------------------------------------------------------------

const acceptedSince = sql(
  'orders.accepted_since',
  `select count(*) as accepted, min(id) as "firstId" from orders.sales_order where created_at >= $1`,
)
const heldNow = sql(
  'orders.held_now',
  `select count(distinct order_id) as held from orders.hold where status = 'open'`,
)
const acceptedWithin = sql(
  'orders.accepted_within',
  `select id as doc from orders.sales_order where created_at > $1 and created_at <= $2 order by created_at, id`,
)
const acceptedAt = sql(
  'orders.accepted_at',
  `select id as doc, created_at as at from orders.sales_order where id = any($1::bigint[])`,
)

/** How many orders were accepted since then, and the lowest number of theirs. */
export async function countAccepted(
  queries: Queries,
  since: Date,
): Promise<{ readonly accepted: number; readonly firstId: number | null }> {
  const [row] = await queries.query<{ accepted: number; firstId: number | null }>(acceptedSince, [since])
  return row ?? { accepted: 0, firstId: null }
}

/** By their numbers, those accepted after the one moment and until the other. */
export async function acceptedBetween(queries: Queries, after: Date, until: Date): Promise<number[]> {
  const rows = await queries.query<{ doc: number }>(acceptedWithin, [after, until])
  return rows.map(({ doc }) => doc)
}

export async function countHeld(queries: Queries): Promise<number> {
  const [row] = await queries.query<{ held: number }>(heldNow)
  return row?.held ?? 0
}

export async function acceptedTimes(
  queries: Queries,
  docs: readonly number[],
): Promise<ReadonlyMap<number, Date>> {
  const rows = await queries.query<{ doc: number; at: Date }>(acceptedAt, [docs])
  return new Map(rows.map((row) => [row.doc, row.at]))
}

const acceptedPage = sql(
  'orders.accepted_page',
  `select id as doc, company from orders.sales_order
   where created_at >= $1 and created_at < $2
     and (created_at, id) > (
       coalesce((select created_at from orders.sales_order where id = $3::bigint), '-infinity'), coalesce($3::bigint, 0))
   order by created_at, id limit $4`,
)

export type AcceptedPage = {
  readonly from: Date
  readonly until: Date
  /** The order behind which it begins. */
  readonly after: number | undefined
  readonly limit: number
}

/** The first orders of a period, of all companies, in the order in which they were accepted. */
export const ordersAccepted = (
  queries: Queries,
  { from, until, after, limit }: AcceptedPage,
): Promise<{ readonly doc: number; readonly company: string }[]> =>
  queries.query(acceptedPage, [from, until, after ?? null, limit])
