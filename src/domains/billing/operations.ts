/** The verbs of billing. Each takes the transaction and a list; each change is told as an event of its invoice. */
import type { Transaction } from '#platform/database.ts'
import { appendEvents, type Cause } from '#platform/log.ts'
import type { InvoiceHeader, NewInvoice } from './contract.ts'
import { insertInvoices, type Posted, type Taxed, updatePosted, updateSent, updateTaxed } from './store.ts'

export type InvoiceKey = { readonly doc: number; readonly company: string; readonly orderId: number }
export type Versions = ReadonlyMap<number, number>

function tell(
  tx: Transaction,
  type: string,
  rows: readonly (InvoiceKey & { readonly version: number; readonly data: object })[],
  cause: Cause,
): void {
  appendEvents(
    tx,
    rows.map(({ doc, company, orderId, version, data }) => ({
      type,
      key: doc,
      keyVersion: version,
      company,
      correlationId: orderId,
      data,
    })),
    cause,
  )
}

const versionsOf = (rows: readonly { doc: number; version: number }[]): Versions =>
  new Map(rows.map((row) => [row.doc, row.version]))

/** Draws invoices from shipments: one line for each billable shipment line. */
export function draftInvoices(tx: Transaction, invoices: readonly NewInvoice[], cause: Cause): void {
  if (invoices.length === 0) return
  insertInvoices(tx, invoices)
  tell(
    tx,
    'invoice.drafted',
    invoices.map((row) => ({
      ...row,
      version: 1,
      data: { shipment: row.shipmentId, netMinor: row.netMinor, currency: row.currency, lines: row.lines.length },
    })),
    cause,
  )
}

/** Keeps what the tax system determined, with its evidence. */
export async function recordTax(
  tx: Transaction,
  rows: readonly (InvoiceKey & Taxed)[],
  cause: Cause,
): Promise<Versions> {
  const versions = versionsOf(await updateTaxed(tx, rows))
  tell(
    tx,
    'invoice.taxed',
    rows.map((row) => ({
      ...row,
      version: versions.get(row.doc)!,
      data: { taxMinor: row.taxMinor, evidence: row.evidence, jurisdiction: row.jurisdiction },
    })),
    cause,
  )
  return versions
}

/** The ERP has posted these under its legal numbers; from now on what they say never changes. */
export async function recordPosted(
  tx: Transaction,
  rows: readonly (InvoiceKey & Posted & { readonly effectKey: string })[],
  cause: Cause,
): Promise<Versions> {
  const versions = versionsOf(await updatePosted(tx, rows))
  tell(
    tx,
    'invoice.posted',
    rows.map((row) => ({
      ...row,
      version: versions.get(row.doc)!,
      data: { number: row.number, taxMinor: row.taxMinor, effectKey: row.effectKey },
    })),
    cause,
  )
  return versions
}

/** The channel has these invoices. Answers version and state by document. */
export async function recordSent(
  tx: Transaction,
  rows: readonly (InvoiceKey & { readonly reference: string | undefined })[],
  cause: Cause,
): Promise<ReadonlyMap<number, { readonly version: number; readonly state: InvoiceHeader['state'] }>> {
  const docs = rows.map((row) => row.doc).toSorted((a, b) => a - b)
  const changed = new Map((await updateSent(tx, docs)).map((row) => [row.doc, row]))
  tell(
    tx,
    'invoice.sent',
    rows.map((row) => ({
      ...row,
      version: changed.get(row.doc)!.version,
      data: row.reference ? { reference: row.reference } : {},
    })),
    cause,
  )
  return changed
}
