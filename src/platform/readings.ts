/** How far each system of record has been read, so that a reading goes on where it stopped, and what it could not take. */
import type { Reading, Rejection } from './copies.ts'
import { type Queries, sql, sqlState, type Transaction } from './database.ts'

/** What is read of a system: one company's records of one kind. */
export type Source = { readonly company: string; readonly source: string; readonly resource: string }

export type ReadingProgress = {
  /** Changes up to here are taken; null before the first complete reading. */
  readonly since: Date | null
  /** The next page of the reading under way; null between readings. */
  readonly cursor: string | null
  /** When the first page of the reading under way was read. */
  readonly begunAsOf: Date | null
  /** Whether the reading under way leaves nothing out. */
  readonly complete: boolean
}

const load = sql(
  'readings.progress',
  `select p.since, p.cursor, p.begun_as_of as "begunAsOf", coalesce(p.complete, true) as complete
   from unnest($1::text[], $2::text[], $3::text[]) with ordinality as n(company, source, resource, nth)
   left join lateral (
     select * from reading.progress p
     where (p.company, p.source, p.resource) = (n.company, n.source, n.resource) offset 0) p on true
   order by n.nth`,
)
const save = sql(
  'readings.save',
  `insert into reading.progress (company, source, resource, since, cursor, begun_as_of, complete)
   values ($1, $2, $3, $4, $5, $6, $7)
   on conflict (company, source, resource) do update set since = excluded.since, cursor = excluded.cursor,
     begun_as_of = excluded.begun_as_of, complete = excluded.complete`,
)

const names = ({ company, source, resource }: Source): string[] => [company, source, resource]

export async function readingProgress(queries: Queries, source: Source): Promise<ReadingProgress> {
  const [progress] = await readingsProgress(queries, [source])
  return progress!
}

/** Of each, in their order; what was never read has no time and no page, and leaves nothing out. */
export function readingsProgress(queries: Queries, sources: readonly Source[]): Promise<ReadingProgress[]> {
  return queries.query<ReadingProgress>(load, [
    sources.map(({ company }) => company),
    sources.map(({ source }) => source),
    sources.map(({ resource }) => resource),
  ])
}

export async function saveProgress(
  queries: Queries,
  source: Source,
  progress: ReadingProgress,
): Promise<void> {
  const { since, cursor, begunAsOf, complete } = progress
  await queries.query(save, [...names(source), since, cursor, begunAsOf, complete])
}

const forget = sql(
  'readings.forget_rejections',
  `delete from reading.rejection
   where company = $1 and source = $2 and resource = $3 and key = any($4::text[]) and as_of <= $5`,
)
const remember = sql(
  'readings.remember_rejections',
  `insert into reading.rejection as r (company, source, resource, key, as_of, code, reason, record)
   select $1, $2, $3, key, $4, code, reason, record
   from unnest($5::text[], $6::text[], $7::text[], $8::jsonb[]) as n(key, code, reason, record)
   on conflict (company, source, resource, key) do update set as_of = excluded.as_of, code = excluded.code,
     reason = excluded.reason, record = excluded.record
   where r.as_of <= excluded.as_of`,
)

/** `record` keeps what may be taken later as it is. */
export type KeptRejection = Rejection & { readonly record?: unknown }

/** What is known of these records is now this: those that are rejected, and the others, which are not any more. */
export function recordRejections(
  tx: Transaction,
  { resource, ...reading }: Reading & { readonly resource: string },
  keys: readonly string[],
  rejections: readonly KeptRejection[],
): void {
  const source = names({ ...reading, resource })
  const byKey = new Map(rejections.map((rejection) => [rejection.key, rejection]))
  const taken = keys.filter((key) => !byKey.has(key))
  const left = [...byKey.values()]
  if (taken.length > 0) tx.send(forget, [...source, taken, reading.asOf])
  if (left.length === 0) return
  tx.send(remember, [
    ...source,
    reading.asOf,
    left.map(({ key }) => key),
    left.map(({ code }) => code),
    left.map(({ reason }) => reason),
    left.map(({ record }) => (record === undefined ? null : JSON.stringify(record))),
  ])
}

const waiting = sql(
  'readings.waiting',
  `select key, record, as_of as "asOf" from reading.rejection
   where company = $1 and source = $2 and resource = $3 and key > $4 and record is not null order by key limit $5`,
)

export type WaitingRecord = { readonly key: string; readonly record: unknown; readonly asOf: Date }

/** Rejected records that may be taken by now, in the order of their keys after this one. */
export function waitingRecords(
  queries: Queries,
  source: Source,
  page: { readonly after: string; readonly limit: number },
): Promise<WaitingRecord[]> {
  return queries.query(waiting, [...names(source), page.after, page.limit])
}

const rejected = sql(
  'readings.rejected',
  `select company, source, resource, key, code, reason, as_of as "asOf", first_rejected_at as "firstRejectedAt"
   from reading.rejection where company = $1 and (source, resource, key) > ($2, $3, $4)
   order by source, resource, key limit $5`,
)

export type RejectedRecord = Source & Rejection & { readonly asOf: Date; readonly firstRejectedAt: Date }

/** Records of a company that could not be taken and have not been corrected since, after this one. */
export function rejectedRecords(
  queries: Queries,
  after: Source & { readonly key: string },
  limit: number,
): Promise<RejectedRecord[]> {
  return queries.query(rejected, [after.company, after.source, after.resource, after.key, limit])
}

/** Whether PostgreSQL refused a value itself (class 22: data, 23: constraint): one record's fault, not the system's. */
export function isBadRecord(error: unknown): boolean {
  return /^2[23]/.test(sqlState(error) ?? '')
}
