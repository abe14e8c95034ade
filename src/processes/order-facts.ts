/** What the order-to-cash process knows of an order: composed from the domains, one set-based look for many orders. */
import type { Transaction } from '#platform/database.ts'
import type { DocumentFacts } from '#platform/process.ts'
import type { Reservation } from '#domains/inventory/contract.ts'
import { type Fulfillment, type FulfillmentState, isActive } from '#domains/shipments/contract.ts'
import { invoicesOfOrders } from '#domains/billing/views.ts'
import { reservationsOf } from '#domains/inventory/operations.ts'
import type { WithheldLine } from '#domains/inventory/operations/freshness.ts'
import {
  linesOf,
  lockHeaders,
  openHoldsOf,
  type OpenHold,
  type OrderHeader,
  type OrderLine,
  type ShipToSnapshot,
  shipTosOf,
} from '#domains/orders/views.ts'
import { fulfillmentsOfOrders, linesOfFulfillments, shipmentsOfOrders } from '#domains/shipments/views.ts'
import { withheldLinesOf } from '#domains/inventory/views/freshness.ts'
import { withheldBy } from './care.ts'
import { fillOf, readOrdersWaiting, type WaitingOrders } from './fills.ts'
import type { ProcessPorts } from './ports.ts'

export type OrderFacts = DocumentFacts & {
  readonly order: Omit<OrderHeader, 'version'>
  readonly lines: readonly OrderLine[]
  readonly holds: readonly OpenHold[]
  /** The address that an order brought along, where it names none of the customer's. */
  readonly shipTo: ShipToSnapshot | null
  /** Claims not yet handed to a fulfillment request. */
  readonly reservations: readonly Pick<Reservation, 'line' | 'location' | 'quantity'>[]
  readonly fulfillments: readonly {
    readonly doc: number
    readonly location: string
    readonly state: FulfillmentState
    readonly cancelRequested: boolean
  }[]
  /** Requests refused or cancelled by the warehouse whose claims are not the order's again. */
  readonly reclaimable: readonly number[]
  /** Shipments that no invoice has been drawn from. */
  readonly unbilled: readonly number[]
  /** Waiting lines for which stock is free. */
  readonly fillable: readonly number[]
  /** Waiting lines that a silent source keeps from being filled, of which nobody has taken note yet. */
  readonly withheld: readonly WithheldLine[]
  /** Waiting lines with the day that they are promised. */
  readonly promises: readonly { readonly line: number; readonly on: string }[]
}

type FactsPorts = Pick<ProcessPorts, 'company' | 'care' | 'clock'>

/** Locks the orders and reads all that their next steps depend on. */
export async function orderFacts(
  tx: Transaction,
  docs: readonly number[],
  ports: FactsPorts,
): Promise<ReadonlyMap<number, OrderFacts>> {
  const [headers, lines, holds, reservations, fulfillments, shipments, invoices] = await Promise.all([
    lockHeaders(tx, docs),
    linesOf(tx, docs),
    openHoldsOf(tx, docs),
    reservationsOf(tx, docs),
    fulfillmentsOfOrders(tx, docs),
    shipmentsOfOrders(tx, docs),
    invoicesOfOrders(tx, docs),
  ])
  const own = headers.flatMap(({ doc, shipToCode }) => (shipToCode === null ? [doc] : []))
  const [shipTos, fillable, open] = await Promise.all([
    own.length > 0 ? shipTosOf(tx, own) : [],
    fillableByOrder(tx, { headers, lines, reservations, fulfillments }, ports),
    openLinesOf(
      tx,
      fulfillments.flatMap((row) => (row.state === 'refused' || row.state === 'cancelled' ? [row.doc] : [])),
    ),
  ])
  const billed = new Set(invoices.map((invoice) => invoice.shipmentId))
  const of = groupBy(lines, (line) => line.doc)
  const holdsOf = groupBy(holds, (hold) => hold.doc)
  const claimsOf = groupBy(reservations, (row) => row.doc)
  const requestsOf = groupBy(fulfillments, (row) => row.orderId)
  const shippedOf = groupBy(shipments, (row) => row.orderId)
  return new Map(
    headers.map(({ version, ...order }) => [
      order.doc,
      {
        doc: order.doc,
        company: order.company,
        correlationId: order.doc,
        version,
        traceId: order.traceId ?? undefined,
        order,
        lines: of(order.doc),
        holds: holdsOf(order.doc),
        shipTo: shipTos.find(({ doc }) => doc === order.doc) ?? null,
        reservations: claimsOf(order.doc).map(({ line, location, quantity }) => ({
          line,
          location,
          quantity,
        })),
        fulfillments: requestsOf(order.doc).map(({ doc, location, state, cancelRequested }) => ({
          doc,
          location,
          state: asSeenBy(order, state),
          cancelRequested,
        })),
        reclaimable: requestsOf(order.doc).flatMap(({ doc }) => (open.has(doc) ? [doc] : [])),
        unbilled: shippedOf(order.doc).flatMap(({ doc }) => (billed.has(doc) ? [] : [doc])),
        fillable: fillable(order.doc).lines,
        withheld: fillable(order.doc).withheld,
        promises: fillable(order.doc).promises,
      },
    ]),
  )
}

