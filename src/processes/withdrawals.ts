/** Orders that their channel takes back: found by its number or by the customer's, and asked to be cancelled. */
import type { OrderAcknowledgement } from '#capabilities/channel.ts'
import type { OrderWithdrawn, PurchaseOrderWithdrawn } from '#capabilities/channel-messages.ts'
import type { Transaction } from '#platform/database.ts'
import { Refusal } from '#platform/faults.ts'
import type { Cause } from '#platform/log.ts'
import type { Docket } from '#platform/process.ts'
import {
  headersOf,
  linesOf,
  lockHeaders,
  type OrderHeader,
  ordersByReferences,
} from '#domains/orders/views.ts'
import { type CancelRequest, requestCancels } from './cancel.ts'
import type { Decided, Filed } from './channel-words.ts'
import { acknowledgementOf } from './order-acknowledgement.ts'

type Withdrawal = OrderWithdrawn | PurchaseOrderWithdrawn

const withdrawalOf = ({ told }: Filed): Withdrawal => told.inbound.message as Withdrawal
const numberOf = (withdrawal: Withdrawal): string =>
  withdrawal.type === 'order-withdrawn' ? withdrawal.externalId : withdrawal.customerOrder

/**
 * Answers by message. An order of a shop that is not here was taken back before it came and is passed by when it
 * does; a purchase order that is not here, and one that is too late to cancel, is for a person.
 */
export async function withdraw(
  tx: Transaction,
  turn: Docket,
  messages: readonly Filed[],
  cause: Cause,
): Promise<ReadonlyMap<Filed, Decided>> {
  if (messages.length === 0) return new Map()
  const found = await findOrders(tx, messages)
  const docs = [...new Set([...found.values()].map(({ doc }) => doc))].toSorted((a, b) => a - b)
  tx.locking('document', docs)
  const locked = new Map((await lockHeaders(tx, docs)).map((order) => [order.doc, order]))
  const requests = new Map<Filed, CancelRequest>()
  for (const [message, { doc, sender }] of found) {
    const order = locked.get(doc)!
    if (order.closed && order.cancelRequested) continue
    const reason = `cancelled by ${sender}`
    requests.set(message, { order, actor: sender, reason, traceId: message.receivedTrace })
  }
  const answers = await requestCancels(tx, [...requests.values()], cause)
  const late = [...answers].flatMap(([{ order }, answer]) => (answer instanceof Refusal ? [order] : []))
  const standing = await asTheyStand(tx, late)
  // what is taken back frees credit, whose account is locked before any desk row
  turn.wakeAfterwards(
    [...locked.values()].map(({ doc, company, customerId }) => ({
      doc,
      process: 'order-to-cash',
      company,
      priority: 2,
      share: customerId,
    })),
  )
  return new Map(
    messages.map((message): [Filed, Decided] => {
      const order = locked.get(found.get(message)?.doc ?? -1)
      if (!order) return [message, notHere(withdrawalOf(message))]
      const request = requests.get(message)
      if (!request) return [message, cancelledBefore(order)]
      const answer = answers.get(request)!
      const { doc } = order
      // whoever cancelled it, there is nothing left for anybody to do
      if (answer instanceof Refusal && standing.get(doc)?.outcome === 'rejected')
        return [message, cancelledBefore(order)]
      if (answer instanceof Refusal)
        return [message, { outcome: 'parked', doc, refusal: answer, stands: standing.get(doc) }]
      return [message, { outcome: 'applied', doc, known: answer === 'known', detail: { cancel: answer } }]
    }),
  )
}

/** All that could be cancelled is, and whoever asked was told. */
const cancelledBefore = ({ doc, externalId }: OrderHeader): Decided => ({
  outcome: 'applied',
  doc,
  known: true,
  externalId: externalId ?? undefined,
  detail: { cancel: 'known' },
})

async function asTheyStand(
  tx: Transaction,
  orders: readonly OrderHeader[],
): Promise<ReadonlyMap<number, OrderAcknowledgement>> {
  if (orders.length === 0) return new Map()
  const lines = await linesOf(
    tx,
    orders.map(({ doc }) => doc),
  )
  const linesOfOrder = Map.groupBy(lines, ({ doc }) => doc)
  return new Map(
    orders.map((order) => [
      order.doc,
      acknowledgementOf({ order, lines: linesOfOrder.get(order.doc) ?? [], promises: [] }),
    ]),
  )
}

function notHere(withdrawal: Withdrawal): Decided {
  if (withdrawal.type === 'order-withdrawn')
    return { outcome: 'applied', detail: { cancel: 'never placed here' } }
  const { customerOrder, sender } = withdrawal
  const refusal = new Refusal('orders.unknown', `${sender} cancels ${customerOrder}, which is not here`, {
    customerOrder,
  })
  return { outcome: 'parked', refusal }
}

async function findOrders(
  tx: Transaction,
  messages: readonly Filed[],
): Promise<ReadonlyMap<Filed, OrderHeader>> {
  const numbers = [...new Set(messages.map((message) => numberOf(withdrawalOf(message))))]
  const byNumber = await ordersByReferences(tx, numbers)
  const headers = await headersOf(tx, [...new Set([...byNumber.values()].flat())])
  const found = new Map<Filed, OrderHeader>()
  for (const message of messages) {
    const docs = byNumber.get(numberOf(withdrawalOf(message))) ?? []
    const order = headers.find((header) => docs.includes(header.doc) && isMeant(message, header))
    if (order) found.set(message, order)
  }
  return found
}

function isMeant(message: Filed, order: OrderHeader): boolean {
  const withdrawal = withdrawalOf(message)
  if (withdrawal.company !== order.company) return false
  if (withdrawal.type === 'order-withdrawn') {
    return order.sender === message.source && order.externalId === withdrawal.externalId
  }
  return (
    order.sender === withdrawal.sender &&
    order.customerOrder === withdrawal.customerOrder &&
    (order.orderDate ?? '').startsWith(withdrawal.period)
  )
}
