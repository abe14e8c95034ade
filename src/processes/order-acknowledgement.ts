/** What order-to-cash tells the channel of an order: what became of each line, once for each turn. */
import { acknowledge, type OrderAcknowledgement } from '#capabilities/channel.ts'
import { type AnyCall, call } from '#platform/process.ts'
import { changeHeaders, recordAcknowledged } from '#domains/orders/operations.ts'
import { carried } from './order-calls.ts'
import type { OrderFacts } from './order-facts.ts'
import { takeRows } from './order-work.ts'
import { inOrderedUnit } from './ordered-unit.ts'
import { orderNumber, type ProcessPorts } from './ports.ts'
import { isAgain, leaveRefusals, refusalCause } from './refusals.ts'

const REFUSED = 'orders.acknowledgement_refused'
const FIRST_TURN = 1

/** Its subjects are turns, since what is told of one is not the answer that the next one owes. */
export function acknowledgeOrder(ports: ProcessPorts): AnyCall<OrderFacts> {
  return call({
    operation: acknowledge,
    // a channel's instance is the sender: the shop or the partner door it came through
    location: (facts) => facts.order.sender,
    businessKey: (facts) => orderNumber(facts.doc),
    request: (facts) => acknowledgementOf(facts),
    async confirmed(tx, answered, cause) {
      takeRows(tx, answered)
      const turnOf = ({ answers }: (typeof answered)[number]): number =>
        Math.max(...answers.map(({ subject }) => Number(subject)))
      const versions = await recordAcknowledged(
        tx,
        answered.map((work) => ({ ...work.facts, turn: turnOf(work) })),
        cause,
      )
      // a later turn tells all that an earlier one would have told
      const after = answered.filter((work) => turnOf(work) > FIRST_TURN || isAgain(work))
      await leaveRefusals(tx, after, REFUSED)
      return carried(answered, versions, (work) => {
        const { order } = work.facts
        return { order: { ...order, acknowledgedTurn: Math.max(order.acknowledgedTurn, turnOf(work)) } }
      })
    },
    async refused(tx, refused, cause) {
      await ports.openExceptions(
        tx,
        refused.map(({ facts, refusals: [first] }) => ({
          company: facts.company,
          cause: refusalCause(REFUSED, first!),
          code: REFUSED,
          title: `${first!.system} refused the acknowledgement of orders`,
          suggestedAction: `Read the refusal (${first!.message}), correct the partner's settings, then have it tried again.`,
          affects: {
            doc: facts.doc,
            kind: 'order',
            value: { amountMinor: facts.order.totalMinor, currency: facts.order.currency },
          },
        })),
      )
      takeRows(tx, refused)
      const versions = await changeHeaders(
        tx,
        refused.map(({ facts, refusals: [first] }) => ({
          ...facts,
          data: { code: first!.code, message: first!.message },
        })),
        { change: 'touched', type: 'order.acknowledgement_refused' },
        cause,
      )
      return carried(refused, versions, () => ({}))
    },
  })
}

/** The order as it stands, for the channel it came through. */
export function acknowledgementOf({
  order,
  lines,
  promises,
}: Pick<OrderFacts, 'order' | 'lines' | 'promises'>): OrderAcknowledgement {
  const promisedOn = new Map(promises.map(({ line, on }) => [line, on]))
  const changed = lines.some((line) => line.cancelled > 0 || line.backordered > 0)
  return {
    company: order.company,
    order: orderNumber(order.doc),
    customer: order.customer,
    customerOrder: order.customerOrder,
    orderDate: order.orderDate ?? undefined,
    externalId: order.externalId ?? undefined,
    currency: order.currency,
    outcome: lines.every((line) => line.cancelled === line.ordered)
      ? 'rejected'
      : changed
        ? 'accepted-with-changes'
        : 'accepted',
    turn: order.turn,
    cancel: cancelOf(order),
    lines: lines.map((line) => ({
      line: line.customerLine,
      sku: line.sku,
      ...inOrderedUnit(line, {
        ordered: line.ordered,
        reserved: line.reserved + line.released + line.picked + line.packed + line.shipped,
        backordered: line.backordered,
        cancelled: line.cancelled,
      }),
      priceMinor: line.priceMinor,
      priceUnit: line.priceUnit,
      requestedDate: line.requestedDate ?? undefined,
      promisedDate: promisedOn.get(line.n),
      reason: line.rejection ?? undefined,
    })),
  }
}

function cancelOf({ turn, cancelRequested, cancelRefusedTurn }: OrderFacts['order']) {
  if (cancelRequested) return 'done'
  return cancelRefusedTurn === turn ? 'refused' : undefined
}
