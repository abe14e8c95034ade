/** The SQL of parcels under way, and of scans that came before their shipment. */
import type { Queries, Transaction } from '#platform/database.ts'
import { sql } from '#platform/database.ts'
import type { EarlyScan, Parcel, ParcelAsking, ParcelScan, ShipmentMilestone } from '../contract/tracking.ts'

const updateParcels = sql(
  'shipments.update_parcels',
  `update shipments.package p set carrier_system = k.carrier, milestone = k.milestone, scan_code = k.code,
     scan_reason = k.reason, scan_sequence = k.sequence, scanned_at = k.at, scanned_in = k.place,
     signed_by = k.signed_by, unknown_code = k.unknown_code, unknown_sequence = k.unknown_sequence,
     unknown_at = k.unknown_at, missed = k.missed, ask_system = k.ask_system, ask_at = k.ask_at,
     times_asked = coalesce(k.times_asked, 0), news_at = coalesce(k.news_at, p.news_at),
     times_unanswered = coalesce(k.times_unanswered, 0), unanswered_since = k.unanswered_since,
     asked_at = k.asked_at, asked_answer = k.asked_answer
   from unnest($1::bigint[], $2::smallint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[],
     $8::timestamptz[], $9::text[], $10::text[], $11::text[], $12::bigint[], $13::timestamptz[], $14::text[],
     $15::text[], $16::timestamptz[], $17::smallint[], $18::timestamptz[], $19::integer[], $20::timestamptz[],
     $21::timestamptz[], $22::text[])
     as k(doc, n, carrier, milestone, code, reason, sequence, at, place, signed_by, unknown_code, unknown_sequence,
       unknown_at, missed, ask_system, ask_at, times_asked, news_at, times_unanswered, unanswered_since, asked_at,
       asked_answer)
   where p.shipment_id = k.doc and p.n = k.n`,
)
export function writeParcels(tx: Transaction, parcels: readonly Parcel[]): void {
  if (parcels.length === 0) return
  tx.send(updateParcels, [
    parcels.map(({ doc }) => doc),
    parcels.map(({ n }) => n),
    parcels.map(({ carrier }) => carrier),
    parcels.map(({ last }) => last?.milestone ?? null),
    parcels.map(({ last }) => last?.code ?? null),
    parcels.map(({ last }) => last?.reason ?? null),
    parcels.map(({ last }) => last?.sequence ?? null),
    parcels.map(({ last }) => last?.at ?? null),
    parcels.map(({ last }) => last?.place ?? null),
    parcels.map(({ last }) => last?.signedBy ?? null),
    parcels.map(({ unknown }) => unknown?.code ?? null),
    parcels.map(({ unknown }) => unknown?.sequence ?? null),
    parcels.map(({ unknown }) => unknown?.at ?? null),
    parcels.map(({ missed }) => missed),
    parcels.map(({ asking }) => asking?.system ?? null),
    parcels.map(({ asking }) => asking?.at ?? null),
    parcels.map(({ asking }) => asking?.times ?? null),
    parcels.map(({ asking }) => asking?.newsAt ?? null),
    parcels.map(({ asking }) => asking?.unanswered?.times ?? null),
    parcels.map(({ asking }) => asking?.unanswered?.since ?? null),
    parcels.map(({ lastAsked }) => lastAsked?.at ?? null),
    parcels.map(({ lastAsked }) => lastAsked?.answer ?? null),
  ])
}

const beginAsking = sql(
  'shipments.begin_asking',
  `update shipments.package p set ask_system = k.system, ask_at = k.at, news_at = k.news_at
   from unnest($1::bigint[], $2::text[], $3::timestamptz[], $4::timestamptz[]) as k(doc, system, at, news_at)
   where p.shipment_id = k.doc and p.tracking is not null`,
)
/** Of all parcels of shipments that are booked in this transaction. */
export function writeAsking(
  tx: Transaction,
  rows: readonly { readonly doc: number; readonly asking: ParcelAsking }[],
): void {
  if (rows.length === 0) return
  tx.send(beginAsking, [
    rows.map(({ doc }) => doc),
    rows.map(({ asking }) => asking.system),
    rows.map(({ asking }) => asking.at),
    rows.map(({ asking }) => asking.newsAt),
  ])
}

