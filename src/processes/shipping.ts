/** What left a warehouse becomes shipments: booked in shipments, orders and stock in one transaction. */
import type { ShipmentConfirmed } from '#capabilities/wms.ts'
import type { Transaction } from '#platform/database.ts'
import { Refusal } from '#platform/faults.ts'
import type { Cause } from '#platform/log.ts'
import type { Quantity } from '#platform/quantity.ts'
import { changeExposure } from '#domains/customers/operations.ts'
import { type Departure, reserve, ship, type Shortfall } from '#domains/inventory/operations.ts'
import {
  addReferences,
  type LinesMoved,
  type LockedOrder,
  lowerExposure,
  moveLockedLines,
} from '#domains/orders/operations.ts'
import { exposureFreed } from '#domains/orders/operations/exposure.ts'
import { linesOf, lockHeaders, type OrderHeader, type OrderLine } from '#domains/orders/views.ts'
import type { Fulfillment, FulfillmentLine, NewShipment, ShipmentLine } from '#domains/shipments/contract.ts'
import {
  confirmShipments,
  type ConfirmedShipment,
  findKnownShipments,
  lockRequests,
} from '#domains/shipments/operations.ts'
import { fulfillmentsOf, linesOfFulfillments } from '#domains/shipments/views.ts'
import { reportMissingLots } from './lots.ts'
import { groupBy } from './order-facts.ts'
import { parseNumber, type ProcessPorts } from './ports.ts'

/** One confirmation as the warehouse `source` told it. */
export type Confirmation = { readonly source: string; readonly message: ShipmentConfirmed }

export type Shipped =
  /** Without a shipment where the warehouse found nothing to ship. */
  | { readonly kind: 'applied'; readonly order: OrderHeader; readonly shipment: number | undefined }
  /** The warehouse's shipment is booked already, told under another message id. */
  | { readonly kind: 'superseded' }
  | { readonly kind: 'refused'; readonly refusal: Refusal }

type Books = {
  readonly requests: ReadonlyMap<number, Fulfillment>
  readonly orders: ReadonlyMap<number, OrderHeader>
  readonly orderLines: ReadonlyMap<string, OrderLine>
  /** By request and line; counted down as confirmations are taken. */
  readonly open: Map<string, FulfillmentLine>
  readonly known: Set<string>
}

const lineKey = (doc: number, line: number): string => `${doc} ${line}`

export type Booked = {
  /** Each confirmation's own answer. */
  readonly answers: ReadonlyMap<Confirmation, Shipped>
  /** Where books and shelves differ: more left than the books had, or a pick did not find what they have. */
  readonly doubtful: readonly Pick<Shortfall, 'itemId' | 'location'>[]
}

/** Books what left, and what was short of it. */
export async function bookShipments(
  tx: Transaction,
  ports: ProcessPorts,
  confirmations: readonly Confirmation[],
  cause: Cause,
): Promise<Booked> {
  if (confirmations.length === 0) return { answers: new Map(), doubtful: [] }
  const [books, ids] = await Promise.all([
    openBooks(tx, confirmations),
    ports.ids.documents(confirmations.length),
  ])
  const answers = new Map<Confirmation, Shipped>()
  const taken: (Taken & { readonly order: OrderHeader })[] = []
  for (const [place, confirmation] of confirmations.entries()) {
    const result = take(books, confirmation, ids[place]!)
    if (result instanceof Refusal) answers.set(confirmation, { kind: 'refused', refusal: result })
    else if (result === 'known') answers.set(confirmation, { kind: 'superseded' })
    else {
      const order = books.orders.get(result.fulfillment.orderId)!
      taken.push({ ...result, order })
      answers.set(confirmation, { kind: 'applied', order, shipment: result.shipment?.doc })
    }
  }
  const moves = movesOf(taken)
  cancelRests(tx, books, moves)
  const departures = taken.flatMap((row) => row.departures)
  addReferences(tx, taken.flatMap(referencesOf))
  ports.sla.clocks.start(
    tx,
    'order_to_invoice_posting',
    taken.flatMap(({ shipment }) => shipment ?? []),
  )
  // The rows of requests and orders are locked already, so all of it may travel together.
  const shipping = ship(tx, departures)
  moveOrderLines(tx, books, moves, cause)
  const [shortfalls] = await Promise.all([
    shipping,
    confirmShipments(tx, taken, cause),
    reportMissingLots(
      tx,
      ports,
      taken.flatMap(({ shipment }) => shipment ?? []),
    ),
  ])
  return { answers, doubtful: [...shortfalls, ...departures.filter(({ short }) => short > 0)] }
}

