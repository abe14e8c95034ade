/** What carriers tell of parcels: filed in the inbox, booked on the packages, told as the way of their shipments. */
import type { TrackingMessage } from '#capabilities/carrier.ts'
import type { Transaction } from '#platform/database.ts'
import { type Settlement, settleMessages } from '#platform/inbox.ts'
import type { InboundDoor, InboundMessage } from '#platform/inbound.ts'
import type { Cause } from '#platform/log.ts'
import { documentsByTracking } from '#domains/orders/views.ts'
import type { ParcelScan } from '#domains/shipments/contract/tracking.ts'
import { askingFirst, keepEarlyScans, recordScans } from '#domains/shipments/operations/tracking.ts'
import { endReplays, type Filed, fileOf, type Heard, takeIn, type Telling } from './message-filing.ts'
import type { ProcessPorts } from './ports.ts'
import { openCarrierExceptions, tellParcelTroubles } from './tracking-trouble.ts'

export type CarrierDoor = Pick<InboundDoor<TrackingMessage>, 'instance' | 'restore' | 'askAgain'>

/** A scan at the door, with where it came from. */
export type ScanTold = Telling<CarrierDoor, InboundMessage<TrackingMessage>>

type Hearing = { readonly told: readonly ScanTold[]; readonly cause: Cause }

/** Takes what carriers told; answers each message by itself. Of a parcel that no shipment has yet, it waits. */
export async function hearCarriers(
  tx: Transaction,
  ports: ProcessPorts,
  { told, cause }: Hearing,
): Promise<ReadonlyMap<ScanTold, Heard>> {
  const filed = told.map((one) => fileOf(one))
  const taken = await takeIn(tx, filed)
  const fresh = filed.filter((message) => taken.verdicts.get(message) === 'new')
  const scans = new Map(fresh.filter(isReadable).map((message) => [scanOf(message), message]))
  const { applied, stale, early } = await trackParcels(tx, ports, [...scans.keys()], cause)
  keepEarlyScans(tx, early, ports.clock.now())
  const outcomes = new Map<Filed<ScanTold>, Heard>([
    ...[...applied].map((scan) => [scans.get(scan)!, 'applied'] as const),
    ...stale.map((scan) => [scans.get(scan)!, 'superseded'] as const),
    ...early.map((scan) => [scans.get(scan)!, 'waiting'] as const),
  ])
  const stopped = fresh.filter((message) => !isReadable(message)).map(quarantined)
  await settleMessages(tx, [
    ...stale.map(({ source, messageId }): Settlement => ({ source, messageId, outcome: 'superseded' })),
    ...stopped.map(([, settlement]) => settlement),
  ])
  await openCarrierExceptions(tx, ports, {
    stopped,
    conflicts: filed.filter((message) => taken.verdicts.get(message) === 'conflict'),
  })
  const answers = new Map(
    filed.map((message): [ScanTold, Heard] => {
      const verdict = taken.verdicts.get(message)!
      return [message.told, verdict === 'new' ? (outcomes.get(message) ?? 'quarantined') : verdict]
    }),
  )
  await endReplays(tx, taken, answers)
  return answers
}

type Readable = Filed<ScanTold> & { readonly message: TrackingMessage }

const isReadable = (filed: Filed<ScanTold>): filed is Readable => filed.message !== undefined

function quarantined(filed: Filed<ScanTold>) {
  const { source, messageId } = filed
  const { code, message } = filed.told.inbound.unreadable!
  return [filed, { source, messageId, outcome: 'quarantined', cause: { code, message } }] as const
}

function scanOf({ source, messageId, message }: Readable): ParcelScan {
  const { type: _, city, country, ...scan } = message
  const place = [city, country].filter(Boolean).join(', ')
  return { ...scan, source, messageId, ...(place === '' ? {} : { place }) }
}

type Outcome = {
  readonly applied: ReadonlySet<ParcelScan>
  readonly stale: readonly ParcelScan[]
  /** Of parcels that no shipment has. */
  readonly early: readonly ParcelScan[]
}

/** Books scans on the packages whose they are, and tells people of parcels that are in trouble or no longer. */
export async function trackParcels(
  tx: Transaction,
  ports: ProcessPorts,
  scans: readonly ParcelScan[],
  cause: Cause,
): Promise<Outcome> {
  if (scans.length === 0) return { applied: new Set(), stale: [], early: [] }
  const docs = await documentsByTracking(tx, [...new Set(scans.map(({ tracking }) => tracking))])
  const { canAsk, afterMs } = ports.parcelsAsked
  const now = ports.clock.now()
  const { heard, moved } = await recordScans(
    tx,
    scans.flatMap((scan) => {
      const doc = docs.get(scan.tracking)
      return doc === undefined ? [] : [{ doc, scan }]
    }),
    cause,
    (source) => (canAsk(source) ? askingFirst(source, { now, afterMs }) : null),
  )
  await tellParcelTroubles(tx, ports, moved)
  return {
    applied: new Set(scans.filter((scan) => heard.get(scan) === 'applied')),
    stale: scans.filter((scan) => heard.get(scan) === 'stale'),
    early: scans.filter((scan) => (heard.get(scan) ?? 'unclaimed') === 'unclaimed'),
  }
}
