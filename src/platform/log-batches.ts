/** The log for those who tell it on: in batches that never part an event of a document from the ones before it. */
import { type Queries, sql } from './database.ts'
import {
  type Cursor,
  LOG_COLUMNS,
  type LogRow,
  readEvents,
  recorded,
  type RecordedEvent,
  SETTLED,
} from './log.ts'

export type PlacedEvent = {
  readonly event: RecordedEvent
  /** Everything up to here has been told once this event has been. */
  readonly told: Cursor
}

export type Batch = { readonly events: readonly PlacedEvent[]; readonly end: Cursor }

const lateBefore = sql(
  'log.late_before',
  `select e.generation, e.xid::text as xid, e.position, e.key, e.key_version as "keyVersion"
   from unnest($1::bigint[], $2::int[]) as k(key, before)
   join log.event e on e.key = k.key and e.key_version = k.before and e.recorded_at >= $3
   where (e.generation, e.xid, e.position) > ($4::smallint, $5::xid8, $6::bigint)
   order by e.generation desc, e.xid desc, e.position desc`,
)
const readUpTo = sql(
  'log.read_up_to',
  `select ${LOG_COLUMNS} from log.event
   where (generation, xid, position) > ($1::smallint, $2::xid8, $3::bigint)
     and (generation, xid, position) <= ($4::smallint, $5::xid8, $6::bigint)
     and (${SETTLED})
   order by generation, event.xid, position`,
)
const readByVersion = sql(
  'log.read_by_version',
  `select ${LOG_COLUMNS} from log.event e join unnest($1::bigint[], $2::int[]) as k(key, key_version)
   using (key, key_version)`,
)

/** Longer than any transaction lasts, so than two transactions of one document are apart. */
const APART_MS = 60_000

const cursorValues = ({ generation, xid, position }: Cursor) => [generation, xid, position]

/**
 * About `limit` events after `cursor`, each document's in the order of its versions. A transaction that began earlier
 * may have told its event later, so the batch goes on until nothing in it has a predecessor behind its end, and ends
 * before an event whose predecessor cannot be read yet.
 */
export async function readBatch(queries: Queries, cursor: Cursor, limit: number): Promise<Batch> {
  let events = await readEvents(queries, cursor, limit)
  let unchecked: readonly RecordedEvent[] = events
  while (unchecked.length > 0) {
    const [checked, end] = [events.length, events.at(-1)!.cursor]
    const late = await lateOnes(queries, events, unchecked)
    if (late.length === 0) break
    const rows = await queries.query<LogRow>(readUpTo, [...cursorValues(end), ...cursorValues(late[0]!)])
    events = withoutWaiting([...events, ...rows.map(recorded)], late)
    unchecked = events.slice(checked)
  }
  return { events: inOrder(events, cursor), end: events.at(-1)?.cursor ?? cursor }
}

/** The predecessors of `unchecked` that stand behind the end of `events`, the last of them first. */
async function lateOnes(
  queries: Queries,
  events: readonly RecordedEvent[],
  unchecked: readonly RecordedEvent[],
): Promise<readonly (Cursor & EventName)[]> {
  const here = new Set(events.map(nameOf))
  const open = unchecked.filter((event) => event.keyVersion > 1 && !here.has(predecessorOf(event)))
  if (open.length === 0) return []
  const since = Math.min(...unchecked.map(({ recordedAt }) => recordedAt.getTime())) - APART_MS
  return queries.query<Cursor & EventName>(lateBefore, [
    open.map(({ key }) => key),
    open.map(({ keyVersion }) => keyVersion - 1),
    new Date(since),
    ...cursorValues(events.at(-1)!.cursor),
  ])
}

/** Those before the first that waits for a predecessor which was not read, or that would be parted from it by that. */
function withoutWaiting(events: readonly RecordedEvent[], late: readonly EventName[]): RecordedEvent[] {
  const here = new Set(events.map(nameOf))
  const absent = new Set(late.map(nameOf).filter((name) => !here.has(name)))
  let kept = [...events]
  for (;;) {
    const at = kept.findIndex((event) => absent.has(predecessorOf(event)))
    if (at < 0) return kept
    for (const event of kept.slice(at)) absent.add(nameOf(event))
    kept = kept.slice(0, at)
  }
}

const nameOf = ({ key, keyVersion }: EventName): string => `${key}.${keyVersion}`
const predecessorOf = ({ key, keyVersion }: EventName): string => nameOf({ key, keyVersion: keyVersion - 1 })

/** Each document's events share out their places by version; `start` is where the first of them was read from. */
function inOrder(events: readonly RecordedEvent[], start: Cursor): PlacedEvent[] {
  const byKey = Map.groupBy(events, (event) => event.key)
  for (const own of byKey.values()) own.sort((a, b) => b.keyVersion - a.keyVersion)
  const isTold = new Set<RecordedEvent>()
  let told = start
  let next = 0
  return events.map(({ key }) => {
    const event = byKey.get(key)!.pop()!
    isTold.add(event)
    while (next < events.length && isTold.has(events[next]!)) told = events[next++]!.cursor
    return { event, told }
  })
}

export type EventName = { readonly key: number; readonly keyVersion: number }

/** Single events, in no order; one that left the log is not among them. */
export async function eventsNamed(queries: Queries, names: readonly EventName[]): Promise<RecordedEvent[]> {
  if (names.length === 0) return []
  const columns = [names.map(({ key }) => key), names.map(({ keyVersion }) => keyVersion)]
  return (await queries.query<LogRow>(readByVersion, columns)).map(recorded)
}

const positionAt = sql(
  'log.position_at',
  `select generation, xid::text as xid, position from log.position_at($1::timestamptz)`,
)

/** Before everything recorded from `moment` on; what transactions under way at that moment recorded may lie behind. */
export async function positionAtTime(queries: Queries, moment: Date): Promise<Cursor> {
  const [cursor] = await queries.query<Cursor>(positionAt, [new Date(moment.getTime() - APART_MS)])
  if (!cursor) throw new Error('the log has no position for a time')
  return cursor
}

export const cursorText = ({ generation, xid, position }: Cursor): string =>
  `${generation}.${xid}.${position}`

const CURSOR = /^(\d{1,4})\.(\d{1,19})\.(\d{1,15})$/

/** Undefined for what never was a cursor of ours. */
export function readCursor(text: string | undefined): Cursor | undefined {
  const match = CURSOR.exec(text ?? '')
  return match ? { generation: Number(match[1]), xid: match[2]!, position: Number(match[3]) } : undefined
}

/** Negative where `a` stands before `b`. */
export function compareCursors(a: Cursor, b: Cursor): number {
  if (a.generation !== b.generation) return a.generation - b.generation
  const [left, right] = [BigInt(a.xid), BigInt(b.xid)]
  return left === right ? a.position - b.position : left < right ? -1 : 1
}
