/** The SQL of payments that are taken back. */
import type { Transaction } from '#platform/database.ts'
import { sql } from '#platform/database.ts'

const lockPaymentRows = sql(
  'billing.reversible_for_update',
  `select id as doc, company, customer_id as "customerId", reference, currency, amount_minor as "amountMinor",
     reversed_at is not null as reversed, version
   from billing.payment where id = any($1::bigint[]) order by id for no key update`,
)

export type LockedPayment = {
  readonly doc: number
  readonly company: string
  readonly customerId: number
  readonly reference: string
  readonly currency: string
  readonly amountMinor: number
  readonly reversed: boolean
  readonly version: number
}

export const lockReversible = (tx: Transaction, docs: readonly number[]): Promise<LockedPayment[]> =>
  tx.query<LockedPayment>(lockPaymentRows, [docs])

const reverseRows = sql(
  'billing.reverse_payments',
  `update billing.payment p set reversed_at = now(), reversal_reason = s.reason, version = p.version + 1
   from unnest($1::bigint[], $2::text[]) as s(id, reason) where p.id = s.id`,
)

export function updateReversed(
  tx: Transaction,
  payments: readonly { readonly doc: number; readonly reason: string }[],
): void {
  tx.send(reverseRows, [payments.map((row) => row.doc), payments.map((row) => row.reason)])
}

const setReversalNumbers = sql(
  'billing.set_reversal_numbers',
  `update billing.payment p set erp_reversal = s.number, reversal_registered_at = now(), version = p.version + 1
   from unnest($1::bigint[], $2::text[]) as s(id, number)
   where p.id = s.id returning p.id as doc, p.version`,
)

export function updateReversalNumbers(
  tx: Transaction,
  payments: readonly { readonly doc: number; readonly number: string | undefined }[],
): Promise<{ doc: number; version: number }[]> {
  return tx.query(setReversalNumbers, [
    payments.map((row) => row.doc),
    payments.map((row) => row.number ?? null),
  ])
}
