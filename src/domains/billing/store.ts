/** The SQL of billing; the only file that writes its tables. */
import type { Transaction } from '#platform/database.ts'
import { sql } from '#platform/database.ts'
import { formatQuantity } from '#platform/quantity.ts'
import type {
  InvoiceHeader,
  NewInvoice,
  NewPayment,
  PaymentApplication,
  ReceivedPayment,
} from './contract.ts'
import type { PayableInvoice } from './rules.ts'

const insertInvoiceRows = sql(
  'billing.insert_invoices',
  `insert into billing.invoice (id, company, order_id, customer_id, shipment_id, currency, net_minor, terms_days)
   select * from unnest($1::bigint[], $2::text[], $3::bigint[], $4::int[], $5::bigint[], $6::text[], $7::bigint[], $8::int[])`,
)
const insertInvoiceLineRows = sql(
  'billing.insert_invoice_lines',
  `insert into billing.invoice_line (invoice_id, n, shipment_id, shipment_line, order_line, item_id, quantity, unit,
     price_minor, price_unit, catch_weight, net_minor)
   select * from unnest($1::bigint[], $2::smallint[], $3::bigint[], $4::smallint[], $5::smallint[], $6::int[],
     $7::numeric[], $8::text[], $9::bigint[], $10::text[], $11::numeric[], $12::bigint[])`,
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
    lines.map((row) => row.priceUnit),
    lines.map((row) => (row.catchWeight === null ? null : formatQuantity(row.catchWeight))),
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

export function updatePosted(
  tx: Transaction,
  rows: readonly Posted[],
): Promise<{ doc: number; version: number }[]> {
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
  `update billing.invoice_line l set tax_minor = s.tax, tax_rate_ppm = s.rate
   from unnest($1::bigint[], $2::smallint[], $3::bigint[], $4::int[]) as s(invoice_id, n, tax, rate)
   where l.invoice_id = s.invoice_id and l.n = s.n`,
)

export type Taxed = {
  readonly doc: number
  readonly taxMinor: number
  readonly evidence: string
  readonly jurisdiction: string
  readonly lines: readonly { readonly line: number; readonly taxMinor: number; readonly ratePpm: number }[]
}

export function updateTaxed(
  tx: Transaction,
  rows: readonly Taxed[],
): Promise<{ doc: number; version: number }[]> {
  const lines = rows.flatMap(({ doc, lines }) => lines.map((line) => ({ ...line, doc })))
  tx.send(taxLineRows, [
    lines.map((row) => row.doc),
    lines.map((row) => row.line),
    lines.map((row) => row.taxMinor),
    lines.map((row) => row.ratePpm),
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

// Payments ----------------------------------------------------------------------------------------------------------------

export type PaymentKey = Pick<NewPayment, 'company' | 'sender' | 'reference'>

const insertPaymentRows = sql(
  'billing.insert_payments',
  `insert into billing.payment (id, company, customer_id, sender, reference, currency, amount_minor, content_hash, received_at)
   select * from unnest($1::bigint[], $2::text[], $3::int[], $4::text[], $5::text[], $6::text[], $7::bigint[],
     $8::bytea[], $9::timestamptz[])
   on conflict (company, sender, reference) do nothing returning id as doc`,
)

/** Claims the natural keys of payments, which must be sorted; answers the documents that are new. */
export async function insertPayments(
  tx: Transaction,
  rows: readonly (NewPayment & { readonly contentHash: Buffer })[],
): Promise<Set<number>> {
  const inserted = await tx.query<{ doc: number }>(insertPaymentRows, [
    rows.map((row) => row.doc),
    rows.map((row) => row.company),
    rows.map((row) => row.customerId),
    rows.map((row) => row.sender),
    rows.map((row) => row.reference),
    rows.map((row) => row.currency),
    rows.map((row) => row.amountMinor),
    rows.map((row) => row.contentHash),
    rows.map((row) => row.receivedAt),
  ])
  return new Set(inserted.map((row) => row.doc))
}

const paymentsByKey = sql(
  'billing.payments_by_key',
  `select p.id as doc, p.company, p.sender, p.reference, p.currency, p.amount_minor as "amountMinor",
     p.applied_minor as "appliedMinor", p.reversed_at is not null as reversed, p.content_hash as "contentHash"
   from unnest($1::text[], $2::text[], $3::text[]) as k(company, sender, reference)
   cross join lateral (
     select * from billing.payment p
     where p.company = k.company and p.sender = k.sender and p.reference = k.reference offset 0) p`,
)

export type StoredPayment = PaymentKey &
  Omit<ReceivedPayment, 'applications'> & { readonly reversed: boolean; readonly contentHash: Buffer }

export function selectPayments(tx: Transaction, keys: readonly PaymentKey[]): Promise<StoredPayment[]> {
  return tx.query<StoredPayment>(paymentsByKey, [
    keys.map((key) => key.company),
    keys.map((key) => key.sender),
    keys.map((key) => key.reference),
  ])
}

const namedInvoiceIds = sql(
  'billing.named_invoices',
  `select i.id as doc from unnest($1::text[], $2::text[]) as k(company, number)
   cross join lateral (
     select id from billing.invoice i where i.company = k.company and i.number = k.number offset 0) i`,
)
const openInvoiceIds = sql(
  'billing.open_invoices',
  `select id as doc from billing.invoice
   where customer_id = any($1::int[]) and posted_at is not null and paid_minor < total_minor`,
)

/** Which invoices these payments may pay: those they name, and every open one of payers who name none. */
export async function selectPayable(tx: Transaction, payments: readonly NewPayment[]): Promise<number[]> {
  const names = payments.flatMap(({ company, named }) =>
    (named ?? []).map(({ number }) => ({ company, number })),
  )
  const payers = payments.flatMap(({ customerId, named }) => (named ? [] : [customerId]))
  const found = await Promise.all([
    tx.query<{ doc: number }>(namedInvoiceIds, [
      names.map((key) => key.company),
      names.map((key) => key.number),
    ]),
    tx.query<{ doc: number }>(openInvoiceIds, [[...new Set(payers)]]),
  ])
  return [...new Set(found.flat().map((row) => row.doc))]
}

const lockPayableRows = sql(
  'billing.payable_for_update',
  `select id as doc, company, order_id as "orderId", customer_id as "customerId", number, currency, state,
     due_date::text as "dueDate", total_minor as "totalMinor", paid_minor as "paidMinor", sent_at is not null as sent,
     version
   from billing.invoice where id = any($1::bigint[]) and posted_at is not null order by id for no key update`,
)

export type LockedInvoice = PayableInvoice & {
  readonly company: string
  readonly orderId: number
  readonly customerId: number
  readonly sent: boolean
  readonly version: number
}

/** Invoices as they stand once nobody else can pay them. */
export const lockPayable = (tx: Transaction, docs: readonly number[]): Promise<LockedInvoice[]> =>
  tx.query<LockedInvoice>(lockPayableRows, [docs])

const payRows = sql(
  'billing.pay_invoices',
  `update billing.invoice i set paid_minor = s.paid, state = s.state, version = s.version
   from unnest($1::bigint[], $2::bigint[], $3::text[], $4::int[]) as s(id, paid, state, version)
   where i.id = s.id`,
)
const insertApplicationRows = sql(
  'billing.insert_applications',
  `insert into billing.payment_application (payment_id, invoice_id, amount_minor, invoice_state)
   select * from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[])`,
)
const setAppliedRows = sql(
  'billing.set_applied',
  `update billing.payment p set applied_minor = s.applied
   from unnest($1::bigint[], $2::bigint[]) as s(id, applied) where p.id = s.id`,
)

/** Writes what locked invoices have become. */
export function updatePaid(tx: Transaction, invoices: readonly LockedInvoice[]): void {
  tx.send(payRows, [
    invoices.map((row) => row.doc),
    invoices.map((row) => row.paidMinor),
    invoices.map((row) => row.state),
    invoices.map((row) => row.version),
  ])
}

/** Writes what each payment did to invoices. */
export function writeApplications(tx: Transaction, payments: readonly ReceivedPayment[]): void {
  const rows = payments.flatMap(({ doc, applications }) =>
    applications.map((row) => ({ ...row, payment: doc })),
  )
  tx.send(insertApplicationRows, [
    rows.map((row) => row.payment),
    rows.map((row) => row.invoice),
    rows.map((row) => row.amountMinor),
    rows.map((row) => row.invoiceState),
  ])
  tx.send(setAppliedRows, [payments.map((row) => row.doc), payments.map((row) => row.appliedMinor)])
}

const deletePaymentRows = sql(
  'billing.delete_payments',
  `delete from billing.payment where id = any($1::bigint[])`,
)

/** Gives back natural keys claimed in this transaction by payments that are refused after all. */
export function deletePayments(tx: Transaction, docs: readonly number[]): void {
  if (docs.length > 0) tx.send(deletePaymentRows, [docs])
}

const applicationRows = sql(
  'billing.applications',
  `select a.payment_id as payment, a.invoice_id as invoice, i.order_id as "orderId", i.number,
     a.amount_minor as "amountMinor", a.invoice_state as "invoiceState"
   from billing.payment_application a
     cross join lateral (select order_id, number from billing.invoice where id = a.invoice_id offset 0) i
   where a.payment_id = any($1::bigint[]) order by a.payment_id, a.invoice_id`,
)

export function selectApplications(
  tx: Transaction,
  payments: readonly number[],
): Promise<(PaymentApplication & { readonly payment: number })[]> {
  return tx.query(applicationRows, [payments])
}

const setPaymentNumbers = sql(
  'billing.set_payment_numbers',
  `update billing.payment p set erp_number = s.number, registered_at = now(), version = p.version + 1
   from unnest($1::bigint[], $2::text[]) as s(id, number)
   where p.id = s.id returning p.id as doc, p.version`,
)

export function updatePaymentNumbers(
  tx: Transaction,
  payments: readonly { readonly doc: number; readonly number: string }[],
): Promise<{ doc: number; version: number }[]> {
  return tx.query(setPaymentNumbers, [payments.map((row) => row.doc), payments.map((row) => row.number)])
}
