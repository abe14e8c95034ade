/** What warehouses tell of requests, booked in shipments, orders and stock in one transaction. */
import { notYet } from '#capabilities/told-time.ts'
import type { Transaction } from '#platform/database.ts'
import type { DeskRow } from '#platform/desk.ts'
import { Refusal } from '#platform/faults.ts'
import type { Cause } from '#platform/log.ts'
import { ship, type Shortfall } from '#domains/inventory/operations.ts'
import { claimFound } from '#domains/inventory/operations/by-hand.ts'
import { addReferences } from '#domains/orders/operations.ts'
import type { OrderHeader } from '#domains/orders/views.ts'
import type { NewShipment } from '#domains/shipments/contract.ts'
import { confirmShipments } from '#domains/shipments/operations.ts'
import { askingFirst, awaitScans, hastenScans } from '#domains/shipments/operations/tracking.ts'
import { endHands } from './hand-telling.ts'
import { isLate, stopTwice, takeLateShipment } from './late-shipments.ts'
import { handRowsOf, takePickBesideHand, takeShipmentBesideHand } from './known-by-hand.ts'
import { noteLabels, packingsTold } from './labels-told.ts'
import {
  learnLots,
  type MinimumExpiryOf,
  reportHeldShipped,
  reportOtherLots,
  reportShortLives,
  type ToldLot,
} from './lots.ts'
import { confirmPicks, type Picking, takePick } from './picks.ts'
import type { ProcessPorts } from './ports.ts'
import { settleRequestedLots } from './requested-lots.ts'
import { NO_SERIALS, type SerialsDue } from './serials.ts'
import { type Shipping, takeShipment } from './shipping.ts'
import { trackShipped } from './told-serials.ts'
import { type Books, type Confirmation, lineKey, openBooks, type Taken } from './warehouse-books.ts'
import { cancelRests, moveOrderLines, movesOf, queueShorts, rememberShorts } from './warehouse-moves.ts'

export type Answered =
  /** `shipment` is absent where nothing left, or nothing was found to ship. */
  | { readonly kind: 'applied'; readonly order: OrderHeader; readonly shipment: number | undefined }
  /** It tells nothing new: a shipment that is booked already, a pick of what has shipped. */
  | { readonly kind: 'superseded' }
  /** An earlier one of its stream was refused: it waits, and was not looked at. */
  | { readonly kind: 'behind' }
  | { readonly kind: 'refused'; readonly refusal: Refusal }

export type Booked = {
  /** Each message's own answer. */
  readonly answers: ReadonlyMap<Confirmation, Answered>
  /** Where books and shelves differ: more left than the books had, or a pick did not find what they have. */
  readonly doubtful: readonly Pick<Shortfall, 'itemId' | 'location'>[]
  /** Items of lots of which it is known now when they expire: there may be more that lives long enough. */
  readonly dated: readonly number[]
  /** Requests that are asked to stop, since what they are to send has left, or whose labels are due. */
  readonly stopped: readonly DeskRow[]
  /** To be booked once no further position is locked. */
  readonly serials: SerialsDue
}

const NOTHING: Booked = {
  answers: new Map(),
  doubtful: [],
  dated: [],
  stopped: [],
  serials: NO_SERIALS,
}

const isShipping = (one: Confirmation): one is Shipping => one.message.type === 'shipment-confirmed'

/** Books what was picked, packed and shipped, and what was short of it; in the order of the list. */
export async function bookTold(
  tx: Transaction,
  ports: ProcessPorts,
  told: readonly Confirmation[],
  cause: Cause,
): Promise<Booked> {
  if (told.length === 0) return NOTHING
  const [books, ids] = await Promise.all([
    openBooks(tx, told),
    ports.ids.documents(told.filter(isShipping).length),
  ])
  const { answers, taken } = takeAll(books, told, { ids, now: ports.clock.now() })
  const moves = movesOf(taken)
  cancelRests(tx, books, moves)
  const departures = taken.flatMap((row) => row.departures)
  const confirmed = taken.flatMap((row) => row.confirmed ?? [])
  const shipments = confirmed.flatMap(({ shipment }) => shipment ?? [])
  addReferences(tx, shipments.flatMap(referencesOf))
  ports.sla.clocks.start(tx, 'order_to_invoice_posting', shipments)
  const { found, givenBack } = books.hand
  const explained = await claimFound(tx, found, givenBack)
  // The rows of requests and orders are locked already, so all of it may travel together.
  const shipping = departures.length > 0 ? ship(tx, departures) : []
  queueShorts(tx, books, moves)
  settleRequestedLots(tx, books)
  rememberShorts(tx, books, taken)
  moveOrderLines(tx, moves, cause)
  const heard = told.filter((one) => {
    const kind = answers.get(one)?.kind
    // it may name the parcels of what a paper has told
    return kind === 'applied' || (kind === 'superseded' && isShipping(one))
  })
  const [shortfalls, packings, serials, dated] = await Promise.all([
    shipping,
    packingsTold(tx, { books, told: heard }),
    trackShipped(tx, ports, { shipments, books }),
    learnLots(
      tx,
      ports,
      shipments.flatMap((shipment) => lotsOf(books, shipment)),
    ),
    confirmShipments(tx, confirmed, cause),
    confirmPicks(tx, books, taken, cause),
    reportOtherLots(tx, ports, confirmed, skuOf(books)),
    reportHeldShipped(tx, ports, shipments, skuOf(books)),
    reportShortLives(tx, ports, shipments, { minimumOf: minimumOf(books), skuOf: skuOf(books) }),
  ])
  if (ports.tracksParcels) {
    hastenScans(tx, shipments.flatMap(trackingOf))
    awaitScans(tx, askingOf(ports, shipments))
  }
  const labelled = await noteLabels(tx, ports, { books, told: heard, packings }, cause)
  const corrected = await endHands(tx, ports, books.hand, cause)
  return {
    answers,
    doubtful: [...explained, ...corrected, ...shortfalls, ...departures.filter(({ short }) => short > 0)],
    dated,
    stopped: [...(await stopTwice(tx, ports, books, cause)), ...labelled],
    serials,
  }
}

