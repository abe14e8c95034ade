/** Keeps what other systems have sold as claims on our stock: as much as there is, until it leaves, and never a unit twice. */
import { isDeepStrictEqual } from 'node:util'
import { checkRecords, type Loaded, type Reading } from '#platform/copies.ts'
import type { Transaction } from '#platform/database.ts'
import type { Quantity } from '#platform/quantity.ts'
import { type ExternalReservation, OpenOrderRecord } from '../contract/external.ts'
import {
  type Departure,
  type FreeStock,
  lockPositionsOf,
  ship,
  type Shortfall,
  stockKey,
  sumByPosition,
} from '../operations.ts'
import { afterLeaving, type Place, sharedOut, stillWanted } from '../rules/external.ts'
import {
  type ExternalKey,
  lockExternal,
  readSalesAlone,
  removeExternal,
  selectCountedGone,
  selectExternal,
  selectOpenDocuments,
  selectReferring,
  selectShort,
  selectUnseen,
  type SourceKey,
  writeExternal,
  writeGuards,
} from '../store/external.ts'
import { updateReserved } from '../store.ts'

export type ExternalTaken = Loaded & Touched
type CompanyPlace = Place & { readonly company: string }

export type Touched = {
  /** Where claims changed, or are still short of what is wanted. */
  readonly places: readonly CompanyPlace[]
  /** Items of which something is free that was claimed. */
  readonly freed: readonly number[]
}

type Row = Omit<ExternalReservation, 'since'>
type Turn = { readonly row: Row; readonly before: ExternalReservation | undefined }

/** What is kept back besides where a source sells by itself, until its sales are read. */
export type Guard = { readonly guardOf: (source: string) => Quantity }
/** Whether others ship what this source sells, and name its orders. */
type Selling = Guard & { readonly hasShipped?: boolean }

/**
 * Takes lines of open orders as their source gives them. What changed earlier, or was read earlier at the same state,
 * never overwrites what is newer; the same reading again changes nothing. What cannot be claimed stays wanted. What
 * others list because this source has them ship it ends there, since it is claimed here.
 */
export async function takeExternal(
  tx: Transaction,
  reading: Reading,
  given: readonly OpenOrderRecord[],
  { guardOf, hasShipped = false }: Selling,
): Promise<ExternalTaken> {
  const { records, repeated, rejected } = checkRecords(
    {
      schema: OpenOrderRecord,
      key: externalKey,
      label: ({ document, line }) => `${document} · ${line}`,
      code: 'inventory.open_order_invalid',
    },
    given,
  )
  const open = [...records.values()].filter(({ wanted }) => wanted > 0).map(({ document }) => document)
  const listed = hasShipped ? await listedElsewhere(tx, reading, [...new Set(open)]) : []
  const held = await lockHeld(tx, [
    ...[...records.values()].map((record) => ({ ...record, ...reading })),
    ...listed,
  ])
  const turns: Turn[] = listed.flatMap((one) => endedAt(held.rows.get(sourceKey(one))))
  let [unchanged, superseded] = [0, 0]
  for (const { reference = null, ...record } of records.values()) {
    const before = held.rows.get(sourceKey({ ...record, ...reading }))
    if (before && isNewer(before, record, reading)) {
      superseded++
      continue
    }
    const { company, source, asOf } = reading
    const ordered = record.wanted + record.shipped
    const gone = before?.gone ?? 0
    const wanted = stillWanted(ordered, gone)
    const claimed = before?.claimed ?? 0
    const row: Row = { ...record, reference, company, source, asOf, ordered, gone, wanted, claimed }
    if (before && isDeepStrictEqual(row, { ...without(before), asOf })) unchanged++
    turns.push({ row, before })
  }
  const touched = claim(tx, turns, held.free)
  const { company } = reading
  for (const source of new Set([reading.source, ...listed.map((one) => one.source)]))
    writeGuards(tx, touched.places, { company, source, quantity: guardOf(source) })
  const inserted = turns.filter(({ before }) => !before).length
  const updated = turns.length - listed.length - inserted - unchanged
  return { ...touched, inserted, updated, unchanged, superseded: superseded + repeated, rejected }
}

