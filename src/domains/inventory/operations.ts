/** The verbs of inventory: reserve, release the claim, ship, move, fill. Each takes a transaction and a list. */
import type { Queries, Transaction } from '#platform/database.ts'
import type { Quantity } from '#platform/quantity.ts'
import { Books, byPlace, type Place, placeKey, positionKeys } from './books.ts'
import { bookedBefore, isCounted, isCountedByAnother, leaveCounted } from './counted.ts'
import { concernsSale, whileHeld } from './held.ts'
import type { Allocation, Movement, Portion, Reservation } from './contract.ts'
import { type Owned, ownerOf } from './contract/owners.ts'
import { leave } from './leaving.ts'
import { moveBetween, type Moving } from './moving.ts'
import { concernsHold, holdAndRelease, ReleasedAhead, releasedFromHold } from './released-ahead.ts'
import { allocate, coverable, freeOf, type FreeStock, ownedKey, stockKey } from './rules.ts'
import { ChannelStock, type Sharing } from './rules/channel-stock.ts'
import {
  type BackorderRow,
  deleteBackorders,
  ensurePartitions,
  ensurePositions,
  insertMovements,
  makePositions,
  selectFreeForUpdate,
  selectPositionsForUpdate,
  selectUnreconciled,
  selectWaiting,
  type UnreconciledStock,
  updatePositions,
  updateReserved,
  upsertBackorders,
} from './store.ts'
import { selectKept, updateTaken } from './store/allocations.ts'
import { beginToWait } from './store/first-stock.ts'
import { selectReleasedAhead, writeReleasedAhead } from './store/released-ahead.ts'
import { heldMeanwhile } from './operations/held-meanwhile.ts'
import { reachedOrders, readStock, waitersOf } from './operations/queue.ts'
import {
  deleteReservations,
  insertReservations,
  reduceReservations,
  selectReservations,
} from './store/reservations.ts'

async function lockPositions(
  tx: Transaction,
  itemIds: readonly number[],
  locations: readonly string[],
): Promise<FreeStock> {
  const items = itemIds.toSorted((a, b) => a - b)
  const sorted = locations.toSorted()
  tx.locking('stock position', positionKeys(items, sorted))
  const rows = await selectFreeForUpdate(tx, items, sorted)
  return new Map(rows.map((row) => [stockKey(row.itemId, row.location), row.free]))
}

/** Locks the positions of these items and answers what is free of them, by channel. */
export const lockChannelStock = (
  tx: Transaction,
  itemIds: Iterable<number>,
  locations: readonly string[],
): Promise<ChannelStock> => lockStock(tx, { itemIds, locations, waiting: false })

/** As `lockChannelStock`, for who comes new: what is left when those who wait have theirs, so that nobody overtakes the queue. */
export const lockUnclaimedStock = (
  tx: Transaction,
  itemIds: Iterable<number>,
  locations: readonly string[],
): Promise<ChannelStock> => lockStock(tx, { itemIds, locations, waiting: true })

/** Locks positions before what is kept back or claimed of them changes; answers what is free, whoever it is kept for. */
export const lockPositionsOf = (
  tx: Transaction,
  places: readonly Pick<Place, 'itemId' | 'location'>[],
): Promise<FreeStock> =>
  lockPositions(
    tx,
    [...new Set(places.map(({ itemId }) => itemId))],
    [...new Set(places.map(({ location }) => location))],
  )

type Locking = {
  readonly itemIds: Iterable<number>
  readonly locations: readonly string[]
  readonly waiting: boolean
}

async function lockStock(tx: Transaction, { itemIds, locations, waiting }: Locking): Promise<ChannelStock> {
  const items = [...new Set(itemIds)]
  const locked = lockPositions(tx, items, locations)
  // sent behind the lock, so that they see what is kept and waited for as whoever held the lock before has left it
  const [free, kept, queue] = await Promise.all([
    locked,
    selectKept(tx, items),
    waiting ? selectWaiting(tx, items) : [],
  ])
  const stock = new ChannelStock({ free, kept })
  stock.setAside(await waitersOf(tx, kept, queue), locations)
  return stock
}

