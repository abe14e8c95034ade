/** What warehouses told of requests, taken against what these still expect; all of it locked in one transaction. */
import type { RequestMessage } from '#capabilities/wms.ts'
import type { Transaction } from '#platform/database.ts'
import { Refusal } from '#platform/faults.ts'
import type { Quantity } from '#platform/quantity.ts'
import type { Departure } from '#domains/inventory/operations.ts'
import { linesOf, lockHeaders, type OrderHeader, type OrderLine } from '#domains/orders/views.ts'
import {
  type Fulfillment,
  type FulfillmentLine,
  isActive,
  type RequestedLot,
} from '#domains/shipments/contract.ts'
import {
  type AtWarehouse,
  type ConfirmedShipment,
  findKnownShipments,
  lockRequests,
  progressOf,
  stillOpen,
} from '#domains/shipments/operations.ts'
import { lotsOfRequests } from '#domains/shipments/operations/lots.ts'
import { fulfillmentsOf, fulfillmentsOfOrders, linesOfFulfillments } from '#domains/shipments/views.ts'
import { type HandBooks, openHands } from './hand-books.ts'
import { parseNumber } from './ports.ts'

/** One message about a request as the warehouse `source` told it, under its own id. */
export type Confirmation<Message extends RequestMessage = RequestMessage> = {
  readonly source: string
  readonly key: string
  readonly message: Message
  /** What follows in this stream waits where this message is refused. */
  readonly stream?: string | undefined
}

export type Books = {
  /** Their states go on as messages are taken. */
  readonly requests: Map<number, Fulfillment>
  readonly orders: ReadonlyMap<number, OrderHeader>
  readonly orderLines: ReadonlyMap<string, OrderLine>
  /** Lines by request and by order line; counted on as messages are taken. */
  readonly lines: ReadonlyMap<number, Map<number, FulfillmentLine>>
  /** Which lots lines were for before, by request and line; of items that have lots. */
  readonly lots: ReadonlyMap<string, readonly RequestedLot[]>
  /** Shipments that are booked, by the warehouse and its number. */
  readonly known: Set<string>
  readonly hand: HandBooks
}

export const lineKey = (doc: number, line: number): string => `${doc} ${line}`

export async function openBooks(tx: Transaction, told: readonly Confirmation[]): Promise<Books> {
  const docs = [...new Set(told.flatMap(({ message }) => parseNumber(message.fulfillment, 'F') ?? []))]
  const shipping = new Set(told.flatMap(requestThatShips))
  const asked = await fulfillmentsOf(tx, docs)
  const orderIds = [...new Set(asked.map((row) => row.orderId))].toSorted((a, b) => a - b)
  const late = new Set(
    asked
      .filter(hasEnded)
      .map(({ doc }) => doc)
      .filter((doc) => shipping.has(doc)),
  )
  const all = [
    ...new Set([
      ...docs,
      ...(await besideThem(
        tx,
        asked.filter(({ doc, byHand }) => byHand || late.has(doc)),
      )),
    ]),
  ]
  tx.locking('document', orderIds)
  const [headers, orderLines, requests, lines, lots, ...known] = await Promise.all([
    lockHeaders(tx, orderIds),
    linesOf(tx, orderIds),
    lockRequests(tx, all),
    linesOfFulfillments(tx, all),
    lotsOfRequests(tx, docs),
    ...[...Map.groupBy(told, ({ source }) => source)].map(async ([source, group]) => {
      const found = await findKnownShipments(tx, source, group.flatMap(shipmentOf))
      return [...found.keys()].map((key) => `${source} ${key}`)
    }),
  ])
  const { known: knownByHand, ...hand } = await openHands(tx, requests, late)
  return {
    requests: new Map(requests.map((row) => [row.doc, row])),
    orders: new Map(headers.map((row) => [row.doc, row])),
    orderLines: new Map(orderLines.map((row) => [lineKey(row.doc, row.n), row])),
    lines: new Map(
      [...Map.groupBy(lines, ({ doc }) => doc)].map(([doc, rows]) => [
        doc,
        new Map(rows.map((row) => [row.line, row])),
      ]),
    ),
    lots: Map.groupBy(lots, ({ doc, line }) => lineKey(doc, line)),
    known: new Set([...known.flat(), ...knownByHand]),
    hand,
  }
}

