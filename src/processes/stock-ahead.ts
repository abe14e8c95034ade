/** What can be promised of an item on days that lie ahead: the stock of today, with what is to come until then; pure. */
import type { Quantity } from '#platform/quantity.ts'
import {
  type Asking,
  type Promisable,
  promisableOf,
  type StockFacts,
} from '#domains/inventory/views/promising.ts'
import type { ComingSupply } from '#domains/supply/views.ts'

/** Which days are asked about, by the clock of the company; ISO dates. */
export type Days = {
  readonly today: string
  /** On the evening of that day; now when absent. */
  readonly on?: string | undefined
  /** Also each later day on which it changes. */
  readonly timeline: boolean
}

/** The rows of one day. */
export type Day = { readonly date: string; readonly rows: readonly Promisable[] }

export type ItemBooks = {
  readonly itemId: number
  readonly facts: StockFacts | undefined
  readonly supply: readonly ComingSupply[]
}

const DAYS_MAX = 100

/** What is late, or to come on a day that nobody knows, is promised to nobody. */
const comingUntil = (supply: readonly ComingSupply[], today: string, until: string) => {
  const sums = new Map<string, Quantity>()
  for (const { location, expectedOn, quantity } of supply) {
    if (expectedOn === null || expectedOn < today || expectedOn > until) continue
    sums.set(location, (sums.get(location) ?? 0) + quantity)
  }
  return sums
}

export const onDay = (
  { itemId, facts, supply }: ItemBooks,
  asking: Asking,
  { today, on }: Pick<Days, 'today' | 'on'>,
): readonly Promisable[] =>
  promisableOf(
    itemId,
    facts,
    on === undefined ? asking : { ...asking, coming: comingUntil(supply, today, on) },
  )

/** From the day that is asked about on, each on which something comes; at most 100. */
export function daysAhead(books: ItemBooks, asking: Asking, { today, on }: Days): Day[] {
  const first = on ?? today
  const later = books.supply.flatMap(({ expectedOn }) =>
    expectedOn !== null && expectedOn > first ? [expectedOn] : [],
  )
  const dates = [...new Set([first, ...later])].toSorted().slice(0, DAYS_MAX)
  return dates.map((date) => ({ date, rows: onDay(books, asking, { today, on: date }) }))
}
