/** The audit trail: who did what to which document and why, written with the change itself. */
import type { Queries, Transaction } from './database.ts'
import { sql } from './database.ts'

export type AuditRow = {
  /** A person's or a system's name: `user:ann`, `order-to-cash`. */
  readonly actor: string
  /** Dotted, as the operation is named: `orders.hold_released`. */
  readonly action: string
  readonly company?: string | null | undefined
  readonly kind?: string | undefined
  readonly doc?: number | null | undefined
  readonly reason?: string | undefined
  /** What changed. Personal data and payloads go in as hashes, never as values. */
  readonly before?: object | undefined
  readonly after?: object | undefined
  readonly traceId?: string | undefined
}

const record = sql(
  'audit.record',
  `insert into audit.entry (generation, actor, action, company, kind, doc, reason, before, after, trace_id)
   select (select max(generation) from log.generation), *
   from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::jsonb[], $8::jsonb[], $9::text[])`,
)

/** Writes rows with the transaction's commit. No lock and nothing read: sealing comes afterwards. */
export function recordAudit(tx: Transaction, rows: readonly AuditRow[]): void {
  if (rows.length === 0) return
  tx.send(record, [
    rows.map((row) => row.actor),
    rows.map((row) => row.action),
    rows.map((row) => row.company ?? null),
    rows.map((row) => row.kind ?? null),
    rows.map((row) => row.doc ?? null),
    rows.map((row) => row.reason ?? null),
    rows.map((row) => (row.before ? JSON.stringify(row.before) : null)),
    rows.map((row) => (row.after ? JSON.stringify(row.after) : null)),
    rows.map((row) => row.traceId ?? null),
  ])
}

const ENTRY_COLUMNS = `position, recorded_at as "recordedAt", actor, action, company, kind, doc, reason, before, after,
  trace_id as "traceId"`

const list = sql(
  'audit.list',
  `select ${ENTRY_COLUMNS} from audit.entry
   where position < coalesce($1::bigint, 9223372036854775807) and ($2::text is null or company = $2)
     and ($3::text is null or actor = $3) and ($4::text is null or action = $4) and ($5::bigint is null or doc = $5)
   order by position desc limit $6`,
)

export type AuditEntry = {
  readonly position: number
  readonly recordedAt: Date
  readonly actor: string
  readonly action: string
  readonly company: string | null
  readonly kind: string | null
  readonly doc: number | null
  readonly reason: string | null
  readonly before: unknown
  readonly after: unknown
  readonly traceId: string | null
}

export type AuditFilter = {
  readonly company?: string
  readonly actor?: string
  readonly action?: string
  readonly doc?: number
  /** The position of the last entry of the page before. */
  readonly before?: number
  readonly limit?: number
}

/** Entries newest first. */
export function listAudit(queries: Queries, filter: AuditFilter = {}): Promise<AuditEntry[]> {
  const { before, company, actor, action, doc, limit = 100 } = filter
  return queries.query<AuditEntry>(list, [
    before ?? null,
    company ?? null,
    actor ?? null,
    action ?? null,
    doc ?? null,
    limit,
  ])
}

const ensurePartitions = sql('audit.ensure_partitions', 'select audit.ensure_partitions($1::int) as created')

/** Makes the partitions of this month and of `monthsAhead` after it; at start and daily, well before they are needed. */
export async function ensureAuditPartitions(queries: Queries, monthsAhead = 3): Promise<number> {
  const [row] = await queries.query<{ created: number }>(ensurePartitions, [monthsAhead])
  return row?.created ?? 0
}