const updateMilestones = sql(
  'shipments.set_milestones',
  `update shipments.shipment s set milestone = k.milestone, version = version + 1
   from unnest($1::bigint[], $2::text[]) as k(doc, milestone) where s.id = k.doc returning s.id as doc, s.version`,
)
export const writeMilestones = (
  tx: Transaction,
  rows: readonly { readonly doc: number; readonly milestone: ShipmentMilestone }[],
): Promise<{ doc: number; version: number }[]> =>
  tx.query(updateMilestones, [rows.map(({ doc }) => doc), rows.map(({ milestone }) => milestone)])

const insertEarly = sql(
  'shipments.insert_early_scans',
  `insert into shipments.early_scan (source, message_id, tracking, sscc, milestone, code, reason, sequence, scanned_at,
     scanned_in, signed_by, told_at, due_at)
   select *, $12, $12 from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
     $8::bigint[], $9::timestamptz[], $10::text[], $11::text[])
   on conflict do nothing`,
)
export function insertEarlyScans(tx: Transaction, scans: readonly ParcelScan[], now: Date): void {
  if (scans.length === 0) return
  tx.send(insertEarly, [
    scans.map(({ source }) => source),
    scans.map(({ messageId }) => messageId),
    scans.map(({ tracking }) => tracking),
    scans.map(({ sscc }) => sscc ?? null),
    scans.map(({ milestone }) => milestone),
    scans.map(({ code }) => code),
    scans.map(({ reason }) => reason ?? null),
    scans.map(({ sequence }) => sequence),
    scans.map(({ at }) => at),
    scans.map(({ place }) => place ?? null),
    scans.map(({ signedBy }) => signedBy ?? null),
    now,
  ])
}

const EARLY = `source, message_id as "messageId", tracking, sscc, milestone, code, reason, sequence, scanned_at as at,
  scanned_in as place, signed_by as "signedBy", told_at as "toldAt"`

const dueEarly = sql(
  'shipments.due_early_scans',
  `select ${EARLY} from shipments.early_scan where due_at <= $1 order by due_at limit $2`,
)
export const selectDueScans = (queries: Queries, now: Date, limit: number): Promise<EarlyScan[]> =>
  queries.query<EarlyScan>(dueEarly, [now, limit])

const endEarly = sql(
  'shipments.end_early_scans',
  'delete from shipments.early_scan where source = $1 and message_id = any($2::text[])',
)
export function deleteEarlyScans(tx: Transaction, source: string, messageIds: readonly string[]): void {
  if (messageIds.length > 0) tx.send(endEarly, [source, messageIds])
}

const postponeEarly = sql(
  'shipments.postpone_early_scans',
  `update shipments.early_scan
   set due_at = $3::timestamptz + least(greatest($3::timestamptz - told_at, interval '1 second'), interval '1 hour')
   where source = $1 and message_id = any($2::text[])`,
)
/** For as long as they have waited, within bounds. */
export function postponeEarlyScans(
  tx: Transaction,
  source: string,
  messageIds: readonly string[],
  now: Date,
): void {
  if (messageIds.length > 0) tx.send(postponeEarly, [source, messageIds, now])
}

const hastenEarly = sql(
  'shipments.hasten_early_scans',
  'update shipments.early_scan set due_at = told_at where tracking = any($1::text[])',
)
export const hastenEarlyScans = (tx: Transaction, tracking: readonly string[]): void =>
  tx.send(hastenEarly, [tracking])

const oldestEarly = sql(
  'shipments.oldest_early_scan',
  'select min(told_at) as "toldAt" from shipments.early_scan where source = $1',
)
export async function oldestEarlyScan(queries: Queries, source: string): Promise<Date | null> {
  const [row] = await queries.query<{ toldAt: Date | null }>(oldestEarly, [source])
  return row?.toldAt ?? null
}
