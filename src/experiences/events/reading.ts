/** The log read by cursor and as a stream: who reads keeps the position, so nothing is stored for him. */
import { z } from 'zod'
import type { Clock } from '#platform/clock.ts'
import type { EventWords } from '#platform/cloud-events.ts'
import type { Queries } from '#platform/database.ts'
import { Refusal } from '#platform/faults.ts'
import { type Route, route, type ServerEvent } from '#platform/http.ts'
import { beginning, type Cursor, headOfLog } from '#platform/log.ts'
import { compareCursors, cursorText, positionAtTime, readBatch, readCursor } from '#platform/log-batches.ts'
import { EventPage, eventExample, FilterQuery, filterOf } from './contract.ts'
import { assertKnown, type Listener, type ToldEvent, toldTo } from './told.ts'

export type ReadingPorts = { readonly queries: Queries; readonly clock: Clock; readonly words: EventWords }

const READ = 'experience.events:read'
/** Read at once from the log, and so often for one page while the filter lets nothing through. */
const SCAN = 500
const SCANS_MAX = 4
const POLL_MS = 500
const TICK_MS = 15_000

export const readingRoutes = (ports: ReadingPorts): Route[] => [pullRoute(ports), streamRoute(ports)]

const PullQuery = FilterQuery.extend({
  after: z.string().max(60).optional().describe('nextCursor of the page before; the beginning without it'),
  since: z.iso
    .datetime()
    .optional()
    .describe('Where to begin without a cursor: a minute or so before this time'),
  limit: z.int().min(1).max(200).default(100).describe('How many events a page has, or a few more at times'),
})

const pullRoute = ({ queries, words }: ReadingPorts): Route =>
  route({
    method: 'GET',
    path: '/experience/events/v1/events',
    operationId: 'events.list',
    summary: 'Read events in their order, from any position',
    description:
      "CloudEvents 1.0.2, each document's in the order of its versions. Keep nextCursor once you have worked on the page: it is given also where the page is empty. Events may come again; drop those whose id you know.",
    scope: READ,
    rateClass: 'reads',
    bodyLimitBytes: 0,
    query: PullQuery,
    answers: { 200: { description: 'The next events', body: EventPage } },
    refusals: ['subscriptions.cursor_malformed', 'subscriptions.type_unknown'],
    example: {
      query: { types: 'order.*', limit: 100 },
      answer: { items: [eventExample], nextCursor: '1.7421.90213', more: false },
    },
    async handler({ query, principal: { partner }, path }) {
      const filter = filterOf(query)
      assertKnown(words, filter, '/query')
      const start = await startOf(queries, query)
      const page = await readPage(queries, words, { filter, partner }, { start, limit: query.limit })
      const next = new URLSearchParams({ ...textOf(query), after: page.nextCursor })
      return { status: 200, body: page, headers: { link: `<${path}?${next}>; rel="next"` } }
    },
  })

const textOf = (query: Readonly<Record<string, string | number | undefined>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(query).flatMap(([name, value]) =>
      value === undefined || name === 'since' ? [] : [[name, String(value)]],
    ),
  )

async function startOf(
  queries: Queries,
  { after, since }: { after?: string | undefined; since?: string | undefined },
): Promise<Cursor> {
  if (after !== undefined) return cursorOf(after, '/query/after')
  return since === undefined ? beginning : positionAtTime(queries, new Date(since))
}

export function cursorOf(text: string, pointer: string): Cursor {
  const cursor = readCursor(text)
  if (cursor) return cursor
  throw new Refusal('subscriptions.cursor_malformed', `"${text}" is no position of the log`, {}, pointer)
}

async function readPage(
  queries: Queries,
  words: EventWords,
  listener: Listener,
  { start, limit }: { start: Cursor; limit: number },
): Promise<z.input<typeof EventPage>> {
  let cursor = start
  for (let scans = 1; ; scans++) {
    const batch = await readBatch(queries, cursor, SCAN)
    const told = await toldTo(queries, words, listener, batch.events)
    const isEnd = batch.events.length < SCAN
    const some = told.length > limit ? cut(told, limit, cursor) : undefined
    if (some)
      return { items: some.map(({ event }) => event), nextCursor: cursorText(some.at(-1)!.told), more: true }
    if (told.length > 0 || isEnd || scans === SCANS_MAX)
      return { items: told.map(({ event }) => event), nextCursor: cursorText(batch.end), more: !isEnd }
    cursor = batch.end
  }
}

/** As many as were asked for; more, or all, where the next page would begin at the same place again. */
function cut(told: readonly ToldEvent[], limit: number, start: Cursor): readonly ToldEvent[] | undefined {
  const last = told.findIndex((one, place) => place >= limit - 1 && compareCursors(one.told, start) > 0)
  return last < 0 || last === told.length - 1 ? undefined : told.slice(0, last + 1)
}

const StreamQuery = FilterQuery.extend({
  after: z.string().max(60).optional().describe('Where to begin; now without it'),
})

const streamRoute = ({ queries, clock, words }: ReadingPorts): Route =>
  route({
    method: 'GET',
    path: '/experience/events/v1/stream',
    operationId: 'events.stream',
    summary: 'Hear events as they happen',
    description:
      'Server-sent events; each has the short type as its name and a CloudEvent as its data. The id is a cursor: send it as Last-Event-ID to go on behind it. "ready" comes first and "tick" when nothing else did for 15 seconds; both only move the cursor.',
    scope: READ,
    rateClass: 'reads',
    bodyLimitBytes: 0,
    query: StreamQuery,
    answers: { 200: { description: 'The stream', contentType: 'text/event-stream' } },
    refusals: ['subscriptions.cursor_malformed', 'subscriptions.type_unknown', 'http.streams_exhausted'],
    example: { query: { types: 'order.accepted,invoice.*' } },
    async handler({ query, principal: { partner }, lastEventId, signal }) {
      const filter = filterOf(query)
      assertKnown(words, filter, '/query')
      const { after } = query
      const asked = after === undefined ? undefined : cursorOf(after, '/query/after')
      const start = readCursor(lastEventId) ?? asked ?? (await headOfLog(queries))
      return { status: 200, events: listen({ queries, clock, words, filter, partner, start, signal }) }
    },
  })

type Listening = ReadingPorts & Listener & { readonly start: Cursor; readonly signal: AbortSignal }

/** Never ends by itself. */
export async function* listen({
  queries,
  clock,
  words,
  start,
  signal,
  ...listener
}: Listening): AsyncGenerator<ServerEvent> {
  let cursor = start
  let saidMs = clock.monotonicMs()
  yield { id: cursorText(cursor), event: 'ready', data: {} }
  while (!signal.aborted) {
    const batch = await readBatch(queries, cursor, SCAN)
    const told = await toldTo(queries, words, listener, batch.events)
    for (const { event, told: upTo } of told)
      yield { id: cursorText(upTo), event: shortType(event.type), data: event }
    cursor = batch.end
    const isQuiet = told.length === 0 && clock.monotonicMs() - saidMs >= TICK_MS
    if (isQuiet) yield { id: cursorText(cursor), event: 'tick', data: {} }
    if (isQuiet || told.length > 0) saidMs = clock.monotonicMs()
    if (batch.events.length < SCAN) await clock.sleep(POLL_MS, signal)
  }
}

/** `org.crossdock.orders.order.accepted.v1` without what is around `order.accepted`. */
const shortType = (type: string): string => type.split('.').slice(-3, -1).join('.')
