/** What the house reads of billing, for decisions and for screens. */
import type { Queries } from '#platform/database.ts'
import { sql } from '#platform/database.ts'
import type { InvoiceHeader, InvoiceLine } from './contract.ts'

const INVOICE = `id as doc, company, order_id as "orderId", customer_id as "customerId", shipment_id as "shipmentId",
  currency, state, net_minor as "netMinor", tax_minor as "taxMinor", total_minor as "totalMinor",
  tax_evidence as "taxEvidence", tax_jurisdiction as "taxJurisdiction", number, terms_days as "termsDays", posted_at as "postedAt", sent_at is not null as sent,
  paid_minor as "paidMinor", version`

const lockInvoiceRows = sql(
  'billing.invoices_for_update',
  `select ${INVOICE} from billing.invoice where id = any($1::bigint[]) order by id for no key update`,
)
// Ordered by the order first: by the key alone, the planner walks all of a table that was small when it was analyzed.
const invoicesOfOrderRows = sql(
  'billing.invoices_of_orders',
  `select ${INVOICE} from billing.invoice where order_id = any($1::bigint[]) order by order_id, id`,
)
const namedInvoices = sql(
  'billing.invoices',
  `select ${INVOICE} from billing.invoice where id = any($1::bigint[]) order by id`,
)
const invoiceLineRows = sql(
  'billing.invoice_lines',
  `select invoice_id as doc, n, shipment_id as "shipmentId", shipment_line as "shipmentLine", order_line as "orderLine",
     item_id as "itemId", quantity, unit, price_minor as "priceMinor", price_unit as "priceUnit",
     catch_weight as "catchWeight", net_minor as "netMinor", tax_minor as "taxMinor", tax_rate_ppm as "taxRatePpm"
   from billing.invoice_line where invoice_id = any($1::bigint[]) order by invoice_id, n`,
)

export const lockInvoices = (queries: Queries, docs: readonly number[]): Promise<InvoiceHeader[]> =>
  queries.query<InvoiceHeader>(lockInvoiceRows, [docs])
export const invoicesOfOrders = (queries: Queries, orders: readonly number[]): Promise<InvoiceHeader[]> =>
  queries.query<InvoiceHeader>(invoicesOfOrderRows, [orders])
export const invoicesNamed = (queries: Queries, docs: readonly number[]): Promise<InvoiceHeader[]> =>
  docs.length === 0 ? Promise.resolve([]) : queries.query<InvoiceHeader>(namedInvoices, [docs])
export const linesOfInvoices = (
  queries: Queries,
  docs: readonly number[],
): Promise<(InvoiceLine & { readonly doc: number })[]> => queries.query(invoiceLineRows, [docs])

export type PaymentHeader = {
  readonly doc: number
  readonly company: string
  readonly customerId: number
  readonly reference: string
  readonly currency: string
  readonly amountMinor: number
  readonly appliedMinor: number
  readonly receivedAt: Date
  readonly erpNumber: string | null
  readonly reversedAt: Date | null
  readonly reversalReason: string | null
  /** The ERP has taken it back too. */
  readonly reversalRegistered: boolean
  readonly version: number
}

const lockPaymentRows = sql(
  'billing.payments_for_update',
  `select id as doc, company, customer_id as "customerId", reference, currency, amount_minor as "amountMinor",
     applied_minor as "appliedMinor", received_at as "receivedAt", erp_number as "erpNumber", reversed_at as "reversedAt",
     reversal_reason as "reversalReason", reversal_registered_at is not null as "reversalRegistered", version
   from billing.payment where id = any($1::bigint[]) order by id for no key update`,
)

export const lockPayments = (queries: Queries, docs: readonly number[]): Promise<PaymentHeader[]> =>
  queries.query<PaymentHeader>(lockPaymentRows, [docs])

const invoicesUnknown = sql(
  'billing.invoices_unknown',
  `select customer_id as "customerId", sum(coalesce(total_minor, net_minor))::bigint as "amountMinor"
   from billing.invoice where customer_id = any($1::int[]) and state <> 'void'
     and (posted_at is null or posted_at > $2::timestamptz) group by customer_id`,
)

/** What the ERP had not posted as of then, by customer. */
export async function unknownInvoices(
  queries: Queries,
  customerIds: readonly number[],
  asOf: Date,
): Promise<ReadonlyMap<number, number>> {
  const rows = await queries.query<{ customerId: number; amountMinor: number }>(invoicesUnknown, [
    customerIds,
    asOf,
  ])
  return new Map(rows.map((row) => [row.customerId, row.amountMinor]))
}

const paymentsUnknown = sql(
  'billing.payments_unknown',
  `select customer_id as "customerId", currency,
     sum(case when reversed_at is null then amount_minor else 0 end
       - case when registered_at <= $2::timestamptz and (reversal_registered_at <= $2::timestamptz) is not true
           then applied_minor else 0 end)::bigint as "amountMinor"
   from billing.payment where customer_id = any($1::int[]) group by customer_id, currency`,
)

/**
 * Cash that the ERP had not applied as of then: not registered yet, or on account; less than nothing where it still
 * counted what was taken back.
 */
export const unknownPayments = (
  queries: Queries,
  customerIds: readonly number[],
  asOf: Date,
): Promise<{ readonly customerId: number; readonly currency: string; readonly amountMinor: number }[]> =>
  queries.query(paymentsUnknown, [customerIds, asOf])

const invoicedOrders = sql(
  'billing.invoiced_orders',
  'select count(distinct order_id) as invoiced from billing.invoice where order_id >= $1 and posted_at is not null',
)
const lastPosted = sql(
  'billing.last_posted',
  `select order_id as "orderId", posted_at as "postedAt" from billing.invoice
   where posted_at is not null order by id desc limit $1`,
)

/** How many of the orders from this number on have a posted invoice. */
export async function countInvoiced(queries: Queries, fromOrder: number): Promise<number> {
  const [row] = await queries.query<{ invoiced: number }>(invoicedOrders, [fromOrder])
  return row?.invoiced ?? 0
}

/** The newest invoices that are posted. */
export const lastPostedInvoices = (
  queries: Queries,
  limit: number,
): Promise<{ readonly orderId: number; readonly postedAt: Date }[]> => queries.query(lastPosted, [limit])
