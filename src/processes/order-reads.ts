/** What is told of an order to whoever reads it: composed from the domains, in the words of the published contract. */
import type { Queries } from '#platform/database.ts'
import { formatAmount } from '#platform/money.ts'
import type { Milestones, OrderView, StoryAnswer } from '#domains/orders/contract/answers.ts'
import { invoicesOfOrders } from '#domains/billing/views.ts'
import { withheldOf } from '#domains/inventory/views/freshness.ts'
import type { Channel } from '#domains/orders/contract.ts'
import {
  headersOf,
  linesOf,
  milestonesOf,
  numbersOf,
  openHoldsOf,
  type OpenHold,
  type OrderLine,
  stageOfOrder,
} from '#domains/orders/views.ts'
import { fulfillmentsOfOrders, shipmentsOfOrders } from '#domains/shipments/views.ts'
import { toldLine } from './order-lines.ts'
import { fulfillmentNumber, holdNumber, invoiceNumber, orderNumber, shipmentNumber } from './ports.ts'
import { storyOf } from './story.ts'

/** An order that exists, as it stands. */
export async function orderView(queries: Queries, doc: number): Promise<OrderView> {
  const [[header], lines, holds, numbers, withheld] = await Promise.all([
    headersOf(queries, [doc]),
    linesOf(queries, [doc]),
    openHoldsOf(queries, [doc]),
    numbersOf(queries, doc),
    withheldOf(queries, doc),
  ])
  if (!header) throw new Error(`order ${doc} does not exist`)
  const { orderDate, requestedDate, shipToCode, erpNumber, currency, closed } = header
  return {
    id: orderNumber(doc),
    version: header.version,
    company: header.company,
    customer: header.customer,
    customerOrder: header.customerOrder,
    channel: header.channel as Channel,
    stage: stageOfOrder({ lines, held: holds.length > 0, closed }),
    ...(orderDate === null ? {} : { orderDate }),
    ...(requestedDate === null ? {} : { requestedDate }),
    shippingRule: header.shippingRule,
    ...(shipToCode === null ? {} : { shipTo: shipToCode }),
    currency,
    total: formatAmount(header.totalMinor, currency),
    ...(erpNumber === null ? {} : { erpNumber }),
    cancelRequested: header.cancelRequested,
    holds: holds.map(holdView),
    lines: lines.map((line) => lineView(line, currency, withheld)),
    numbers: numbers.map(({ scheme, value }) => ({ scheme, value })),
  }
}

export const holdView = ({ id, type, reason, blocks }: OpenHold) => ({
  id: holdNumber(id),
  type,
  reason,
  blocks: [...blocks],
})

function lineView(
  line: OrderLine,
  currency: string,
  withheld: Awaited<ReturnType<typeof withheldOf>>,
): OrderView['lines'][number] {
  const { rejection, ...told } = toldLine(line, currency)
  const by = line.backordered > 0 ? withheld.find(({ line: n }) => n === line.n) : undefined
  return {
    ...told,
    ...(rejection === null ? {} : { rejection }),
    ...(by && { withheld: { source: by.source, since: by.at.toISOString() } }),
  }
}

/** What an order has reached, by what happened to it and to its documents. */
export async function milestonesOfOrder(queries: Queries, doc: number): Promise<Milestones> {
  const [fulfillments, shipments, invoices] = await Promise.all([
    fulfillmentsOfOrders(queries, [doc]),
    shipmentsOfOrders(queries, [doc]),
    invoicesOfOrders(queries, [doc]),
  ])
  const numbers = new Map([
    [doc, orderNumber(doc)],
    ...fulfillments.map((row): [number, string] => [row.doc, fulfillmentNumber(row.doc)]),
    ...shipments.map((row): [number, string] => [row.doc, shipmentNumber(row.doc)]),
    ...invoices.map((row): [number, string] => [row.doc, invoiceNumber(row.doc)]),
  ])
  const reached = await milestonesOf(
    queries,
    doc,
    [...numbers.keys()].filter((each) => each !== doc),
  )
  return {
    order: orderNumber(doc),
    milestones: reached.map(({ milestone, at, source, doc: on, event }) => ({
      milestone,
      at: at.toISOString(),
      source,
      document: numbers.get(on)!,
      event,
    })),
  }
}

/** The story of an order that exists. */
export async function storyAnswer(queries: Queries, doc: number): Promise<StoryAnswer> {
  const story = await storyOf(queries, doc)
  if (!story) throw new Error(`order ${doc} does not exist`)
  return story as StoryAnswer
}
