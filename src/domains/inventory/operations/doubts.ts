/** Ends the doubt that a snapshot left where it counted less than was claimed, as far as the claims have ended. */
import type { Transaction } from '#platform/database.ts'
import type { Place } from '../books.ts'
import type { Movement } from '../contract.ts'
import { lockBooks, writeBooks } from '../operations.ts'
import { settled } from '../rules/counting.ts'
import { insertMovements } from '../store.ts'
import { type DoubtfulPlace, selectClaimsEnded } from '../store/doubts.ts'

export type { DoubtfulPlace }

const CLAIMS_ENDED = 'claims ended'

type Settling = { readonly source: string; readonly sourceKey: string; readonly at: Date }

/** What is free stays what it was. Answers the places that changed; calling it again changes nothing. */
export async function settleDoubts(
  tx: Transaction,
  places: readonly Pick<Place, 'itemId' | 'location'>[],
  { source, sourceKey, at }: Settling,
): Promise<readonly DoubtfulPlace[]> {
  const some = await selectClaimsEnded(tx, places, CLAIMS_ENDED)
  if (some.length === 0) return []
  const books = await lockBooks(
    tx,
    some.map((place) => ({ ...place, lot: '' })),
  )
  const ended = await selectClaimsEnded(tx, some, CLAIMS_ENDED)
  const movements = ended.map((one): Movement => {
    const place = { ...one, lot: '' }
    const before = books.at(place, '')
    const after = settled(before.available + before.unreconciled, { doubt: 0, reserved: before.reserved })
    const quantity = before.available - after.available
    books.change(place, '', { available: -quantity, unreconciled: quantity })
    const told = { reason: CLAIMS_ENDED, source, sourceKey, doc: null, at }
    return { ...place, ...told, from: 'available', to: 'unreconciled', quantity }
  })
  writeBooks(tx, books)
  insertMovements(tx, movements)
  return ended
}
