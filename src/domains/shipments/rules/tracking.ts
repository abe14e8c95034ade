/** Which scan of a parcel counts, and what its parcels make of a shipment; pure, and the same in whatever order scans come. */
import {
  type AskingAnswer,
  type Parcel,
  type ParcelAsking,
  PARCEL_MILESTONES,
  PARCEL_TROUBLES,
  type ParcelMilestone,
  type ParcelScan,
  type ParcelTrouble,
  type ShipmentMilestone,
} from '../contract/tracking.ts'

type Placed = Pick<ParcelScan, 'sequence' | 'at' | 'milestone'>

const rankOf = ({ milestone }: Placed): number => (PARCEL_MILESTONES as readonly string[]).indexOf(milestone)

/** By the carrier's sequence; where that says nothing by time, then by what is further on. A repetition is not later. */
function isLater(scan: Placed, than: Placed): boolean {
  const later =
    scan.sequence - than.sequence || scan.at.getTime() - than.at.getTime() || rankOf(scan) - rankOf(than)
  return later > 0
}

/** The package after a scan of it; undefined where it tells nothing new. */
export function afterScan(parcel: Parcel, scan: ParcelScan): Parcel | undefined {
  const {
    source: carrier,
    milestone,
    code,
    reason = null,
    sequence,
    at,
    place = null,
    signedBy = null,
  } = scan
  if (milestone === 'unknown') {
    const before = parcel.unknown && { ...parcel.unknown, milestone }
    return before && !isLater(scan, before)
      ? undefined
      : { ...parcel, carrier, missed: null, unknown: { code, sequence, at } }
  }
  if (parcel.last && !isLater(scan, parcel.last)) return undefined
  return {
    ...parcel,
    carrier,
    missed: null,
    last: { milestone, code, reason, sequence, at, place, signedBy },
  }
}

/** Null before anything is told. What is delivered stays so until a scan that is understood says otherwise. */
export function milestoneOf({ last, unknown }: Pick<Parcel, 'last' | 'unknown'>): ParcelMilestone | null {
  if (!unknown || last?.milestone === 'delivered') return last?.milestone ?? null
  return last && !isLater({ ...unknown, milestone: 'unknown' }, last) ? last.milestone : 'unknown'
}

export function troubleOf(parcel: Pick<Parcel, 'last' | 'unknown'>): ParcelTrouble | undefined {
  const milestone = milestoneOf(parcel)
  return PARCEL_TROUBLES.find((trouble) => trouble === milestone)
}

/**
 * How far a shipment is by its parcels; null while none has left with the carrier. A parcel that is in trouble is on its
 * way nevertheless, a code that nobody knows moves nothing, and what has left is never as if it had not.
 */
export function shipmentMilestone(
  parcels: readonly Pick<Parcel, 'last'>[],
  was: ShipmentMilestone | null,
): ShipmentMilestone | null {
  const reached = parcels.map(({ last }) => last?.milestone ?? 'manifested')
  const delivered = reached.filter((milestone) => milestone === 'delivered').length
  if (delivered > 0) return delivered === reached.length ? 'delivered' : 'partially_delivered'
  if (reached.includes('out_for_delivery')) return 'out_for_delivery'
  return was !== null || reached.some((milestone) => milestone !== 'manifested') ? 'in_transit' : null
}

/** When to ask about a parcel, counted from the last news of it. */
export type AskingPace = {
  readonly now: Date
  readonly afterMs: number
  /** So long a silence is a person's. */
  readonly missedAfterMs: number
  /** So is want of an answer. */
  readonly unansweredAfterMs: number
}

const AGAIN_MS = 15 * 60_000
const PAUSE_MAX_MS = 86_400_000
/** No carrier remembers a parcel longer, and whoever was told has seen to it. */
const ASKED_FOR_MS = 60 * PAUSE_MAX_MS
/** Nobody is told of a parcel that was asked about less often, however long ago that was. */
const UNANSWERED_MIN = 3

export const firstAsking = (
  system: string,
  { now, afterMs }: Pick<AskingPace, 'now' | 'afterMs'>,
): ParcelAsking => ({ system, at: later(now, afterMs), times: 0, newsAt: now, unanswered: null })

/** The parcel after its carrier was asked, whatever came of it. */
export const withAnswer = (parcel: Parcel, answer: AskingAnswer, at: Date): Parcel => ({
  ...parcel,
  lastAsked: { at, answer },
})

/** The parcel after its carrier was asked and told nothing new: asked after pauses that double, up to a day. */
export function afterAsking(parcel: Parcel, answer: AskingAnswer, pace: AskingPace): Parcel {
  const { asking } = parcel
  if (!asking) return parcel
  const asked = withAnswer(parcel, answer, pace.now)
  const silentMs = pace.now.getTime() - asking.newsAt.getTime()
  if (silentMs >= ASKED_FOR_MS) return { ...asked, asking: null }
  if (answer === 'unanswered') return { ...asked, ...afterNoAnswer(parcel, asking, pace) }
  const { now, afterMs, missedAfterMs } = pace
  const pauseMs = Math.min(afterMs * 2 ** asking.times, Math.max(afterMs, PAUSE_MAX_MS))
  const untilMissedMs = missedAfterMs - silentMs
  const againMs = untilMissedMs > 0 ? Math.min(pauseMs, untilMissedMs) : pauseMs
  return {
    ...asked,
    asking: { ...asking, at: later(now, againMs), times: asking.times + 1, unanswered: null },
    missed: isSeenTo(parcel) ? null : answer === 'not_known' ? answer : untilMissedMs <= 0 ? 'silent' : null,
  }
}

/** Asked about again soon, since it is mostly the carrier that is away; once a person knows, as seldom as at first. */
function afterNoAnswer(
  parcel: Parcel,
  asking: ParcelAsking,
  { now, afterMs, unansweredAfterMs }: AskingPace,
): Pick<Parcel, 'asking' | 'missed'> {
  const { times, since } = asking.unanswered ?? { times: 0, since: now }
  const unanswered = { times: times + 1, since }
  const isLong = unanswered.times >= UNANSWERED_MIN && now.getTime() - since.getTime() >= unansweredAfterMs
  const missed = parcel.missed ?? (isLong && !isSeenTo(parcel) ? 'unanswered' : null)
  const againMs = missed === 'unanswered' ? afterMs : Math.min(afterMs, AGAIN_MS)
  return { missed, asking: { ...asking, at: later(now, againMs), unanswered } }
}

const later = (at: Date, ms: number): Date => new Date(at.getTime() + ms)

const SEEN_TO: readonly (ParcelMilestone | null)[] = ['exception', 'damaged', 'lost', 'refused']

/** Somebody has it already: it does not go on by itself. */
const isSeenTo = (parcel: Parcel): boolean => SEEN_TO.includes(milestoneOf(parcel))
