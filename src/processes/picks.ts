/** What a warehouse tells of a request before it ships: that picking began, what was picked, what is packed. */
import type { HandledLine, PackingConfirmed, PickingConfirmed, PickingStarted } from '#capabilities/wms.ts'
import type { Transaction } from '#platform/database.ts'
import { Refusal } from '#platform/faults.ts'
import type { Cause } from '#platform/log.ts'
import type { Quantity } from '#platform/quantity.ts'
import type { Departure } from '#domains/inventory/operations.ts'
import type { Fulfillment, FulfillmentLine, FulfillmentState } from '#domains/shipments/contract.ts'
import { changeFulfillments, progressOf, recordPicks, stillOpen } from '#domains/shipments/operations.ts'
import {
  type Books,
  type Confirmation,
  lineOf,
  linesOfRequest,
  type LineStep,
  openLine,
  requestOf,
  settleLine,
  type Taken,
} from './warehouse-books.ts'

export type Picking = Confirmation<PickingStarted | PickingConfirmed | PackingConfirmed>

const ENDED: ReadonlySet<FulfillmentState> = new Set(['done', 'refused', 'cancelled'])
const BEGUN: ReadonlySet<FulfillmentState> = new Set(['picking', 'packed'])

/** Answers `known` when it tells nothing new: it comes late, or again, or its request has ended. */
export function takePick(books: Books, pick: Picking): Taken | 'known' | Refusal {
  const request = requestOf(books, pick)
  if (request instanceof Refusal) return request
  if (ENDED.has(request.state)) return 'known'
  const handled = handledIn(books, request, pick.message)
  if (handled instanceof Refusal) return handled
  const steps = handled.map((one) => countOn(books, request, one)).filter(movesSomething)
  const isPacked = pick.message.type === 'packing-confirmed' && pick.message.packing !== undefined
  if (steps.length === 0 && BEGUN.has(request.state) && !isPacked) return 'known'
  const state = stateAfter(linesOfRequest(books, request.doc), steps)
  books.requests.set(request.doc, { ...request, state })
  return {
    request,
    order: books.orders.get(request.orderId)!,
    steps,
    lots: lotsOf(pick.message),
    departures: steps.filter(({ short }) => short > 0).map((step) => notFound(books, request, pick, step)),
  }
}

const lotsOf = (message: Picking['message']): string[] =>
  message.type === 'picking-confirmed' ? message.lines.flatMap(({ lot }) => lot ?? []) : []

type Handled = {
  readonly as: 'picked' | 'packed' | 'short'
  readonly line: number
  readonly quantity: Quantity
}

/** What the message says of each line; a warehouse that handles what nobody asked for is not believed. */
function handledIn(books: Books, request: Fulfillment, message: Picking['message']): Handled[] | Refusal {
  if (message.type === 'picking-started') return []
  const [lines, short] =
    message.type === 'picking-confirmed' ? [message.lines, message.short] : [message.lines, []]
  const as = message.type === 'picking-confirmed' ? 'picked' : 'packed'
  for (const told of [...lines, ...short]) {
    const open = openLine(books, request, told)
    if (open instanceof Refusal) return open
  }
  const handled = [
    ...sumByLine(lines).map(([line, quantity]) => ({ as, line, quantity }) as const),
    ...sumByLine(short).map(([line, quantity]) => ({ as: 'short', line, quantity }) as const),
  ]
  const over = handled.find(({ line, quantity }) => quantity > lineOf(books, request.doc, line)!.quantity)
  if (over)
    return new Refusal('shipments.line_unknown', `line ${over.line} has more ${over.as} than was asked for`)
  return handled
}

function sumByLine(lines: readonly HandledLine[]): [line: number, quantity: Quantity][] {
  const sums = new Map<number, Quantity>()
  for (const { line, quantity } of lines) sums.set(line, (sums.get(line) ?? 0) + quantity)
  return [...sums]
}

/** All of it is told in all, so what was known already moves nothing; what was picked is not short. */
function countOn(books: Books, request: Fulfillment, { as, line, quantity }: Handled): LineStep {
  const open = lineOf(books, request.doc, line)!
  const picked = Math.max(open.picked, quantity)
  if (as === 'picked') return settleLine(books, open, 'picked', { picked })
  if (as === 'packed')
    return settleLine(books, open, 'packed', { picked, packed: Math.max(open.packed, quantity) })
  const more = Math.min(Math.max(quantity - open.short, 0), progressOf(open).released)
  return settleLine(books, open, 'left', { short: open.short + more })
}

const movesSomething = ({ released, picked, packed }: LineStep): boolean =>
  released !== 0 || picked !== 0 || packed !== 0

const total = (lines: readonly FulfillmentLine[], of: (line: FulfillmentLine) => Quantity): Quantity =>
  lines.reduce((sum, line) => sum + of(line), 0)

/** Of a request of which nothing is left to be found, no shipment needs to come. */
function stateAfter(lines: readonly FulfillmentLine[], steps: readonly LineStep[]): FulfillmentState {
  const left = total(lines, stillOpen)
  if (left === 0 && steps.some(({ short }) => short > 0)) return 'done'
  return left > 0 && total(lines, (line) => progressOf(line).packed) === left ? 'packed' : 'picking'
}

/** The claim ends, and what was not found is in doubt until somebody counts. */
const notFound = (
  books: Books,
  request: Fulfillment,
  pick: Picking,
  { line, short }: LineStep,
): Departure => ({
  company: request.company,
  itemId: lineOf(books, request.doc, line)!.itemId,
  location: request.location,
  lot: '',
  quantity: 0,
  claimEnds: short,
  short,
  source: pick.source,
  sourceKey: pick.key,
  doc: request.doc,
  at: pick.message.at,
})

/** Writes how far requests have come of which nothing shipped, and what their lines were told to be. */
export async function confirmPicks(
  tx: Transaction,
  books: Books,
  taken: readonly Taken[],
  cause: Cause,
): Promise<void> {
  const picks = taken.filter(({ confirmed }) => !confirmed)
  if (picks.length === 0) return
  recordPicks(tx, toldLines(books, picks))
  const shipped = new Set(taken.flatMap(({ confirmed, request }) => (confirmed ? [request.doc] : [])))
  const first = new Map(picks.toReversed().map(({ request }) => [request.doc, request]))
  const waiting = [...first.values()].filter(({ doc }) => !shipped.has(doc))
  for (const state of ['picking', 'packed', 'done'] as const) {
    const reached = waiting.filter(
      (was) => was.state !== state && books.requests.get(was.doc)!.state === state,
    )
    await changeFulfillments(
      tx,
      reached.map((request) => ({ ...request, data: {} })),
      state,
      cause,
    )
  }
}

function toldLines(books: Books, picks: readonly Taken[]) {
  const short = new Map<FulfillmentLine, Quantity>()
  for (const { request, steps } of picks) {
    for (const { line, short: missing } of steps) {
      const told = lineOf(books, request.doc, line)!
      short.set(told, (short.get(told) ?? 0) + missing)
    }
  }
  return [...short].map(([told, missing]) => ({ ...told, short: missing }))
}
