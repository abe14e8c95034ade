/** The whole story of one order: found by any of its numbers, with every document on both sides and all that happened. */
import type { Queries } from '#platform/database.ts'
import { type Intent, intentsOf } from '#platform/effects.ts'
import { type OpenException, openExceptionsOf } from '#platform/exceptions.ts'
import { eventsOf, type RecordedEvent } from '#platform/log.ts'
import { formatAmount } from '#platform/money.ts'
import type { InvoiceHeader } from '#domains/billing/contract.ts'
import { invoicesOfOrders } from '#domains/billing/views.ts'
import type { SourcingDecision } from '#domains/inventory/contract/sourcing.ts'
import { decisionsOf } from '#domains/inventory/views/sourcing.ts'
import type { HoldType } from '#domains/orders/contract.ts'
import {
  headersOf,
  linesOf,
  numbersOf,
  openHoldsOf,
  type OrderHeader,
  ordersByReference,
  stageOfOrder,
} from '#domains/orders/views.ts'
import type { Fulfillment } from '#domains/shipments/contract.ts'
import type { AskingAnswer, Parcel, ParcelMilestone } from '#domains/shipments/contract/tracking.ts'
import { parcelMilestone } from '#domains/shipments/operations/tracking.ts'
import { fulfillmentsOfOrders, type ShipmentHeader, shipmentsOfOrders } from '#domains/shipments/views.ts'
import { parcelsOf } from '#domains/shipments/views/tracking.ts'
import { toldLine, type ToldLine } from './order-lines.ts'
import {
  fulfillmentNumber,
  holdNumber,
  invoiceNumber,
  orderNumber,
  paymentNumber,
  shipmentNumber,
} from './ports.ts'
import { titleOf } from './story-words.ts'

export type DocumentKind = 'order' | 'fulfillment' | 'shipment' | 'invoice' | 'payment'

/** One document, under our number and under the numbers that others know it by. */
export type StoryDocument = {
  readonly id: string
  readonly kind: DocumentKind
  readonly state: string
  readonly location?: string
  readonly amount?: string
  /** Of a shipment, what has a tracking number, as far as its carrier has told. */
  readonly parcels?: readonly StoryParcel[]
  /** Of a shipment, what its carrier was asked about and is still awaited. */
  readonly asked?: readonly AskedParcel[]
  readonly references: readonly { readonly scheme: string; readonly value: string }[]
}

export type StoryParcel = {
  readonly tracking: string
  readonly milestone: ParcelMilestone
  /** The carrier's own code, where and when it was scanned, and who signed. */
  readonly code: string
  readonly at: string
  readonly place: string | null
  readonly signedBy: string | null
}

/** When its carrier was last asked about it, and since when it has given no answer. */
export type AskedParcel = {
  readonly tracking: string
  readonly at: string
  readonly answer: AskingAnswer
  readonly unansweredSince: string | null
}

export type StoryEntry = {
  readonly at: string
  readonly type: string
  /** What happened, in business words. */
  readonly title: string
  /** The number of the document it happened to, and the version it made of it. */
  readonly document: string
  readonly version: number
  readonly source: string
  readonly actor: string
  readonly traceId: string | null
  readonly data: object
}

export type Story = {
  readonly order: {
    readonly id: string
    readonly company: string
    readonly customer: string
    readonly customerOrder: string
    readonly channel: string
    readonly sender: string
    readonly externalId: string | null
    readonly orderDate: string | null
    readonly requestedDate: string | null
    readonly shippingRule: string
    readonly stage: string
    readonly held: boolean
    readonly closed: boolean
    readonly acceptedAt: string | null
    readonly version: number
  }
  readonly money: {
    readonly currency: string
    readonly total: string
    /** With tax, as posted. */
    readonly invoiced: string
    readonly paid: string
    readonly due: string
  }
  readonly lines: readonly ToldLine[]
  readonly documents: readonly StoryDocument[]
  readonly holds: readonly { id: string; type: HoldType; reason: string; blocks: readonly string[] }[]
  readonly exceptions: readonly StoryException[]
  /** What other systems were asked and have not answered for good. */
  readonly openCalls: readonly OpenCall[]
  /** From where it is served and why, where a profile decided or a pick was short. */
  readonly sourcing: readonly SourcingDecision[]
  readonly entries: readonly StoryEntry[]
}

export type StoryException = Pick<
  OpenException,
  'id' | 'code' | 'title' | 'owner' | 'severity' | 'suggestedAction'
> & {
  readonly document: string
  readonly dueAt: string
}

export type OpenCall = Pick<Intent, 'system' | 'operation' | 'businessKey' | 'state' | 'attempts'> & {
  readonly document: string
  readonly dueAt: string | null
}

const OURS = /^[OFSIP]-(\d{1,15})$/i

