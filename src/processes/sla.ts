/** The flows whose time is measured: what starts and stops their clocks, whose word they wait for, and what is said when they are late. */
import type { Transaction } from '#platform/database.ts'
import type { Money } from '#platform/money.ts'
import type { Clocks } from '#platform/sla-clocks.ts'
import type { FlowWords } from '#platform/sla-watch.ts'
import type { HoldType } from '#domains/orders/contract.ts'
import { headersOf } from '#domains/orders/views.ts'
import { shipmentsOf } from '#domains/shipments/views.ts'

/** An order from its acceptance to the ERP's number; a shipment from its confirmation to its posted invoice. */
export const SLA_FLOWS = ['order_to_erp_posting', 'order_to_invoice_posting'] as const
export type SlaFlow = (typeof SLA_FLOWS)[number]

export type Sla = {
  readonly clocks: Clocks<SlaFlow>
  /** Holds that wait for the customer or for a person: their time is not ours. */
  readonly pausedBy: ReadonlySet<HoldType>
}

export const FLOW_WORDS: Readonly<Record<SlaFlow, FlowWords>> = {
  order_to_erp_posting: {
    kind: 'order',
    titles: {
      warned: 'Orders will soon be late for the ERP',
      breached: 'Orders are not in the ERP in time',
    },
    suggestedAction:
      'See whether the ERP answers and what stops these orders: holds, parked calls, refusals. Tell the customers concerned.',
  },
  order_to_invoice_posting: {
    kind: 'shipment',
    titles: {
      warned: 'Shipments will soon be late to be invoiced',
      breached: 'Shipments are not invoiced in time',
    },
    suggestedAction:
      'See whether the ERP and the tax system answer and what they refuse; mend it, then restart what was refused.',
  },
}

/** What waits is worth its order's total. */
export async function valuesOfLate(
  tx: Transaction,
  flow: SlaFlow,
  docs: readonly number[],
): Promise<ReadonlyMap<number, Money>> {
  const orderOf = new Map(
    flow === 'order_to_erp_posting'
      ? docs.map((doc): [number, number] => [doc, doc])
      : (await shipmentsOf(tx, docs)).map(({ doc, orderId }): [number, number] => [doc, orderId]),
  )
  const orders = await headersOf(tx, [...new Set(orderOf.values())])
  const worth = new Map(
    orders.map(({ doc, totalMinor, currency }) => [doc, { amountMinor: totalMinor, currency }]),
  )
  return new Map([...orderOf].flatMap(([doc, order]) => (worth.has(order) ? [[doc, worth.get(order)!]] : [])))
}

type Hold = { readonly type: HoldType; readonly blocks: readonly string[] }

/** Whether one of these holds keeps the order from the ERP on somebody else's time. */
export const waitsForSomebody = ({ pausedBy }: Sla, holds: readonly Hold[]): boolean =>
  holds.some(({ type, blocks }) => pausedBy.has(type) && blocks.includes('postToErp'))
