/** What shops have still to be told of what can be promised: one waiting figure an item, however long a shop is away. */
import type { Queries, Transaction } from '#platform/database.ts'
import { deleteTold, dueUntold, postponeUntold, raiseAllUntold } from '../store/untold.ts'

/** A figure that waits for a shop. */
export type Untold = Awaited<ReturnType<typeof dueUntold>>[number]

/** A system that is told what can be promised of a company's items to a channel. */
export type Audience = { readonly shop: string; readonly company: string; readonly channel: string }

type Asked = { readonly now: Date; readonly limit: number }

export const untoldOf = (queries: Queries, shop: string, { now, limit }: Asked): Promise<Untold[]> =>
  dueUntold(queries, shop, now, limit)

/** A shop is told everything again, as of now, behind what changes meanwhile. Answers how many items that are. */
export const tellAllAgain = (tx: Transaction, audience: Audience, now: Date): Promise<number> =>
  raiseAllUntold(tx, audience, now)

/** What became of a figure that a shop was told. */
export type Fate = { readonly untold: Untold } & (
  | { readonly kind: 'told' }
  /** The shop has one of that later time: ours is read anew and told as of after it. */
  | { readonly kind: 'stale'; readonly newer: Date }
  | { readonly kind: 'later'; readonly at: Date }
  | { readonly kind: 'refused'; readonly code: string; readonly message: string; readonly at: Date }
)

export function settleUntold(tx: Transaction, shop: string, fates: readonly Fate[], now: Date): void {
  const sorted = fates.toSorted((a, b) => a.untold.itemId - b.untold.itemId)
  deleteTold(
    tx,
    shop,
    sorted.flatMap(({ kind, untold }) => (kind === 'told' ? [untold] : [])),
  )
  postponeUntold(
    tx,
    shop,
    sorted.flatMap((fate) => {
      if (fate.kind === 'told') return []
      const { itemId, raised, asOf, refusal } = fate.untold
      const again = { itemId, raised, asOf, refusal }
      if (fate.kind === 'stale') return [{ ...again, dueAt: now, asOf: new Date(fate.newer.getTime() + 1) }]
      return [{ ...again, dueAt: fate.at, refusal: fate.kind === 'refused' ? fate.code : refusal }]
    }),
  )
}
