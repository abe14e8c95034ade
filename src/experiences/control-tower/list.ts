/** The list of orders as a page needs it: rows with the customer's name, holds and open exceptions. */
import type { Queries } from '#platform/database.ts'
import { openExceptionsOf } from '#platform/exceptions.ts'
import { formatAmount } from '#platform/money.ts'
import { customerKey } from '#domains/customers/contract.ts'
import { findCustomers } from '#domains/customers/operations.ts'
import { openHoldsOf } from '#domains/orders/views.ts'
import {
  type ListedOrder,
  listOrders,
  type OrderCursor,
  type OrderFilter,
} from '#domains/orders/views/lists.ts'
import { orderNumber } from '#processes/ports.ts'

export type Row = {
  readonly id: string
  readonly customerOrder: string
  readonly customer: string
  readonly customerName: string
  readonly company: string
  readonly channel: string
  readonly stage: string
  readonly value: string
  readonly currency: string
  readonly acceptedAt: string
  readonly holds: readonly string[]
  readonly exceptions: readonly string[]
}

export const PAGE = 50

export type RowPage = { readonly rows: readonly Row[]; readonly next: OrderCursor | undefined }

export async function readRows(
  queries: Queries,
  filter: OrderFilter,
  after: OrderCursor | undefined,
): Promise<RowPage> {
  const found = await listOrders(queries, filter, after, PAGE + 1)
  const page = found.slice(0, PAGE)
  const docs = page.map((order) => order.id)
  const [holds, exceptions, customers] = await Promise.all([
    openHoldsOf(queries, docs),
    openExceptionsOf(queries, docs),
    findCustomers(
      queries,
      page.map(({ company, customer }) => ({ company, number: customer })),
    ),
  ])
  const holdsOf = Map.groupBy(holds, (hold) => hold.doc)
  const rows = page.map((order) =>
    rowOf(order, {
      customerName: customers.get(customerKey(order.company, order.customer))?.name ?? '',
      holds: (holdsOf.get(order.id) ?? []).map((hold) => hold.type),
      exceptions: (exceptions.get(order.id) ?? []).map((exception) => exception.title),
    }),
  )
  return { rows, next: found.length > PAGE ? page.at(-1) : undefined }
}

function rowOf(order: ListedOrder, more: Pick<Row, 'customerName' | 'holds' | 'exceptions'>): Row {
  const { id, customerOrder, customer, company, channel, stage, totalMinor, currency, createdAt } = order
  return {
    id: orderNumber(id),
    customerOrder,
    customer,
    company,
    channel,
    stage,
    value: formatAmount(totalMinor, currency),
    currency,
    acceptedAt: createdAt,
    ...more,
  }
}
