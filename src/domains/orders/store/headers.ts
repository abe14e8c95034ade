/** The SQL that changes headers in one way and raises their versions. */
import type { Statement, Transaction } from '#platform/database.ts'
import { sql } from '#platform/database.ts'
import type { HeaderChange } from '../contract.ts'
import type { Versioned } from '../store.ts'

const raiseVersion = (name: string, assignments: string): Statement =>
  sql(
    name,
    `update orders.sales_order set ${assignments}version = version + 1 where id = any($1::bigint[])
     returning id as doc, version`,
  )

const CHANGES = {
  touched: raiseVersion('orders.touch', ''),
  closed: raiseVersion('orders.close', 'closed_at = now(), '),
  'cancel requested': raiseVersion('orders.request_cancel', 'cancel_requested_at = now(), turn = turn + 1, '),
  'cancel refused': raiseVersion(
    'orders.refuse_cancel',
    'cancel_requested_at = null, cancel_refused_turn = turn, ',
  ),
  'lines cancelled': raiseVersion('orders.cancel_lines', 'turn = turn + 1, '),
  'promise slipped': raiseVersion('orders.slip_promise', 'turn = turn + 1, '),
  'erp cancelled': raiseVersion('orders.set_erp_cancelled', 'erp_cancelled_at = now(), '),
} as const satisfies Record<HeaderChange, Statement>

export function updateHeaders(
  tx: Transaction,
  change: HeaderChange,
  docs: readonly number[],
): Promise<Versioned[]> {
  return tx.query<Versioned>(CHANGES[change], [docs])
}

// Divides by zero, and so fails the transaction, where the rows are not at the versions that the caller has locked.
const raiseLocked = (name: string, assignments: string): Statement =>
  sql(
    name,
    `with raised as (
       update orders.sales_order set ${assignments}version = version + 1 where id = any($1::bigint[]) returning version)
     select 1 / (count(*) = cardinality($1::bigint[]) and sum(version) = $2::bigint)::int from raised`,
  )

const LOCKED_CHANGES = {
  touched: raiseLocked('orders.touch_locked', ''),
  closed: raiseLocked('orders.close_locked', 'closed_at = now(), '),
} as const

export type LockedChange = keyof typeof LOCKED_CHANGES

/** Without an answer to wait for: each order is at one version more than it was, or nothing is committed. */
export function raiseLockedHeaders(
  tx: Transaction,
  change: LockedChange,
  orders: readonly Versioned[],
): Versioned[] {
  const raised = orders.map(({ doc, version }) => ({ doc, version: version + 1 }))
  const sum = raised.reduce((total, { version }) => total + version, 0)
  tx.send(LOCKED_CHANGES[change], [raised.map(({ doc }) => doc), sum])
  return raised
}
