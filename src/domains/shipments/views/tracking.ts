/** How far parcels are, as their carriers told. */
import type { Queries } from '#platform/database.ts'
import { sql } from '#platform/database.ts'
import type {
  AskingAnswer,
  Parcel,
  ParcelAsking,
  Scanned,
  SilentCount,
  SilentParcel,
} from '../contract/tracking.ts'

const parcels = sql(
  'shipments.parcels',
  `select shipment_id as doc, n, sscc, tracking, carrier_system as carrier, milestone, scan_code as code,
     scan_reason as reason, scan_sequence as sequence, scanned_at as at, scanned_in as place, signed_by as "signedBy",
     unknown_code as "unknownCode", unknown_sequence as "unknownSequence", unknown_at as "unknownAt", missed,
     ask_system as "askSystem", ask_at as "askAt", times_asked as "timesAsked", news_at as "newsAt",
     times_unanswered as "timesUnanswered", unanswered_since as "unansweredSince", asked_at as "askedAt",
     asked_answer as answer
   from shipments.package where shipment_id = any($1::bigint[]) and tracking is not null order by shipment_id, n`,
)

type ParcelRow = Omit<Parcel, 'last' | 'unknown' | 'asking' | 'lastAsked'> &
  Omit<Scanned, 'milestone'> & {
    readonly milestone: Scanned['milestone'] | null
    readonly unknownCode: string | null
    readonly unknownSequence: number
    readonly unknownAt: Date
    readonly askSystem: string | null
    readonly askAt: Date | null
    readonly timesAsked: number
    readonly newsAt: Date
    readonly timesUnanswered: number
    readonly unansweredSince: Date | null
    readonly askedAt: Date | null
    readonly answer: AskingAnswer
  }

/** The packages of these shipments that have a tracking number. */
export async function parcelsOf(queries: Queries, docs: readonly number[]): Promise<Parcel[]> {
  const rows = await queries.query<ParcelRow>(parcels, [docs])
  return rows.map(({ milestone, code, reason, sequence, at, place, signedBy, ...row }) => {
    const { unknownCode, unknownSequence, unknownAt, ...asked } = row
    const { askSystem, askAt, timesAsked, newsAt, timesUnanswered, unansweredSince, ...rest } = asked
    const { askedAt, answer, ...parcel } = rest
    const unanswered = unansweredSince && { times: timesUnanswered, since: unansweredSince }
    const asking: ParcelAsking | null =
      askSystem === null || askAt === null
        ? null
        : { system: askSystem, at: askAt, times: timesAsked, newsAt, unanswered }
    return {
      ...parcel,
      last: milestone === null ? null : { milestone, code, reason, sequence, at, place, signedBy },
      unknown: unknownCode === null ? null : { code: unknownCode, sequence: unknownSequence, at: unknownAt },
      asking,
      lastAsked: askedAt && { at: askedAt, answer },
    }
  })
}

const silent = sql(
  'shipments.silent_parcels',
  `select shipment_id as doc, n, tracking, news_at as "newsAt", scan_sequence as sequence from shipments.package p
   where ask_system = $1 and ask_at <= $2
     and not exists (
       select from shipments.early_scan e where e.tracking = p.tracking and e.source = p.ask_system offset 0)
   order by ask_at limit $3`,
)

/** Those whose turn it is to be asked about at this system, the longest due first; not where scans wait to be booked. */
export const silentParcels = (
  queries: Queries,
  due: { readonly system: string; readonly now: Date; readonly limit: number },
): Promise<SilentParcel[]> => queries.query<SilentParcel>(silent, [due.system, due.now, due.limit])

const silentCounts = sql(
  'shipments.count_silent',
  `select s.system, p.missed, p.parcels from unnest($1::text[]) as s(system) cross join lateral (
     select missed, count(*)::integer as parcels from shipments.package
     where ask_system = s.system and ask_at is not null and (times_asked > 0 or times_unanswered > 0)
     group by missed offset 0) p`,
)

/** Parcels of these carriers. */
export const countSilent = (queries: Queries, systems: readonly string[]): Promise<SilentCount[]> =>
  queries.query<SilentCount>(silentCounts, [systems])
