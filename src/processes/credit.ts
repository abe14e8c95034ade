/** Credit beyond acceptance: looked at again before goods are released, and counted anew when the ERP is read. */
import type { Transaction } from '#platform/database.ts'
import { documentsAtDesk } from '#platform/desk.ts'
import type { Cause } from '#platform/log.ts'
import { formatAmount } from '#platform/money.ts'
import { invoicesOfOrders, unknownInvoices, unknownPayments } from '#domains/billing/views.ts'
import {
  type CreditStanding,
  creditStandings,
  exposureOf,
  type RecountOpen,
} from '#domains/customers/operations.ts'
import { changeHeaders, worthOf } from '#domains/orders/operations.ts'
import {
  acceptedTimes,
  creditReleased,
  headersOf,
  heldExposure,
  linesOf,
  openWorth,
} from '#domains/orders/views.ts'
import { linesOfShipments, shipmentsOfOrders } from '#domains/shipments/views.ts'
import { openHolds } from './holds.ts'
import type { OrderFacts } from './order-facts.ts'
import type { OrderWork } from './order-work.ts'
import type { ProcessPorts } from './ports.ts'

/**
 * Puts on hold what may not leave on credit any more and answers it: the ERP has put the customer on hold since, or the
 * decision at acceptance is older than a decision may be and the limit is exceeded now. What a person released stays
 * released. Only reads, so it locks no account: nothing is granted here that was not granted before.
 */
export async function holdWithoutCredit(
  tx: Transaction,
  ports: ProcessPorts,
  works: readonly OrderWork[],
  cause: Cause,
): Promise<ReadonlySet<OrderWork>> {
  const standings = await creditStandings(tx, distinct(works.map(({ facts }) => facts.order.customerId)))
  const standingOf = ({ facts }: OrderWork): CreditStanding => standings.get(facts.order.customerId)!
  const exposedMinor = (work: OrderWork): number => exposureWith(work, standingOf(work))
  const doubtful = works.filter((work) => lacksCredit(standingOf(work), exposedMinor(work)))
  if (doubtful.length === 0) return new Set()
  const docs = doubtful.map(({ facts }) => facts.doc)
  const [accepted, released, heldMinor] = await Promise.all([
    acceptedTimes(tx, docs),
    creditReleased(tx, docs),
    heldExposure(tx, distinct(doubtful.map(({ facts }) => facts.order.customerId))),
  ])
  const now = ports.clock.now().getTime()
  // what orders on credit hold would take is not taken, so it stops nobody else
  const takenMinor = (work: OrderWork): number =>
    exposedMinor(work) - (heldMinor.get(work.facts.order.customerId) ?? 0)
  const held = doubtful.filter((work) => {
    const { doc, company } = work.facts
    const standing = standingOf(work)
    if (released.has(doc) || !lacksCredit(standing, takenMinor(work))) return false
    const decidedAt = accepted.get(doc)?.getTime() ?? now
    return standing.creditHold || now - decidedAt > ports.company(company).credit.staleAfterMs
  })
  await hold(
    tx,
    ports,
    held.map((work) => ({ facts: work.facts, reason: reasonOf(standingOf(work), takenMinor(work)) })),
    cause,
  )
  return new Set(held)
}

const lacksCredit = ({ creditHold, creditLimitMinor }: CreditStanding, exposureMinor: number): boolean =>
  creditHold || (creditLimitMinor !== null && exposureMinor > creditLimitMinor)

/** A customer's exposure with this order in it: it is there among the open ones, or they do not count. */
function exposureWith({ facts }: OrderWork, standing: CreditStanding): number {
  const exposureMinor = exposureOf(standing)
  if (standing.countsOpenOrders) return exposureMinor
  return facts.lines.reduce(
    (sum, line) => sum + worthOf(line, line.ordered - line.cancelled - line.shipped),
    exposureMinor,
  )
}

