/** The verbs of parcels under way: scans are booked on packages, and a shipment tells how far it has come. */
import type { Transaction } from '#platform/database.ts'
import { appendEvents, type Cause, type Event } from '#platform/log.ts'
import type {
  AskingAnswer,
  Parcel,
  ParcelAsking,
  ParcelScan,
  ShipmentMilestone,
  SilentParcel,
} from '../contract/tracking.ts'
import {
  afterAsking,
  afterScan,
  type AskingPace,
  firstAsking,
  milestoneOf,
  shipmentMilestone,
  troubleOf,
  withAnswer,
} from '../rules/tracking.ts'
import {
  deleteEarlyScans,
  hastenEarlyScans,
  writeAsking,
  insertEarlyScans,
  oldestEarlyScan,
  postponeEarlyScans,
  selectDueScans,
  writeMilestones,
  writeParcels,
} from '../store/tracking.ts'
import { lockShipments, type ShipmentHeader } from '../views.ts'
import { countSilent, parcelsOf, silentParcels } from '../views/tracking.ts'

/** A scan with the shipment that has its tracking number. */
export type ShipmentScan = { readonly doc: number; readonly scan: ParcelScan }

/** `stale`: something later is known of the parcel. `unclaimed`: no package of the shipment is that carrier's parcel. */
export type Heard = 'applied' | 'stale' | 'unclaimed'

export type Tracked = {
  readonly heard: ReadonlyMap<ParcelScan, Heard>
  /** What the scans changed, by shipment. */
  readonly moved: readonly Moved[]
}

export type Moved = {
  readonly shipment: ShipmentHeader
  readonly before: readonly Parcel[]
  readonly after: readonly Parcel[]
}

/** Whom to ask when nothing more is heard after a scan of this source; null where it cannot be asked. */
export type AskingOf = (source: string) => ParcelAsking | null

export const parcelMilestone = milestoneOf
export const parcelTrouble = troubleOf

/** Books scans in any order: the newest of each parcel counts, and a repetition or an older one changes nothing. */
export async function recordScans(
  tx: Transaction,
  scans: readonly ShipmentScan[],
  cause: Cause,
  askingOf: AskingOf = () => null,
): Promise<Tracked> {
  const heard = new Map<ParcelScan, Heard>()
  if (scans.length === 0) return { heard, moved: [] }
  const docs = [...new Set(scans.map(({ doc }) => doc))].toSorted((a, b) => a - b)
  tx.locking('document', docs)
  const shipments = await lockShipments(tx, docs)
  const before = Map.groupBy(await parcelsOf(tx, docs), ({ doc }) => doc)
  const scansOf = Map.groupBy(scans, ({ doc }) => doc)
  const moved: Moved[] = []
  for (const shipment of shipments) {
    const parcels = before.get(shipment.doc) ?? []
    const after = takeScans(
      parcels,
      scansOf.get(shipment.doc)!.map(({ scan }) => scan),
      { heard, askingOf },
    )
    if (after.some((parcel, place) => parcel !== parcels[place]))
      moved.push({ shipment, before: parcels, after })
  }
  writeParcels(
    tx,
    moved.flatMap(({ before: was, after }) => after.filter((parcel, place) => parcel !== was[place])),
  )
  await tellMilestones(tx, moved, cause)
  return { heard, moved }
}

/** Answers the parcels afterwards, in their places. */
function takeScans(
  parcels: readonly Parcel[],
  scans: readonly ParcelScan[],
  { heard, askingOf }: { readonly heard: Map<ParcelScan, Heard>; readonly askingOf: AskingOf },
): readonly Parcel[] {
  const after = [...parcels]
  for (const scan of scans) {
    const places = placesOf(after, scan)
    heard.set(scan, places.length === 0 ? 'unclaimed' : 'stale')
    for (const place of places) {
      const next = afterScan(after[place]!, scan)
      if (!next) continue
      after[place] = { ...next, asking: next.last?.milestone === 'delivered' ? null : askingOf(scan.source) }
      heard.set(scan, 'applied')
    }
  }
  return after
}

/** Where pieces travel under one number, those that the scan means by their own. */
function placesOf(parcels: readonly Parcel[], { source, tracking, sscc }: ParcelScan): number[] {
  const mine = parcels.flatMap((parcel, place) =>
    parcel.tracking === tracking && (parcel.carrier ?? source) === source ? [place] : [],
  )
  const named = mine.filter((place) => sscc && parcels[place]!.sscc === sscc)
  return named.length > 0 ? named : mine
}

