/** The one lock order of the house, asserted in tests: who locks against it will deadlock some day. */

/**
 * In this order, what sources tell of stock before all, since it is put in order before anybody knows what it moves; inside a table by key, and documents kind by kind: reservation, order, fulfillment, shipment, invoice,
 * payment. Documents come before credit accounts, since a process looks at its document before it knows whose credit it frees.
 */
const RANKS = [
  'stock feed',
  'document',
  'credit account',
  'stock position',
  'external reservation',
  'purchase order',
  'serial',
  'step row',
  'desk row',
] as const
export type LockRank = (typeof RANKS)[number]

export interface LockOrder {
  take(rank: LockRank, keys: readonly (number | string)[]): void
}

/** Follows one transaction. Locking again what it already holds is free; a lower rank after a higher one is a bug. */
export function lockOrder(): LockOrder {
  const held = new Map<LockRank, Set<number | string>>()
  let highest = 0
  return {
    take(rank, keys) {
      const mine = held.get(rank) ?? new Set()
      const fresh = keys.filter((key) => !mine.has(key))
      if (fresh.length === 0) return
      if (RANKS.indexOf(rank) < highest) {
        throw new Error(`lock order: ${rank} ${fresh[0]} is locked after a ${RANKS[highest]}`)
      }
      const unsorted = keys.findIndex((key, place) => place > 0 && key < keys[place - 1]!)
      if (unsorted > 0) throw new Error(`lock order: ${rank} ${keys[unsorted]} is not in the order of keys`)
      highest = RANKS.indexOf(rank)
      for (const key of fresh) mine.add(key)
      held.set(rank, mine)
    },
  }
}
