/** The verbs of shipments. Each takes the transaction and a list; each change is told as an event of its document. */
import type { Transaction } from '#platform/database.ts'
import { appendEvents, type Cause } from '#platform/log.ts'
import type { Quantity } from '#platform/quantity.ts'
import type { Fulfillment, FulfillmentState, NewFulfillment, NewShipment, OtherLot } from './contract.ts'
import { type AtWarehouse, atWarehouse, leftOf } from './rules.ts'
import {
  addPicked,
  addShipped,
  insertFulfillments,
  insertShipments,
  raiseVersions,
  lockFulfillments,
  selectKnownShipments,
  updateCancelRequested,
  updateFulfillmentStates,
  updateNotified,
  updateWmsNumbers,
} from './store.ts'
import { endRequestedLots, insertRequestedLots, lotsOfRequest } from './store/lots.ts'
import { linesOfFulfillments } from './views.ts'

export type FulfillmentKey = { readonly doc: number; readonly company: string; readonly orderId: number }

/** Locks requests in the order of keys. */
export async function lockRequests(
  tx: Transaction,
  docs: readonly number[],
): Promise<readonly Fulfillment[]> {
  const sorted = docs.toSorted((a, b) => a - b)
  tx.locking('document', sorted)
  return lockFulfillments(tx, sorted)
}

/** Which of a warehouse's shipments are booked already, by its own numbers. */
export const findKnownShipments = selectKnownShipments

type FulfillmentEvent =
  | 'fulfillment.requested'
  | 'fulfillment.accepted'
  | 'fulfillment.refused'
  | 'fulfillment.picking'
  | 'fulfillment.packed'
  | 'fulfillment.shipped'
  | 'fulfillment.cancel_requested'
  | 'fulfillment.cancel_refused'
  | 'fulfillment.cancelled'

function tell(
  tx: Transaction,
  type: FulfillmentEvent,
  rows: readonly (FulfillmentKey & { readonly version: number; readonly data: object })[],
  cause: Cause,
): void {
  appendEvents(
    tx,
    rows.map(({ doc, company, orderId, version, data }) => ({
      type,
      key: doc,
      keyVersion: version,
      company,
      correlationId: orderId,
      data,
    })),
    cause,
  )
}

/** Asks locations for lines that are reserved there: one request per order and location. */
export function requestFulfillments(
  tx: Transaction,
  fulfillments: readonly NewFulfillment[],
  cause: Cause,
): void {
  if (fulfillments.length === 0) return
  insertFulfillments(tx, fulfillments)
  insertRequestedLots(tx, fulfillments.flatMap(lotsOfRequest))
  tell(
    tx,
    'fulfillment.requested',
    fulfillments.map((row) => ({
      ...row,
      version: 1,
      data: { location: row.location, lines: row.lines.length, ...namedIn(row) },
    })),
    cause,
  )
}

const namedIn = ({ lines }: NewFulfillment) => {
  const lots = [...new Set(lines.flatMap((line) => (line.lots ?? []).map(({ lot }) => lot)))]
  return lots.some((lot) => lot !== '') ? { lots: lots.filter((lot) => lot !== '') } : {}
}

/** The warehouse has the request under its own number. Answers version and state by document. */
export async function recordWmsNumbers(
  tx: Transaction,
  rows: readonly (FulfillmentKey & { readonly number: string; readonly effectKey: string })[],
  cause: Cause,
): Promise<ReadonlyMap<number, { readonly version: number; readonly state: FulfillmentState }>> {
  const changed = new Map((await updateWmsNumbers(tx, rows)).map((row) => [row.doc, row]))
  tell(
    tx,
    'fulfillment.accepted',
    rows.map(({ number, effectKey, ...key }) => ({
      ...key,
      version: changed.get(key.doc)!.version,
      data: { number, effectKey },
    })),
    cause,
  )
  return changed
}

const EVENT_OF: Readonly<Partial<Record<FulfillmentState, FulfillmentEvent>>> = {
  refused: 'fulfillment.refused',
  picking: 'fulfillment.picking',
  packed: 'fulfillment.packed',
  cancelled: 'fulfillment.cancelled',
  done: 'fulfillment.shipped',
}

/** Moves requests to another state; answers versions by document. */
export async function changeFulfillments(
  tx: Transaction,
  rows: readonly (FulfillmentKey & { readonly data: object })[],
  state: FulfillmentState,
  cause: Cause,
): Promise<ReadonlyMap<number, number>> {
  if (rows.length === 0) return new Map()
  const docs = rows.map((row) => row.doc).toSorted((a, b) => a - b)
  const versions = new Map(
    (await updateFulfillmentStates(tx, docs, state)).map((row) => [row.doc, row.version]),
  )
  tell(
    tx,
    EVENT_OF[state]!,
    rows.map((row) => ({ ...row, version: versions.get(row.doc)! })),
    cause,
  )
  return versions
}

/** Asks for requests to be taken back, or gives that up. Answers versions by document. */
export async function requestCancellations(
  tx: Transaction,
  rows: readonly (FulfillmentKey & { readonly reason: string })[],
  requested: boolean,
  cause: Cause,
): Promise<ReadonlyMap<number, number>> {
  if (rows.length === 0) return new Map()
  const sorted = rows.toSorted((a, b) => a.doc - b.doc)
  const versions = new Map(
    (await updateCancelRequested(tx, sorted, requested)).map((row) => [row.doc, row.version]),
  )
  tell(
    tx,
    requested ? 'fulfillment.cancel_requested' : 'fulfillment.cancel_refused',
    rows.map(({ reason, ...key }) => ({ ...key, version: versions.get(key.doc)!, data: { reason } })),
    cause,
  )
  return versions
}

export type { AtWarehouse }

