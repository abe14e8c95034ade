/** Which lots are held, as seen by who brings some of them: whoever holds one in the same moment is waited for. */
import type { Transaction } from '#platform/database.ts'
import { stockKey } from '../rules.ts'
import { type LotKey, selectHeld, shareLots } from '../store/lots.ts'

type At = LotKey & { readonly location: string }
export type Made = readonly { readonly itemId: number; readonly location: string }[]

/** Places that a transaction has made: nobody else sees them, so nobody can lock them before it ends. */
const madeIn = new WeakMap<Transaction, Set<string>>()

/**
 * To be called behind the lock of the positions: who holds a lot locks all of its item that are there, so either he has
 * waited for us or we see his hold. What is made in this transaction he cannot see: there both lock the lot itself.
 */
export async function heldMeanwhile(
  tx: Transaction,
  lots: readonly At[],
  making: Promise<Made>,
): Promise<ReadonlySet<string>> {
  const [seen, made] = await Promise.all([selectHeld(tx, lots), making])
  const mine = madeIn.get(tx) ?? new Set()
  for (const { itemId, location } of made) mine.add(stockKey(itemId, location))
  if (mine.size > 0) madeIn.set(tx, mine)
  const unseen = lots.filter(({ itemId, location }) => mine.has(stockKey(itemId, location)))
  if (unseen.length === 0) return seen
  await shareLots(tx, unseen)
  return selectHeld(tx, lots)
}