/**
 * The orders that anybody knows by this number, the newest first: one of ours (O-, F-, S-, I-, P-), the customer's
 * purchase order, a number of the ERP, the warehouse or the shop, an invoice, a package, a tracking number.
 */
export async function findOrders(queries: Queries, anyId: string): Promise<number[]> {
  const text = anyId.trim()
  const own = OURS.exec(text)
  const known = own ? await ordersOfDocument(queries, Number(own[1])) : []
  if (known.length > 0) return known
  const found = await ordersByReference(queries, text)
  return found.toSorted((a, b) => b - a)
}

/** Each event names the order at the root of its document's journey; a payment names the invoices it paid instead. */
async function ordersOfDocument(queries: Queries, doc: number): Promise<number[]> {
  const [first] = await eventsOf(queries, [doc])
  if (!first) return []
  if (first.type !== 'payment.received') return [first.correlationId]
  const { invoices = [] } = first.data as { invoices?: readonly { invoice: number }[] }
  const paid = await eventsOf(
    queries,
    invoices.map((row) => row.invoice),
  )
  return [...new Set(paid.map((event) => event.correlationId))].toSorted((a, b) => b - a)
}

/** All that is known of an order; undefined when there is none. */
export async function storyOf(queries: Queries, doc: number): Promise<Story | undefined> {
  const [[header], lines, holds, numbers, fulfillments, shipments, invoices] = await Promise.all([
    headersOf(queries, [doc]),
    linesOf(queries, [doc]),
    openHoldsOf(queries, [doc]),
    numbersOf(queries, doc),
    fulfillmentsOfOrders(queries, [doc]),
    shipmentsOfOrders(queries, [doc]),
    invoicesOfOrders(queries, [doc]),
  ])
  if (!header) return undefined
  const papers = { header, fulfillments, shipments, invoices, numbers }
  const numberOf = numbersByDoc(papers)
  const docs = [...numberOf.keys()]
  const [events, parcels, calls, exceptions, sourcing] = await Promise.all([
    eventsOf(queries, docs),
    parcelsOf(
      queries,
      shipments.map((row) => row.doc),
    ),
    intentsOf(queries, docs),
    openExceptionsOf(queries, docs),
    decisionsOf(queries, doc),
  ])
  const held = holds.length > 0
  const stage = stageOfOrder({ lines, held, closed: header.closed })
  return {
    order: orderOf(header, { stage, held, events }),
    money: moneyOf(header, invoices),
    lines: lines.map((line) => toldLine(line, header.currency)),
    documents: documentsOf(papers, { stage, events, parcels }),
    holds: holds.map(({ id, type, reason, blocks }) => ({ id: holdNumber(id), type, reason, blocks })),
    exceptions: [...exceptions].flatMap(([on, open]) =>
      open.map((each) => exceptionOf(each, numberOf.get(on)!)),
    ),
    openCalls: calls.map((call) => callOf(call, numberOf.get(call.doc)!)),
    sourcing,
    entries: events.map((event) => entryOf(event, numberOf, header.currency)),
  }
}

function exceptionOf(exception: OpenException, document: string): StoryException {
  const { id, code, title, owner, severity, suggestedAction, dueAt } = exception
  return { document, id, code, title, owner, severity, suggestedAction, dueAt: dueAt.toISOString() }
}

function callOf(
  { system, operation, businessKey, state, attempts, dueAt }: Intent,
  document: string,
): OpenCall {
  return { document, system, operation, businessKey, state, attempts, dueAt: dueAt?.toISOString() ?? null }
}

type Papers = {
  readonly header: OrderHeader
  readonly fulfillments: readonly Fulfillment[]
  readonly shipments: readonly ShipmentHeader[]
  readonly invoices: readonly InvoiceHeader[]
  readonly numbers: readonly { readonly value: string; readonly scheme: string; readonly doc: number }[]
}

/** Our documents of the order, each under the number that people see. */
function numbersByDoc({ header, fulfillments, shipments, invoices }: Papers): Map<number, string> {
  return new Map([
    [header.doc, orderNumber(header.doc)],
    ...fulfillments.map(({ doc }): [number, string] => [doc, fulfillmentNumber(doc)]),
    ...shipments.map(({ doc }): [number, string] => [doc, shipmentNumber(doc)]),
    ...invoices.map(({ doc }): [number, string] => [doc, invoiceNumber(doc)]),
  ])
}

function orderOf(
  header: OrderHeader,
  { stage, held, events }: { stage: string; held: boolean; events: readonly RecordedEvent[] },
): Story['order'] {
  const { doc, company, customer, customerOrder, channel, sender, externalId } = header
  const { orderDate, requestedDate, shippingRule, closed, version } = header
  const accepted = events.find((event) => event.type === 'order.accepted')
  return {
    id: orderNumber(doc),
    company,
    customer,
    customerOrder,
    channel,
    sender,
    externalId,
    orderDate,
    requestedDate,
    shippingRule,
    stage,
    held,
    closed,
    acceptedAt: accepted?.occurredAt.toISOString() ?? null,
    version,
  }
}