async function listedElsewhere(
  tx: Transaction,
  reading: Reading,
  documents: readonly string[],
): Promise<ExternalReservation[]> {
  if (documents.length === 0) return []
  readSalesAlone(tx, reading)
  return selectReferring(tx, reading, documents)
}

/** Whatever leaves of it is not missed any more. */
const endedAt = (before: ExternalReservation | undefined): Turn[] =>
  before ? [{ before, row: { ...without(before), ordered: before.gone, wanted: 0 } }] : []

const externalKey = ({ document, line }: ExternalKey): string => `${document}\0${line}`

const without = ({ since: _, ...row }: ExternalReservation): Row => row

const isNewer = (before: ExternalReservation, record: { changedAt: Date }, { asOf }: Reading): boolean =>
  before.changedAt > record.changedAt ||
  (before.changedAt.getTime() === record.changedAt.getTime() && before.asOf > asOf)

type Held = {
  readonly rows: ReadonlyMap<string, ExternalReservation>
  /** What is free where they are, and where they were. */
  readonly free: FreeStock
}

const sourceKey = ({ company, source, ...key }: SourceKey): string =>
  `${company}\0${source}\0${externalKey(key)}`

/**
 * Locks positions, then what is known at them. A line moves to another place with a reading of its source alone, of
 * which there is one at a time, so it is where it was seen.
 */
async function lockHeld(tx: Transaction, wanted: readonly (SourceKey & Place)[]): Promise<Held> {
  if (wanted.length === 0) return { rows: new Map(), free: new Map() }
  const keys = wanted.toSorted((a, b) => (sourceKey(a) < sourceKey(b) ? -1 : 1))
  const free = await lockPositionsOf(tx, [...(await selectExternal(tx, keys)), ...keys])
  tx.locking('external reservation', keys.map(sourceKey))
  const rows = await lockExternal(tx, keys)
  return { rows: new Map(rows.map((row) => [sourceKey(row), row])), free }
}

/** Writes rows with what each can claim; those that were first read earlier come first. */
function claim(tx: Transaction, turns: readonly Turn[], free: FreeStock): Touched {
  if (turns.length === 0) return { places: [], freed: [] }
  const sorted = turns.toSorted(
    (a, b) => (a.before?.since.getTime() ?? Infinity) - (b.before?.since.getTime() ?? Infinity) || 0,
  )
  const claims = sharedOut(
    sorted.map(({ row, before }) => ({ ...row, before })),
    free,
  )
  const rows = sorted.map(({ row }, at) => ({ ...row, claimed: claims[at]! }))
  const changes = sumByPosition([
    ...rows.map(({ claimed, ...place }) => ({ ...place, quantity: claimed })),
    ...sorted.flatMap(({ before }) => (before ? [{ ...before, quantity: -before.claimed }] : [])),
  ])
  updateReserved(
    tx,
    changes.filter(({ quantity }) => quantity !== 0),
  )
  writeExternal(tx, rows)
  const freed = changes.filter(({ quantity }) => quantity < 0).map(({ itemId }) => itemId)
  return { places: placesOf(sorted), freed: [...new Set(freed)] }
}

function placesOf(turns: readonly Turn[]): CompanyPlace[] {
  const all = turns.flatMap(({ row, before }) => (before ? [row, before] : [row]))
  const places = all.map(({ company, itemId, location }) => ({ company, itemId, location }))
  return [...new Map(places.map((place) => [stockKey(place.itemId, place.location), place])).values()]
}

const PORTION = 1_000

