/** Holds a lot wherever it lies, and lets it go again. */
import type { Queries, Transaction } from '#platform/database.ts'
import type { Quantity } from '#platform/quantity.ts'
import { positionKeys } from '../books.ts'
import { LOT_HOLD } from '../contract.ts'
import { move, type Shortfall, type StockChange } from '../operations.ts'
import {
  type ClaimOnItem,
  claimsOnItem,
  type DatedLot,
  describeLot,
  holdLot,
  insertExpiries,
  lockItem,
  lockLots,
  type LotKey,
  type LotPosition,
  type LotToName,
  placesOfItem,
  releaseLot,
  selectExpiries,
  selectHeld,
} from '../store/lots.ts'
import { firstExpiredFirst, lotKey } from '../rules/lots.ts'

export type { LotToName }
export const setExpiry = describeLot

/** Which of these lots somebody holds. */
export async function heldLots(
  queries: Queries,
  lots: readonly LotKey[],
): Promise<(itemId: number, lot: string) => boolean> {
  const held = await selectHeld(queries, lots)
  return (itemId, lot) => held.has(lotKey({ itemId, lot }))
}
export const firstLots = firstExpiredFirst

/** When these lots expire, as far as anybody has said. */
export async function expiriesOf(
  queries: Queries,
  lots: readonly LotKey[],
): Promise<(itemId: number, lot: string) => string | undefined> {
  const known = lots.length > 0 ? await selectExpiries(queries, lots) : new Map<string, string>()
  return (itemId, lot) => known.get(lotKey({ itemId, lot }))
}

/** Those that keep some of an item at these places and have asked no warehouse for it. */
export const ordersClaiming = async (
  queries: Queries,
  itemId: number,
  locations: readonly string[],
): Promise<number[]> =>
  (await claimsOnItem(queries, itemId, locations)).flatMap(({ kind, doc }) => (kind === 'order' ? [doc] : []))

/** What there is of lots at these places. */
export function lockLotsOf(
  tx: Transaction,
  places: readonly { readonly itemId: number; readonly location: string }[],
): Promise<LotToName[]> {
  const items = [...new Set(places.map(({ itemId }) => itemId))].toSorted((a, b) => a - b)
  const locations = [...new Set(places.map(({ location }) => location))].toSorted()
  tx.locking('stock position', positionKeys(items, locations))
  return lockLots(tx, items, locations)
}

/** Keeps when lots expire, as far as nobody has said before; answers those, and those of which something else is known. */
export async function learnExpiries<Told extends DatedLot>(
  tx: Transaction,
  told: readonly Told[],
): Promise<Learned<Told>> {
  if (told.length === 0) return { fresh: [], differing: [] }
  const first = [...new Map(told.toReversed().map((one) => [lotKey(one), one])).values()]
  const before = await selectExpiries(tx, first)
  // in one order for all, so that two who learn of the same lots never wait for each other
  const fresh = first
    .filter((one) => !before.has(lotKey(one)))
    .toSorted((a, b) => a.itemId - b.itemId || (a.lot < b.lot ? -1 : 1))
  if (fresh.length > 0) insertExpiries(tx, fresh)
  const known = new Map([...fresh.map((one) => [lotKey(one), one.expiresOn] as const), ...before])
  const differing = told.flatMap((one) => {
    const date = known.get(lotKey(one))!
    return date === one.expiresOn ? [] : [{ told: one, known: date }]
  })
  return { fresh, differing }
}

type Learned<Told> = {
  readonly fresh: readonly Told[]
  readonly differing: readonly { readonly told: Told; readonly known: string }[]
}

export type LotMoved = {
  readonly moved: readonly { readonly location: string; readonly quantity: Quantity }[]
  /** Claims that have no stock any more. */
  readonly shortfalls: readonly Shortfall[]
  readonly claims: readonly ClaimOnItem[]
}

type Act = Pick<StockChange, 'sourceKey' | 'at'> & { readonly by: string; readonly reason: string }

/** What of the lot is for sale anywhere goes on quality hold, claimed or not. Done before, it moves what came since. */
export async function holdLotEverywhere(tx: Transaction, lot: LotKey, act: Act): Promise<LotMoved> {
  const before = await lockedItem(tx, lot)
  holdLot(tx, lot, act.by, act.reason)
  const positions = await lockedAgain(tx, lot, before)
  const changes = positions
    .filter((row) => row.lot === lot.lot && row.available > 0)
    .map(({ location, available }) => change(lot, act, { location, quantity: available }))
  const shortfalls = changes.length > 0 ? await move(tx, changes) : []
  const places = shortfalls.map(({ location }) => location)
  const claims = places.length > 0 ? await claimsOnItem(tx, lot.itemId, places) : []
  return { moved: changes, shortfalls, claims }
}

/** What we held of it is back for sale, claims first; what its warehouse holds stays so. */
export async function releaseLotEverywhere(tx: Transaction, lot: LotKey, act: Act): Promise<LotMoved> {
  const before = await lockedItem(tx, lot)
  releaseLot(tx, lot)
  const positions = await lockedAgain(tx, lot, before)
  const changes = positions
    .filter((row) => row.lot === lot.lot && row.held > 0)
    .map(({ location, held }) => ({
      ...change(lot, act, { location, quantity: held }),
      from: 'quality_hold' as const,
      to: 'available' as const,
    }))
  const covering = changes.flatMap((back): StockChange[] => {
    const quantity = Math.min(back.quantity, uncovered(positions, back.location))
    return quantity > 0 ? [{ ...back, lot: '', from: 'available', to: 'unreconciled', quantity }] : []
  })
  const shortfalls = changes.length > 0 ? await move(tx, [...changes, ...covering]) : []
  return { moved: changes, shortfalls, claims: [] }
}

/** What was taken from under claims: it is in doubt at the place as a whole, and in none of its lots. */
function uncovered(positions: readonly LotPosition[], location: string): Quantity {
  const here = positions.filter((row) => row.location === location)
  const whole = here.find((row) => row.lot === '')?.unreconciled ?? 0
  const inLots = here.reduce((sum, row) => (row.lot === '' ? sum : sum + row.unreconciled), 0)
  return Math.max(0, inLots - whole)
}

async function lockedItem(tx: Transaction, { itemId, company }: LotKey): Promise<LotPosition[]> {
  tx.locking('stock position', positionKeys([itemId], await placesOfItem(tx, itemId, company)))
  // read again behind the lock: whoever held it before may have brought the first of a lot to a place
  const [, positions] = await Promise.all([lockItem(tx, itemId, company), lockItem(tx, itemId, company)])
  return positions
}

/**
 * Who brought the first of an item to a place before the lot's row was ours has ended: that place is there now. Who brings
 * it from here on waits for us, and sees what we made of the lot.
 */
async function lockedAgain(
  tx: Transaction,
  lot: LotKey,
  before: readonly LotPosition[],
): Promise<readonly LotPosition[]> {
  const places = await placesOfItem(tx, lot.itemId, lot.company)
  const isKnown = (location: string): boolean => before.some((row) => row.location === location)
  return places.every(isKnown) ? before : lockedItem(tx, lot)
}

const change = (
  { company, itemId, lot }: LotKey,
  { sourceKey, at }: Act,
  { location, quantity }: { readonly location: string; readonly quantity: Quantity },
): StockChange => ({
  company,
  itemId,
  location,
  lot,
  from: 'available',
  to: 'quality_hold',
  quantity,
  reason: LOT_HOLD,
  source: 'lots',
  sourceKey,
  at,
  isOurs: true,
})
