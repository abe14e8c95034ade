/** How far an order has come, read from what happened to it and its documents; pure. */
import type { RecordedEvent } from '#platform/log.ts'
import { isTerminal, type LineQuantities } from './rules.ts'

export type MilestoneKind =
  | 'submitted'
  | 'accepted'
  | 'rejected'
  | 'on_hold'
  | 'credit_approved'
  | 'reserved'
  | 'partially_allocated'
  | 'backordered'
  | 'released'
  | 'picking'
  | 'packed'
  | 'partially_shipped'
  | 'shipped'
  | 'labelled'
  | 'in_transit'
  | 'out_for_delivery'
  | 'partially_delivered'
  | 'delivered'
  | 'partially_invoiced'
  | 'invoiced'
  | 'partially_paid'
  | 'paid'
  | 'closed'
  | 'partially_cancelled'
  | 'cancelled'

export type Milestone = {
  readonly milestone: MilestoneKind
  readonly at: Date
  /** The door or system that the fact came from. */
  readonly source: string
  /** The document it happened to, the order or one of its own, and the event that says so. */
  readonly doc: number
  readonly event: string
}

type Happened = Pick<RecordedEvent, 'type' | 'key' | 'data' | 'occurredAt' | 'source'>

/**
 * Events say what moved, not whether anything is left. So of the events of one kind only the last can have completed
 * the order, and it did when nothing is left now.
 */
export function milestonesFrom(events: readonly Happened[], lines: readonly LineQuantities[]): Milestone[] {
  const story = new Story(events, lines)
  return events.flatMap((event) =>
    story.reachedBy(event).map((milestone) => ({
      milestone,
      at: event.occurredAt,
      source: event.source,
      doc: event.key,
      event: event.type,
    })),
  )
}

class Story {
  readonly #events: readonly Happened[]
  readonly #lastOf: ReadonlyMap<string, Happened>
  readonly #lines: readonly LineQuantities[]
  /** What holds of all of the order now. */
  readonly #whole: Readonly<Record<(typeof WHOLE)[keyof typeof WHOLE], boolean>>

  constructor(events: readonly Happened[], lines: readonly LineQuantities[]) {
    const docsOf = (type: string): number =>
      new Set(events.flatMap((event) => (event.type === type ? [event.key] : []))).size
    const invoices = docsOf('invoice.posted')
    this.#events = events
    this.#lines = lines
    this.#lastOf = new Map(events.map((event) => [event.type, event]))
    const shipments = docsOf('shipment.confirmed')
    const ended = lines.every(isTerminal)
    const invoiced = ended && invoices >= shipments
    this.#whole = {
      delivered: ended && deliveredShipments(events) === shipments,
      invoiced,
      paid: invoiced && paidInvoices(events) === invoices,
    }
  }

  reachedBy(event: Happened): readonly MilestoneKind[] {
    switch (event.type) {
      case 'order.accepted':
        return acceptedAs(event.data)
      case 'order.hold_released':
        return (event.data as Accepted['holds'][number]).type === 'credit' ? ['credit_approved'] : []
      case 'order.allocated':
        return this.#completed(event, this.#none('backordered')) ? ['reserved'] : ['partially_allocated']
      case 'order.shipped':
        if (this.#none('shipped')) return []
        return this.#completed(event, this.#lines.every(isTerminal)) ? ['shipped'] : ['partially_shipped']
      case 'order.lines_cancelled':
        return this.#endedBy(event) ? ['cancelled'] : ['partially_cancelled']
      case 'order.picked_short':
        return this.#endedBy(event) ? ['cancelled'] : []
      case 'shipment.confirmed':
        return this.#lastOf.has('fulfillment.packed') ? [] : ['packed']
      case 'shipment.delivered':
      case 'invoice.posted':
      case 'invoice.paid': {
        const kind = WHOLE[event.type]
        return [this.#completed(event, this.#whole[kind]) ? kind : `partially_${kind}`]
      }
      default:
        return ALWAYS[event.type] ?? []
    }
  }

  #completed(event: Happened, nothingLeft: boolean): boolean {
    return nothingLeft && this.#lastOf.get(event.type) === event
  }

  /** What is not found ends an order that wants no rest. */
  #endedBy(event: Happened): boolean {
    const isLast = this.#events.findLast(({ type }) => CANCELS.has(type)) === event
    return isLast && this.#lines.every(isTerminal) && this.#none('shipped')
  }

  #none(bucket: 'backordered' | 'shipped'): boolean {
    return this.#lines.every((line) => line[bucket] === 0)
  }
}

const WHOLE = {
  'shipment.delivered': 'delivered',
  'invoice.posted': 'invoiced',
  'invoice.paid': 'paid',
} as const

/** How many invoices were paid and are still. */
function paidInvoices(events: readonly Happened[]): number {
  const paid = new Set<number>()
  for (const { type, key } of events) {
    if (type === 'invoice.paid') paid.add(key)
    if (type === 'invoice.payment_reversed') paid.delete(key)
  }
  return paid.size
}

/** How many shipments the last word of whose carrier is that all of them is delivered. */
function deliveredShipments(events: readonly Happened[]): number {
  const delivered = new Set<number>()
  for (const { type, key } of events) {
    if (type === 'shipment.delivered') delivered.add(key)
    else if (UNDER_WAY.has(type)) delivered.delete(key)
  }
  return delivered.size
}

const UNDER_WAY: ReadonlySet<string> = new Set([
  'shipment.in_transit',
  'shipment.out_for_delivery',
  'shipment.partially_delivered',
])

const CANCELS: ReadonlySet<string> = new Set(['order.lines_cancelled', 'order.picked_short'])

/** A refusal by a system puts the order on hold. */
const ALWAYS: Readonly<Record<string, readonly MilestoneKind[]>> = {
  'order.held': ['on_hold'],
  'order.erp_refused': ['on_hold'],
  'fulfillment.refused': ['on_hold'],
  'order.released': ['released'],
  'fulfillment.picking': ['picking'],
  'fulfillment.packed': ['packed'],
  'fulfillment.labelled': ['labelled'],
  'shipment.in_transit': ['in_transit'],
  'shipment.out_for_delivery': ['out_for_delivery'],
  'shipment.partially_delivered': ['partially_delivered'],
  'invoice.partially_paid': ['partially_paid'],
  'order.closed': ['closed'],
}

type Accepted = {
  readonly outcome: string
  readonly allocation: 'reserved' | 'partially_allocated' | 'backordered' | 'none'
  readonly holds: readonly { readonly type: string }[]
}

function acceptedAs(data: object): MilestoneKind[] {
  const { outcome, allocation = 'none', holds = [] } = data as Partial<Accepted>
  if (outcome === 'rejected') return ['submitted', 'rejected']
  return [
    'submitted',
    'accepted',
    ...(holds.length > 0 ? (['on_hold'] as const) : []),
    ...(holds.some((hold) => hold.type === 'credit') ? [] : (['credit_approved'] as const)),
    ...(allocation === 'none' ? [] : [allocation]),
  ]
}