function reasonOf({ creditHold, creditLimitMinor, currency }: CreditStanding, exposureMinor: number): string {
  if (creditHold) return 'The ERP has put the customer on credit hold since the order was accepted'
  const [exposure, limit] = [exposureMinor, creditLimitMinor!].map((minor) => formatAmount(minor, currency))
  return `Exposure of ${exposure} ${currency} exceeds the limit of ${limit} since the order was accepted`
}

type Unfunded = { readonly facts: OrderFacts; readonly reason: string }

async function hold(
  tx: Transaction,
  ports: ProcessPorts,
  orders: readonly Unfunded[],
  cause: Cause,
): Promise<void> {
  await openHolds(
    tx,
    ports,
    orders.map(({ facts: { doc, company, order }, reason }) => ({
      doc,
      company,
      type: 'credit',
      reason,
      valueMinor: order.exposureMinor,
      currency: order.currency,
      cause: `credit:${order.customer}`,
      title: `Customer ${order.customer} has no credit left`,
    })),
  )
  await changeHeaders(
    tx,
    orders.map(({ facts: { doc, company }, reason }) => ({ doc, company, data: { type: 'credit', reason } })),
    { change: 'touched', type: 'order.held' },
    cause,
  )
}

/**
 * What the ERP did not know as of its reading: orders not shipped, shipments not invoiced yet, invoices it had not posted,
 * less the cash that it had not applied.
 */
export const recountOpen: RecountOpen = async (tx, customerIds, { asOf }) => {
  // an order stays at the desk until it is closed, so the open ones are found without reading the closed
  const atDesk = await documentsAtDesk(tx, 'order-to-cash', customerIds)
  const [standings, orders, shipped, invoices, payments] = await Promise.all([
    creditStandings(tx, customerIds),
    openWorth(tx, atDesk),
    uninvoicedWorth(tx, atDesk),
    unknownInvoices(tx, customerIds, asOf),
    unknownPayments(tx, customerIds, asOf),
  ])
  return new Map(
    customerIds.map((id) => {
      // cash in another currency waits on account and counts nowhere
      const cash = payments.filter(
        (row) => row.customerId === id && row.currency === standings.get(id)?.currency,
      )
      const cashMinor = cash.reduce((sum, { amountMinor }) => sum + amountMinor, 0)
      const orderedMinor = standings.get(id)?.countsOpenOrders ? (orders.get(id) ?? 0) : 0
      return [id, orderedMinor + (shipped.get(id) ?? 0) + (invoices.get(id) ?? 0) - cashMinor]
    }),
  )
}

/** What has left of these orders and is on no invoice yet, as for a moment after each shipment, by customer. */
async function uninvoicedWorth(
  tx: Transaction,
  docs: readonly number[],
): Promise<ReadonlyMap<number, number>> {
  const [shipments, invoices] = await Promise.all([shipmentsOfOrders(tx, docs), invoicesOfOrders(tx, docs)])
  const invoiced = new Set(invoices.map(({ shipmentId }) => shipmentId))
  const orderOf = new Map(
    shipments.filter(({ doc }) => !invoiced.has(doc)).map(({ doc, orderId }) => [doc, orderId]),
  )
  if (orderOf.size === 0) return new Map()
  const orders = [...new Set(orderOf.values())]
  const [shipped, lines, headers] = await Promise.all([
    linesOfShipments(tx, [...orderOf.keys()]),
    linesOf(tx, orders),
    headersOf(tx, orders),
  ])
  const lineOf = new Map(lines.map((line) => [`${line.doc} ${line.n}`, line]))
  const customerOf = new Map(headers.map(({ doc, customerId }) => [doc, customerId]))
  const worth = new Map<number, number>()
  for (const { doc, line, quantity } of shipped) {
    const order = orderOf.get(doc)!
    const customer = customerOf.get(order)!
    const amountMinor = worthOf(lineOf.get(`${order} ${line}`)!, quantity)
    worth.set(customer, (worth.get(customer) ?? 0) + amountMinor)
  }
  return worth
}

const distinct = (ids: readonly number[]): number[] => [...new Set(ids)].toSorted((a, b) => a - b)