/** As `lockUnclaimedStock`, without a lock: what the books say now promises nothing. */
export async function readUnclaimedStock(
  queries: Queries,
  items: readonly number[],
  locations: readonly string[],
): Promise<ChannelStock> {
  const [{ kept, of }, waiting] = await Promise.all([
    readStock(queries, items, locations),
    selectWaiting(queries, items),
  ])
  const stock = of(items)
  stock.setAside(await waitersOf(queries, kept, waiting), locations)
  return stock
}

/** What an order gets of free stock, line by line; counts `free` down. */
export const allocateOrder = allocate

/** The lines that `free` can serve whole; `free` is left as it is. */
export const coverableLines = coverable

/** How much of an item these locations can give. */
export const freeAt = freeOf

export type ReservedLine = Omit<Reservation, 'location' | 'quantity'> & {
  /** Of the order: what is kept for it is for the line too, while it waits. */
  readonly channel: string
  readonly allocations: readonly Allocation[]
  /** What the line still waits for; 0 takes it out of the queue. */
  readonly backordered: Quantity
  /** It stood in the queue before. */
  readonly waited: boolean
}

/**
 * Writes what was allocated from stock locked in this transaction: the claims, the positions, and who still waits.
 * The position's CHECK is the last guard against overselling.
 */
export function reserve(tx: Transaction, lines: readonly ReservedLine[]): void {
  const reservations: Reservation[] = lines.flatMap(
    ({ allocations, backordered: _, waited: __, channel: ___, ...line }) =>
      allocations.map(({ location, quantity }) => ({ ...line, location, quantity })),
  )
  insertReservations(tx, reservations)
  updateReserved(tx, sumByPosition(reservations))
  updateTaken(tx, lines.flatMap(portionsOf))
  const waiting: BackorderRow[] = lines
    .filter((line) => line.backordered > 0)
    .map(({ allocations: _, waited: __, backordered: quantity, ...line }) => ({ ...line, quantity }))
  beginToWait(
    tx,
    lines.flatMap((line) => (line.backordered > 0 && !line.waited ? [line.itemId] : [])),
  )
  upsertBackorders(tx, waiting)
  deleteBackorders(
    tx,
    lines.filter((line) => line.waited && line.backordered === 0),
  )
}

/** What was given of allocations. */
const portionsOf = ({ allocations }: Pick<ReservedLine, 'allocations'>): Portion[] =>
  allocations.flatMap(({ from = [] }) => from)

type Claim = {
  readonly company: string
  readonly itemId: number
  readonly location: string
  readonly quantity: Quantity
}

/** Claims added up by position, in the order in which everybody locks and writes. */
export function sumByPosition(claims: readonly Claim[]): Claim[] {
  const sums = new Map<string, Claim>()
  for (const { company, itemId, location, quantity } of claims) {
    const key = stockKey(itemId, location)
    sums.set(key, { company, itemId, location, quantity: (sums.get(key)?.quantity ?? 0) + quantity })
  }
  return [...sums.values()].toSorted((a, b) => a.itemId - b.itemId || (a.location < b.location ? -1 : 1))
}

/** Hands an order's claims at these locations over to the fulfillment requests that carry them from now on. */
export function handOver(
  tx: Transaction,
  claims: readonly { readonly doc: number; readonly location: string }[],
): void {
  deleteReservations(tx, claims)
}

/** Claims that a fulfillment request carried are the order's own again; the positions stay as they are. */
export function takeBack(tx: Transaction, claims: readonly Reservation[]): void {
  const sums = new Map<string, Reservation>()
  for (const claim of claims) {
    const key = `${claim.doc} ${claim.line} ${claim.location}`
    sums.set(key, { ...claim, quantity: claim.quantity + (sums.get(key)?.quantity ?? 0) })
  }
  insertReservations(tx, [...sums.values()])
}

