/** Orders as a list shows them: newest first, page by page, each with the sums of its lines. */
import type { Queries, Statement } from '#platform/database.ts'
import { sql } from '#platform/database.ts'
import { type LineQuantities, type Stage, stageOf } from '../rules.ts'

export type OrderFilter = {
  readonly company?: string | undefined
  /** The sold-to's number. */
  readonly customer?: string | undefined
  /** By what is stored: a stage is derived and cannot be searched for. */
  readonly state?: 'open' | 'held' | 'closed' | undefined
  readonly from?: Date | undefined
  /** Exclusive. */
  readonly to?: Date | undefined
  /** Any number by which anybody knows the order, whole. */
  readonly text?: string | undefined
  /** Only what this partner may see. */
  readonly partner?: string | undefined
}

/** Where a page ended. `createdAt` keeps the microseconds that a Date would lose, since a batch shares its time. */
export type OrderCursor = { readonly createdAt: string; readonly id: number }

export type ListedOrder = OrderCursor & {
  readonly company: string
  readonly customer: string
  readonly customerOrder: string
  readonly channel: string
  readonly currency: string
  readonly totalMinor: number
  readonly erpNumber: string | null
  readonly requestedDate: string | null
  readonly lineCount: number
  readonly held: boolean
  readonly stage: Stage
}

/** Counted, since the planner would read all open holds at once for an `exists`. */
const HELD = `(select count(*) from orders.hold h where h.order_id = o.id and h.status = 'open') > 0`

const BY_RECENCY = 'created_at desc, id desc'

/** A page of orders of which the one condition holds that names where in an index it begins. */
const pageWhere = (condition: string): string => `
  select o.*, ${HELD} as held from orders.sales_order o
  where ${condition} and ($1::text is null or o.company = $1) and ($2::text is null or o.customer = $2)
    and case $3::text when 'open' then o.closed_at is null when 'closed' then o.closed_at is not null
      when 'held' then ${HELD} else true end
    and o.created_at >= coalesce($4::timestamptz, '-infinity') and o.created_at < coalesce($5::timestamptz, 'infinity')
    and (o.created_at, o.id) < (coalesce($6::timestamptz, 'infinity'), coalesce($7::bigint, 0))
    and ($8::text is null or o.sender = $8 or o.customer = $8)
  order by ${BY_RECENCY} limit $9`

/** The newest orders of these pages first, each with the sums of its lines. No order is in two of them. */
const list = (name: string, ...conditions: readonly string[]): Statement =>
  sql(
    name,
    `select page.id, to_char(page.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as "createdAt",
       page.company, page.customer, page.customer_order as "customerOrder", page.channel, page.currency,
       page.total_minor as "totalMinor", page.erp_number as "erpNumber", page.requested_date::text as "requestedDate",
       page.closed_at is not null as closed, page.held, sums.*
     from (
       ${conditions.map((condition) => `select * from (${pageWhere(condition)}) p`).join(' union all ')}
       order by ${BY_RECENCY} limit $9) page
     cross join lateral (
       select count(*) as "lineCount", coalesce(sum(ordered), 0) as ordered, coalesce(sum(cancelled), 0) as cancelled,
         coalesce(sum(open), 0) as open, coalesce(sum(backordered), 0) as backordered,
         coalesce(sum(reserved), 0) as reserved, coalesce(sum(released), 0) as released,
         coalesce(sum(picked), 0) as picked, coalesce(sum(packed), 0) as packed, coalesce(sum(shipped), 0) as shipped
       from orders.line l where l.order_id = page.id) sums
     order by page.created_at desc, page.id desc`,
  )

const newest = list('orders.list', 'true')
const ofCustomer = list('orders.list_of_customer', 'o.customer = $2')
const ofPartner = list('orders.list_of_partner', 'o.sender = $8', 'o.customer = $8 and o.sender <> $8')
const heldOnes = list('orders.list_held', `o.id in (select order_id from orders.hold where status = 'open')`)
const known = list(
  'orders.list_known',
  'o.id = any(array(select order_id from orders.reference where value = $10))',
)

/** Begins where the fewest orders are passed by. */
function statementFor({ state, customer, partner }: OrderFilter): Statement {
  if (state === 'held') return heldOnes
  if (customer !== undefined) return ofCustomer
  return partner === undefined ? newest : ofPartner
}

type ListedRow = Omit<ListedOrder, 'stage'> & LineQuantities & { readonly closed: boolean }

/** Orders after `cursor`, newest first. */
export async function listOrders(
  queries: Queries,
  filter: OrderFilter,
  cursor: OrderCursor | undefined,
  limit: number,
): Promise<ListedOrder[]> {
  const { company, customer, state, from, to, text, partner } = filter
  const values = [company, customer, state, from, to, cursor?.createdAt, cursor?.id, partner].map(
    (value) => value ?? null,
  )
  const rows = await (text === undefined
    ? queries.query<ListedRow>(statementFor(filter), [...values, limit])
    : queries.query<ListedRow>(known, [...values, limit, text.trim()]))
  return rows.map(listed)
}

/** A line is terminal when all of it is, and so are all lines when the sums of them are. */
function listed(row: ListedRow): ListedOrder {
  const { id, createdAt, company, customer, customerOrder, channel, currency, totalMinor } = row
  const { erpNumber, requestedDate, lineCount, held, closed } = row
  return {
    id,
    createdAt,
    company,
    customer,
    customerOrder,
    channel,
    currency,
    totalMinor,
    erpNumber,
    requestedDate,
    lineCount,
    held,
    stage: stageOf({ lines: [row], held, closed }),
  }
}
