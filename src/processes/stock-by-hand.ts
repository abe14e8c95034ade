/** Counts and returns that people enter while a warehouse's system is away, and the same told by that system later. */
import type { StockFact, StockReason } from '#capabilities/stock.ts'
import type { Transaction } from '#platform/database.ts'
import type { Quantity } from '#platform/quantity.ts'
import type { AdjustedLine, Adjustment } from '#domains/inventory/contract/adjustments.ts'
import type { HandKind, HandRow, NewHandRow } from '#domains/inventory/contract/by-hand.ts'
import { isOwn, OWN } from '#domains/inventory/contract/owners.ts'
import { lockPositionsOf } from '#domains/inventory/operations.ts'
import {
  beyondHand,
  bookByHand,
  endRows,
  handRowsAt,
  handRowsOfDocument,
  rememberByHand,
} from '#domains/inventory/operations/by-hand.ts'
import type { StockDiffers } from './hand-telling.ts'

const TOLD_AS: Readonly<Partial<Record<StockReason, HandKind>>> = { count: 'count', return: 'return' }

/** What an adjustment with the reason `outage` says for the warehouse, as that will tell it. */
function handRowsOf(adjustment: Adjustment): NewHandRow[] {
  if (adjustment.reason !== 'outage') return []
  const { id: doc, company, reference, requestedBy: actor, requestedAt: happenedAt, state } = adjustment
  return adjustment.lines.flatMap((line) => {
    const quantity = changeOf(line)
    if (quantity === 0) return []
    const { itemId, location, lot } = line
    const kind: HandKind = line.kind === 'returned' ? 'return' : 'count'
    const common = {
      company,
      location,
      itemId,
      lot,
      doc,
      reference,
      actor,
      happenedAt,
      booked: state === 'booked',
    }
    return [{ ...common, kind, quantity, fulfillmentId: null, line: null }]
  })
}

/** Keeps what people entered for a warehouse, be it booked or not yet. */
export const rememberAdjustment = (tx: Transaction, adjustment: Adjustment): void =>
  rememberByHand(tx, handRowsOf(adjustment))

/** What is left to book of what was approved: not what the warehouse has told of while it waited. */
export async function untoldOf(tx: Transaction, adjustment: Adjustment): Promise<Adjustment> {
  if (adjustment.reason !== 'outage') return adjustment
  const told = (await handRowsOfDocument(tx, adjustment.id)).filter(({ endedAt }) => endedAt !== null)
  bookByHand(tx, adjustment.id)
  const isTold = (line: AdjustedLine): boolean =>
    changeOf(line) !== 0 &&
    told.some(
      ({ itemId, location, lot }) => itemId === line.itemId && location === line.location && lot === line.lot,
    )
  return { ...adjustment, lines: adjustment.lines.filter((line) => !isTold(line)) }
}

/** It is not to be compared with what the warehouse tells any more. */
export async function forgetAdjustment(tx: Transaction, { id, reason }: Adjustment): Promise<void> {
  if (reason !== 'outage') return
  const rows = await handRowsOfDocument(tx, id)
  endRows(
    tx,
    rows.filter(({ endedAt }) => endedAt === null),
    'settled',
  )
}

/** Of our own stock: warehouses that went by paper are not compared in what they tell of others'. */
function changeOf({ kind, status, quantity, difference, owner }: AdjustedLine): Quantity {
  if (owner !== OWN) return 0
  if (kind === 'returned') return quantity
  if (status !== 'available') return 0
  if (kind === 'counted') return difference ?? 0
  return kind === 'found' ? quantity : kind === 'lost' ? -quantity : 0
}

type Told = Pick<StockFact, 'sku' | 'location' | 'owner' | 'lot' | 'reason' | 'quantity'> & {
  readonly company: string
  readonly source: string
}
type Known<T> = { readonly one: T; readonly itemId: number }

/** What is told, without what people have entered of it: that is known, and what goes beyond it is the difference. */
export async function besideHand<T extends Told>(
  tx: Transaction,
  told: readonly Known<T>[],
): Promise<{ readonly known: readonly Known<T>[]; readonly byHand: StockDiffers[] }> {
  const asked = told.filter(({ one }) => TOLD_AS[one.reason] !== undefined && isOwn(one))
  const places = asked.map(({ itemId, one }) => ({ itemId, location: one.location }))
  if (places.length === 0) return { known: told, byHand: [] }
  // whoever enters something holds the positions, so it is seen or compares itself with what is booked here
  await lockPositionsOf(
    tx,
    told.map(({ itemId, one }) => ({ itemId, location: one.location })),
  )
  const rows = await handRowsAt(tx, distinct(places))
  if (rows.length === 0) return { known: told, byHand: [] }
  const open = new Set(rows)
  const byHand: StockDiffers[] = []
  const known = told.map((row) => {
    const { one, itemId } = row
    const mine = [...open].filter((hand) => isOf(hand, one, itemId))
    if (mine.length === 0) return row
    const { beyond, ended, outcome } = beyondHand(one.quantity, mine)
    for (const hand of ended) open.delete(hand)
    endRows(tx, ended, outcome)
    const { company, sku, location, source, quantity } = one
    byHand.push({
      company,
      sku,
      location,
      source,
      told: quantity,
      rows: ended,
      differs: outcome === 'differs',
    })
    return { itemId, one: { ...one, quantity: beyond } }
  })
  return { known, byHand }
}

const isOf = (row: HandRow, { reason, location, lot = '', ...of }: Told, itemId: number): boolean =>
  isOwn(of) &&
  row.kind === TOLD_AS[reason] &&
  row.itemId === itemId &&
  row.location === location &&
  (row.lot === lot || row.lot === '' || lot === '')

const distinct = (places: readonly { readonly itemId: number; readonly location: string }[]) => [
  ...new Map(places.map((place) => [`${place.itemId} ${place.location}`, place])).values(),
]