/** Gives claims back to stock: of a cancelled order, or of a request that the warehouse will not fill. */
export async function freeClaims(tx: Transaction, claims: readonly Claim[]): Promise<void> {
  if (claims.length === 0) return
  const sums = sumByPosition(claims)
  await lockPositionsOf(tx, sums)
  updateReserved(
    tx,
    sums.map((claim) => ({ ...claim, quantity: -claim.quantity })),
  )
}

/** Claims of stock that the caller has just found, at positions that he has locked. */
export const claimAgain = (tx: Transaction, claims: readonly Claim[]): void =>
  updateReserved(tx, sumByPosition(claims))

/** Ends what an order reserved or waits for. */
export async function releaseOrders(tx: Transaction, docs: readonly number[]): Promise<void> {
  const reservations = await selectReservations(tx, docs)
  await freeClaims(tx, reservations)
  deleteReservations(tx, reservations)
}

/** Gives a part of orders' claims back to stock. */
export async function giveBack(tx: Transaction, claims: readonly Reservation[]): Promise<void> {
  if (claims.length === 0) return
  await freeClaims(tx, claims)
  reduceReservations(tx, claims)
}

export function leaveQueue(
  tx: Transaction,
  lines: readonly { readonly itemId: number; readonly doc: number; readonly line: number }[],
): void {
  deleteBackorders(tx, lines)
}

export const reservationsOf = (queries: Queries, docs: readonly number[]): Promise<Reservation[]> =>
  selectReservations(queries, docs)

export type { ChannelStock, FreeStock, Sharing }
export { stockKey }

/** Orders to wake because stock of these items is free and it is their turn. */
export const fillableOrders = (queries: Queries, itemIds: readonly number[]): Promise<number[]> =>
  itemIds.length === 0 ? Promise.resolve([]) : reachedOrders(queries, itemIds)

/** A quantity that physically left, against the claim that was made for it. */
export type Departure = {
  readonly company: string
  readonly itemId: number
  readonly location: string
  readonly lot: string
  readonly quantity: Quantity
  /** What the request claimed and claims no more: what left and what was short. */
  readonly claimEnds: Quantity
  /** What was claimed and not found: in doubt until somebody counts, and so not for sale. */
  readonly short: Quantity
  readonly source: string
  readonly sourceKey: string
  /** Our shipment; null of an order that is none of ours. */
  readonly doc: number | null
  readonly at: Date
  /** Its number among all that its source tells. */
  readonly mark?: number | undefined
  readonly isTold?: IsTold
}

/** A system of that place tells it, so that whatever counts the place later knows it too. */
type IsTold = boolean | undefined

/** Of nothing where what was missing is explained. */
export type Shortfall = Owned & {
  readonly company: string
  readonly itemId: number
  readonly location: string
  readonly quantity: Quantity
}

/**
 * Books what left the building. A departure that our books cannot cover is not refused, since it happened: the rest
 * is taken from `unreconciled`, and the answer says so for an exception.
 */
export async function ship(tx: Transaction, departures: readonly Departure[]): Promise<Shortfall[]> {
  const books = await lockBooks(tx, departures)
  const movements: Movement[] = []
  const shortfalls: Shortfall[] = []
  for (const departure of departures) {
    if (isCounted(books, departure) || (departure.isTold && isCountedByAnother(books, departure))) {
      movements.push(...leaveCounted(books, departure))
      shortfalls.push(missingAt(departure, 0))
      continue
    }
    const left = leave(books, departure)
    movements.push(...left.movements)
    if (left.missing > 0) shortfalls.push(missingAt(departure, left.missing))
  }
  writeBooks(tx, books)
  insertMovements(tx, movements)
  return shortfalls
}

const missingAt = ({ company, itemId, location, owner }: Place, quantity: Quantity): Shortfall => ({
  company,
  itemId,
  location,
  owner,
  quantity,
})

/** What a warehouse, a count or an opening balance says happened to stock. */
export type StockChange = Moving

