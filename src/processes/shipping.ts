/** What left a warehouse, taken against what its request still expects. */
import type { ShipmentConfirmed } from '#capabilities/wms.ts'
import { Refusal } from '#platform/faults.ts'
import type { Quantity } from '#platform/quantity.ts'
import type { Departure } from '#domains/inventory/operations.ts'
import type { Fulfillment, NewShipment, ShipmentLine } from '#domains/shipments/contract.ts'
import { BY_HAND } from './hand-books.ts'
import { otherThanRequested } from './requested-lots.ts'
import {
  type Books,
  type Confirmation,
  leftOf,
  lineKey,
  lineOf,
  linesOfRequest,
  type LineStep,
  openLine,
  requestOf,
  settleLine,
  type Taken,
} from './warehouse-books.ts'

const ENDED: ReadonlySet<Fulfillment['state']> = new Set(['done', 'cancelled'])

export type Shipping = Confirmation<ShipmentConfirmed>

/** Nothing is counted down when it is refused; `known` when the warehouse's shipment is booked already. */
export function takeShipment(books: Books, shipping: Shipping, doc: number): Taken | 'known' | Refusal {
  const { source, message } = shipping
  const request = requestOf(books, shipping)
  if (request instanceof Refusal) return request
  const key = `${source} ${message.shipment}`
  const isOver = ENDED.has(request.state) && message.packages.length === 0
  if (books.known.has(key) || isOver) return 'known'
  if (request.state === 'cancelled' && message.packages.length > 0)
    return new Refusal('shipments.request_taken_back', `${message.fulfillment} was taken back before it left`)
  const lines = shipmentLines(books, request, message)
  if (lines instanceof Refusal) return lines
  const shipped = new Map<number, Quantity>()
  for (const { line, quantity } of lines) shipped.set(line, (shipped.get(line) ?? 0) + quantity)
  const over = [...shipped].find(([line, quantity]) => quantity > leftOf(books, request.doc, line))
  if (over) return new Refusal('shipments.line_unknown', `line ${over[0]} ships more than was asked for`)
  books.known.add(key)
  if (message.final) books.requests.set(request.doc, { ...request, state: 'done' })
  const steps = settleLines(books, request.doc, { shipped, final: message.final })
  awaitShorts(books, request, steps)
  const shipment = shipmentOf(request, shipping, { doc, lines })
  const otherLots = otherThanRequested(books, request.doc, lines)
  return {
    request,
    order: books.orders.get(request.orderId)!,
    steps,
    lots: [],
    departures: departuresOf(shipment, steps, books).map((left) => ({
      ...left,
      mark: message.mark,
      isTold: source !== BY_HAND,
    })),
    confirmed: {
      fulfillment: request,
      shipment: lines.length > 0 ? shipment : undefined,
      otherLots,
      quantities: steps,
      final: message.final,
    },
  }
}

/** What is short waits from now on, also for what is told behind it in the same list. */
function awaitShorts(
  { hand, orderLines }: Books,
  { orderId }: Fulfillment,
  steps: readonly LineStep[],
): void {
  for (const { line, short } of steps) {
    const key = lineKey(orderId, line)
    if (short > 0) hand.waiting.set(key, (hand.waiting.get(key) ?? orderLines.get(key)!.backordered) + short)
  }
}

const shipmentOf = (
  { doc: fulfillmentId, company, orderId, location }: Fulfillment,
  { source, message }: Shipping,
  { doc, lines }: Pick<NewShipment, 'doc' | 'lines'>,
): NewShipment => ({
  doc,
  company,
  orderId,
  fulfillmentId,
  location,
  carrier: message.carrier,
  service: message.service ?? null,
  shippedAt: message.shippedAt,
  source,
  sourceKey: message.shipment,
  packages: message.packages,
  lines,
})

function shipmentLines(
  books: Books,
  request: Fulfillment,
  message: ShipmentConfirmed,
): ShipmentLine[] | Refusal {
  const lines: ShipmentLine[] = []
  for (const [place, parcel] of message.packages.entries()) {
    for (const { line, sku, quantity, lot, expiresOn, serials, catchWeight } of parcel.lines) {
      const open = openLine(books, request, { line, sku })
      if (open instanceof Refusal) return open
      lines.push({
        n: lines.length + 1,
        package: place + 1,
        line: open.line,
        itemId: open.itemId,
        quantity,
        lot: lot ?? null,
        expiresOn: expiresOn ?? null,
        catchWeight: catchWeight ?? null,
        ...(serials && { serials }),
      })
    }
  }
  return lines
}

/** Counts the request's lines down; on the last confirmation what is missing was short. */
function settleLines(
  books: Books,
  request: number,
  { shipped, final }: { shipped: ReadonlyMap<number, Quantity>; final: boolean },
): LineStep[] {
  return linesOfRequest(books, request).flatMap((open) => {
    const gone = shipped.get(open.line) ?? 0
    const short = final ? leftOf(books, request, open.line) - gone : 0
    if (gone === 0 && short === 0) return []
    return settleLine(books, open, 'left', { shipped: open.shipped + gone, short: open.short + short })
  })
}

/** What left by lot, and the claims that end with it or were short. */
function departuresOf(shipment: NewShipment, steps: readonly LineStep[], books: Books): Departure[] {
  const { doc, company, location, source, sourceKey, shippedAt: at, fulfillmentId } = shipment
  const common = { company, location, source, sourceKey, doc, at }
  const left = shipment.lines.map(({ itemId, lot, quantity }) => ({
    ...common,
    itemId,
    lot: lot ?? '',
    quantity,
    claimEnds: quantity,
    short: 0,
  }))
  const short = steps.flatMap(({ line, short: missing }) => {
    const itemId = lineOf(books, fulfillmentId, line)!.itemId
    return missing > 0
      ? [{ ...common, itemId, lot: '', quantity: 0, claimEnds: missing, short: missing }]
      : []
  })
  return [...left, ...short]
}
