/** What orders are stuck by, read under the locks of their documents: what people decide on is as it is now. */
import type { Transaction } from '#platform/database.ts'
import { type StepRow, stepRowsOf } from '#platform/desk.ts'
import { type Intent, intentsOf } from '#platform/effects.ts'
import { overridesOf, type WrittenOverride } from '#platform/overrides.ts'
import type { DocumentFacts, Process } from '#platform/process.ts'
import { invoicesOfOrders } from '#domains/billing/views.ts'
import { lockHeaders, openHoldsOf, type OpenHold, type OrderHeader } from '#domains/orders/views.ts'
import { fulfillmentsOfOrders, shipmentsOfOrders } from '#domains/shipments/views.ts'
import type { OverrideKind } from './override-steps.ts'

/** A document of an order with what is open of it. */
export type Paper = {
  readonly kind: OverrideKind
  readonly doc: number
  readonly order: number
  readonly facts: DocumentFacts
  readonly intents: readonly Intent[]
  readonly rows: readonly StepRow[]
  readonly overrides: readonly WrittenOverride[]
}

export type Situation = {
  readonly order: OrderHeader
  readonly holds: readonly OpenHold[]
  readonly papers: readonly Paper[]
}

/** In the order in which documents are locked. */
const KINDS: readonly OverrideKind[] = ['order', 'fulfillment', 'shipment', 'invoice']

/** By order; one that does not exist is left out. Locks the orders, then their documents, kind by kind. */
export async function situationsOf(
  tx: Transaction,
  processes: ReadonlyMap<string, Process>,
  orders: readonly number[],
): Promise<ReadonlyMap<number, Situation>> {
  const wanted = [...new Set(orders)].toSorted((a, b) => a - b)
  tx.locking('document', wanted)
  const headers = await lockHeaders(tx, wanted)
  const known = headers.map(({ doc }) => doc)
  const [fulfillments, shipments, invoices, holds] = await Promise.all([
    fulfillmentsOfOrders(tx, known),
    shipmentsOfOrders(tx, known),
    invoicesOfOrders(tx, known),
    openHoldsOf(tx, known),
  ])
  const named: Readonly<Record<OverrideKind, readonly { doc: number; order: number }[]>> = {
    order: known.map((doc) => ({ doc, order: doc })),
    fulfillment: fulfillments.map(({ doc, orderId }) => ({ doc, order: orderId })),
    shipment: shipments.map(({ doc, orderId }) => ({ doc, order: orderId })),
    invoice: invoices.map(({ doc, orderId }) => ({ doc, order: orderId })),
  }
  const facts = new Map<number, DocumentFacts>()
  for (const kind of KINDS) {
    const docs = named[kind].map(({ doc }) => doc).toSorted((a, b) => a - b)
    if (docs.length === 0) continue
    tx.locking('document', docs)
    for (const [doc, found] of await processes.get(kind)!.facts(tx, docs)) facts.set(doc, found)
  }
  const papers = await openOf(
    tx,
    KINDS.flatMap((kind) => named[kind].map((one) => ({ ...one, kind }))),
    facts,
  )
  const [papersOf, holdsOf] = [
    Map.groupBy(papers, (paper) => paper.order),
    Map.groupBy(holds, (hold) => hold.doc),
  ]
  return new Map(
    headers.map((order) => [
      order.doc,
      { order, holds: holdsOf.get(order.doc) ?? [], papers: papersOf.get(order.doc) ?? [] },
    ]),
  )
}

/** Calls, step rows and decisions, read once the documents are locked: who works on them has written what he decided. */
async function openOf(
  tx: Transaction,
  named: readonly { readonly kind: OverrideKind; readonly doc: number; readonly order: number }[],
  facts: ReadonlyMap<number, DocumentFacts>,
): Promise<Paper[]> {
  const docs = named.map(({ doc }) => doc)
  const [intents, rows, overrides] = await Promise.all([
    intentsOf(tx, docs),
    stepRowsOf(tx, docs),
    overridesOf(tx, docs),
  ])
  const [intentsAt, rowsAt, overridesAt] = [
    Map.groupBy(intents, ({ doc }) => doc),
    Map.groupBy(rows, ({ doc }) => doc),
    Map.groupBy(overrides, ({ doc }) => doc),
  ]
  return named.flatMap((one) => {
    const found = facts.get(one.doc)
    if (!found) return []
    const { doc } = one
    const [mine, mineRows, decided] = [intentsAt.get(doc), rowsAt.get(doc), overridesAt.get(doc)]
    return [{ ...one, facts: found, intents: mine ?? [], rows: mineRows ?? [], overrides: decided ?? [] }]
  })
}