/** How far what is left of a request's line has come at the warehouse. */
export const progressOf = atWarehouse

/** What of a request's line has neither shipped nor come up short. */
export const stillOpen = leftOf

export type OpenLine = {
  readonly doc: number
  readonly line: number
  readonly itemId: number
  readonly quantity: Quantity
  /** How far the warehouse had come with it. */
  readonly was: AtWarehouse
}

/** What these requests claimed and did not ship counts as short; answers it. */
export async function writeOffRequests(tx: Transaction, docs: readonly number[]): Promise<OpenLine[]> {
  const lines = (await linesOfFulfillments(tx, docs))
    .map((row) => ({
      doc: row.doc,
      line: row.line,
      itemId: row.itemId,
      quantity: leftOf(row),
      was: atWarehouse(row),
    }))
    .filter((line) => line.quantity > 0)
  addShipped(
    tx,
    lines.map(({ doc, line, quantity }) => ({ doc, line, shipped: 0, short: quantity })),
  )
  endRequestedLots(
    tx,
    lines.map(({ doc, line }) => ({ doc, line })),
  )
  return lines
}

export type ConfirmedShipment = {
  readonly fulfillment: Fulfillment
  /** Undefined where nothing was found to ship. */
  readonly shipment: NewShipment | undefined
  /** Those that it was not asked for. */
  readonly otherLots: readonly OtherLot[]
  /** By order line: what left, and what the warehouse could not find. */
  readonly quantities: readonly {
    readonly line: number
    readonly shipped: Quantity
    readonly short: Quantity
  }[]
  readonly final: boolean
}

/** Books what left: the shipment, its packages and lines, and how far the request is done. */
export async function confirmShipments(
  tx: Transaction,
  confirmed: readonly ConfirmedShipment[],
  cause: Cause,
): Promise<void> {
  if (confirmed.length === 0) return
  const shipments = confirmed.flatMap(({ shipment }) => shipment ?? [])
  insertShipments(tx, shipments)
  addShipped(
    tx,
    confirmed.flatMap(({ fulfillment, quantities }) =>
      quantities.map((row) => ({ ...row, doc: fulfillment.doc })),
    ),
  )
  const others = new Map(confirmed.map(({ shipment, otherLots }) => [shipment?.doc, otherLots]))
  appendEvents(
    tx,
    shipments.map((shipment) => ({
      type: 'shipment.confirmed',
      key: shipment.doc,
      keyVersion: 1,
      company: shipment.company,
      correlationId: shipment.orderId,
      data: {
        number: shipment.sourceKey,
        location: shipment.location,
        carrier: shipment.carrier,
        tracking: shipment.packages.flatMap((row) => row.tracking ?? []),
        lines: new Set(shipment.lines.map((row) => row.line)).size,
        ...otherLotsIn(others.get(shipment.doc)!),
      },
    })),
    cause,
  )
  const requests = statesAfter(confirmed)
  for (const state of ['done', 'picking', 'packed'] as const) {
    await changeFulfillments(
      tx,
      requests.filter((request) => request.next === state),
      state,
      cause,
    )
  }
}

const otherLotsIn = (others: readonly OtherLot[]) =>
  others.length === 0
    ? {}
    : {
        lots: [...new Set(others.map(({ lot }) => lot))],
        askedLots: [...new Set(others.flatMap(({ asked }) => asked))],
      }

/** One change for each request, however many of its shipments come at once; one that is final ends it. */
function statesAfter(confirmed: readonly ConfirmedShipment[]) {
  return [...Map.groupBy(confirmed, ({ fulfillment }) => fulfillment.doc).values()].map((rows) => ({
    ...rows[0]!.fulfillment,
    next: rows.some((row) => row.final) ? ('done' as const) : stillAt(rows.at(-1)!.fulfillment),
    data: { shipments: rows.flatMap(({ shipment }) => shipment?.sourceKey ?? []) },
  }))
}

const stillAt = ({ state }: Fulfillment): 'packed' | 'picking' => (state === 'packed' ? 'packed' : 'picking')

/** Lines as the warehouse told them, each once: picked and packed in all, and what else it did not find. */
export const recordPicks = addPicked

/** Tells what people decided on steps of requests and shipments, and what came of it. */
export async function tellOverrides(
  tx: Transaction,
  { kind, event }: { kind: 'fulfillment' | 'shipment'; event: 'step_overridden' | 'override_superseded' },
  rows: readonly (FulfillmentKey & { readonly data: object })[],
  cause: Cause,
): Promise<void> {
  if (rows.length === 0) return
  const docs = rows.map(({ doc }) => doc).toSorted((a, b) => a - b)
  const versions = new Map((await raiseVersions(tx, kind, docs)).map((row) => [row.doc, row.version]))
  appendEvents(
    tx,
    rows.map(({ doc, company, orderId, data }) => ({
      type: `${kind}.${event}`,
      key: doc,
      keyVersion: versions.get(doc)!,
      company,
      correlationId: orderId,
      data,
    })),
    cause,
  )
}

/** The channel knows of these shipments. Answers versions by document. */
export async function recordNotified(
  tx: Transaction,
  rows: readonly (FulfillmentKey & { readonly reference: string | undefined })[],
  cause: Cause,
): Promise<ReadonlyMap<number, number>> {
  const docs = rows.map((row) => row.doc).toSorted((a, b) => a - b)
  const versions = new Map((await updateNotified(tx, docs)).map((row) => [row.doc, row.version]))
  appendEvents(
    tx,
    rows.map((row) => ({
      type: 'shipment.channel_notified',
      key: row.doc,
      keyVersion: versions.get(row.doc)!,
      company: row.company,
      correlationId: row.orderId,
      data: row.reference ? { reference: row.reference } : {},
    })),
    cause,
  )
  return versions
}
