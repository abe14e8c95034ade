/** When each step of order-to-cash is due; pure. */
import { isFinal } from '#domains/orders/views.ts'
import { isActive } from '#domains/shipments/contract.ts'
import { formatQuantity } from '#platform/quantity.ts'
import type { OrderFacts } from './order-facts.ts'
import type { ChannelWishes } from './ports.ts'

type Wishes = (order: OrderFacts['order']) => ChannelWishes

const blocked = (facts: OrderFacts, step: string): boolean =>
  facts.holds.some((hold) => hold.blocks.includes(step))
const active = (facts: OrderFacts): OrderFacts['fulfillments'] => facts.fulfillments.filter(isActive)
const shipped = (facts: OrderFacts): boolean => facts.lines.some((line) => line.shipped > 0)
const allFinal = (facts: OrderFacts): boolean => facts.lines.every(isFinal)

/** Holds with an end, of an order of which something can still be taken back. */
const undecided = (facts: OrderFacts): { readonly id: number; readonly expiresAt: Date }[] =>
  facts.order.cancelRequested || allFinal(facts)
    ? []
    : facts.holds.flatMap(({ id, expiresAt }) => (expiresAt === null ? [] : [{ id, expiresAt }]))

/** Holds on which nobody has decided in time. */
export const expiredHolds =
  (now: () => Date) =>
  (facts: OrderFacts): string[] =>
    undecided(facts).flatMap(({ id, expiresAt }) => (expiresAt <= now() ? [String(id)] : []))

/** When the first of the holds expires. */
export const nextExpiry = (facts: OrderFacts): Date | undefined =>
  undecided(facts)
    .map(({ expiresAt }) => expiresAt)
    .toSorted((a, b) => a.getTime() - b.getTime())[0]

export const fillableLines = (facts: OrderFacts): string[] =>
  facts.order.closed ? [] : facts.fillable.map(String)

/** Lines to take note of, so that they are looked at once their silent source is heard. */
export const linesToNote = ({ order, withheld }: OrderFacts): string[] =>
  order.closed ? [] : [...new Set(withheld.map(({ line }) => String(line)))]

/** Requests that the warehouse will not fill, whose claims go back to the order. */
export const reclaimableRequests = (facts: OrderFacts): string[] => facts.reclaimable.map(String)

export const readyForErp = (facts: OrderFacts): boolean =>
  facts.order.erpNumber === null &&
  !blocked(facts, 'postToErp') &&
  facts.lines.every((line) => line.open === 0) &&
  facts.lines.some((line) => !isFinal(line))

/** Locations that hold claims and may be asked: after the ERP knows the order, and whole where the rule says so. */
export function releasableLocations(facts: OrderFacts): string[] {
  if (facts.order.erpNumber === null || blocked(facts, 'release')) return []
  if (facts.order.shippingRule === 'ship-complete' && facts.lines.some((line) => line.backordered > 0))
    return []
  return [...new Set(facts.reservations.map((claim) => claim.location))].toSorted()
}

/** Lines of which the ERP wants more than we do, each with what is cancelled of it in all: `3:24`. */
export const linesToCloseAtErp = ({ order, lines }: OrderFacts): string[] =>
  order.erpNumber === null || order.erpCancelled
    ? []
    : lines.flatMap(({ n, cancelled, erpClosed }) =>
        cancelled > erpClosed ? [`${n}:${formatQuantity(cancelled)}`] : [],
      )

/** The turn that the channel was not told of: a captured order is one, and what becomes of cancelling it or its lines. */
export const turnsToAcknowledge =
  (wishes: Wishes) =>
  (facts: OrderFacts): string[] => {
    const { turn, acknowledgedTurn } = facts.order
    const isOwed = wishes(facts.order).acknowledgement && acknowledgedTurn < turn
    return isOwed && !blocked(facts, 'postToErp') ? [String(turn)] : []
  }

export const unbilledShipments = (facts: OrderFacts): string[] => facts.unbilled.map(String)

/** All quantities are terminal, at the ERP too, and everything billable is invoiced; what the channel is told may follow. */
export const settled = (facts: OrderFacts): boolean =>
  !facts.order.closed &&
  allFinal(facts) &&
  facts.unbilled.length === 0 &&
  active(facts).length === 0 &&
  linesToCloseAtErp(facts).length === 0

// Taking back -------------------------------------------------------------------------------------------------------------

/** Requests that the warehouse has not been asked to cancel yet. */
export const requestsToCancel = (facts: OrderFacts): string[] =>
  active(facts).flatMap((request) => (request.cancelRequested ? [] : [String(request.doc)]))

/** A warehouse has begun to pick: the order ships, and comes back as a return if it must. */
export const tooLateToCancel = (facts: OrderFacts): boolean =>
  facts.order.cancelRequested && active(facts).some(({ state }) => state === 'picking' || state === 'packed')

/** The ERP's order goes only when nothing of it left the house. */
export const erpOrderToCancel = (facts: OrderFacts): boolean =>
  facts.order.erpNumber !== null && !facts.order.erpCancelled && active(facts).length === 0 && !shipped(facts)

export const linesToCancel = (facts: OrderFacts): boolean =>
  active(facts).length === 0 && facts.reclaimable.length === 0 && !erpOrderToCancel(facts) && !allFinal(facts)

export const beingTakenBack = (facts: OrderFacts): boolean =>
  facts.order.cancelRequested &&
  !tooLateToCancel(facts) &&
  facts.reclaimable.length === 0 &&
  (!allFinal(facts) || erpOrderToCancel(facts))
