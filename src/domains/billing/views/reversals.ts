/** Payments that were reversed and that the ERP may still count: what has no room there before it has taken them back. */
import type { Queries, Transaction } from '#platform/database.ts'
import { sql } from '#platform/database.ts'
import type { PaymentHeader } from '../views.ts'

/** `doc` finds no room at the ERP before it has taken `reversal` back. */
export type Behind = { readonly doc: number; readonly reversal: number }

const behindRows = sql(
  'billing.behind_reversals',
  `select distinct a.payment_id as doc, r.id as reversal from billing.payment_application a
   cross join lateral (
     select paid_minor, total_minor from billing.invoice i where i.id = a.invoice_id offset 0) i
   cross join lateral (
     select p.id, sum(b.amount_minor) over () as minor from billing.payment_application b
     cross join lateral (
       select id from billing.payment p
       where p.id = b.payment_id and p.reversed_at is not null and p.reversal_registered_at is null offset 0) p
     where b.invoice_id = a.invoice_id and b.payment_id <> a.payment_id offset 0) r
   where a.payment_id = any($1::bigint[]) and i.paid_minor + r.minor > i.total_minor
   order by doc, reversal`,
)

/**
 * Which of these payments have to wait for which reversals: an invoice of theirs would be paid beyond its total, were all
 * that is paid and all that may still be counted at the ERP together.
 */
export const behindReversals = (queries: Queries, docs: readonly number[]): Promise<Behind[]> =>
  queries.query<Behind>(behindRows, [docs])

const shareReversals = sql(
  'billing.share_reversals',
  'select from billing.payment where id = any($1::bigint[]) order by id for share',
)

/** Until the transaction ends nobody writes down that the ERP has taken these back. */
export async function keepReversals(tx: Transaction, reversals: readonly number[]): Promise<void> {
  const docs = [...new Set(reversals)].toSorted((a, b) => a - b)
  tx.locking('document', docs)
  await tx.query(shareReversals, [docs])
}

type Beside = Pick<PaymentHeader, 'doc' | 'company' | 'customerId' | 'amountMinor' | 'currency'> & {
  readonly beside: number
}

const besideRows = sql(
  'billing.unregistered_beside',
  `select distinct a.payment_id as beside, p.id as doc, p.company, p.customer_id as "customerId",
     p.amount_minor as "amountMinor", p.currency
   from billing.payment_application a
   cross join lateral (
     select payment_id from billing.payment_application b
     where b.invoice_id = a.invoice_id and b.payment_id <> a.payment_id offset 0) other
   cross join lateral (
     select id, company, customer_id, amount_minor, currency from billing.payment p
     where p.id = other.payment_id and p.erp_number is null and p.reversed_at is null offset 0) p
   where a.payment_id = any($1::bigint[])`,
)

/** Payments of the same invoices that stand and that the ERP does not have: they may wait for these. */
export const unregisteredBeside = (queries: Queries, docs: readonly number[]): Promise<Beside[]> =>
  queries.query<Beside>(besideRows, [docs])