/**
 * Books movements between buckets; what is not there is taken from `unreconciled` and answered as shortfall. What of a
 * held lot comes for sale is on hold from the same moment.
 */
export async function move(tx: Transaction, told: readonly StockChange[]): Promise<Shortfall[]> {
  const made = makePositions(tx, uniqueKeys(told))
  const holding = told.filter(concernsHold)
  const [books, held, ahead] = await Promise.all([
    lockBooks(tx, told),
    heldMeanwhile(tx, told.filter(concernsSale), made),
    holding.length > 0 ? selectReleasedAhead(tx, uniquePlaces(holding)) : [],
  ])
  const released = new ReleasedAhead(ahead)
  const movements: Movement[] = []
  const shortfalls: Shortfall[] = []
  for (const change of told) {
    if (change.from === change.to) throw new Error(`a movement from ${change.from} to itself`)
    if (change.isTold && isCountedByAnother(books, change)) {
      movements.push(...bookedBefore({ ...change, doc: change.doc ?? null }))
      continue
    }
    const over = released.take(books, change)
    if (over > 0) {
      movements.push(...holdAndRelease(books, change, over))
      shortfalls.push(missingAt(change, 0))
    }
    if (over > 0 && over === change.quantity) continue
    const rest = over > 0 ? { ...change, quantity: change.quantity - over } : change
    const isAhead = released.note(books, change, held) > 0
    for (const part of whileHeld(books, rest, held)) {
      const moved = moveBetween(books, part)
      movements.push(...(isAhead ? releasedFromHold(moved.movements) : moved.movements))
      if (moved.missing > 0) shortfalls.push(missingAt(part, moved.missing))
    }
  }
  writeBooks(tx, books)
  writeReleasedAhead(tx, released.changed)
  insertMovements(tx, movements)
  return shortfalls
}

/** What nobody can explain at these places; zero where everything is explained. */
export async function unreconciledAt(
  queries: Queries,
  places: readonly (Owned & Pick<Place, 'itemId' | 'location'>)[],
): Promise<UnreconciledStock[]> {
  if (places.length === 0) return []
  const wanted = new Set(places.map(ownedKey))
  const items = [...new Set(places.map((place) => place.itemId))]
  const locations = [...new Set(places.map((place) => place.location))]
  const rows = await selectUnreconciled(queries, items, locations, ownersOf(places))
  return rows.filter((row) => wanted.has(ownedKey(row)))
}

const uniquePlaces = (places: readonly Place[]): Place[] => [
  ...new Map(places.map((place) => [stockKey(place.itemId, place.location), place])).values(),
]

function uniqueKeys(places: readonly Place[]): Place[] {
  const keys = new Map<string, Place>()
  for (const place of places) {
    for (const lot of place.lot ? ['', place.lot] : ['']) keys.set(placeKey(place, lot), { ...place, lot })
  }
  return [...keys.values()].toSorted(byPlace)
}

const ownersOf = (places: readonly Owned[]): string[] => [...new Set(places.map(ownerOf))]

/** Locks the positions of these owners' stock of the items at the locations. */
export function lockOwned(tx: Transaction, places: readonly (Owned & Pick<Place, 'itemId' | 'location'>)[]) {
  const items = [...new Set(places.map((place) => place.itemId))].toSorted((a, b) => a - b)
  const locations = [...new Set(places.map((place) => place.location))].toSorted()
  tx.locking('stock position', positionKeys(items, locations))
  return selectPositionsForUpdate(tx, items, locations, ownersOf(places))
}

export async function lockBooks(tx: Transaction, places: readonly Place[]): Promise<Books> {
  return new Books(await lockOwned(tx, places))
}

export function writeBooks(tx: Transaction, books: Books): void {
  ensurePositions(tx, books.missing)
  updatePositions(tx, books.changes)
}

/** Run at start and each day, so that no movement ever meets a month without a place. */
export const ensureLedgerPartitions = (queries: Queries): Promise<void> => ensurePartitions(queries)
