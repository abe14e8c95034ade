/** How far parcels are, as their carriers told. */
import type { Queries } from '#platform/database.ts'
import { sql } from '#platform/database.ts'
import type { Parcel, Scanned } from '../contract/tracking.ts'

const parcels = sql(
  'shipments.parcels',
  `select shipment_id as doc, n, sscc, tracking, carrier_system as carrier, milestone, scan_code as code,
     scan_reason as reason, scan_sequence as sequence, scanned_at as at, scanned_in as place, signed_by as "signedBy",
     unknown_code as "unknownCode", unknown_sequence as "unknownSequence", unknown_at as "unknownAt"
   from shipments.package where shipment_id = any($1::bigint[]) and tracking is not null order by shipment_id, n`,
)

type ParcelRow = Omit<Parcel, 'last' | 'unknown'> &
  Omit<Scanned, 'milestone'> & {
    readonly milestone: Scanned['milestone'] | null
    readonly unknownCode: string | null
    readonly unknownSequence: number
    readonly unknownAt: Date
  }

/** The packages of these shipments that have a tracking number. */
export async function parcelsOf(queries: Queries, docs: readonly number[]): Promise<Parcel[]> {
  const rows = await queries.query<ParcelRow>(parcels, [docs])
  return rows.map(({ milestone, code, reason, sequence, at, place, signedBy, ...row }) => {
    const { unknownCode, unknownSequence, unknownAt, ...parcel } = row
    return {
      ...parcel,
      last: milestone === null ? null : { milestone, code, reason, sequence, at, place, signedBy },
      unknown: unknownCode === null ? null : { code: unknownCode, sequence: unknownSequence, at: unknownAt },
    }
  })
}
