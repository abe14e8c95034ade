/** What a warehouse tells, beside what people entered for it before: what is known, and what is left open; pure. */
import type { Quantity } from '#platform/quantity.ts'
import type { HandKind, HandOutcome, HandRow } from '../contract/by-hand.ts'
import type { MovedLater } from './later.ts'

export type Portion = { readonly row: HandRow; readonly quantity: Quantity }
export type Ended = {
  readonly row: HandRow
  readonly open: Quantity
  readonly outcome: HandOutcome | null
}

/** Rows of which something is open, counted down as warehouses tell of them. */
export class HandRows {
  readonly #open: Map<HandRow, Quantity>
  readonly #outcomes: Map<HandRow, HandOutcome>

  constructor(
    rows: Iterable<readonly [HandRow, Quantity]>,
    outcomes: Iterable<readonly [HandRow, HandOutcome]> = [],
  ) {
    this.#open = new Map(rows)
    this.#outcomes = new Map(outcomes)
  }

  static of(rows: readonly HandRow[]): HandRows {
    return new HandRows(rows.filter(({ endedAt }) => endedAt === null).map((row) => [row, row.open]))
  }

  /** On which something can be tried out. */
  copy(): HandRows {
    return new HandRows(this.#open, this.#outcomes)
  }

  openOf(row: HandRow): Quantity {
    return this.#open.get(row) ?? 0
  }

  /** Those of which something is open. */
  left(kind: HandKind): HandRow[] {
    return [...this.#open].flatMap(([row, open]) => (row.kind === kind && open !== 0 ? [row] : []))
  }

  /** Takes what of the quantity was entered of that line: of the same lot first, then where one side names none. */
  take(
    kind: HandKind,
    { line, lot, quantity }: { readonly line: number; readonly lot: string; readonly quantity: Quantity },
  ): Portion[] {
    const mine = this.left(kind).filter((row) => row.line === line)
    const unnamed = mine.filter((row) => row.lot !== lot && (row.lot === '' || lot === ''))
    return this.#takeFrom([...mine.filter((row) => row.lot === lot), ...unnamed], quantity)
  }

  /** Whatever lot was entered. */
  takeAnyLot(
    kind: HandKind,
    { line, quantity }: { readonly line: number; readonly quantity: Quantity },
  ): Portion[] {
    const mine = this.left(kind).filter((row) => row.line === line)
    return this.#takeFrom(mine, quantity)
  }

  #takeFrom(rows: readonly HandRow[], quantity: Quantity): Portion[] {
    const portions: Portion[] = []
    let rest = quantity
    for (const row of rows) {
      const some = Math.min(rest, this.openOf(row))
      if (some === 0) continue
      this.#open.set(row, this.openOf(row) - some)
      portions.push({ row, quantity: some })
      rest -= some
    }
    return portions
  }

  /** Nothing of it is open any more. */
  end(row: HandRow, outcome: HandOutcome): void {
    this.#open.set(row, 0)
    this.#outcomes.set(row, outcome)
  }

  /** Rows that are not what they were. One that was told whole is known. */
  get changed(): Ended[] {
    return [...this.#open].flatMap(([row, open]) => {
      const outcome = this.#outcomes.get(row) ?? (open === 0 ? 'known' : null)
      return open === row.open && outcome === null ? [] : [{ row, open, outcome }]
    })
  }
}

/**
 * What a count or a return is beyond what was entered of it by hand, which is known then or differs. What waits for
 * another person is not in the books: all that is told of it is booked.
 */
export function beyondHand(
  told: Quantity,
  rows: readonly HandRow[],
): { readonly beyond: Quantity; readonly ended: readonly HandRow[]; readonly outcome: 'known' | 'differs' } {
  const same = rows.find(({ open }) => open === told)
  if (same) return { beyond: same.booked ? 0 : told, ended: [same], outcome: 'known' }
  const entered = rows.reduce((sum, { open }) => sum + open, 0)
  const booked = rows.reduce((sum, row) => (row.booked ? sum + row.open : sum), 0)
  return { beyond: told - booked, ended: rows, outcome: told === entered ? 'known' : 'differs' }
}

/** What left by paper and a warehouse has not told of yet is in none of its snapshots, however late these are taken. */
export const leftByHand = (rows: readonly HandRow[], takenAt: Date): MovedLater[] =>
  rows
    .filter(({ kind, happenedAt }) => kind === 'ship' && happenedAt <= takenAt)
    .map(({ itemId, location, lot, open }) => ({
      itemId,
      location,
      lot,
      bucket: 'available',
      quantity: -open,
    }))

/** A snapshot is a count of all: what people counted before it was taken is over. What they count later stays beside it. */
export const countedByHand = (rows: readonly HandRow[], takenAt: Date): Ended[] =>
  rows
    .filter(({ kind, happenedAt }) => (kind === 'count' || kind === 'return') && happenedAt <= takenAt)
    .map((row) => ({ row, open: 0, outcome: 'counted' }))
