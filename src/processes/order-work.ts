/** A piece of work of order-to-cash, and how its steps answer. */
import type { Transaction } from '#platform/database.ts'
import type { Cause } from '#platform/log.ts'
import type { Answers, Done, Work } from '#platform/process.ts'
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
