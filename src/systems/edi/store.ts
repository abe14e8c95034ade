/** The tables of EDI: files that came in, purchase orders as their partners wrote them, our documents and numbers. */
import type { Queries, Transaction } from '#platform/database.ts'
import { sql } from '#platform/database.ts'
import type { PurchaseOrderDocument } from './documents/purchase-order.ts'
import type { Finding } from './findings.ts'
import type { RefusedLine } from './map.ts'
import type { SegmentData } from './x12-writer.ts'

// Files that came in ----------------------------------------------------------------------------------------------------

export type KnownFile = {
  readonly state: 'reading' | 'read' | 'rejected'
  readonly known: boolean
  /** When it was read, not everything of it could be used. */
  readonly damaged: boolean
}

const beginFile = sql(
  'edi.begin_file',
  `insert into edi.file as f (content_hash, name, bytes) values ($1, $2, $3)
   on conflict (content_hash) do update set repeats = f.repeats + case when f.state = 'reading' then 0 else 1 end
   returning state, xmax <> 0 as known,
     state = 'rejected' or findings @> '[{"severity": "error"}]' as damaged`,
)
const endFile = sql(
  'edi.end_file',
  `update edi.file set state = $2, interchanges = $3, sets = $4, findings = $5, read_at = now() where content_hash = $1`,
)
const noteInterchange = sql(
  'edi.note_interchange',
  `insert into edi.interchange (sender, control_number, content_hash, partner) values ($1, $2, $3, $4)
   on conflict do nothing`,
)
const noteNumber = sql(
  'edi.note_number',
  `insert into edi.control_number (partner, direction, last) values ($1, 'in', $2)
   on conflict (partner, direction) do update set last = excluded.last, at = now()`,
)

/** Takes note of a file; one whose reading was cut short is `reading` still. */
export async function startFile(
  queries: Queries,
  file: { readonly hash: string; readonly name: string; readonly bytes: number },
): Promise<KnownFile> {
  const [row] = await queries.query<KnownFile>(beginFile, [file.hash, file.name, file.bytes])
  return row!
}

export type FileEnd = {
  readonly state: 'read' | 'rejected' | 'known'
  readonly interchanges: number
  readonly sets: readonly unknown[]
  readonly findings: readonly Finding[]
}

export function finishFile(tx: Transaction, hash: string, end: FileEnd): void {
  tx.send(endFile, [hash, end.state, end.interchanges, end.sets.length, jsonText(end.findings)])
}

export async function addInterchange(
  queries: Queries,
  row: {
    readonly sender: string
    readonly controlNumber: string
    readonly hash: string
    readonly partner?: string | undefined
  },
): Promise<void> {
  const { sender, controlNumber, hash, partner } = row
  await queries.query(noteInterchange, [storable(sender), storable(controlNumber), hash, partner ?? null])
  const number = /^\d{1,9}$/.test(controlNumber) ? Number(controlNumber) : 0
  if (partner !== undefined && number > 0) await queries.query(noteNumber, [partner, number])
}

/** PostgreSQL keeps no NUL. */
export const storable = (text: string): string => text.replaceAll('\0', '\ufffd')
const jsonText = (value: unknown): string => JSON.stringify(value).replaceAll('\\u0000', '\\ufffd')

// Purchase orders ---------------------------------------------------------------------------------------------------------

export type KeptOrder = {
  readonly messageId: string
  readonly partner: string
  readonly document: PurchaseOrderDocument
  readonly refusedLines: readonly RefusedLine[]
}

const keepOrders = sql(
  'edi.keep_orders',
  `insert into edi.purchase_order (message_id, partner, document, refused_lines)
   select * from unnest($1::text[], $2::text[], $3::jsonb[], $4::jsonb[]) on conflict do nothing`,
)
const orders = sql(
  'edi.orders',
  `select message_id as "messageId", partner, document, refused_lines as "refusedLines"
   from edi.purchase_order where message_id = any($1::text[])`,
)

