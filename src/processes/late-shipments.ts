/** What a paper called short and its warehouse shipped after all: it is what its order still wants, which nobody sends again. */
import type { ShippedLine } from '#capabilities/wms.ts'
import type { Transaction } from '#platform/database.ts'
import type { DeskRow } from '#platform/desk.ts'
import type { Cause } from '#platform/log.ts'
import { formatQuantity, type Quantity } from '#platform/quantity.ts'
import { changeHeaders } from '#domains/orders/operations.ts'
import type { OrderHeader } from '#domains/orders/views.ts'
import { canStop, type Fulfillment, isActive } from '#domains/shipments/contract.ts'
import { requestCancellations } from '#domains/shipments/operations.ts'
import { openHolds } from './holds.ts'
import { wakeRequest } from './order-work.ts'
import { fulfillmentNumber, type ProcessPorts } from './ports.ts'
import type { Shipping } from './shipping.ts'
import {
  type Books,
  leftOf,
  lineKey,
  lineOf,
  type LineStep,
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

/** Counts down what the order still wants of the line; claims that it keeps for it elsewhere go back. */
function takeWanted(
  { orders, orderLines, hand }: Books,
  { orderId }: Fulfillment,
  { line, quantity }: { readonly line: number; readonly quantity: Quantity },
): { readonly waiting: Quantity; readonly kept: Quantity } {
  const order = orders.get(orderId)!
  if (order.closed || order.cancelRequested || order.shippingRule === 'cancel-rest')
    return { waiting: 0, kept: 0 }
  const key = lineKey(orderId, line)
  const waits = hand.waiting.get(key) ?? orderLines.get(key)!.backordered
  const waiting = Math.min(quantity, waits)
  hand.waiting.set(key, waits - waiting)
  let kept = 0
  for (const claim of hand.claims) {
    if (claim.doc !== orderId || claim.line !== line) continue
    const some = Math.min(claim.quantity, quantity - waiting - kept)
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
    const others = [...books.requests.values()].filter(
      ({ doc, orderId, ...state }) =>
        orderId === one.request.orderId &&
        doc !== one.request.doc &&
        isActive(state) &&
        leftOf(books, doc, one.line) > 0,
    )
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

type Twice = {
  readonly request: Fulfillment
  readonly order: OrderHeader
  readonly line: number
  readonly quantity: Quantity
  readonly others: readonly Fulfillment[]
}

async function holdOrders(
  tx: Transaction,
  ports: ProcessPorts,
  twice: readonly Twice[],
  cause: Cause,
): Promise<void> {
  const reasonOf = ({ request, line, quantity, others }: Twice): string =>
    `${request.location} has shipped ${formatQuantity(quantity)} of line ${line} that a paper called short, and ` +
    `${others.map(({ doc }) => fulfillmentNumber(doc)).join(', ')} is to ship it again`
  await openHolds(
    tx,
    ports,
    twice.map((one) => ({
      doc: one.order.doc,
      company: one.order.company,
      type: 'inventory',
      reason: reasonOf(one),
      valueMinor: one.order.totalMinor,
      currency: one.order.currency,
      cause: `shipped-after-all:${fulfillmentNumber(one.request.doc)}`,
      title: `What ${one.request.location} had called short has left after all`,
      suggestedAction:
        'What was to be sent again is asked to stop. Take as much of the line back, then release the hold; or release it to send both.',
    })),
  )
  await changeHeaders(
    tx,
    twice.map((one) => ({
      doc: one.order.doc,
      company: one.order.company,
      data: { type: 'inventory', reason: reasonOf(one) },
    })),
    { change: 'touched', type: 'order.held' },
    cause,
  )
}
