/** The public words of parcels under way: what a carrier tells of a package, and how far a shipment is. */

/** From least to most: of two scans that nothing else orders, the one that is further on counts. */
export const PARCEL_MILESTONES = [
  'manifested',
  'picked_up',
  'in_transit',
  'delayed',
  'exception',
  'damaged',
  'lost',
  'out_for_delivery',
  'refused',
  'delivered',
] as const

/** `unknown`: the carrier's code is on nobody's list, and stands beside it for people. */
export type ParcelMilestone = (typeof PARCEL_MILESTONES)[number] | 'unknown'

export type ShipmentMilestone = 'in_transit' | 'out_for_delivery' | 'partially_delivered' | 'delivered'

/** What stops a parcel, or makes somebody look. */
export const PARCEL_TROUBLES = ['delayed', 'exception', 'damaged', 'lost', 'refused', 'unknown'] as const
export type ParcelTrouble = (typeof PARCEL_TROUBLES)[number]

/** One scan of one parcel, as the carrier `source` told it. */
export type ParcelScan = {
  readonly source: string
  /** The source's own name of the message. */
  readonly messageId: string
  readonly tracking: string
  readonly sscc?: string | null | undefined
  readonly milestone: ParcelMilestone
  /** The carrier's own words. */
  readonly code: string
  readonly reason?: string | null | undefined
  /** The order of the scans of this parcel. */
  readonly sequence: number
  readonly at: Date
  /** City and country. */
  readonly place?: string | null | undefined
  readonly signedBy?: string | null | undefined
}

/** One that was told before a shipment had its parcel. */
export type EarlyScan = ParcelScan & { readonly toldAt: Date }

/** A scan that is understood. */
export type Scanned = {
  readonly milestone: Exclude<ParcelMilestone, 'unknown'>
  readonly code: string
  readonly reason: string | null
  readonly sequence: number
  readonly at: Date
  readonly place: string | null
  readonly signedBy: string | null
}

/**
 * `silent`: nothing was heard for long, although its carrier was asked. `not_known`: its carrier has no such number.
 * `unanswered`: its carrier was asked again and again, and gave no answer.
 */
export const PARCELS_MISSED = ['silent', 'not_known', 'unanswered'] as const
export type ParcelMissed = (typeof PARCELS_MISSED)[number]

/** `unanswered`: it was not the carrier's word, so it is asked for again soon. */
export const ASKING_ANSWERS = ['news', 'nothing_new', 'not_known', 'unanswered'] as const
export type AskingAnswer = (typeof ASKING_ANSWERS)[number]
/** As people are told them. */
export const ASKING_WORDS: Readonly<Record<AskingAnswer, string>> = {
  news: 'it told news',
  nothing_new: 'nothing new',
  not_known: 'it does not know the parcel',
  unanswered: 'no answer',
}

/** Whom to ask about a parcel of which nothing is heard, and when next. */
export type ParcelAsking = {
  readonly system: string
  readonly at: Date
  /** So often since the last news. */
  readonly times: number
  /** That it left, or a scan. */
  readonly newsAt: Date
  /** So often in a row it got no answer; null when the last one got one. */
  readonly unanswered: { readonly times: number; readonly since: Date } | null
}

/** A package that has a tracking number, as far as its carrier has told. */
export type Parcel = {
  readonly doc: number
  readonly n: number
  readonly sscc: string | null
  readonly tracking: string
  /** Who carries it: the first who told of it. */
  readonly carrier: string | null
  /** The newest scan that is understood. */
  readonly last: Scanned | null
  /** The newest scan that is not. */
  readonly unknown: { readonly code: string; readonly sequence: number; readonly at: Date } | null
  /** Null once it has arrived, and where nobody can be asked. */
  readonly asking: ParcelAsking | null
  readonly lastAsked: { readonly at: Date; readonly answer: AskingAnswer } | null
  readonly missed: ParcelMissed | null
}

/** Of those that travel with a carrier, how many it was asked about since the last news of them; by why they are missed. */
export type SilentCount = {
  readonly system: string
  readonly missed: ParcelMissed | null
  readonly parcels: number
}

/** One of which nothing was heard for long. */
export type SilentParcel = Pick<Parcel, 'doc' | 'n' | 'tracking'> & {
  readonly newsAt: Date
  /** Of its newest scan that is understood. */
  readonly sequence: number | null
}
