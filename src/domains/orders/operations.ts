/** The verbs of orders. Each takes the transaction and a list; each change is told as an event of its order. */
import type { Transaction } from '#platform/database.ts'
import { appendEvents, type Cause } from '#platform/log.ts'
import type { HeaderChange, HoldType, Outcome } from './contract.ts'
import { freedExposure, lineWorth } from './rules/exposure.ts'
import { applyShippingRule, missingParts, outcomeOf } from './rules.ts'
import {
  insertHolds,
  insertLines,
  insertOrders,
  insertReferences,
  type LineChange,
  type NewHold,
  type NewLine,
  type NewOrder,
  type Reference,
  reduceExposure,
  type ErpClosing,
  updateAcknowledged,
  updateErpClosed,
  updateErpNumbers,
  updateHolds,
  updateLines,
  type Versioned,
} from './store.ts'
import { type LockedChange, raiseLockedHeaders, updateHeaders } from './store/headers.ts'
import {
  deleteNaturalKeys,
  insertNaturalKeys,
  type NaturalKey,
  selectNaturalKeys,
  lockNumbers,
} from './store/natural-keys.ts'
import type { NumberOfDocument } from './views.ts'

export type OrderKey = { readonly doc: number; readonly company: string }

export type ClaimedKey =
  | { readonly state: 'new' }
  | { readonly state: 'known'; readonly doc: number; readonly same: boolean }

/** Finds out which of these business documents are new; the others name the order that came first. */
export async function claimNaturalKeys(
  tx: Transaction,
  keys: readonly NaturalKey[],
): Promise<ReadonlyMap<NaturalKey, ClaimedKey>> {
  if (keys.length === 0) return new Map()
  const sorted = keys.toSorted((a, b) => (nameOf(a) === nameOf(b) ? 0 : nameOf(a) < nameOf(b) ? -1 : 1))
  const fresh = await insertNaturalKeys(tx, sorted)
  const repeated = keys.filter((key) => !fresh.has(key.orderId))
  const earlier = new Map<string, NaturalKey>()
  if (repeated.length > 0)
    for (const row of await selectNaturalKeys(tx, repeated)) earlier.set(nameOf(row), row)
  return new Map(
    keys.map((key): [NaturalKey, ClaimedKey] => {
      if (fresh.has(key.orderId)) return [key, { state: 'new' }]
      const first = earlier.get(nameOf(key))!
      return [key, { state: 'known', doc: first.orderId, same: first.contentHash === key.contentHash }]
    }),
  )
}

const nameOf = (key: NaturalKey): string =>
  [key.company, key.sender, String(key.customerId).padStart(12, '0'), key.customerOrder, key.period].join(
    '\u001f',
  )

export const giveBackNaturalKeys = deleteNaturalKeys

export type CapturedOrder = NewOrder & {
  readonly outcome: Outcome
  readonly lines: readonly NewLine[]
  readonly holds: readonly NewHold[]
}

/** Writes new orders as they were decided; each begins with its `order.accepted`. */
export function capture(tx: Transaction, orders: readonly CapturedOrder[], cause: Cause): void {
  insertOrders(tx, orders)
  insertLines(
    tx,
    orders.flatMap(({ doc, lines }) => lines.map((line) => ({ ...line, doc }))),
  )
  insertHolds(
    tx,
    orders.flatMap((order) => order.holds),
  )
  insertReferences(tx, orders.flatMap(referencesOfNew))
  appendEvents(
    tx,
    orders.map((order) => ({
      type: 'order.accepted',
      key: order.doc,
      keyVersion: 1,
      company: order.company,
      correlationId: order.doc,
      data: {
        customer: order.customer,
        customerOrder: order.customerOrder,
        channel: order.channel,
        outcome: order.outcome,
        totalMinor: order.totalMinor,
        currency: order.currency,
        lines: order.lines.length,
        allocation: allocationOf(order.lines),
        ...(order.holds.length > 0
          ? { holds: order.holds.map(({ type, reason }) => ({ type, reason })) }
          : {}),
      },
    })),
    cause,
  )
}

/** How far stock covers a new order; `none` when nothing of it is wanted from stock. */
function allocationOf(
  lines: readonly NewLine[],
): 'reserved' | 'partially_allocated' | 'backordered' | 'none' {
  const reserved = lines.some((line) => line.reserved > 0)
  if (!lines.some((line) => line.backordered > 0)) return reserved ? 'reserved' : 'none'
  return reserved ? 'partially_allocated' : 'backordered'
}

function referencesOfNew({ doc, customerOrder, externalId, channel }: CapturedOrder): Reference[] {
  const known = [{ value: customerOrder, scheme: 'customer-order', doc, orderId: doc }]
  if (externalId) known.push({ value: externalId, scheme: `${channel}-order`, doc, orderId: doc })
  return known
}

