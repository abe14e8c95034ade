/** Parcels on their way: in the end each is with us where its carrier saw it last, and no scan is lost. */
import { toTracking } from '#systems/carrier-swift/map.ts'
import type { Query } from '#tests/support/books-rules.ts'
import type { Violation } from './checkers.ts'
import type { Counterparts } from './counterparts.ts'
import { unequal } from './supply-checkers.ts'

type Books = Pick<Counterparts, 'carrier'>

/** Every parcel that was handed over has arrived, and we were told all of it. */
export function isAllCarried({ carrier }: Books): boolean {
  const { parcels, webhooks } = carrier.truth()
  return (
    webhooks.queued === 0 &&
    parcels.every(({ isAwaited, scans }) => isAwaited || scans.at(-1)?.status === 'DLV')
  )
}

const OURS = `
  select tracking || ' ' || milestone || ' ' || scan_sequence || ' ' || coalesce(signed_by, '') as text
  from shipments.package where milestone is not null`

/** A parcel of which there is no package waits for its shipment. */
const WAITING = `
  select tracking, count(*)::int as scans from shipments.early_scan e
  where not exists (select from shipments.package p where p.tracking = e.tracking) group by tracking`

/** A scan that was read counts although the carrier had told of it before, so what was told was forgotten. */
const FORGOTTEN = `
  select distinct read.stream || ' ' || read.sequence as text
  from inbox.message read join inbox.message told
    on told.source = read.source and told.stream = read.stream and told.sequence = read.sequence
  where read.message_id like 'read-%' and read.state = 'applied' and told.message_id not like 'read-%'
    and told.state = 'applied' and told.received_at < read.received_at`

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
    if (!known.has(tracking_number)) return []
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
  const { dropped, givenUp } = carrier.truth().webhooks
  const waiting = new Map(
    (await query<{ tracking: string; scans: number }>(WAITING)).map(({ tracking, scans }) => [
      tracking,
      scans,
    ]),
  )
  // Nobody is asked about what no shipment has, so of these some may be lost.
  const unheard = carrier.truth().parcels.flatMap(({ tracking_number, scans }) => {
    const found = waiting.get(tracking_number) ?? 0
    const isWhole = dropped + givenUp > 0 ? found <= scans.length : found === scans.length
    return known.has(tracking_number) || isWhole ? [] : [{ text: `${tracking_number} waits with ${found}` }]
  })
  const texts = (rows: { text: string }[], invariant: string): Violation[] =>
    rows.length === 0 ? [] : [{ invariant, found: rows.map(({ text }) => text).join('; ') }]
  return [
    ...unequal('a parcel is where its carrier saw it last', await query<{ text: string }>(OURS), theirs),
    ...texts(unheard, 'scans of a parcel without a shipment wait for it'),
    ...texts(await query(FORGOTTEN), 'what was told of a parcel is not asked for'),
    ...texts(await query(UNTOLD), 'a shipment has told where it is'),
    ...texts(await query(OVER), 'nobody is told of trouble that is over'),
  ]
}

const PACKAGES = 'select distinct tracking from shipments.package where tracking is not null'
