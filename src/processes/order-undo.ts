/** Takes orders back: asks warehouses to stop, gives back stock, queue, credit and holds, or says that it is too late. */
import type { Transaction } from '#platform/database.ts'
import type { DeskRow } from '#platform/desk.ts'
import type { Cause } from '#platform/log.ts'
import { changeExposure } from '#domains/customers/operations.ts'
import { fillableOrders, leaveQueue, releaseOrders } from '#domains/inventory/operations.ts'
import {
  changeHeaders,
  exposureFreed,
  type LinesMoved,
  lowerExposure,
  moveLines,
} from '#domains/orders/operations.ts'
import { headersOf } from '#domains/orders/views.ts'
import { requestCancellations } from '#domains/shipments/operations.ts'
import { endHolds } from './holds.ts'
import type { OrderFacts } from './order-facts.ts'
import { lookAll, type OrderWork, wakeOrder, wakeRequest } from './order-work.ts'

export async function refuseCancel(tx: Transaction, works: readonly OrderWork[], cause: Cause) {
  const orders = works.map(({ facts }) => ({ ...facts, data: { reason: 'picking has begun' } }))
  await changeHeaders(tx, orders, { change: 'cancel refused', type: 'order.cancel_refused' }, cause)
  return lookAll(works)
}

/** Asks the warehouses to stop what they have not begun to pick. */
export async function takeBackRelease(tx: Transaction, works: readonly OrderWork[], cause: Cause) {
  const requests = works.flatMap(({ facts, subjects }) =>
    subjects.map((subject) => ({
      doc: Number(subject),
      company: facts.company,
      orderId: facts.doc,
      reason: 'order cancelled',
    })),
  )
  await requestCancellations(tx, requests, true, cause)
  return lookAll(works, { wakes: requests.map(wakeRequest) })
}

/** What is left of a cancelled order goes back to stock, out of the queue, the credit account and the holds. */
export async function cancelLines(tx: Transaction, works: readonly OrderWork[], cause: Cause) {
  const worth = works.map(({ facts }) => ({
    doc: facts.doc,
    customerId: facts.order.customerId,
    amountMinor: exposureFreed(
      facts.order,
      facts.lines.map((line) => ({ line, quantity: leftOf(line) })),
    ),
  }))
  changeExposure(
    tx,
    worth.map(({ customerId, amountMinor }) => ({ customerId, amountMinor: -amountMinor })),
  )
  lowerExposure(tx, worth)
  await releaseOrders(
    tx,
    works.map(({ facts }) => facts.doc).toSorted((a, b) => a - b),
  )
  leaveQueue(tx, works.flatMap(waitingLines))
  await endHolds(
    tx,
    works.map(({ facts }) => facts),
    { actor: cause.actor, reason: 'the order was cancelled' },
  )
  await moveLines(tx, works.map(cancelledLines), 'order.lines_cancelled', cause)
  const freed = works.flatMap(({ facts }) =>
    facts.lines.filter((line) => leftOf(line) > 0).map((line) => line.itemId),
  )
  return lookAll(works, { wakes: await wakesOfFreed(tx, freed) })
}

const waitingLines = ({ facts }: OrderWork) =>
  facts.lines
    .filter((line) => line.backordered > 0)
    .map(({ itemId, n }) => ({ itemId, doc: facts.doc, line: n }))

const cancelledLines = ({ facts }: OrderWork): LinesMoved => ({
  ...facts,
  data: {},
  lines: facts.lines
    .filter((line) => leftOf(line) > 0)
    .map((line) => ({
      n: line.n,
      cancelled: leftOf(line),
      backordered: -line.backordered,
      reserved: -line.reserved,
    })),
})

/** Whose turn it is now, since somebody gave back stock or a place in the queue. */
export async function wakesOfFreed(tx: Transaction, items: readonly number[]): Promise<DeskRow[]> {
  const waiting = await headersOf(tx, await fillableOrders(tx, [...new Set(items)]))
  return waiting.map(wakeOrder)
}

const leftOf = (line: OrderFacts['lines'][number]): number => line.reserved + line.backordered
