/** The event log: what happened, appended in the transaction in which it happened, read by cursor. */
import type { Queries, Transaction } from './database.ts'
import { sql } from './database.ts'

export type Event = {
  /** `order.accepted`; outside the house `org.crossdock.orders.order.accepted.v1`. */
  readonly type: string
  /** The document it is about, and the version that this event made of it. */
  readonly key: number
  readonly keyVersion: number
  readonly company: string
  /** The document at the root of the journey; itself when it is the root. */
  readonly correlationId: number
  readonly data: object
}

/** Who and what caused the events of one append. */
export type Cause = {
  /** The door or system the fact came from: `api`, `wms-north`, `order-to-cash`. */
  readonly source: string
  readonly actor: string
  /** The event or message that led to these. */
  readonly causationId?: string | undefined
  /** W3C trace id, 32 hexadecimal digits. */
  readonly traceId?: string | undefined
  readonly occurredAt?: Date | undefined
}

const append = sql(
  'log.append',
  `insert into log.event (type, key, key_version, company, correlation_id, data, source, actor, causation_id, trace_id, occurred_at)
   select type, key, key_version, company, correlation_id, data, $7, $8, $9, $10::uuid, coalesce($11::timestamptz, now())
   from unnest($1::text[], $2::bigint[], $3::int[], $4::text[], $5::bigint[], $6::jsonb[])
     as e(type, key, key_version, company, correlation_id, data)`,
)

/** Appends with the transaction's commit; a version that is taken already fails it. */
export function appendEvents(tx: Transaction, events: readonly Event[], cause: Cause): void {
  if (events.length === 0) return
  tx.send(append, [
    events.map((event) => event.type),
    events.map((event) => event.key),
    events.map((event) => event.keyVersion),
    events.map((event) => event.company),
    events.map((event) => event.correlationId),
    events.map((event) => JSON.stringify(event.data)),
    cause.source,
    cause.actor,
    cause.causationId ?? null,
    cause.traceId ?? null,
    cause.occurredAt ?? null,
  ])
}

/** Where a reader stands. Transaction ids order the log across late commits, positions inside one transaction. */
export type Cursor = { readonly generation: number; readonly xid: string; readonly position: number }

export const beginning: Cursor = { generation: 0, xid: '0', position: 0 }

export type RecordedEvent = Event & {
  readonly cursor: Cursor
  readonly schemaVersion: number
  readonly source: string
  readonly actor: string
  readonly causationId: string | null
  readonly traceId: string | null
  readonly occurredAt: Date
  readonly recordedAt: Date
}

export const LOG_COLUMNS = `type, key, key_version as "keyVersion", company, correlation_id as "correlationId", data,
  schema_version as "schemaVersion", source, actor, causation_id as "causationId", trace_id as "traceId",
  occurred_at as "occurredAt", recorded_at as "recordedAt", generation, xid::text as xid, position`

/** Of log.event: nothing can be recorded before it any more, since every transaction that began earlier has ended. */
export const SETTLED = `xid < pg_snapshot_xmin(pg_current_snapshot()) or generation < (select max(generation) from log.generation)`

// A bare `xid` to order by would be the text that is selected, where 1000 comes before 999.
const read = sql(
  'log.read',
  `select ${LOG_COLUMNS} from log.event
   where (generation, xid, position) > ($1::smallint, $2::xid8, $3::bigint)
     and (${SETTLED})
   order by generation, event.xid, position limit $4`,
)

export type LogRow = Omit<RecordedEvent, 'cursor'> & Cursor

export const recorded = ({ generation, xid, position, ...event }: LogRow): RecordedEvent => ({
  ...event,
  cursor: { generation, xid, position },
})

/**
 * The next events after `cursor`, oldest first. Stops below the oldest transaction still open, so that an event that
 * commits late is never passed over; a plain `position > last` reader loses it.
 */
export async function readEvents(queries: Queries, cursor: Cursor, limit: number): Promise<RecordedEvent[]> {
  const rows = await queries.query<LogRow>(read, [cursor.generation, cursor.xid, cursor.position, limit])
  return rows.map(recorded)
}

const story = sql(
  'log.story',
  `select ${LOG_COLUMNS} from log.event where key = any($1::bigint[]) order by recorded_at, generation, event.xid, position limit 2000`,
)

/** What happened to these documents, oldest first, at most 2,000 events; each document's own in their true order. */
export async function eventsOf(queries: Queries, keys: readonly number[]): Promise<RecordedEvent[]> {
  return inOwnOrder((await queries.query<LogRow>(story, [keys])).map(recorded))
}

/**
 * A transaction that began earlier may have waited for the document and told its event later; so each document's events
 * share out their places by version.
 */
function inOwnOrder(events: readonly RecordedEvent[]): RecordedEvent[] {
  const byKey = Map.groupBy(events, (event) => event.key)
  for (const own of byKey.values()) own.sort((a, b) => b.keyVersion - a.keyVersion)
  return events.map((event) => byKey.get(event.key)!.pop()!)
}

const head = sql(
  'log.head',
  `select generation, xid::text as xid, position from log.event
   where ${SETTLED}
   order by generation desc, event.xid desc, position desc limit 1`,
)

/** Where a reader starts that wants only what comes next. */
export async function headOfLog(queries: Queries): Promise<Cursor> {
  return (await queries.query<Cursor>(head))[0] ?? beginning
}

// One process at a time, since a partition that is being made cannot be seen yet.
const ensurePartitions = sql(
  'log.ensure_partitions',
  `with alone as materialized (select pg_advisory_xact_lock(hashtext('log.ensure_partitions')))
   select log.ensure_partition((date_trunc('month', now() at time zone 'UTC') + make_interval(months => n))::date)
   from alone, generate_series(0, 3) n`,
)

/** Makes the partitions of this month and the three after it; run at start and each day. */
export async function ensureLogPartitions(queries: Queries): Promise<void> {
  await queries.query(ensurePartitions)
}
