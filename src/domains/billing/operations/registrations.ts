/** What the ERP has of payments: their registrations, and that it took them back. */
import type { Transaction } from '#platform/database.ts'
import { appendEvents, type Cause } from '#platform/log.ts'
import { updatePaymentNumbers } from '../store.ts'
import { updateReversalNumbers } from '../store/reversals.ts'

export type Registration<Number> = {
  readonly doc: number
  readonly company: string
  readonly number: Number
  /** Absent where it was not asked. */
  readonly effectKey?: string
}

/** The ERP has these payments under its own numbers. */
export async function recordRegistered(
  tx: Transaction,
  rows: readonly Registration<string>[],
  cause: Cause,
): Promise<void> {
  tell(tx, 'payment.registered', { rows, versions: await updatePaymentNumbers(tx, rows), cause })
}

/** The ERP has taken these payments back too; without a number where it had nothing of them, or never heard of them. */
export async function recordReversalRegistered(
  tx: Transaction,
  rows: readonly Registration<string | undefined>[],
  cause: Cause,
): Promise<void> {
  tell(tx, 'payment.reversal_registered', { rows, versions: await updateReversalNumbers(tx, rows), cause })
}

type Told = {
  readonly rows: readonly Registration<string | undefined>[]
  readonly versions: readonly { readonly doc: number; readonly version: number }[]
  readonly cause: Cause
}

function tell(tx: Transaction, type: string, { rows, versions, cause }: Told): void {
  const versionOf = new Map(versions.map(({ doc, version }) => [doc, version]))
  appendEvents(
    tx,
    rows.map(({ doc, company, number, effectKey }) => ({
      type,
      key: doc,
      keyVersion: versionOf.get(doc)!,
      company,
      correlationId: doc,
      data: { ...(number !== undefined && { number }), ...(effectKey !== undefined && { effectKey }) },
    })),
    cause,
  )
}
