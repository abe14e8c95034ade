/** What each thing that is told of a serial makes of it: it is in one place at a time, and who contradicts that is noticed; pure. */
import { type Quantity, units } from '#platform/quantity.ts'
import type { StockStatus } from '../contract.ts'
import { OWN, type Owned, ownerOf } from '../contract/owners.ts'
import {
  SERIAL_BUCKETS,
  type SerialBucket,
  type SerialDoubt,
  type SerialPlace,
  type SerialState,
  type SerialTold,
} from '../contract/serials.ts'

type Told = Pick<SerialTold, 'from' | 'to' | 'lot' | 'at' | 'shipment' | 'again'>

export type SerialStep =
  /** Told before: there is nothing to remember. */
  | 'known'
  | {
      readonly after: SerialState
      /** False: it came late, or is explained by what is known; the serial stays where it is. */
      readonly moved: boolean
    }

/**
 * The last word counts, be it a contradiction; what happened before the last word moves nothing, unless it fits. Doubt
 * ends with what explains it, and with the next thing that fits.
 */
export function stepSerial(before: SerialState, told: Told): SerialStep {
  if (isKnown(before, told)) return 'known'
  const isLate = before.toldAt !== null && told.at < before.toldAt
  if (explains(before, told, isLate)) return { after: trusted(before), moved: false }
  // it came before it left, which was told first
  if (isLate && told.from.location === null && before.location === null)
    return { after: before, moved: false }
  if (fits(before, told)) return { after: movedTo(before, told), moved: true }
  const doubt = doubtOf(before, told, isLate)
  return isLate
    ? { after: { ...before, ...doubt }, moved: false }
    : { after: { ...movedTo(before, told), ...doubt }, moved: true }
}

/** The same shipment in other words, or what people had entered before. */
function isKnown(before: SerialState, { to, shipment, again }: Told): boolean {
  if (before.toldAt === null) return false
  const isSameShipment = before.bucket === 'shipped' && to.bucket === 'shipped' && before.orderId !== null
  if (isSameShipment && before.orderId === shipment?.orderId) return true
  return again === true && isAmong(before, to)
}

const trusted = (state: SerialState): SerialState => ({
  ...state,
  doubt: null,
  doubtLocation: null,
  doubtOwner: OWN,
})

const movedTo = (before: SerialState, { to, lot, at, shipment }: Told): SerialState => ({
  ...trusted(before),
  ...to,
  owner: ownerOf(to),
  // what is told without its lot is still of the lot that it was of
  lot: lot === '' ? before.lot : lot,
  toldAt: before.toldAt !== null && before.toldAt > at ? before.toldAt : at,
  shipmentId: shipment?.id ?? null,
  orderId: shipment?.orderId ?? null,
})

const fits = (before: SerialState, { from }: Told): boolean => isAmong(before, from)

/** What was missing is told: how it came to where it was told of, or how it left where it was told of as well. */
function explains(before: SerialState, { from, to, at }: Told, isLate: boolean): boolean {
  const { doubt, doubtLocation, doubtOwner, bucket, toldAt } = before
  if (doubt === null) return false
  const doubted: Site = { location: doubtLocation, owner: doubtOwner }
  if (doubt === 'never-here') {
    const cameBefore = bucket === 'shipped' || toldAt === null || at <= toldAt
    return cameBefore && isAmong(to, doubted) && from.bucket !== 'shipped' && !isAmong(from, to)
  }
  if (!isAmong(from, doubted)) return false
  if (doubt === 'here-already') return isLate
  if (to.location === null) return isLate || to.bucket === 'adjustment'
  return isAmong(to, before)
}

type Site = Owned & Pick<SerialPlace, 'location'>

/** The stock of one owner at one place; what is not with us is nobody's here. */
const isAmong = (a: Site, b: Site): boolean =>
  a.location === b.location && (a.location === null || ownerOf(a) === ownerOf(b))

type Doubted = Pick<SerialState, 'doubt' | 'doubtLocation' | 'doubtOwner'>

