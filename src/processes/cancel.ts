/** Asks for orders to be taken back: a fact that their process acts on; what has begun to be picked ships. */
import { recordAudit } from '#platform/audit.ts'
import type { Transaction } from '#platform/database.ts'
import { Refusal } from '#platform/faults.ts'
import type { Cause } from '#platform/log.ts'
import { changeHeaders } from '#domains/orders/operations.ts'
import { isFinal, linesOf, type OrderHeader } from '#domains/orders/views.ts'
import { orderNumber } from './ports.ts'

export type Canceller = {
  readonly actor: string
  readonly reason: string
  readonly traceId?: string | undefined
}

export type CancelRequest = Canceller & {
  /** As it was read when it was locked. */
  readonly order: OrderHeader
}

/** `known`: it was asked for before, and nothing changes. */
export type Cancelled = 'requested' | 'known' | Refusal

/** For one locked order; the caller wakes it. Refuses what is shipped, cancelled or closed to the last unit. */
export async function requestCancel(
  tx: Transaction,
  order: OrderHeader,
  by: Canceller,
  cause: Cause,
): Promise<void> {
  const [answer] = (await requestCancels(tx, [{ ...by, order }], cause)).values()
  if (answer instanceof Refusal) throw answer
}

/** For locked orders, each answered for itself; the caller wakes those that were asked. */
export async function requestCancels(
  tx: Transaction,
  requests: readonly CancelRequest[],
  cause: Cause,
): Promise<ReadonlyMap<CancelRequest, Cancelled>> {
  const lines = await linesOf(
    tx,
    requests.map(({ order }) => order.doc),
  )
  const alive = new Set(lines.filter((line) => !isFinal(line)).map((line) => line.doc))
  const asked = new Map<number, CancelRequest>()
  const answers = new Map<CancelRequest, Cancelled>()
  for (const request of requests) {
    const { doc, closed, cancelRequested } = request.order
    if (closed || !alive.has(doc)) answers.set(request, tooLate(doc))
    else if (cancelRequested || asked.has(doc)) answers.set(request, 'known')
    else {
      asked.set(doc, request)
      answers.set(request, 'requested')
    }
  }
  await write(tx, [...asked.values()], cause)
  return answers
}

function tooLate(doc: number): Refusal {
  const order = orderNumber(doc)
  return new Refusal('orders.too_late_to_cancel', `nothing of ${order} can be cancelled any more`, { order })
}

async function write(tx: Transaction, asked: readonly CancelRequest[], cause: Cause): Promise<void> {
  await changeHeaders(
    tx,
    asked.map(({ actor, reason, order: { doc, company } }) => ({ doc, company, data: { actor, reason } })),
    { change: 'cancel requested', type: 'order.cancel_requested' },
    cause,
  )
  recordAudit(
    tx,
    asked.map(({ actor, reason, traceId, order: { doc, company } }) => ({
      actor,
      action: 'orders.cancel',
      company,
      kind: 'order',
      doc,
      reason,
      traceId,
    })),
  )
}
