/** The SQL of billing; the only file that writes its tables. */
import type { Transaction } from '#platform/database.ts'
import { sql } from '#platform/database.ts'
import { formatQuantity } from '#platform/quantity.ts'
import type { InvoiceHeader, NewInvoice } from './contract.ts'

const insertInvoiceRows = sql(
  'billing.insert_invoices',
  `insert into billing.invoice (id, company, order_id, customer_id, shipment_id, currency, net_minor, terms_days)
   select * from unnest($1::bigint[], $2::text[], $3::bigint[], $4::int[], $5::bigint[], $6::text[], $7::bigint[], $8::int[])`,
)
const insertInvoiceLineRows = sql(
  'billing.insert_invoice_lines',
  `insert into billing.invoice_line (invoice_id, n, shipment_id, shipment_line, order_line, item_id, quantity, unit,
     price_minor, net_minor)
   select * from unnest($1::bigint[], $2::smallint[], $3::bigint[], $4::smallint[], $5::smallint[], $6::int[],
     $7::numeric[], $8::text[], $9::bigint[], $10::bigint[])`,
)

/** A shipment line that is billed already makes this fail: one invoice line each, whatever happens. */
export function insertInvoices(tx: Transaction, invoices: readonly NewInvoice[]): void {
  tx.send(insertInvoiceRows, [
    invoices.map((row) => row.doc),
    invoices.map((row) => row.company),
    invoices.map((row) => row.orderId),
    invoices.map((row) => row.customerId),
    invoices.map((row) => row.shipmentId),
    invoices.map((row) => row.currency),
    invoices.map((row) => row.netMinor),
    invoices.map((row) => row.termsDays),
  ])
  const lines = invoices.flatMap(({ doc, lines }) => lines.map((line) => ({ ...line, doc })))
  tx.send(insertInvoiceLineRows, [
    lines.map((row) => row.doc),
    lines.map((row) => row.n),
    lines.map((row) => row.shipmentId),
    lines.map((row) => row.shipmentLine),
    lines.map((row) => row.orderLine),
    lines.map((row) => row.itemId),
    lines.map((row) => formatQuantity(row.quantity)),
    lines.map((row) => row.unit),
    lines.map((row) => row.priceMinor),
    lines.map((row) => row.netMinor),
  ])
}

const postRows = sql(
  'billing.post',
  `update billing.invoice i set state = 'posted', number = s.number, tax_minor = s.tax, total_minor = i.net_minor + s.tax,
     posted_at = s.posted_at, due_date = (s.posted_at at time zone 'UTC')::date + i.terms_days, version = i.version + 1
   from unnest($1::bigint[], $2::text[], $3::bigint[], $4::timestamptz[]) as s(id, number, tax, posted_at)
   where i.id = s.id returning i.id as doc, i.version`,
)

export type Posted = {
  readonly doc: number
  readonly number: string
  readonly taxMinor: number
  readonly postedAt: Date
}

export function updatePosted(tx: Transaction, rows: readonly Posted[]): Promise<{ doc: number; version: number }[]> {
  return tx.query(postRows, [
    rows.map((row) => row.doc),
    rows.map((row) => row.number),
    rows.map((row) => row.taxMinor),
    rows.map((row) => row.postedAt),
  ])
}

const taxRows = sql(
  'billing.tax',
  `update billing.invoice i set state = 'taxed', tax_minor = s.tax, total_minor = i.net_minor + s.tax,
     tax_evidence = s.evidence, tax_jurisdiction = s.jurisdiction, version = i.version + 1
   from unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[]) as s(id, tax, evidence, jurisdiction)
   where i.id = s.id returning i.id as doc, i.version`,
)
const taxLineRows = sql(
  'billing.tax_lines',
  `update billing.invoice_line l set tax_minor = s.tax
   from unnest($1::bigint[], $2::smallint[], $3::bigint[]) as s(invoice_id, n, tax)
   where l.invoice_id = s.invoice_id and l.n = s.n`,
)

export type Taxed = {
  readonly doc: number
  readonly taxMinor: number
  readonly evidence: string
  readonly jurisdiction: string
  readonly lines: readonly { readonly line: number; readonly taxMinor: number }[]
}

export function updateTaxed(tx: Transaction, rows: readonly Taxed[]): Promise<{ doc: number; version: number }[]> {
  const lines = rows.flatMap(({ doc, lines }) => lines.map((line) => ({ ...line, doc })))
  tx.send(taxLineRows, [
    lines.map((row) => row.doc),
    lines.map((row) => row.line),
    lines.map((row) => row.taxMinor),
  ])
  return tx.query(taxRows, [
    rows.map((row) => row.doc),
    rows.map((row) => row.taxMinor),
    rows.map((row) => row.evidence),
    rows.map((row) => row.jurisdiction),
  ])
}

const sentRows = sql(
  'billing.set_sent',
  `update billing.invoice set sent_at = now(), state = case when state = 'posted' then 'sent' else state end,
     version = version + 1
   where id = any($1::bigint[]) returning id as doc, version, state`,
)

export function updateSent(
  tx: Transaction,
  docs: readonly number[],
): Promise<{ doc: number; version: number; state: InvoiceHeader['state'] }[]> {
  return tx.query(sentRows, [docs])
}
