/** Events of documents that tell what people decided on their steps, and what systems said of it later. */
import type { Transaction } from '#platform/database.ts'
import type { Cause } from '#platform/log.ts'
import { tellOverrides as tellOfInvoices } from '#domains/billing/operations/by-hand.ts'
import { changeHeaders } from '#domains/orders/operations.ts'
import { tellOverrides as tellOfShipping } from '#domains/shipments/operations.ts'
import type { OverrideKind } from './override-steps.ts'

type OverrideEvent = 'step_overridden' | 'override_superseded'

export type Telling = {
  readonly kind: OverrideKind
  readonly doc: number
  readonly company: string
  readonly order: number
  readonly data: object
}

/** Each document has one at most in the list. */
export async function tellOfPapers(
  tx: Transaction,
  told: readonly Telling[],
  event: OverrideEvent,
  cause: Cause,
): Promise<void> {
  const of = (kind: OverrideKind) =>
    told.filter((one) => one.kind === kind).map(({ order, ...one }) => ({ ...one, orderId: order }))
  await changeHeaders(tx, of('order'), { change: 'touched', type: `order.${event}` }, cause)
  for (const kind of ['fulfillment', 'shipment'] as const)
    await tellOfShipping(tx, { kind, event }, of(kind), cause)
  await tellOfInvoices(tx, of('invoice'), event, cause)
}