function moneyOf({ currency, totalMinor }: OrderHeader, invoices: readonly InvoiceHeader[]): Story['money'] {
  const posted = invoices.filter((invoice) => invoice.postedAt !== null && invoice.state !== 'void')
  const invoiced = posted.reduce((sum, invoice) => sum + (invoice.totalMinor ?? 0), 0)
  const paid = posted.reduce((sum, invoice) => sum + invoice.paidMinor, 0)
  return {
    currency,
    total: formatAmount(totalMinor, currency),
    invoiced: formatAmount(invoiced, currency),
    paid: formatAmount(paid, currency),
    due: formatAmount(invoiced - paid, currency),
  }
}

function documentsOf(
  { header, fulfillments, shipments, invoices, numbers }: Papers,
  { stage, events, parcels }: { stage: string; events: readonly RecordedEvent[]; parcels: readonly Parcel[] },
): StoryDocument[] {
  const known = Map.groupBy(numbers, (number) => number.doc)
  const referencesOf = (doc: number) => (known.get(doc) ?? []).map(({ scheme, value }) => ({ scheme, value }))
  return [
    { id: orderNumber(header.doc), kind: 'order', state: stage, references: referencesOf(header.doc) },
    ...fulfillments.map(({ doc, state, location }) => ({
      id: fulfillmentNumber(doc),
      kind: 'fulfillment' as const,
      state,
      location,
      references: referencesOf(doc),
    })),
    ...shipments.map(({ doc, location, notified, milestone }) => ({
      id: shipmentNumber(doc),
      kind: 'shipment' as const,
      state: milestone ?? (notified ? 'channel_notified' : 'confirmed'),
      location,
      ...parcelsIn(parcels.filter((parcel) => parcel.doc === doc)),
      ...askedIn(parcels.filter((parcel) => parcel.doc === doc)),
      references: referencesOf(doc),
    })),
    ...invoices.map(({ doc, state, currency, totalMinor, netMinor }) => ({
      id: invoiceNumber(doc),
      kind: 'invoice' as const,
      state,
      amount: formatAmount(totalMinor ?? netMinor, currency),
      references: referencesOf(doc),
    })),
    ...paymentsIn(events, header.currency),
  ]
}

/** Those of which a carrier has told. */
function parcelsIn(parcels: readonly Parcel[]): Pick<StoryDocument, 'parcels'> {
  const told = parcels.flatMap((parcel): StoryParcel[] => {
    const { tracking, last, unknown } = parcel
    const milestone = parcelMilestone(parcel)
    if (milestone === null) return []
    const { code, at } = milestone === 'unknown' ? unknown! : last!
    const { place = null, signedBy = null } = last ?? {}
    return [{ tracking, milestone, code, at: at.toISOString(), place, signedBy }]
  })
  return told.length > 0 ? { parcels: told } : {}
}

function askedIn(parcels: readonly Parcel[]): Pick<StoryDocument, 'asked'> {
  const asked = parcels.flatMap(({ tracking, last, asking, lastAsked }): AskedParcel[] => {
    if (!lastAsked || last?.milestone === 'delivered') return []
    const { at, answer } = lastAsked
    const unansweredSince = asking?.unanswered?.since.toISOString() ?? null
    return [{ tracking, at: at.toISOString(), answer, unansweredSince }]
  })
  return asked.length > 0 ? { asked } : {}
}

/** Payments pay invoices of many orders, so the story tells what each gave to this one. */
function paymentsIn(events: readonly RecordedEvent[], currency: string): StoryDocument[] {
  const paid = new Map<number, number>()
  const reversed = new Set<number>()
  for (const { type, data } of events) {
    const { payment, amountMinor } = data as { payment: number; amountMinor: number }
    if (type === 'invoice.payment_reversed') reversed.add(payment)
    if (type !== 'invoice.paid' && type !== 'invoice.partially_paid') continue
    paid.set(payment, (paid.get(payment) ?? 0) + amountMinor)
  }
  return [...paid].map(([payment, amountMinor]) => ({
    id: paymentNumber(payment),
    kind: 'payment',
    state: reversed.has(payment) ? 'reversed' : 'applied',
    amount: formatAmount(amountMinor, currency),
    references: [],
  }))
}

function entryOf(event: RecordedEvent, numberOf: ReadonlyMap<number, string>, currency: string): StoryEntry {
  const { type, key, keyVersion, occurredAt, source, actor, traceId, data } = event
  return {
    at: occurredAt.toISOString(),
    type,
    title: titleOf(event, currency),
    document: numberOf.get(key) ?? String(key),
    version: keyVersion,
    source,
    actor,
    traceId,
    data,
  }
}
