/** What people enter of invoices in place of a system, and the system's own fact that takes its place. */
import type { Transaction } from '#platform/database.ts'
import { appendEvents, type Cause } from '#platform/log.ts'
import type { InvoiceKey, Versions } from '../operations.ts'
import type { Posted } from '../store.ts'
import { markPostedByHand, raiseVersions, updateSuperseded } from '../store/by-hand.ts'

/** What is posted next of these was entered by a person. */
export const postByHand = markPostedByHand

/** The ERP's own posting takes the place of the one that was entered; once. */
export async function supersedePosted(
  tx: Transaction,
  rows: readonly (InvoiceKey & Posted & { readonly effectKey: string })[],
  cause: Cause,
): Promise<Versions> {
  if (rows.length === 0) return new Map()
  const changed = await updateSuperseded(tx, rows)
  return tell(tx, changed, {
    rows: rows.map((row) => ({
      ...row,
      data: { number: row.number, taxMinor: row.taxMinor, effectKey: row.effectKey },
    })),
    type: 'invoice.posted',
    cause,
  })
}

/** Tells what people decided on steps of invoices, and what came of it. */
export async function tellOverrides(
  tx: Transaction,
  rows: readonly (InvoiceKey & { readonly data: object })[],
  event: 'step_overridden' | 'override_superseded',
  cause: Cause,
): Promise<void> {
  if (rows.length === 0) return
  const docs = rows.map(({ doc }) => doc).toSorted((a, b) => a - b)
  tell(tx, await raiseVersions(tx, docs), { rows, type: `invoice.${event}`, cause })
}

type Telling = {
  readonly rows: readonly (InvoiceKey & { readonly data: object })[]
  readonly type: string
  readonly cause: Cause
}

function tell(
  tx: Transaction,
  changed: readonly { readonly doc: number; readonly version: number }[],
  { rows, type, cause }: Telling,
): Versions {
  const versions = new Map(changed.map(({ doc, version }) => [doc, version]))
  appendEvents(
    tx,
    rows.map(({ doc, company, orderId, data }) => ({
      type,
      key: doc,
      keyVersion: versions.get(doc)!,
      company,
      correlationId: orderId,
      data,
    })),
    cause,
  )
  return versions
}