const EVENT_OF = {
  in_transit: 'shipment.in_transit',
  out_for_delivery: 'shipment.out_for_delivery',
  partially_delivered: 'shipment.partially_delivered',
  delivered: 'shipment.delivered',
} as const satisfies Record<ShipmentMilestone, string>

/** One event for each shipment that is at another milestone now. */
async function tellMilestones(tx: Transaction, moved: readonly Moved[], cause: Cause): Promise<void> {
  const changed = moved.flatMap((one) => {
    const milestone = shipmentMilestone(one.after, one.shipment.milestone)
    return milestone === null || milestone === one.shipment.milestone ? [] : [{ ...one, milestone }]
  })
  if (changed.length === 0) return
  const rows = changed.map(({ shipment: { doc }, milestone }) => ({ doc, milestone }))
  const versions = new Map((await writeMilestones(tx, rows)).map(({ doc, version }) => [doc, version]))
  appendEvents(
    tx,
    changed.map(({ shipment: { doc, company, orderId }, before, after, milestone }): Event => ({
      type: EVENT_OF[milestone],
      key: doc,
      keyVersion: versions.get(doc)!,
      company,
      correlationId: orderId,
      data: toldOf(before, after),
    })),
    cause,
  )
}

/** What moved, and the proof of what was delivered. */
function toldOf(before: readonly Parcel[], after: readonly Parcel[]): object {
  const news = after.flatMap((parcel, place) => (parcel !== before[place] && parcel.last ? [parcel] : []))
  const newest = news.toSorted((a, b) => b.last!.at.getTime() - a.last!.at.getTime())[0]?.last
  const delivered = after.filter(({ last }) => last?.milestone === 'delivered')
  return {
    tracking: news.map(({ tracking }) => tracking),
    at: newest?.at.toISOString(),
    ...(newest?.place ? { place: newest.place } : {}),
    parcels: after.length,
    delivered: delivered.length,
    ...(delivered.length > 0 && {
      proof: delivered.map(({ tracking, last }) => ({
        tracking,
        at: last!.at.toISOString(),
        signedBy: last!.signedBy,
      })),
    }),
  }
}

/** Scans of parcels that no shipment has yet: kept until one has. */
export const keepEarlyScans = insertEarlyScans
export const dueEarlyScans = selectDueScans
export const endEarlyScans = deleteEarlyScans
export const awaitEarlyScans = postponeEarlyScans
export const longestWaiting = oldestEarlyScan
/** Their shipment is booked in this transaction. */
export const hastenScans = hastenEarlyScans

/** Their shipments are booked in this transaction: of each it is known from now on when to ask about its parcels. */
export const awaitScans = writeAsking
export const askingFirst = firstAsking
export const parcelsToAsk = silentParcels
export const countSilentParcels = countSilent

/** A parcel that its carrier was asked about, and what that came to. */
export type AskedParcel = { readonly parcel: SilentParcel; readonly answer: AskingAnswer }

/**
 * Takes note of what was asked about; what was heard of since is asked about when its news says. Answers the shipments of
 * those that are missed now or no more.
 */
export async function recordAsking(
  tx: Transaction,
  asked: readonly AskedParcel[],
  pace: AskingPace,
): Promise<readonly Moved[]> {
  if (asked.length === 0) return []
  const docs = [...new Set(asked.map(({ parcel }) => parcel.doc))].toSorted((a, b) => a - b)
  tx.locking('document', docs)
  const shipments = await lockShipments(tx, docs)
  const answers = new Map(asked.map(({ parcel, answer }) => [keyOf(parcel), { ...parcel, answer }]))
  const before = await parcelsOf(tx, docs)
  const after = before.map((parcel) => {
    const told = answers.get(keyOf(parcel))
    if (!told) return parcel
    const isUnheard = parcel.asking?.newsAt.getTime() === told.newsAt.getTime()
    return isUnheard ? afterAsking(parcel, told.answer, pace) : withAnswer(parcel, told.answer, pace.now)
  })
  writeParcels(
    tx,
    after.filter((parcel, place) => parcel !== before[place]),
  )
  const isOf = (doc: number) => (parcel: Parcel) => parcel.doc === doc
  return shipments.flatMap((shipment) => {
    const [was, is] = [before.filter(isOf(shipment.doc)), after.filter(isOf(shipment.doc))]
    return is.some(({ missed }, place) => missed !== was[place]!.missed)
      ? [{ shipment, before: was, after: is }]
      : []
  })
}

const keyOf = ({ doc, n }: Pick<Parcel, 'doc' | 'n'>): string => `${doc}/${n}`
