/** The verbs of what people entered for warehouses: keep it, and end it when the warehouse tells of it or never will. */
import type { Transaction } from '#platform/database.ts'
import type { Quantity } from '#platform/quantity.ts'
import type { Reservation } from '../contract.ts'
import type { HandOutcome, HandRow } from '../contract/by-hand.ts'
import { isCounted } from '../counted.ts'
import {
  claimAgain,
  type Departure,
  giveBack,
  lockBooks,
  lockPositionsOf,
  move,
  ship,
  type Shortfall,
  type StockChange,
} from '../operations.ts'
import { beyondHand, type Ended, HandRows, type Portion } from '../rules/by-hand.ts'
import {
  bookOfDocument,
  insertByHand,
  lockOfRequests,
  lockOpenOfDocument,
  selectAtPlaces,
  selectByHand,
  selectOfDocument,
  selectUntold,
  updateByHand,
} from '../store/by-hand.ts'

export { beyondHand, HandRows, type Portion }
export const rememberByHand = insertByHand
export const handRowsOfRequests = lockOfRequests
export const handRowsAt = selectAtPlaces
export const handRowsOfDocument = selectOfDocument
export const bookByHand = bookOfDocument
export const openOfDocument = lockOpenOfDocument
export const listByHand = selectByHand
export const untoldByHand = selectUntold
export const endByHand = updateByHand

export const endRows = (tx: Transaction, rows: readonly HandRow[], outcome: HandOutcome): void =>
  updateByHand(
    tx,
    rows.map((row): Ended => ({ row, open: 0, outcome })),
  )

/** A difference in what left between the paper and the warehouse; the warehouse's word stands. */
export type LeftOtherwise = Omit<Departure, 'quantity' | 'claimEnds' | 'short'> & {
  /** Minus where less left than was entered. */
  readonly quantity: Quantity
  /** Of what the paper said was not found, so much left after all. */
  readonly found: Quantity
  /** What did not leave was not found: in doubt until its warehouse writes it off or somebody counts. */
  readonly notFound?: boolean
}

/** What a paper called short, leaves after all and is claimed again until it has left. */
export type FoundAfterAll = Pick<
  Departure,
  'company' | 'itemId' | 'location' | 'quantity' | 'source' | 'sourceKey' | 'doc' | 'at'
>

/** Answers the places where it was in doubt. What was kept elsewhere in its place goes back. */
export async function claimFound(
  tx: Transaction,
  found: readonly FoundAfterAll[],
  givenBack: readonly Reservation[],
): Promise<Shortfall[]> {
  if (found.length === 0) return []
  await lockPositionsOf(tx, [...found, ...givenBack])
  await giveBack(tx, givenBack)
  const moves = found.map((one): StockChange => ({
    ...one,
    doc: one.doc ?? undefined,
    lot: '',
    from: 'unreconciled',
    to: 'available',
    reason: 'found after all',
  }))
  await move(tx, moves)
  claimAgain(tx, found)
  return [...found, ...givenBack].map(({ company, itemId, location }) => ({
    company,
    itemId,
    location,
    quantity: 0,
  }))
}

/** What was entered and is told now. */
export type ToldAgain = Omit<Departure, 'claimEnds' | 'short'>

/**
 * Puts stock right where warehouse and paper differ. What is told as it was entered moves nothing; only where a snapshot
 * of the warehouse had it already, that snapshot left it out of the books a second time, and it comes back.
 */
export async function correctLeft(
  tx: Transaction,
  differences: readonly LeftOtherwise[],
  again: readonly ToldAgain[],
): Promise<Shortfall[]> {
  const counted = again.length > 0 ? await lockBooks(tx, again) : undefined
  const back = again
    .filter((one) => isCounted(counted!, one))
    .map((one) =>
      change(one, { from: 'adjustment', to: 'available', quantity: one.quantity, reason: 'counted before' }),
    )
  const changes = differences.flatMap((one) => {
    if (one.quantity < 0) return neverLeft(one)
    if (one.found === 0) return []
    const found = {
      from: 'unreconciled',
      to: 'available',
      quantity: one.found,
      reason: 'found after all',
    } as const
    return [{ ...change(one, found), lot: '' }]
  })
  const moves = [...back, ...changes]
  const explained = moves.length > 0 ? await move(tx, moves) : []
  const more = differences
    .filter(({ quantity }) => quantity > 0)
    .map(({ found: _, ...one }): Departure => ({ ...one, claimEnds: 0, short: 0 }))
  const shortfalls = more.length > 0 ? await ship(tx, more) : []
  const doubts = changes
    .filter(({ from, to }) => from === 'unreconciled' || to === 'unreconciled')
    .map(({ company, itemId, location }) => ({ company, itemId, location, quantity: 0 }))
  return [...explained, ...shortfalls, ...doubts]
}

function neverLeft(one: LeftOtherwise): StockChange[] {
  const quantity = -one.quantity
  const back = change(one, { from: 'adjustment', to: 'available', quantity, reason: 'never left' })
  if (one.notFound !== true) return [back]
  // Of no lot, as with any short pick: the warehouse names one when it writes off.
  return [back, { ...back, lot: '', from: 'available', to: 'unreconciled', reason: 'short' }]
}

const change = (
  { company, itemId, location, lot, source, sourceKey, doc, at, mark }: ToldAgain | LeftOtherwise,
  moved: Pick<StockChange, 'from' | 'to' | 'quantity' | 'reason'>,
): StockChange => ({
  company,
  itemId,
  location,
  lot,
  source,
  sourceKey,
  at,
  mark,
  ...moved,
  doc: doc ?? undefined,
})