/** Adds numbers by which a document may be asked for. */
export const addReferences = insertReferences

export type Versions = ReadonlyMap<number, number>

const versionsOf = (rows: readonly Versioned[]): Versions =>
  new Map(rows.map((row) => [row.doc, row.version]))

function tell<Order extends OrderKey>(
  tx: Transaction,
  orders: readonly Order[],
  { versions, type, cause }: { versions: Versions; type: string; cause: Cause },
  dataOf: (order: Order) => object,
): void {
  appendEvents(
    tx,
    orders.map((order) => ({
      type,
      key: order.doc,
      keyVersion: versions.get(order.doc) ?? raiseMissing(order.doc),
      company: order.company,
      correlationId: order.doc,
      data: dataOf(order),
    })),
    cause,
  )
}

function raiseMissing(doc: number): never {
  throw new Error(`order ${doc} does not exist`)
}

/** The ERP has the order under its own number. */
export async function recordErpNumbers(
  tx: Transaction,
  orders: readonly (OrderKey & { readonly number: string; readonly effectKey: string })[],
  cause: Cause,
): Promise<Versions> {
  const versions = versionsOf(await updateErpNumbers(tx, orders))
  insertReferences(
    tx,
    orders.map(({ doc, number }) => ({ value: number, scheme: 'erp-order', doc, orderId: doc })),
  )
  tell(tx, orders, { versions, type: 'order.posted_to_erp', cause }, ({ number, effectKey }) => ({
    number,
    effectKey,
  }))
  return versions
}

/** The channel was told of these turns. */
export async function recordAcknowledged(
  tx: Transaction,
  orders: readonly (OrderKey & { readonly turn: number })[],
  cause: Cause,
): Promise<Versions> {
  const versions = versionsOf(await updateAcknowledged(tx, orders))
  tell(tx, orders, { versions, type: 'order.acknowledged', cause }, ({ turn }) => ({ turn }))
  return versions
}

/** The ERP's order is for so much less; answers the orders' versions. */
export async function recordErpClosings(
  tx: Transaction,
  orders: readonly (OrderKey & { readonly lines: readonly Omit<ErpClosing, 'doc'>[] })[],
  cause: Cause,
): Promise<Versions> {
  updateErpClosed(
    tx,
    orders.flatMap(({ doc, lines }) => lines.map((line) => ({ ...line, doc }))),
  )
  const told = orders.map(({ lines, ...order }) => ({ ...order, data: { lines: lines.map(({ n }) => n) } }))
  return changeHeaders(tx, told, { change: 'touched', type: 'order.lines_closed_at_erp' }, cause)
}

/** What is cancelled of lines before the ERP hears of their order, which it is never told of. */
export const keepFromErp = updateErpClosed

export type HeaderEvent =
  | 'order.closed'
  | 'order.cancel_requested'
  | 'order.cancel_refused'
  | 'order.cancelled'
  | 'order.held'
  | 'order.erp_refused'
  | 'order.erp_cancelled'
  | 'order.lines_closed_at_erp'
  | 'order.acknowledgement_refused'
  | 'order.hold_released'
  | 'order.step_overridden'
  | 'order.override_superseded'
  | 'order.release_stopped'
  | 'order.promised'
  | 'order.promise_slipped'

/** Changes headers in one way and tells it. */
export async function changeHeaders(
  tx: Transaction,
  orders: readonly (OrderKey & { readonly data?: object })[],
  { change, type }: { change: HeaderChange; type: HeaderEvent },
  cause: Cause,
): Promise<Versions> {
  if (orders.length === 0) return new Map()
  const docs = orders.map((order) => order.doc).toSorted((a, b) => a - b)
  const versions = versionsOf(await updateHeaders(tx, change, docs))
  tell(tx, orders, { versions, type, cause }, ({ data = {} }) => data)
  return versions
}

/** An order whose row the caller has locked, and the version that it has: nobody waits for the next one. */
export type LockedOrder = OrderKey & { readonly version: number }

/** As `changeHeaders`, for locked orders. */
export function changeLockedHeaders(
  tx: Transaction,
  orders: readonly LockedOrder[],
  { change, type }: { change: LockedChange; type: HeaderEvent },
  cause: Cause,
): Versions {
  if (orders.length === 0) return new Map()
  const versions = versionsOf(raiseLockedHeaders(tx, change, orders))
  tell(tx, orders, { versions, type, cause }, () => ({}))
  return versions
}

export type LinesMoved = OrderKey & {
  readonly data: object
  readonly lines: readonly Omit<LineChange, 'doc'>[]
}

