/** Counts and returns that people enter while a warehouse's system is away, and the same told by that system later. */
import type { StockFact, StockReason } from '#capabilities/stock.ts'
import type { Transaction } from '#platform/database.ts'
import type { Quantity } from '#platform/quantity.ts'
import type { AdjustedLine, Adjustment } from '#domains/inventory/contract/adjustments.ts'
import type { HandKind, HandRow, NewHandRow } from '#domains/inventory/contract/by-hand.ts'
import { beyondHand, endRows, handRowsAt } from '#domains/inventory/operations/by-hand.ts'
import type { StockDiffers } from './hand-telling.ts'

const TOLD_AS: Readonly<Partial<Record<StockReason, HandKind>>> = { count: 'count', return: 'return' }

/** What an adjustment with the reason `outage` says for the warehouse, as that will tell it. */
export function handRowsOf(adjustment: Adjustment): NewHandRow[] {
  if (adjustment.reason !== 'outage') return []
  const { id: doc, company, reference, requestedBy: actor, requestedAt: happenedAt } = adjustment
  return adjustment.lines.flatMap((line) => {
    const quantity = changeOf(line)
    if (quantity === 0) return []
    const { itemId, location, lot } = line
    const kind: HandKind = line.kind === 'returned' ? 'return' : 'count'
    const common = { company, location, itemId, lot, doc, reference, actor, happenedAt }
    return [{ ...common, kind, quantity, fulfillmentId: null, line: null }]
  })
}

function changeOf({ kind, status, quantity, difference }: AdjustedLine): Quantity {
  if (kind === 'returned') return quantity
  if (status !== 'available') return 0
  if (kind === 'counted') return difference ?? 0
  return kind === 'found' ? quantity : kind === 'lost' ? -quantity : 0
}

type Told = Pick<StockFact, 'sku' | 'location' | 'lot' | 'reason' | 'quantity'> & {
  readonly company: string
  readonly source: string
}
type Known<T> = { readonly one: T; readonly itemId: number }

/** What is told, without what people have entered of it: that is known, and what goes beyond it is the difference. */
export async function besideHand<T extends Told>(
  tx: Transaction,
  told: readonly Known<T>[],
): Promise<{ readonly known: readonly Known<T>[]; readonly byHand: StockDiffers[] }> {
  const asked = told.filter(({ one }) => TOLD_AS[one.reason] !== undefined)
  const places = asked.map(({ itemId, one }) => ({ itemId, location: one.location }))
  const rows = places.length === 0 ? [] : await handRowsAt(tx, distinct(places))
  if (rows.length === 0) return { known: [...told], byHand: [] }
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

const isOf = (row: HandRow, { reason, location, lot = '' }: Told, itemId: number): boolean =>
  row.kind === TOLD_AS[reason] &&
  row.itemId === itemId &&
  row.location === location &&
  (row.lot === lot || row.lot === '' || lot === '')

const distinct = (places: readonly { readonly itemId: number; readonly location: string }[]) => [
  ...new Map(places.map((place) => [`${place.itemId} ${place.location}`, place])).values(),
]
