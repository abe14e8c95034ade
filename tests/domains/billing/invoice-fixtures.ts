/** Invoices of a test's own, drafted and posted as processes do. */
import type { NewInvoice } from '#domains/billing/contract.ts'
import { draftInvoices, recordPosted } from '#domains/billing/operations.ts'
import { units } from '#platform/quantity.ts'
import type { OpenDatabase } from '#tests/support/open-database.ts'

export const COMPANY = 'NWF'
export const CAUSE = { source: 'test', actor: 'test' }
export const POSTED_AT = new Date('2026-03-02T09:00:00Z')

let docs = 0
/** A document number, or a customer's, that no other test of the file uses. */
export const newDoc = (): number => ++docs

export function invoice(overrides: Partial<NewInvoice> = {}): NewInvoice {
  const doc = overrides.doc ?? newDoc()
  const shipmentId = overrides.shipmentId ?? newDoc()
  return {
    doc,
    company: COMPANY,
    orderId: newDoc(),
    customerId: 1,
    shipmentId,
    currency: 'USD',
    netMinor: 100,
    termsDays: 30,
    lines: [
      {
        n: 1,
        shipmentId,
        shipmentLine: 1,
        orderLine: 1,
        itemId: 1,
        quantity: units(2),
        unit: 'CA',
        priceMinor: 50,
        priceUnit: 'CA',
        catchWeight: null,
        netMinor: 100,
        taxMinor: null,
        taxRatePpm: null,
      },
    ],
    ...overrides,
  }
}

export async function draft(db: OpenDatabase, overrides: Partial<NewInvoice> = {}): Promise<NewInvoice> {
  const drafted = invoice(overrides)
  await db.database.transaction(async (tx) => draftInvoices(tx, [drafted], CAUSE))
  return drafted
}

export const numberOf = ({ doc }: { doc: number }): string => `INV-${String(doc).padStart(6, '0')}`

/** An invoice that the ERP has posted without tax. */
export async function post(db: OpenDatabase, overrides: Partial<NewInvoice> = {}): Promise<NewInvoice> {
  const drafted = await draft(db, overrides)
  const posted = { ...drafted, number: numberOf(drafted), taxMinor: 0, postedAt: POSTED_AT, effectKey: 'k' }
  await db.database.transaction((tx) => recordPosted(tx, [posted], CAUSE))
  return drafted
}

export type Told = { readonly type: string; readonly version: number; readonly data: Record<string, unknown> }

/** The events of a document, in the order of its versions. */
export const toldOf = (db: OpenDatabase, doc: number): Promise<Told[]> =>
  db.run<Told>(
    'select type, key_version as version, data from log.event where key = $1 order by key_version',
    [doc],
  )
