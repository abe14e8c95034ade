/** Orders as a repair sees them: what they are worth, which documents are theirs, and how they look before and after. */
import type { Queries } from '#platform/database.ts'
import type { Money } from '#platform/money.ts'
import { formatQuantity } from '#platform/quantity.ts'
import { invoicesOfOrders } from '#domains/billing/views.ts'
import { positionsOf } from '#domains/inventory/views.ts'
import { headersOf } from '#domains/orders/views.ts'
import { fulfillmentsOfOrders, shipmentsOfOrders } from '#domains/shipments/views.ts'
import { orderView } from './order-reads.ts'
import { fulfillmentNumber, invoiceNumber, orderNumber, shipmentNumber } from './ports.ts'

/** What these orders are worth, by currency. What is no order is worth nothing here. */
export async function stakeOf(queries: Queries, orders: readonly number[]): Promise<Money[]> {
  const headers = await headersOf(queries, orders)
  const byCurrency = Map.groupBy(headers, ({ currency }) => currency)
  return [...byCurrency]
    .map(([currency, group]) => ({
      currency,
      amountMinor: group.reduce((sum, { totalMinor }) => sum + totalMinor, 0),
    }))
    .toSorted((a, b) => (a.currency < b.currency ? -1 : 1))
}

/** The order itself and what came of it. */
export async function documentsOfOrder(queries: Queries, order: number): Promise<number[]> {
  const found = await Promise.all([
    fulfillmentsOfOrders(queries, [order]),
    shipmentsOfOrders(queries, [order]),
    invoicesOfOrders(queries, [order]),
  ])
  return [order, ...found.flat().map(({ doc }) => doc)]
}

/** An order with its documents by their numbers; undefined where there is none. Versions say nothing to people. */
export async function pictureOf(queries: Queries, order: number): Promise<object | undefined> {
  if ((await headersOf(queries, [order])).length === 0) return undefined
  const [view, fulfillments, shipments, invoices] = await Promise.all([
    orderView(queries, order),
    fulfillmentsOfOrders(queries, [order]),
    shipmentsOfOrders(queries, [order]),
    invoicesOfOrders(queries, [order]),
  ])
  const { id: _, version: __, lines, ...header } = view
  return {
    ...header,
    lines: Object.fromEntries(lines.map((line) => [line.line, line])),
    ...numbered(fulfillments, fulfillmentNumber),
    ...numbered(shipments, shipmentNumber),
    ...numbered(invoices, invoiceNumber),
  }
}

const numbered = (
  rows: readonly { readonly doc: number; readonly version?: number }[],
  numberOf: (doc: number) => string,
): object => Object.fromEntries(rows.map(({ doc, version: _, ...row }) => [numberOf(doc), row]))

/** Where stock is said to move. */
export type Place = {
  readonly company: string
  readonly itemId: number
  readonly sku: string
  readonly location: string
}

export async function stockPicture(
  queries: Queries,
  { company, itemId, sku, location }: Place,
): Promise<object> {
  const [position] = await positionsOf(queries, company, [itemId], [location])
  const { itemId: _, location: __, asOf: ___, toldAt: ____, ...quantities } = position!
  const texts = Object.entries(quantities).map(([name, quantity]) => [name, formatQuantity(quantity)])
  return { [`stock ${location} ${sku}`]: Object.fromEntries(texts) as object }
}

export const newOrder = 'new order'
export const titleOf = (order: number, isKnown: boolean): string => (isKnown ? orderNumber(order) : newOrder)
