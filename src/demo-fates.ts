/** What becomes of the demo's orders, and whether it is what the world was planted for. */
import type { Outcome } from '#landscape/world/world.ts'
import type { Clock } from '#platform/clock.ts'
import type { Queries } from '#platform/database.ts'
import { openExceptionsOf } from '#platform/exceptions.ts'
import { invoicesOfOrders } from './domains/billing/views.ts'
import {
  headersOf,
  linesOf,
  openHoldsOf,
  type OrderLine,
  ordersByReferences,
} from './domains/orders/views.ts'
import type { SentOrder } from './demo-doors.ts'

/** `stopped`: an exception keeps it from its invoice. */
export const ENDS = [
  'shipped',
  'backordered',
  'held',
  'rejected',
  'repeated',
  'stopped',
  'under_way',
] as const
export type End = (typeof ENDS)[number]

export type Fate = { readonly customerOrder: string; readonly expected: readonly End[]; readonly end: End }

/** Dated receipts may fill at any moment what was short. */
const EXPECTED: Readonly<Record<Outcome, readonly End[]>> = {
  ships_at_once: ['shipped'],
  fills_later: ['backordered', 'shipped'],
  ships_later_lots: ['shipped'],
  fills_with_later_lots: ['backordered', 'shipped'],
  stays_backordered: ['backordered'],
  held_credit_block: ['held'],
  held_over_limit: ['held'],
  held_price: ['held'],
  rejected_discontinued: ['rejected'],
  rejected_unknown_item: ['rejected'],
  rejected_unknown_customer: ['rejected'],
  rejected_bad_unit: ['rejected'],
  duplicate_of_earlier: ['repeated'],
  conflict_with_earlier: ['rejected'],
}

export type Following = {
  readonly queries: Queries
  readonly clock: Clock
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

const LOOK_EVERY_MS = 500

/** Looks until nothing is under way any more, or time is up. */
export async function followOrders(
  sent: readonly SentOrder[],
  { queries, clock, timeoutMs, signal }: Following,
): Promise<Fate[]> {
  const endMs = clock.monotonicMs() + timeoutMs
  for (;;) {
    const fates = await fatesOf(queries, sent)
    const isOver = fates.every(({ end }) => end !== 'under_way') || clock.monotonicMs() >= endMs
    if (isOver || signal.aborted) return fates
    await clock.sleep(LOOK_EVERY_MS, signal)
  }
}

async function fatesOf(queries: Queries, sent: readonly SentOrder[]): Promise<Fate[]> {
  const known = await ordersByReferences(
    queries,
    sent.map(({ order }) => order.poNumber),
  )
  const docs = [...new Set([...known.values()].flat())]
  const ends = await endsOf(queries, docs)
  return sent.map(({ order, answer }) => {
    const expected = EXPECTED[order.expected]
    const found = (known.get(order.poNumber) ?? []).flatMap(
      (doc) => ends.get(`${doc}/${order.customer}`) ?? [],
    )
    return { customerOrder: order.poNumber, expected, end: endOf({ order, answer }, found) }
  })
}

/** Who is answered at once is told; of the others, an order that was planted to fail is over when there is none. */
function endOf({ order, answer }: SentOrder, found: readonly End[]): End {
  if (answer && answer.status >= 400) return 'rejected'
  if (answer?.status === 200) return 'repeated'
  const expected = EXPECTED[order.expected][0]!
  if (found.length === 0) return answer === undefined && expected === 'rejected' ? 'rejected' : 'under_way'
  if (order.repeats !== undefined) return found.length === 1 ? expected : 'stopped'
  return found[0]!
}

/** By order and customer, since two customers may use the same number. */
async function endsOf(queries: Queries, docs: readonly number[]): Promise<ReadonlyMap<string, End>> {
  const [headers, lines, holds, invoices] = await Promise.all([
    headersOf(queries, docs),
    linesOf(queries, docs),
    openHoldsOf(queries, docs),
    invoicesOfOrders(queries, docs),
  ])
  const papers = [...docs, ...invoices.map(({ doc }) => doc)]
  const exceptions = await openExceptionsOf(queries, papers)
  const held = new Set(holds.map(({ doc }) => doc))
  const linesByOrder = Map.groupBy(lines, ({ doc }) => doc)
  const invoicesByOrder = Map.groupBy(invoices, ({ orderId }) => orderId)
  return new Map(
    headers.map(({ doc, customer, closed }): [string, End] => {
      const key = `${doc}/${customer}`
      const mine = invoicesByOrder.get(doc) ?? []
      if (held.has(doc)) return [key, 'held']
      if ([doc, ...mine.map((invoice) => invoice.doc)].some((of) => exceptions.has(of)))
        return [key, 'stopped']
      if (mine.some(({ number }) => number === null)) return [key, 'under_way']
      if (closed) return [key, mine.length > 0 ? 'shipped' : 'rejected']
      return [key, (linesByOrder.get(doc) ?? []).every(waitsOrIsDone) ? 'backordered' : 'under_way']
    }),
  )
}

const waitsOrIsDone = ({ ordered, backordered, shipped, cancelled }: OrderLine): boolean =>
  backordered + shipped + cancelled === ordered