/** What else is under way of their orders, since it may be sent twice. */
async function besideThem(tx: Transaction, requests: readonly Fulfillment[]): Promise<number[]> {
  const orders = [...new Set(requests.map(({ orderId }) => orderId))]
  if (orders.length === 0) return []
  return (await fulfillmentsOfOrders(tx, orders)).filter(isActive).map(({ doc }) => doc)
}

const hasEnded = ({ state }: Fulfillment): boolean => state === 'done'

const requestThatShips = ({ message }: Confirmation): number[] =>
  message.type === 'shipment-confirmed' && message.packages.length > 0
    ? [parseNumber(message.fulfillment, 'F') ?? -1]
    : []

const shipmentOf = ({ message }: Confirmation): string[] =>
  message.type === 'shipment-confirmed' ? [message.shipment] : []

/** The step of an order that a change of its lines is told as. */
export type Step = 'picked' | 'packed' | 'left'

/** What a message changes of one line of an order, in base units. */
export type LineStep = AtWarehouse & {
  readonly step: Step
  readonly line: number
  readonly shipped: Quantity
  readonly short: Quantity
  /** Of what the line had been given elsewhere since it was short here. */
  readonly reserved: Quantity
}

/** What came of one message. */
export type Taken = {
  /** As it was before. */
  readonly request: Fulfillment
  readonly order: OrderHeader
  readonly steps: readonly LineStep[]
  /** Of what was picked, as far as the warehouse says. */
  readonly lots: readonly string[]
  /** Claims that end, and stock that left or was not found. */
  readonly departures: readonly Departure[]
  readonly confirmed?: ConfirmedShipment
}

/** The request that a message is about. */
export function requestOf(books: Books, { message }: Confirmation): Fulfillment | Refusal {
  const request = books.requests.get(parseNumber(message.fulfillment, 'F') ?? -1)
  return (
    request ?? new Refusal('shipments.fulfillment_unknown', `we never sent a request ${message.fulfillment}`)
  )
}

/** The request's line that a message names, with the item that it names; else the first of the item that is open. */
export function openLine(
  books: Books,
  { doc, orderId }: Fulfillment,
  { line, sku }: { readonly line?: number | undefined; readonly sku: string },
): FulfillmentLine | Refusal {
  const isOf = (one: FulfillmentLine): boolean =>
    books.orderLines.get(lineKey(orderId, one.line))?.sku === sku
  const candidates = line === undefined ? linesOfRequest(books, doc) : [lineOf(books, doc, line)]
  const mine = candidates.filter((one) => one !== undefined).filter(isOf)
  const found = mine.find((one) => stillOpen(one) > 0) ?? mine[0]
  if (found) return found
  const what = line === undefined ? sku : `line ${line} with ${sku}`
  return new Refusal('shipments.line_unknown', `${what} is not part of F-${doc}`)
}

export const lineOf = (books: Books, request: number, line: number): FulfillmentLine | undefined =>
  books.lines.get(request)?.get(line)

export const linesOfRequest = (books: Books, request: number): FulfillmentLine[] => [
  ...(books.lines.get(request)?.values() ?? []),
]

type Change = Partial<Record<'shipped' | 'short' | 'picked' | 'packed', Quantity>>

/** Counts a line on, and answers what that moves between the buckets of its order's line. */
export function settleLine(books: Books, before: FulfillmentLine, step: Step, change: Change): LineStep {
  const after = { ...before, ...change }
  books.lines.get(before.doc)!.set(before.line, after)
  const [from, to] = [progressOf(before), progressOf(after)]
  return {
    step,
    line: before.line,
    released: to.released - from.released,
    picked: to.picked - from.picked,
    packed: to.packed - from.packed,
    shipped: after.shipped - before.shipped,
    short: after.short - before.short,
    reserved: 0,
  }
}

/** What the request may still ship of that line. */
export const leftOf = (books: Books, request: number, line: number): Quantity => {
  const open = lineOf(books, request, line)
  return open ? stillOpen(open) : 0
}