export type LinesEvent =
  | 'order.released'
  | 'order.release_taken_back'
  | 'order.picked'
  | 'order.packed'
  | 'order.shipped'
  | 'order.picked_short'
  | 'order.allocated'
  | 'order.allocation_lost'
  | 'order.lines_cancelled'

/** Moves quantities between the buckets of lines and tells it. */
export const moveLines = (
  tx: Transaction,
  orders: readonly LinesMoved[],
  type: LinesEvent,
  cause: Cause,
): Promise<Versions> => moveAs(tx, orders, { change: 'touched', type }, cause)

/** Moves what somebody takes back of single lines, of which the channel is to be told. */
export const takeBackLines = (
  tx: Transaction,
  orders: readonly LinesMoved[],
  cause: Cause,
): Promise<Versions> =>
  moveAs(tx, orders, { change: 'lines cancelled', type: 'order.lines_cancelled' }, cause)

/** Moves what is given to other orders back to waiting, of which the channel is to be told. */
export const loseAllocations = (
  tx: Transaction,
  orders: readonly LinesMoved[],
  cause: Cause,
): Promise<Versions> =>
  moveAs(tx, orders, { change: 'promise slipped', type: 'order.allocation_lost' }, cause)

async function moveAs(
  tx: Transaction,
  orders: readonly LinesMoved[],
  { change, type }: { change: HeaderChange; type: LinesEvent },
  cause: Cause,
): Promise<Versions> {
  if (orders.length === 0) return new Map()
  const docs = orders.map((order) => order.doc).toSorted((a, b) => a - b)
  const changed = updateHeaders(tx, change, docs)
  writeLines(tx, orders)
  const versions = versionsOf(await changed)
  tell(tx, orders, { versions, type, cause }, ({ data }) => data)
  return versions
}

/** As `moveLines`, for locked orders. */
export function moveLockedLines(
  tx: Transaction,
  orders: readonly (LinesMoved & LockedOrder)[],
  type: LinesEvent,
  cause: Cause,
): Versions {
  if (orders.length === 0) return new Map()
  const versions = versionsOf(raiseLockedHeaders(tx, 'touched', orders))
  writeLines(tx, orders)
  tell(tx, orders, { versions, type, cause }, ({ data }) => data)
  return versions
}

const writeLines = (tx: Transaction, orders: readonly LinesMoved[]): void =>
  updateLines(
    tx,
    orders.flatMap(({ doc, lines }) => lines.map((line) => ({ ...line, doc }))),
  )

/** What the caller is told of the order as a whole. */
export const decideOutcome = outcomeOf

/** What a person must find out before anything can go to an address. */
export const missingInAddress = missingParts

/** What an order keeps of the stock that was found for it. */
export const keepByRule = applyShippingRule

/** What so many base units of a line are worth to the credit account. */
export const worthOf = lineWorth

/** What it gets back when so much of an order's lines is cancelled besides. */
export const exposureFreed = freedExposure

/** Takes off an order's worth to the credit account what is cancelled of it. */
export const lowerExposure = reduceExposure

export type ReleasedHold = { readonly id: number; readonly doc: number; readonly type: HoldType }

export const addHolds = insertHolds

/** Releases open holds of an order; answers those that were open. */
export async function releaseHolds(
  tx: Transaction,
  doc: number,
  ids: readonly number[],
  by: { readonly actor: string; readonly reason: string },
): Promise<ReleasedHold[]> {
  return updateHolds(tx, { docs: [doc], ids, status: 'resolved', ...by })
}

/** Ends the open holds of orders of which nothing is left to stop; answers those that were open. */
export const rejectOpenHolds = (
  tx: Transaction,
  docs: readonly number[],
  by: { readonly actor: string; readonly reason: string },
): Promise<ReleasedHold[]> => updateHolds(tx, { docs, status: 'rejected', ...by })

/** Ends open holds on which nobody decided in time; answers those that were open. */
export const expireHolds = (
  tx: Transaction,
  holds: readonly { readonly doc: number; readonly id: number }[],
  by: { readonly actor: string; readonly reason: string },
): Promise<ReleasedHold[]> => {
  const [docs, ids] = [holds.map(({ doc }) => doc), holds.map(({ id }) => id)]
  return updateHolds(tx, { docs, ids, status: 'expired', ...by })
}

/**
 * Keeps others who claim one of these numbers waiting until this transaction ends, so that they find its holder.
 * Systems that answer with a number of theirs claim nothing, and wait for nobody.
 */
export async function claimNumbers(tx: Transaction, numbers: readonly NumberOfDocument[]): Promise<void> {
  if (numbers.length === 0) return
  await lockNumbers(
    tx,
    numbers.map(({ company, scheme, value }) => `${company} ${scheme} ${value}`),
  )
}