async function openBooks(tx: Transaction, confirmations: readonly Confirmation[]): Promise<Books> {
  const docs = [
    ...new Set(confirmations.flatMap(({ message }) => parseNumber(message.fulfillment, 'F') ?? [])),
  ]
  const orderIds = [...new Set((await fulfillmentsOf(tx, docs)).map((row) => row.orderId))].toSorted(
    (a, b) => a - b,
  )
  tx.locking('document', orderIds)
  const [headers, orderLines, requests, lines, ...known] = await Promise.all([
    lockHeaders(tx, orderIds),
    linesOf(tx, orderIds),
    lockRequests(tx, docs),
    linesOfFulfillments(tx, docs),
    ...[...Map.groupBy(confirmations, ({ source }) => source)].map(async ([source, group]) => {
      const found = await findKnownShipments(
        tx,
        source,
        group.map(({ message }) => message.shipment),
      )
      return [...found.keys()].map((key) => `${source} ${key}`)
    }),
  ])
  return {
    requests: new Map(requests.map((row) => [row.doc, row])),
    orders: new Map(headers.map((row) => [row.doc, row])),
    orderLines: new Map(orderLines.map((row) => [lineKey(row.doc, row.n), row])),
    open: new Map(lines.map((row) => [lineKey(row.doc, row.line), row])),
    known: new Set(known.flat()),
  }
}

type Taken = ConfirmedShipment & { readonly departures: readonly Departure[] }

/** Takes one confirmation against what its request still expects; nothing is counted down when it is refused. */
function take(books: Books, { source, message }: Confirmation, doc: number): Taken | 'known' | Refusal {
  const fulfillment = books.requests.get(parseNumber(message.fulfillment, 'F') ?? -1)
  if (!fulfillment) {
    return new Refusal('shipments.fulfillment_unknown', `we never sent a request ${message.fulfillment}`)
  }
  const key = `${source} ${message.shipment}`
  const isOver = fulfillment.state === 'done' && message.packages.length === 0
  if (books.known.has(key) || isOver) return 'known'
  const lines = shipmentLines(books, fulfillment, message)
  if (lines instanceof Refusal) return lines
  const shipped = new Map<number, Quantity>()
  for (const { line, quantity } of lines) shipped.set(line, (shipped.get(line) ?? 0) + quantity)
  const over = [...shipped].find(([line, quantity]) => quantity > leftOf(books, fulfillment.doc, line))
  if (over) return new Refusal('shipments.line_unknown', `line ${over[0]} ships more than was asked for`)
  books.known.add(key)
  const quantities = settleLines(books, fulfillment.doc, { shipped, final: message.final })
  const shipment = {
    doc,
    company: fulfillment.company,
    orderId: fulfillment.orderId,
    fulfillmentId: fulfillment.doc,
    location: fulfillment.location,
    carrier: message.carrier,
    service: message.service ?? null,
    shippedAt: message.shippedAt,
    source,
    sourceKey: message.shipment,
    packages: message.packages,
    lines,
  }
  return {
    fulfillment,
    shipment: lines.length > 0 ? shipment : undefined,
    quantities,
    final: message.final,
    departures: departuresOf(shipment, quantities, books),
  }
}

const leftOf = (books: Books, request: number, line: number): Quantity => {
  const open = books.open.get(lineKey(request, line))
  return open ? open.quantity - open.shipped - open.short : 0
}