/** Ends those that a complete reading did not name any more; `more` where there may be others. */
export async function endUnseen(
  tx: Transaction,
  reading: Reading,
  { guardOf }: Guard,
): Promise<Touched & { readonly ended: number; readonly more: boolean }> {
  const gone = await selectUnseen(tx, reading, PORTION)
  const held = await lockHeld(tx, gone)
  const turns = [...held.rows.values()].map((before): Turn => ({
    before,
    row: { ...without(before), wanted: 0 },
  }))
  const touched = claim(tx, turns, held.free)
  if (gone.length > 0) removeExternal(tx, reading, gone)
  writeGuards(tx, touched.places, { ...reading, quantity: guardOf(reading.source) })
  return { ...touched, ended: gone.length, more: gone.length === PORTION }
}

/** Which of these orders are kept for already as a source sold them itself; before anything else is locked. */
export async function soldBy(
  tx: Transaction,
  source: Pick<Reading, 'company' | 'source'>,
  documents: readonly string[],
): Promise<ReadonlySet<string>> {
  if (documents.length === 0) return new Set()
  readSalesAlone(tx, source)
  return selectOpenDocuments(tx, source, documents)
}

/**
 * One look at those that are short: what has become free is theirs. What left and was never told ends its claim once its
 * source has counted the place, since the count is without it.
 */
export async function fillExternal(tx: Transaction): Promise<Touched> {
  const [short, counted] = await Promise.all([selectShort(tx), selectCountedGone(tx)])
  const isCounted = new Set(counted.map(sourceKey))
  const wanted = new Map([...short, ...counted].map((row) => [sourceKey(row), row]))
  const held = await lockHeld(tx, [...wanted.values()])
  const turns = [...held.rows].map(([key, before]): Turn => {
    const row = without(before)
    return { before, row: isCounted.has(key) ? afterLeaving(row, row.shipped) : row }
  })
  return claim(tx, turns, held.free)
}

/** A shipment for an order that its source took itself. */
export type ExternalShipment = Omit<Departure, 'claimEnds' | 'short' | 'doc'> & {
  readonly sku: string
  /** Which line it is of, and how much of that has left with it in all. Absent where the source does not say. */
  readonly order?: { readonly number: string; readonly line: string; readonly shipped: Quantity } | undefined
}

/**
 * Books what left for orders of others, and ends their claims by as much, once, be it told before or after the reading
 * that says the same.
 */
export async function shipExternal(
  tx: Transaction,
  shipments: readonly ExternalShipment[],
): Promise<Shortfall[]> {
  await lockPositionsOf(tx, shipments)
  const told = shipments.flatMap((shipment) => lineOf(shipment) ?? [])
  const { rows } = await lockHeld(tx, [...new Map(told.map((line) => [sourceKey(line), line])).values()])
  const left = new Map(rows)
  const departures = shipments.map(({ sku: _, order, ...shipment }, at): Departure => {
    const line = lineOf(shipments[at]!)
    const departure = { ...shipment, claimEnds: 0, short: 0, doc: null, isTold: true }
    if (!line || !order) return departure
    const before = left.get(sourceKey(line)) ?? line
    // something else went instead, or from elsewhere: what was claimed ends with the reading that says so
    if (stockKey(before.itemId, before.location) !== stockKey(line.itemId, line.location)) return departure
    const after = afterLeaving(before, order.shipped)
    left.set(sourceKey(line), after)
    return { ...departure, claimEnds: before.claimed - after.claimed }
  })
  writeExternal(tx, [...left.values()].map(without))
  return ship(tx, departures)
}

/** As a line is kept of which nothing was read yet: any reading is later. */
function lineOf({ order, company, source, ...shipment }: ExternalShipment): ExternalReservation | undefined {
  if (!order) return undefined
  const { itemId, sku, location, at } = shipment
  const nothing = { ordered: 0, shipped: 0, gone: 0, wanted: 0, claimed: 0 }
  const times = { since: at, changedAt: BEFORE_ALL, asOf: at }
  const key = { company, source, document: order.number, line: order.line }
  return { ...key, ...nothing, ...times, kind: 'order', owner: '', reference: null, itemId, sku, location }
}

const BEFORE_ALL = new Date(0)