type Taking = { readonly ids: number[]; readonly now: Date }

/** What follows a refused one in its stream is not looked at. */
function takeAll(books: Books, told: readonly Confirmation[], taking: Taking) {
  const answers = new Map<Confirmation, Answered>()
  const taken: Taken[] = []
  const stopped = new Set<string>()
  for (const one of told) {
    if (one.stream !== undefined && stopped.has(one.stream)) {
      answers.set(one, { kind: 'behind' })
      continue
    }
    const result = takeOne(books, one, taking)
    if (result instanceof Refusal) {
      answers.set(one, { kind: 'refused', refusal: result })
      if (one.stream !== undefined) stopped.add(one.stream)
    } else if (result === 'known') answers.set(one, { kind: 'superseded' })
    else {
      taken.push(result)
      const { order, confirmed } = result
      answers.set(one, { kind: 'applied', order, shipment: confirmed?.shipment?.doc })
    }
  }
  return { answers, taken }
}

/** What has left has done so before it is told. */
function byNow(one: Shipping, now: Date): Shipping {
  const { shippedAt, shippedFrom } = one.message
  return shippedFrom && shippedAt > now ? { ...one, message: { ...one.message, shippedAt: now } } : one
}

function takeOne(books: Books, told: Confirmation, { ids, now }: Taking): Taken | 'known' | Refusal {
  const { message } = told
  const at = 'at' in message ? message.at : (message.shippedFrom ?? message.shippedAt)
  const ahead = notYet(at, now)
  const one = isShipping(told) ? byNow(told, now) : told
  if (ahead) return ahead
  const rows = handRowsOf(books, one as Shipping | Picking)
  if (isShipping(one)) {
    const doc = ids.shift()!
    if (rows) return takeShipmentBesideHand(books, one, { rows, doc })
    return isLate(books, one) ? takeLateShipment(books, one, doc) : takeShipment(books, one, doc)
  }
  return rows ? takePickBesideHand(books, one as Picking, rows) : takePick(books, one as Picking)
}

const skuOf =
  (books: Books) =>
  (orderId: number, line: number): string =>
    books.orderLines.get(lineKey(orderId, line))!.sku

const minimumOf =
  (books: Books): MinimumExpiryOf =>
  ({ fulfillmentId }, line) =>
    books.lines.get(fulfillmentId)?.get(line)?.minimumExpiry

const lotsOf = (books: Books, { company, orderId, location, source, lines }: NewShipment): ToldLot[] =>
  lines.flatMap(({ line, itemId, lot, expiresOn }) => {
    if (lot === null || expiresOn === null) return []
    const sku = skuOf(books)(orderId, line)
    return [{ company, itemId, sku, lot, expiresOn, source, location }]
  })

function askingOf({ clock, parcelsAsked }: ProcessPorts, shipments: readonly NewShipment[]) {
  const pace = { now: clock.now(), afterMs: parcelsAsked.afterMs }
  return shipments.flatMap(({ doc, carrier }) => {
    const system = parcelsAsked.systemOf(carrier)
    return system === undefined ? [] : [{ doc, asking: askingFirst(system, pace) }]
  })
}

const trackingOf = ({ packages }: NewShipment): string[] => packages.flatMap(({ tracking }) => tracking ?? [])

const referencesOf = ({ doc, orderId, sourceKey, packages }: NewShipment) => [
  { value: sourceKey, scheme: 'wms-shipment', doc, orderId },
  ...packages.flatMap(({ tracking, sscc }) => [
    ...(tracking ? [{ value: tracking, scheme: 'tracking', doc, orderId }] : []),
    ...(sscc ? [{ value: sscc, scheme: 'sscc', doc, orderId }] : []),
  ]),
]