/** Who contradicts names one place, the books another: the one that lost has to explain itself. */
function doubtOf(before: SerialState, { from, to }: Told, isLate: boolean): Doubted {
  const claimed = from.location === null ? to : from
  const doubted = (doubt: SerialDoubt, { location, ...of }: Site): Doubted => ({
    doubt,
    doubtLocation: location,
    doubtOwner: ownerOf(of),
  })
  if (before.location === null) return doubted('never-here', claimed)
  if (isAmong(before, claimed)) return doubted('here-already', claimed)
  const stays = isLate || isAmong(to, before)
  return doubted('elsewhere', stays ? claimed : before)
}

/** How much an owner has of an item at a place, and how many of that are known by their serials. */
export type SerialCount = {
  readonly company: string
  readonly itemId: number
  readonly location: string
  readonly owner: string
  readonly quantities: Readonly<Record<SerialBucket, Quantity>>
  readonly serials: Readonly<Record<SerialBucket, number>>
}

/** The statuses in which a place has another number of units than of serials. */
export const differingBuckets = ({ quantities, serials }: SerialCount): SerialBucket[] =>
  SERIAL_BUCKETS.filter((bucket) => quantities[bucket] !== units(serials[bucket]))

/** Units in the place of which nobody has told the serials; of the place as a whole where no status is named. */
export function unnamed({ quantities, serials }: SerialCount, status?: SerialBucket): Quantity {
  const buckets: readonly SerialBucket[] = status === undefined ? SERIAL_BUCKETS : [status]
  return buckets.reduce((sum, bucket): Quantity => sum + quantities[bucket] - units(serials[bucket]), 0)
}

/** The count as it is when a serial has moved. */
export function recounted(count: SerialCount, before: SerialPlace, after: SerialPlace): SerialCount {
  const serials = { ...count.serials }
  if (isAmong(before, count)) serials[before.bucket as SerialBucket] -= 1
  if (isAmong(after, count)) serials[after.bucket as SerialBucket] += 1
  return { ...count, serials }
}

/**
 * Whether the place that has to explain a serial does: nothing of what lies there is without its serial, or of units that
 * nobody had named one is named now.
 */
export function isExplained({ doubt }: Pick<SerialState, 'doubt'>, count: SerialCount): boolean {
  const missing = unnamed(count)
  return doubt === 'never-here' ? missing >= 0 : missing <= 0
}

export const withoutDoubt = trusted

/** What people say must fit what is known; undefined where it does. */
export function misfitOf(
  before: SerialState | undefined,
  { kind, status, lot, ...said }: SaidOfSerial,
): 'not-there' | 'has-place' | undefined {
  const isAt = (bucket: SerialBucket): boolean =>
    before !== undefined && isAmong(before, said) && before.bucket === bucket
  if (TAKING.has(kind)) {
    const isThere = isAt(kind === 'missing' ? 'in_transit' : status)
    return isThere && (lot === '' || before?.lot === lot) ? undefined : 'not-there'
  }
  if ((before?.location ?? null) !== null) {
    const fitsThere = (kind === 'counted' && isAt(status)) || (kind === 'arrived' && isAt('in_transit'))
    return fitsThere ? undefined : 'has-place'
  }
  return before?.bucket === 'shipped' && kind !== 'returned' ? 'has-place' : undefined
}

export type SaidOfSerial = Owned & {
  readonly kind: SerialAct
  readonly location: string
  readonly status: StockStatus
  readonly lot: string
}

/** What people may say of single units. */
export type SerialAct =
  | 'counted'
  | 'found'
  | 'lost'
  | 'moved'
  | 'returned'
  | 'sent'
  | 'arrived'
  | 'missing'
  | 'shipped'
  | 'handed-over'

/** These take a unit from where they name; the others bring it there. */
const TAKING: ReadonlySet<SerialAct> = new Set(['lost', 'moved', 'sent', 'missing', 'shipped', 'handed-over'])