const HAS_IT: ReadonlySet<FulfillmentState> = new Set(['accepted', 'picking', 'packed'])

/** How far the warehouse is matters to an order only once it is to be taken back: until then nobody wakes it for that. */
const asSeenBy = (order: { readonly cancelRequested: boolean }, state: FulfillmentState): FulfillmentState =>
  !order.cancelRequested && HAS_IT.has(state) ? 'requested' : state

/** Which of these requests still claim something. */
async function openLinesOf(tx: Transaction, requests: readonly number[]): Promise<ReadonlySet<number>> {
  if (requests.length === 0) return new Set()
  const lines = await linesOfFulfillments(tx, requests)
  return new Set(lines.filter((line) => line.quantity > line.shipped + line.short).map((line) => line.doc))
}

type Read = {
  readonly headers: readonly OrderHeader[]
  readonly lines: readonly OrderLine[]
  readonly reservations: readonly Reservation[]
  readonly fulfillments: readonly Fulfillment[]
}

/** The lines of each order that are given something now: their turn has come, and its rules let them have it. */
async function fillableByOrder(
  tx: Transaction,
  { headers, lines, reservations, fulfillments }: Read,
  ports: FactsPorts,
): Promise<(doc: number) => Pick<OrderFacts, 'withheld' | 'promises'> & { lines: readonly number[] }> {
  const locations = new Set(headers.flatMap((header) => ports.company(header.company).locations))
  const waiting = await readOrdersWaiting(tx, ports, lines, [...locations])
  if (!waiting) return () => ({ lines: [], withheld: [], promises: [] })
  const of = groupBy(lines, (line) => line.doc)
  const claimsOf = groupBy(reservations, (row) => row.doc)
  const requestsOf = groupBy(fulfillments, (row) => row.orderId)
  const filled = new Map(
    headers.map((header) => {
      const { doc } = header
      const requestedAt = requestsOf(doc)
        .filter(isActive)
        .map(({ location }) => location)
      const order = { ...header, lines: of(doc), reservations: claimsOf(doc), requestedAt }
      const stock = waiting.stockOf(of(doc).map(({ itemId }) => itemId))
      const fill = fillOf(waiting, order, { stock, company: ports.company(header.company) })
      return [doc, fill.lines.map(({ n }) => n)]
    }),
  )
  const queuedOf = groupBy(waiting.queued, (row) => row.doc)
  const withheldOf = groupBy(await unnoted(tx, waiting, headers, ports), (row) => row.doc)
  return (doc) => ({
    lines: filled.get(doc) ?? [],
    withheld: withheldOf(doc),
    promises: queuedOf(doc).flatMap(({ line, promisedOn: on }) => (on === null ? [] : [{ line, on }])),
  })
}

/** Waiting lines that silent sources withhold, beside those that are known to. */
async function unnoted(
  tx: Transaction,
  { care, queued }: WaitingOrders,
  headers: readonly OrderHeader[],
  ports: FactsPorts,
): Promise<WithheldLine[]> {
  if (!care) return []
  const keyOf = ({ source, flow, doc, line }: WithheldLine) => `${source} ${flow} ${doc} ${line}`
  const noted = new Set(
    (
      await withheldLinesOf(
        tx,
        headers.map(({ doc }) => doc),
      )
    ).map(keyOf),
  )
  const locationsOf = new Map(headers.map(({ doc, company }) => [doc, ports.company(company).locations]))
  return queued
    .flatMap(({ doc, line, itemId }) =>
      withheldBy(doc, line, care.withholdersOf(itemId, locationsOf.get(doc) ?? [])),
    )
    .filter((row) => !noted.has(keyOf(row)))
}

export function groupBy<T>(rows: readonly T[], key: (row: T) => number): (key: number) => readonly T[] {
  const groups = Map.groupBy(rows, key)
  return (wanted) => groups.get(wanted) ?? []
}
