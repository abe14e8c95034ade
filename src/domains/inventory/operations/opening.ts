/** Opening balances: what an ERP counts when the house first opens. */
import type { Transaction } from '#platform/database.ts'
import type { Quantity } from '#platform/quantity.ts'
import { Books, type Place, placeKey, positionKeys } from '../books.ts'
import { type Bucket, LOT_HOLD, type Movement } from '../contract.ts'
import { move, type StockChange } from '../operations.ts'
import { stockKey } from '../rules.ts'
import { lotKey } from '../rules/lots.ts'
import { insertMovements, insertPositions, selectUsedPlaces, updatePositions } from '../store.ts'
import { heldMeanwhile, type Made } from './held-meanwhile.ts'

type OnHand = {
  readonly available: Quantity
  readonly qualityHold: Quantity
  readonly damaged: Quantity
}

/** What an ERP counts at a place, by status. */
export type OpeningBalance = Place & OnHand & Pick<Movement, 'source' | 'sourceKey' | 'at'>

/**
 * Takes each status into its own bucket. A position that exists already is left as it is: its own history counts. A lot
 * that is new adds to its item × location unless that has a history: then the total has it already. New positions are
 * made with their quantity, without an update: nobody has counted the rows of a table that is just being filled, so the
 * planner would read all of it for each page.
 */
export async function openBalances(tx: Transaction, balances: readonly OpeningBalance[]): Promise<number> {
  const places = new Map(balances.map((balance) => [placeKey(balance, balance.lot), balance]))
  const counted = new Books([])
  for (const balance of places.values()) {
    for (const lot of balance.lot ? ['', balance.lot] : ['']) counted.change(balance, lot, openingOf(balance))
  }
  const made = await insertPositions(tx, counted.changes)
  const keys = new Set(made.map((row) => placeKey(row, row.lot)))
  const fresh = [...places].flatMap(([key, balance]) => (keys.has(key) ? [balance] : []))
  const opened = await joinTotals(tx, fresh, (balance) => keys.has(placeKey(balance, '')))
  insertMovements(tx, opened.flatMap(movementsOf))
  await holdOpened(tx, opened, made)
  return opened.length
}

/** What opens of a lot that is held already is on hold with the rest of it. */
async function holdOpened(tx: Transaction, opened: readonly OpeningBalance[], made: Made): Promise<void> {
  const sold = opened.filter(({ lot, available }) => lot !== '' && available > 0)
  const held = await heldMeanwhile(tx, sold, Promise.resolve(made))
  const changes = sold
    .filter((balance) => held.has(lotKey(balance)))
    .map(({ available: quantity, qualityHold: _, damaged: __, ...of }): StockChange => ({
      ...of,
      quantity,
      from: 'available',
      to: 'quality_hold',
      reason: LOT_HOLD,
      isOurs: true,
    }))
  if (changes.length > 0) await move(tx, changes)
}

/** An ERP may have sold what it does not have; the house begins with what can be there. */
const openingOf = ({ available, qualityHold, damaged }: OnHand): OnHand => ({
  available: Math.max(0, available),
  qualityHold: Math.max(0, qualityHold),
  damaged: Math.max(0, damaged),
})

/** Adds lots to totals that were there before, or empties them again; answers the balances that count. */
async function joinTotals(
  tx: Transaction,
  fresh: readonly OpeningBalance[],
  isMade: (balance: OpeningBalance) => boolean,
): Promise<readonly OpeningBalance[]> {
  const joining = fresh.filter((balance) => !isMade(balance))
  if (joining.length === 0) return fresh
  const items = [...new Set(joining.map((balance) => balance.itemId))].toSorted((a, b) => a - b)
  tx.locking(
    'stock position',
    positionKeys(items, [...new Set(joining.map((each) => each.location))].toSorted()),
  )
  const used = new Set((await selectUsedPlaces(tx, joining)).map((row) => stockKey(row.itemId, row.location)))
  const isUsed = (balance: Place): boolean => used.has(stockKey(balance.itemId, balance.location))
  const changes = new Books([])
  for (const balance of joining) {
    if (isUsed(balance)) changes.change(balance, balance.lot, taken(openingOf(balance)))
    else changes.change(balance, '', openingOf(balance))
  }
  updatePositions(tx, changes.changes)
  return fresh.filter((balance) => isMade(balance) || !isUsed(balance))
}

const taken = ({ available, qualityHold, damaged }: OnHand): OnHand => ({
  available: -available,
  qualityHold: -qualityHold,
  damaged: -damaged,
})

function movementsOf(balance: OpeningBalance): Movement[] {
  const { company, itemId, location, lot, source, sourceKey, at } = balance
  const rest = { company, itemId, location, lot, source, sourceKey, at, reason: 'opening balance', doc: null }
  const { available, qualityHold, damaged } = openingOf(balance)
  const buckets: [Bucket, Quantity][] = [
    ['available', available],
    ['quality_hold', qualityHold],
    ['damaged', damaged],
  ]
  return buckets.flatMap(([to, quantity]) =>
    quantity > 0 ? [{ ...rest, from: 'opening' as const, to, quantity }] : [],
  )
}
