/** Parcels on their way: in the end each is with us where its carrier saw it last, and no scan is lost. */
import { toTracking } from '#systems/carrier-swift/map.ts'
import type { Query } from '#tests/support/books-rules.ts'
import type { Violation } from './checkers.ts'
import type { Counterparts } from './counterparts.ts'
import { unequal } from './supply-checkers.ts'

type Books = Pick<Counterparts, 'carrier'>

/** Every parcel has arrived, and we were told all of it. */
export function isAllCarried({ carrier }: Books): boolean {
  const { parcels, webhooks } = carrier.truth()
  return webhooks.queued === 0 && parcels.every(({ scans }) => scans.at(-1)?.status === 'DLV')
}

/** A parcel of which there is no package waits for its shipment, with all scans of it. */
const OURS = `
  select tracking || ' ' || milestone || ' ' || scan_sequence || ' ' || coalesce(signed_by, '') as text
  from shipments.package where milestone is not null
  union all
  select tracking || ' waits with ' || count(*) from shipments.early_scan group by tracking`

const UNTOLD = `
  select 'S-' || s.id || ' is ' || coalesce(s.milestone, 'nowhere') || ' by its log ' || coalesce(e.type, 'nowhere') as text
  from shipments.shipment s
  left join lateral (
    select replace(type, 'shipment.', '') as type from log.event
    where key = s.id and type in ('shipment.in_transit', 'shipment.out_for_delivery', 'shipment.partially_delivered',
      'shipment.delivered') order by key_version desc limit 1) e on true
  where s.milestone is distinct from e.type`

/** All parcels have arrived by now. */
const OVER = `
  select distinct cause as text from exceptions.exception
  where (code like 'shipments.parcel\\_%' or code = 'shipments.scan_code_unknown') and closed_at is null`

export async function parcelsAmiss(query: Query, { carrier }: Books): Promise<Violation[]> {
  const known = new Set((await query<{ tracking: string }>(PACKAGES)).map(({ tracking }) => tracking))
  const theirs = carrier.truth().parcels.flatMap(({ tracking_number, scans }) => {
    const [last] = scans.slice(-1)
    if (!last) return []
    if (!known.has(tracking_number)) return [`${tracking_number} waits with ${scans.length}`]
    const {
      milestone,
      sequence,
      signedBy = '',
    } = toTracking({
      ...last,
      type: 'tracking.updated',
      tracking_number,
    })
    return [`${tracking_number} ${milestone} ${sequence} ${signedBy}`]
  })
  const texts = (rows: { text: string }[], invariant: string): Violation[] =>
    rows.length === 0 ? [] : [{ invariant, found: rows.map(({ text }) => text).join('; ') }]
  return [
    ...unequal('a parcel is where its carrier saw it last', await query<{ text: string }>(OURS), theirs),
    ...texts(await query(UNTOLD), 'a shipment has told where it is'),
    ...texts(await query(OVER), 'nobody is told of trouble that is over'),
  ]
}

const PACKAGES = 'select distinct tracking from shipments.package where tracking is not null'