export function keepPurchaseOrders(tx: Transaction, kept: readonly KeptOrder[]): void {
  if (kept.length === 0) return
  tx.send(keepOrders, [
    kept.map((order) => order.messageId),
    kept.map((order) => order.partner),
    kept.map((order) => jsonText(order.document)),
    kept.map((order) => jsonText(order.refusedLines)),
  ])
}

/** By the id of the message that brought each. */
export async function purchaseOrders(
  queries: Queries,
  messageIds: readonly string[],
): Promise<ReadonlyMap<string, KeptOrder>> {
  const rows = await queries.query<KeptOrder>(orders, [messageIds])
  return new Map(rows.map((row) => [row.messageId, row]))
}

// Our documents -------------------------------------------------------------------------------------------------------------

export type Outbound = {
  readonly key: string
  readonly partner: string
  readonly company: string
  readonly type: string
  readonly controlNumber: number
  readonly about: string | null
  readonly segments: readonly SegmentData[]
  readonly content: string
  readonly fileName: string
  readonly acknowledgment: 'none' | 'waiting' | 'accepted' | 'rejected'
  readonly dueAt: Date | null
}

/** What the writing of files needs to know. */
export type OutboundFile = Pick<Outbound, 'key' | 'partner' | 'fileName' | 'content'> & {
  readonly written: boolean
}

const takeNumbers = sql(
  'edi.take_numbers',
  `insert into edi.control_number as c (partner, direction, last)
   select partner, 'out', count from unnest($1::text[], $2::int[]) as k(partner, count) order by partner
   on conflict (partner, direction) do update set at = now(),
     last = case when c.last > 999999999 - excluded.last then excluded.last else c.last + excluded.last end
   returning partner, last`,
)
const insertOutbound = sql(
  'edi.insert_outbound',
  `insert into edi.outbound (key, partner, company, type, control_number, about, segments, content, file_name,
     acknowledgment, due_at)
   select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::int[], $6::text[], $7::jsonb[], $8::text[],
     $9::text[], $10::text[], $11::timestamptz[])
   on conflict (key) do nothing`,
)
const OUTBOUND_FILE = `key, partner, file_name as "fileName", content, written_at is not null as written`
const outboundByKey = sql(
  'edi.outbound_by_key',
  `select ${OUTBOUND_FILE} from edi.outbound where key = any($1::text[])`,
)
const lockByKey = sql(
  'edi.lock_outbound',
  `select ${OUTBOUND_FILE} from edi.outbound where key = any($1::text[]) order by key for update`,
)
const lockUnwritten = sql(
  'edi.lock_unwritten',
  `select ${OUTBOUND_FILE} from edi.outbound
   where written_at is null and created_at <= now() - make_interval(secs => $1::float8 / 1000)
   order by created_at, control_number limit $2 for update skip locked`,
)
const markWritten = sql(
  'edi.mark_written',
  `update edi.outbound set written_at = now() where key = any($1::text[]) and written_at is null`,
)
const lastAbout = sql(
  'edi.last_about',
  `select distinct on (about) about, segments from edi.outbound
   where about = any($1::text[]) and type = $2 order by about, created_at desc, control_number desc`,
)

/** The last number of so many for each partner; the rows stay locked until the end of the transaction. */
export async function takeControlNumbers(
  tx: Transaction,
  counts: ReadonlyMap<string, number>,
): Promise<ReadonlyMap<string, number>> {
  const rows = await tx.query<{ partner: string; last: number }>(takeNumbers, [
    [...counts.keys()],
    [...counts.values()],
  ])
  return new Map(rows.map((row) => [row.partner, row.last]))
}

