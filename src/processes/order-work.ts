/** A piece of work of order-to-cash, and how its steps answer. */
import type { Transaction } from '#platform/database.ts'
import type { DeskRow } from '#platform/desk.ts'
import type { Cause } from '#platform/log.ts'
import type { Answers, Done, Work } from '#platform/process.ts'
import type { OrderHeader } from '#domains/orders/views.ts'
import type { OrderFacts } from './order-facts.ts'

export type OrderWork = Work<OrderFacts>

export type Deed = (
  tx: Transaction,
  works: readonly OrderWork[],
  cause: Cause,
) => Promise<Answers<OrderWork, OrderFacts>>

/** Only a fresh look tells what these orders are now. */
export const lookAll = (
  works: readonly OrderWork[],
  done: Partial<Exclude<Done<OrderFacts>, 'look'>> = {},
): Answers<OrderWork, OrderFacts> =>
  new Map(works.map((work): [OrderWork, Done<OrderFacts>] => [work, { facts: 'look', ...done }]))

/** A line that waits for stock depends on what others take and give back, which no memory can carry. */
export const waits = ({ lines }: OrderFacts): boolean => lines.some((line) => line.backordered > 0)

/** Says which rows an answer is about to change: what is locked later in the same transaction comes after them. */
export function takeRows(tx: Transaction, works: readonly { readonly facts: OrderFacts }[]): void {
  tx.locking(
    'document',
    works.map(({ facts }) => facts.doc).toSorted((a, b) => a - b),
  )
}

/** Has an order looked at by its own process. */
export const wakeOrder = ({
  doc,
  company,
  customerId,
}: Pick<OrderHeader, 'doc' | 'company' | 'customerId'>): DeskRow => ({
  doc,
  process: 'order-to-cash',
  company,
  priority: 2,
  share: customerId,
})

export const wakeRequest = ({
  doc,
  company,
}: {
  readonly doc: number
  readonly company: string
}): DeskRow => ({ doc, process: 'fulfillment', company, priority: 2, share: 0 })
