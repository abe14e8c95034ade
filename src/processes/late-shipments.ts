/** What was called short, by its warehouse or by a paper, and has left after all: it is what its order still wants, which nobody sends again. */
import type { ShipmentConfirmed, ShippedLine } from '#capabilities/wms.ts'
import type { Transaction } from '#platform/database.ts'
import type { DeskRow } from '#platform/desk.ts'
import { Refusal } from '#platform/faults.ts'
import type { Cause } from '#platform/log.ts'
import { formatQuantity, type Quantity } from '#platform/quantity.ts'
import { changeHeaders } from '#domains/orders/operations.ts'
import { openHoldsOf, type OrderHeader } from '#domains/orders/views.ts'
import { canStop, type Fulfillment, isActive } from '#domains/shipments/contract.ts'
import { requestCancellations } from '#domains/shipments/operations.ts'
import { openHolds } from './holds.ts'
import { wakeRequest } from './order-work.ts'
import { fulfillmentNumber, orderNumber, type ProcessPorts } from './ports.ts'
import { type Shipping, takeShipment } from './shipping.ts'
import {
  type Books,
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

type ToldLine = {
  readonly told: ShippedLine
  readonly line: number
  readonly itemId: number
  /** Beyond what the request leaves open. */
  rest: Quantity
  booked: Quantity
  /** What of what is booked was called short. */
  late: Quantity
}

type Reopened = {
  readonly steps: readonly LineStep[]
  readonly quantities: readonly {
    readonly line: number
    readonly shipped: Quantity
    readonly short: Quantity
  }[]
}

/** Whether something is told to have left of a request that has ended, and is not known yet. */
export function isLate(books: Books, shipping: Shipping): boolean {
  const { source, message } = shipping
  const request = requestOf(books, shipping)
  if (request instanceof Refusal || request.state !== 'done') return false
  return message.packages.length > 0 && !books.known.has(`${source} ${message.shipment}`)
}

/**
 * Warehouses tell of shipments in any order: what comes behind the last one of its request is booked as far as that called
 * it short. It is taken whole or not at all.
 */
export function takeLateShipment(books: Books, shipping: Shipping, doc: number): Taken | 'known' | Refusal {
  const request = requestOf(books, shipping)
  if (request instanceof Refusal) return request
  const lines = lateLines(books, request, shipping.message)
  if (lines instanceof Refusal) return lines
  for (const [line, group] of Map.groupBy(lines, (one) => one.line)) {
    const refusal = unwanted(books, request, {
      line,
      quantity: group.reduce((all, { rest }) => all + rest, 0),
    })
    if (refusal) return refusal
  }
  const reopened = reopenShorts(books, { request, shipping }, lines)
  const taken = takeShipment(books, { ...shipping, message: named(shipping.message, lines) }, doc)
  return taken === 'known' || taken instanceof Refusal ? taken : withReopened(taken, reopened)
}

/** Of an item that stands on several lines it is the first that was short of as much. */
function lateLines(books: Books, request: Fulfillment, message: ShipmentConfirmed): ToldLine[] | Refusal {
  const lines: ToldLine[] = []
  for (const told of message.packages.flatMap((parcel) => parcel.lines)) {
    const taken = (line: number): Quantity =>
      lines.reduce((all, one) => (one.line === line ? all + one.rest : all), 0)
    const short = linesOfRequest(books, request.doc).find(
      ({ line, short: missing }) =>
        books.orderLines.get(lineKey(request.orderId, line))?.sku === told.sku &&
        missing - taken(line) >= told.quantity,
    )
    const open = openLine(books, request, { sku: told.sku, line: told.line ?? short?.line })
    if (open instanceof Refusal) return open
    const { line, itemId } = open
    lines.push({ told, line, itemId, rest: told.quantity, booked: 0, late: 0 })
  }
  return lines
}

function named(message: ShipmentConfirmed, lines: readonly ToldLine[]): ShipmentConfirmed {
  const lineOfTold = new Map(lines.map(({ told, line }) => [told, line]))
  const packages = message.packages.map((parcel) => ({
    ...parcel,
    lines: parcel.lines.map((told) => ({ ...told, line: lineOfTold.get(told) })),
  }))
  return { ...message, packages }
}

type Beyond = { readonly line: number; readonly quantity: Quantity }

/** Why as much that left of a line after its request had ended cannot be booked; what is sent again elsewhere is to be stopped. */
function unwanted(books: Books, request: Fulfillment, { line, quantity }: Beyond): Refusal | undefined {
  const { short } = lineOf(books, request.doc, line)!
  const order = books.orders.get(request.orderId)!
  const { waiting, kept } = wantedOf(books, request, { line, quantity })
  const missing = quantity - waiting - kept
  if (short >= quantity && missing === 0) return undefined
  const number = fulfillmentNumber(request.doc)
  const left = `${formatQuantity(quantity)} of line ${line} left after ${number} had ended`
  const refuse = (why: string): Refusal =>
    new Refusal('shipments.shipped_after_end', `${left}, ${why}`, { request: number, line })
  if (short < quantity) return refuse(`which was short of ${formatQuantity(short)}`)
  if (order.closed || order.cancelRequested) return refuse(`and ${orderNumber(order.doc)} wants nothing more`)
  const others = othersOf(books, { request, line })
  if (others.length === 0)
    return refuse(`and ${orderNumber(order.doc)} does not wait for ${formatQuantity(missing)} of it any more`)
  books.hand.twice.push({ request, line, quantity: missing, isParked: true })
  const elsewhere = others.map(({ doc }) => fulfillmentNumber(doc)).join(', ')
  return refuse(`and ${elsewhere} is to send ${formatQuantity(missing)} of it again`)
}

/** Opens the request's lines again as far as their order waits for as much, or keeps it elsewhere and has not asked for it. */
export function reopenShorts(
  books: Books,
  { request, shipping }: { readonly request: Fulfillment; readonly shipping: Shipping },
  lines: readonly ToldLine[],
): Reopened {
  const steps: LineStep[] = []
  const quantities: Reopened['quantities'][number][] = []
  for (const [line, group] of Map.groupBy(lines, (one) => one.line)) {
    const beyond = group.reduce((all, { rest }) => all + rest, 0)
    if (beyond === 0) continue
    const { waiting, kept } = takeWanted(books, request, { line, quantity: beyond })
    const quantity = waiting + kept
    if (quantity < beyond) books.hand.twice.push({ request, line, quantity: beyond - quantity })
    if (quantity === 0) continue
    const open = lineOf(books, request.doc, line)!
    const step = settleLine(books, open, 'left', { short: open.short - quantity })
    steps.push({ ...step, short: -waiting, reserved: -kept })
    quantities.push({ line, shipped: 0, short: -quantity })
    const { company, location } = request
    const { source, message } = shipping
    books.hand.found.push({
      company,
      location,
      itemId: open.itemId,
      quantity,
      source,
      sourceKey: message.shipment,
      doc: request.doc,
      at: message.shippedAt,
    })
    share(group, quantity)
  }
  return { steps, quantities }
}

/** With what was opened again; a request that is done stays so. */
export function withReopened(taken: Taken, { steps, quantities }: Reopened): Taken {
  const { confirmed, request } = taken
  if (steps.length === 0 || !confirmed) return taken
  return {
    ...taken,
    steps: [...steps, ...taken.steps],
    confirmed: {
      ...confirmed,
      final: confirmed.final || request.state === 'done',
      quantities: [...quantities, ...confirmed.quantities],
    },
  }
}

function share(group: readonly ToldLine[], quantity: Quantity): void {
  let left = quantity
  for (const one of group) {
    one.late = Math.min(one.rest, left)
    one.rest -= one.late
    one.booked += one.late
    left -= one.late
  }
}

type Wanted = { readonly waiting: Quantity; readonly kept: Quantity }

const waitsFor = ({ hand, orderLines }: Books, key: string): Quantity =>
  hand.waiting.get(key) ?? orderLines.get(key)!.backordered

/** How much of it the order waits for, or keeps elsewhere and has not asked for. */
function wantedOf(books: Books, { orderId }: Fulfillment, { line, quantity }: Beyond): Wanted {
  const order = books.orders.get(orderId)!
  if (order.closed || order.cancelRequested || order.shippingRule === 'cancel-rest')
    return { waiting: 0, kept: 0 }
  const waiting = Math.min(quantity, waitsFor(books, lineKey(orderId, line)))
  const claims = books.hand.claims.filter((claim) => claim.doc === orderId && claim.line === line)
  const claimed = claims.reduce((all, claim) => all + claim.quantity, 0)
  return { waiting, kept: Math.min(quantity - waiting, claimed) }
}

/** Counts that down; claims that the order keeps elsewhere go back. */
function takeWanted(books: Books, request: Fulfillment, beyond: Beyond): Wanted {
  const { orderId } = request
  const { hand } = books
  const { line } = beyond
  const { waiting, kept: wanted } = wantedOf(books, request, beyond)
  const key = lineKey(orderId, line)
  hand.waiting.set(key, waitsFor(books, key) - waiting)
  let kept = 0
  for (const claim of hand.claims) {
    if (claim.doc !== orderId || claim.line !== line) continue
    const some = Math.min(claim.quantity, wanted - kept)
    if (some === 0) continue
    hand.givenBack.push({ ...claim, quantity: some })
    hand.claims[hand.claims.indexOf(claim)] = { ...claim, quantity: claim.quantity - some }
    kept += some
  }
  return { waiting, kept }
}

/**
 * Where the rest has been asked for elsewhere it is stopped, and its order waits for a person, so that it is not sent once
 * more. What has left already, or is picked, only a person can settle.
 */
export async function stopTwice(
  tx: Transaction,
  ports: ProcessPorts,
  books: Books,
  cause: Cause,
): Promise<DeskRow[]> {
  const twice = books.hand.twice.flatMap((one) => {
    const others = othersOf(books, one)
    return others.length > 0 ? [{ ...one, others, order: books.orders.get(one.request.orderId)! }] : []
  })
  const stopped = new Map(
    twice
      .flatMap(({ others }) => others)
      .filter((request) => !request.cancelRequested && canStop(request))
      .map((request) => [request.doc, request]),
  )
  await requestCancellations(
    tx,
    [...stopped.values()].map((request) => ({ ...request, reason: 'it has left from elsewhere' })),
    true,
    cause,
  )
  const held = new Map(twice.map((one) => [one.order.doc, one]))
  await holdOrders(tx, ports, [...held.values()], cause)
  return [...stopped.values()].map(wakeRequest)
}

/** What else is asked for of the line. */
const othersOf = (
  books: Books,
  { request, line }: { readonly request: Fulfillment; readonly line: number },
): Fulfillment[] =>
  [...books.requests.values()].filter(
    ({ doc, orderId, ...state }) =>
      orderId === request.orderId && doc !== request.doc && isActive(state) && leftOf(books, doc, line) > 0,
  )

type Twice = {
  readonly isParked?: boolean
  readonly request: Fulfillment
  readonly order: OrderHeader
  readonly line: number
  readonly quantity: Quantity
  readonly others: readonly Fulfillment[]
}

const TAKEN_BACK_FIRST =
  'What was to be sent again is asked to stop. Take as much of the line back, then release the hold; or release it to send both.'
const STOPPED_FIRST =
  'What was to be sent again is asked to stop. When it has, replay the message of the warehouse, then release the hold; what has left already only a person can settle.'

async function holdOrders(
  tx: Transaction,
  ports: ProcessPorts,
  twice: readonly Twice[],
  cause: Cause,
): Promise<void> {
  if (twice.length === 0) return
  const reasonOf = ({ request, line, quantity, others, isParked }: Twice): string =>
    `${request.location} has shipped ${formatQuantity(quantity)} of line ${line} ${isParked ? `after ${fulfillmentNumber(request.doc)} had ended` : 'that a paper called short'}, and ` +
    `${others.map(({ doc }) => fulfillmentNumber(doc)).join(', ')} is to ship it again`
  const holds = await openHoldsOf(
    tx,
    twice.map(({ order }) => order.doc),
  )
  const standing = new Set(holds.map(({ doc, reason }) => `${doc} ${reason}`))
  const fresh = twice.filter((one) => !standing.has(`${one.order.doc} ${reasonOf(one)}`))
  if (fresh.length === 0) return
  await openHolds(
    tx,
    ports,
    fresh.map((one) => ({
      doc: one.order.doc,
      company: one.order.company,
      type: 'inventory',
      reason: reasonOf(one),
      valueMinor: one.order.totalMinor,
      currency: one.order.currency,
      cause: `shipped-after-all:${fulfillmentNumber(one.request.doc)}`,
      title: `What ${one.request.location} had called short has left after all`,
      suggestedAction: one.isParked ? STOPPED_FIRST : TAKEN_BACK_FIRST,
    })),
  )
  await changeHeaders(
    tx,
    fresh.map((one) => ({
      doc: one.order.doc,
      company: one.order.company,
      data: { type: 'inventory', reason: reasonOf(one) },
    })),
    { change: 'touched', type: 'order.held' },
    cause,
  )
}
