/** What changes, as server-sent events: read from the log by cursor, twice a second, so that no change is missed. */
import type { Clock } from '#platform/clock.ts'
import type { Queries } from '#platform/database.ts'
import type { ServerEvent } from '#platform/http.ts'
import { headOfLog, readEvents, type RecordedEvent } from '#platform/log.ts'
import { cursorText, readCursor } from '#platform/log-batches.ts'
import { headersOf, isPartners } from '#domains/orders/views.ts'
import { orderNumber } from '#processes/ports.ts'

export type Following = {
  readonly queries: Queries
  readonly clock: Clock
  /** Sees its own orders only. */
  readonly partner: string | undefined
  /** The id of the last event that the reader has seen. */
  readonly lastEventId: string | undefined
  readonly signal: AbortSignal
}

/** Changes within this time are told together. */
const COALESCE_MS = 500
/** With nothing to tell, a tick lets pages renew ages and know that they are live. */
const TICK_MS = 15_000
const READ_MAX = 1_000
/** Who is so many full reads behind is told that much changed, and goes on from now: a log of days is not read again. */
const READS_BEHIND_MAX = 10
/** With more orders than this in one event it only says that there are many. */
const NAMED_MAX = 200

/** `change` names the orders that changed; its id resumes the stream exactly behind it. Never ends by itself. */
export async function* follow({
  queries,
  clock,
  partner,
  lastEventId,
  signal,
}: Following): AsyncGenerator<ServerEvent> {
  // Who sends what never was an id of ours starts with what comes next.
  let cursor = readCursor(lastEventId) ?? (await headOfLog(queries))
  yield { id: cursorText(cursor), event: 'ready', data: {} }
  let toldMs = clock.monotonicMs()
  let readsBehind = 0
  while (!signal.aborted) {
    const events = await readEvents(queries, cursor, READ_MAX)
    readsBehind = events.length < READ_MAX ? 0 : readsBehind + 1
    if (readsBehind > READS_BEHIND_MAX) {
      cursor = await headOfLog(queries)
      readsBehind = 0
      yield { id: cursorText(cursor), event: 'change', data: MANY }
      continue
    }
    cursor = events.at(-1)?.cursor ?? cursor
    const orders = await visible(queries, ordersIn(events), partner)
    if (orders.length > 0) yield { id: cursorText(cursor), event: 'change', data: changeOf(orders) }
    else if (clock.monotonicMs() - toldMs >= TICK_MS)
      yield { id: cursorText(cursor), event: 'tick', data: {} }
    if (orders.length > 0 || clock.monotonicMs() - toldMs >= TICK_MS) toldMs = clock.monotonicMs()
    if (events.length < READ_MAX) await clock.sleep(COALESCE_MS, signal)
  }
}

/** At the root of a journey stands an order, or a payment, which its invoices tell of. */
const ordersIn = (events: readonly RecordedEvent[]): number[] => [
  ...new Set(events.flatMap((event) => (event.type.startsWith('payment.') ? [] : [event.correlationId]))),
]

async function visible(
  queries: Queries,
  docs: readonly number[],
  partner: string | undefined,
): Promise<readonly number[]> {
  if (partner === undefined || docs.length === 0) return docs
  return (await headersOf(queries, docs))
    .filter((order) => isPartners(order, partner))
    .map((order) => order.doc)
}

const MANY = { many: true, orders: [] }

const changeOf = (orders: readonly number[]) =>
  orders.length > NAMED_MAX ? MANY : { many: false, orders: orders.map(orderNumber) }
