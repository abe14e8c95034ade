/** What the house reads of billing, for decisions and for screens. */
import type { Queries } from '#platform/database.ts'
import { sql } from '#platform/database.ts'
import type { InvoiceHeader, InvoiceLine } from './contract.ts'

const INVOICE = `id as doc, company, order_id as "orderId", customer_id as "customerId", shipment_id as "shipmentId",
  currency, state, net_minor as "netMinor", tax_minor as "taxMinor", total_minor as "totalMinor",
  tax_evidence as "taxEvidence", number, terms_days as "termsDays", posted_at as "postedAt", sent_at is not null as sent,
  paid_minor as "paidMinor", version`

const lockInvoiceRows = sql(
  'billing.invoices_for_update',
  `select ${INVOICE} from billing.invoice where id = any($1::bigint[]) order by id for no key update`,
)
const invoicesOfOrderRows = sql(
  'billing.invoices_of_orders',
  `select ${INVOICE} from billing.invoice where order_id = any($1::bigint[]) order by id`,
)
const invoiceLineRows = sql(
  'billing.invoice_lines',
  `select invoice_id as doc, n, shipment_id as "shipmentId", shipment_line as "shipmentLine", order_line as "orderLine",
     item_id as "itemId", quantity, unit, price_minor as "priceMinor", net_minor as "netMinor", tax_minor as "taxMinor"
   from billing.invoice_line where invoice_id = any($1::bigint[]) order by invoice_id, n`,
)

export const lockInvoices = (queries: Queries, docs: readonly number[]): Promise<InvoiceHeader[]> =>
  queries.query<InvoiceHeader>(lockInvoiceRows, [docs])
export const invoicesOfOrders = (queries: Queries, orders: readonly number[]): Promise<InvoiceHeader[]> =>
  queries.query<InvoiceHeader>(invoicesOfOrderRows, [orders])
export const linesOfInvoices = (
  queries: Queries,
  docs: readonly number[],
): Promise<(InvoiceLine & { readonly doc: number })[]> => queries.query(invoiceLineRows, [docs])
