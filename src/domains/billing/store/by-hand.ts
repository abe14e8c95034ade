/** The SQL of what people enter of invoices in place of a system. */
import type { Transaction } from '#platform/database.ts'
import { sql } from '#platform/database.ts'
import type { Posted } from '../store.ts'

const markRows = sql(
  'billing.mark_by_hand',
  `update billing.invoice set posted_by_hand = true where id = any($1::bigint[]) and posted_at is null`,
)

/** What is posted next of these was entered by a person: the ERP's own posting may take its place. */
export const markPostedByHand = (tx: Transaction, docs: readonly number[]): void => tx.send(markRows, [docs])

// What is paid stays within the total: a lower tax than that leaves is for a person to settle.
const supersedeRows = sql(
  'billing.supersede_posting',
  `update billing.invoice i set number = s.number, posted_at = s.posted_at, tax_minor = t.tax,
     total_minor = i.net_minor + t.tax, due_date = (s.posted_at at time zone 'UTC')::date + i.terms_days,
     state = case when t.paid = 0 then i.state when t.paid < i.net_minor + t.tax then 'partially_paid' else 'paid' end,
     posted_by_hand = false, version = i.version + 1
   from unnest($1::bigint[], $2::text[], $3::bigint[], $4::timestamptz[]) as s(id, number, tax, posted_at)
     cross join lateral (
       select paid_minor as paid, case when paid_minor > net_minor + s.tax then tax_minor else s.tax end as tax
       from billing.invoice where id = s.id offset 0) t
   where i.id = s.id and i.posted_by_hand returning i.id as doc, i.version`,
)

/** The ERP's own posting in place of what a person entered. */
export const updateSuperseded = (
  tx: Transaction,
  rows: readonly Posted[],
): Promise<{ doc: number; version: number }[]> =>
  tx.query(supersedeRows, [
    rows.map((row) => row.doc),
    rows.map((row) => row.number),
    rows.map((row) => row.taxMinor),
    rows.map((row) => row.postedAt),
  ])

const raiseRows = sql(
  'billing.raise_versions',
  `update billing.invoice set version = version + 1 where id = any($1::bigint[]) returning id as doc, version`,
)

/** For what is told of invoices that it does not change. */
export const raiseVersions = (
  tx: Transaction,
  docs: readonly number[],
): Promise<{ doc: number; version: number }[]> => tx.query(raiseRows, [docs])
