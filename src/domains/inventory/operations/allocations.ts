/** Says what is kept back at places: safety stock, and what is for channels. */
import type { Transaction } from '#platform/database.ts'
import { lockPositionsOf } from '../operations.ts'
import { type AllocatedPlace, replaceAllocations } from '../store/allocations.ts'

export type { AllocatedPlace }

/**
 * Puts these in the place of whatever was kept there, and begins to count what is taken of them anew. Nobody is granted
 * stock of the places meanwhile.
 */
export async function setAllocations(
  tx: Transaction,
  places: readonly AllocatedPlace[],
  setBy: string,
): Promise<void> {
  if (places.length === 0) return
  await lockPositionsOf(tx, places)
  replaceAllocations(tx, places, setBy)
}