function shipmentLines(
  books: Books,
  { doc, orderId }: Fulfillment,
  message: ShipmentConfirmed,
): ShipmentLine[] | Refusal {
  const lines: ShipmentLine[] = []
  for (const [place, parcel] of message.packages.entries()) {
    for (const { line, sku, quantity, lot, expiresOn, catchWeight } of parcel.lines) {
      const open = books.open.get(lineKey(doc, line))
      if (!open || books.orderLines.get(lineKey(orderId, line))?.sku !== sku) {
        return new Refusal(
          'shipments.line_unknown',
          `line ${line} with ${sku} is not part of ${message.fulfillment}`,
        )
      }
      lines.push({
        n: lines.length + 1,
        package: place + 1,
        line,
        itemId: open.itemId,
        quantity,
        lot: lot ?? null,
        expiresOn: expiresOn ?? null,
        catchWeight: catchWeight ?? null,
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
): ConfirmedShipment['quantities'] {
  const settled: { line: number; shipped: Quantity; short: Quantity }[] = []
  for (const [key, open] of books.open) {
    if (open.doc !== request) continue
    const gone = shipped.get(open.line) ?? 0
    const short = final ? leftOf(books, request, open.line) - gone : 0
    if (gone === 0 && short === 0) continue
    settled.push({ line: open.line, shipped: gone, short })
    books.open.set(key, { ...open, shipped: open.shipped + gone, short: open.short + short })
  }
  return settled
}

/** What left by lot, and the claims that end with it or were short. */
function departuresOf(shipment: NewShipment, quantities: Taken['quantities'], books: Books): Departure[] {
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
  const short = quantities.flatMap(({ line, short: missing }) => {
    const itemId = books.open.get(lineKey(fulfillmentId, line))!.itemId
    return missing > 0
      ? [{ ...common, itemId, lot: '', quantity: 0, claimEnds: missing, short: missing }]
      : []
  })
  return [...left, ...short]
}

function referencesOf({ shipment }: Taken) {
  if (!shipment) return []
  const { doc, orderId } = shipment
  return [
    { value: shipment.sourceKey, scheme: 'wms-shipment', doc, orderId },
    ...shipment.packages.flatMap(({ tracking, sscc }) => [
      ...(tracking ? [{ value: tracking, scheme: 'tracking', doc, orderId }] : []),
      ...(sscc ? [{ value: sscc, scheme: 'sscc', doc, orderId }] : []),
    ]),
  ]
}

type OrderMove = {
  readonly order: OrderHeader
  readonly shipments: readonly number[]
  /** By order line. */
  readonly sums: readonly (readonly [
    line: number,
    sum: { readonly shipped: Quantity; readonly short: Quantity },
  ])[]
}

/** What the confirmations come to for each order, however many of them are its. */
function movesOf(taken: readonly (Taken & { readonly order: OrderHeader })[]): OrderMove[] {
  const of = groupBy(taken, ({ order }) => order.doc)
  const orders = [...new Set(taken.map(({ order }) => order))]
  return orders.map((order) => {
    const sums = new Map<number, { shipped: Quantity; short: Quantity }>()
    for (const { line, shipped, short } of of(order.doc).flatMap((row) => row.quantities)) {
      const sum = sums.get(line) ?? { shipped: 0, short: 0 }
      sums.set(line, { shipped: sum.shipped + shipped, short: sum.short + short })
    }
    return { order, sums: [...sums], shipments: of(order.doc).flatMap(({ shipment }) => shipment?.doc ?? []) }
  })
}

const cancelsRest = (order: OrderHeader): boolean => order.shippingRule === 'cancel-rest'

/** What was short and is not wanted later is no longer owed. Comes before the stock: credit accounts are locked first. */
function cancelRests(tx: Transaction, { orderLines }: Books, moves: readonly OrderMove[]): void {
  const worth = moves.flatMap(({ order, sums }) => {
    if (!cancelsRest(order)) return []
    const amountMinor = exposureFreed(
      order,
      sums.map(([n, { short }]) => ({ line: orderLines.get(lineKey(order.doc, n))!, quantity: short })),
    )
    return amountMinor > 0 ? [{ doc: order.doc, customerId: order.customerId, amountMinor }] : []
  })
  changeExposure(
    tx,
    worth.map(({ customerId, amountMinor }) => ({ customerId, amountMinor: -amountMinor })),
  )
  lowerExposure(tx, worth)
}

/** Released becomes shipped; what was short waits again, or is cancelled where the order wants no rest. */
function moveOrderLines(tx: Transaction, books: Books, moves: readonly OrderMove[], cause: Cause): void {
  reserve(
    tx,
    moves.flatMap(({ order, sums }) =>
      sums.flatMap(([n, { short }]) => {
        if (short === 0 || cancelsRest(order)) return []
        const { itemId, backordered } = books.orderLines.get(lineKey(order.doc, n))!
        return [
          {
            doc: order.doc,
            line: n,
            company: order.company,
            itemId,
            allocations: [],
            backordered: backordered + short,
            waited: false,
          },
        ]
      }),
    ),
  )
  for (const type of ['order.shipped', 'order.picked_short'] as const) {
    const told = moves.filter(({ shipments }) => shipments.length > 0 === (type === 'order.shipped'))
    moveLockedLines(tx, told.map(linesMoved), type, cause)
  }
}

function linesMoved({ order, sums, shipments }: OrderMove): LinesMoved & LockedOrder {
  const short = sums.flatMap(([n, sum]) => (sum.short > 0 ? [n] : []))
  return {
    doc: order.doc,
    company: order.company,
    version: order.version,
    data: { ...(shipments.length > 0 ? { shipments } : {}), ...(short.length > 0 ? { short } : {}) },
    lines: sums.map(([n, { shipped, short: missing }]) => ({
      n,
      shipped,
      released: -(shipped + missing),
      ...(cancelsRest(order) ? { cancelled: missing } : { backordered: missing }),
    })),
  }
}