export function addOutbound(tx: Transaction, rows: readonly Outbound[]): void {
  tx.send(insertOutbound, [
    rows.map((row) => row.key),
    rows.map((row) => row.partner),
    rows.map((row) => row.company),
    rows.map((row) => row.type),
    rows.map((row) => row.controlNumber),
    rows.map((row) => row.about),
    rows.map((row) => JSON.stringify(row.segments)),
    rows.map((row) => row.content),
    rows.map((row) => row.fileName),
    rows.map((row) => row.acknowledgment),
    rows.map((row) => row.dueAt),
  ])
}

export async function outboundFiles(
  queries: Queries,
  keys: readonly string[],
): Promise<ReadonlyMap<string, OutboundFile>> {
  const rows = await queries.query<OutboundFile>(outboundByKey, [keys])
  return new Map(rows.map((row) => [row.key, row]))
}

/** Nobody else writes them until the transaction ends: a file that a partner has collected must not appear again. */
export const lockFiles = (tx: Transaction, keys: readonly string[]): Promise<OutboundFile[]> =>
  tx.query<OutboundFile>(lockByKey, [keys])

/** Those that have not been written for so long and that nobody is writing. */
export const lockUnwrittenFiles = (
  tx: Transaction,
  olderThanMs: number,
  limit: number,
): Promise<OutboundFile[]> => tx.query<OutboundFile>(lockUnwritten, [olderThanMs, limit])

export function recordWritten(tx: Transaction, keys: readonly string[]): void {
  if (keys.length > 0) tx.send(markWritten, [keys])
}

/** The latest document of a type about each purchase order. */
export async function lastDocuments(
  queries: Queries,
  about: readonly string[],
  type: string,
): Promise<ReadonlyMap<string, readonly SegmentData[]>> {
  const rows = await queries.query<{ about: string; segments: SegmentData[] }>(lastAbout, [about, type])
  return new Map(rows.map((row) => [row.about, row.segments]))
}

// Their acknowledgments -------------------------------------------------------------------------------------------------

export type Acknowledged = {
  readonly partner: string
  readonly controlNumber: number
  readonly status: 'accepted' | 'rejected'
}

const acknowledge = sql(
  'edi.acknowledge',
  `update edi.outbound o set acknowledgment = k.status, acknowledged_at = now(), overdue = false
   from unnest($1::text[], $2::int[], $3::text[]) as k(partner, control_number, status)
   where o.partner = k.partner and o.control_number = k.control_number and o.acknowledgment <> 'none'
   returning o.partner, o.company, o.type, o.control_number as "controlNumber", o.file_name as "fileName"`,
)
const markOverdue = sql(
  'edi.mark_overdue',
  `update edi.outbound set overdue = true
   where acknowledgment = 'waiting' and due_at < $1 and not overdue
   returning partner, company, type, control_number as "controlNumber", file_name as "fileName"`,
)
const overdueOf = sql(
  'edi.overdue_of',
  `select distinct partner from edi.outbound where partner = any($1::text[]) and acknowledgment = 'waiting' and overdue`,
)

export type SentDocument = Pick<Outbound, 'partner' | 'company' | 'type' | 'controlNumber' | 'fileName'>

/** Answers the documents that were meant; a number that we never used is not among them. */
export const recordAcknowledged = (tx: Transaction, rows: readonly Acknowledged[]): Promise<SentDocument[]> =>
  tx.query<SentDocument>(acknowledge, [
    rows.map((row) => row.partner),
    rows.map((row) => row.controlNumber),
    rows.map((row) => row.status),
  ])

/** Documents that fell overdue since it was last asked. */
export const fallenOverdue = (tx: Transaction, now: Date): Promise<SentDocument[]> =>
  tx.query<SentDocument>(markOverdue, [now])

/** Those of the partners who still owe us an acknowledgment. */
export async function partnersInArrears(
  tx: Transaction,
  partners: readonly string[],
): Promise<ReadonlySet<string>> {
  const rows = await tx.query<{ partner: string }>(overdueOf, [partners])
  return new Set(rows.map((row) => row.partner))
}
