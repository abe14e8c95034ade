/** In which order lots are taken, and what becomes of those that are held; pure. */
import type { Quantity } from '#platform/quantity.ts'
import type { Count, Statuses } from '../contract/feeds.ts'
import { stockKey } from '../rules.ts'
import type { ShelfLives } from './shelf-life.ts'

type LotStock = {
  readonly lot: string
  /** ISO 8601; null: nobody has said. */
  readonly expiresOn: string | null
  readonly held: boolean
  readonly available: Quantity
}

/** What expires first comes first, what nobody dates last. */
export const byExpiry = (a: LotStock, b: LotStock): number =>
  compareText(a.expiresOn ?? '9999', b.expiresOn ?? '9999') || compareText(a.lot, b.lot)

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** First expired, first out: how much of a quantity comes out of each; nothing of what is held or has expired. */
export function firstExpiredFirst<Row extends LotStock>(
  lots: readonly Row[],
  quantity: Quantity,
  today: string,
): ReadonlyMap<Row, Quantity> {
  let missing = quantity
  return new Map(
    lots.toSorted(byExpiry).map((row) => {
      const isGood = !row.held && (row.expiresOn === null || row.expiresOn >= today)
      const taken = isGood ? Math.min(missing, row.available) : 0
      missing -= taken
      return [row, taken]
    }),
  )
}

/** Under which it is known that somebody holds a lot. */
export const lotKey = ({ itemId, lot }: { readonly itemId: number; readonly lot: string }): string =>
  `${itemId} ${lot}`

/** A source that counts a held lot as for sale does not know of the hold. */
export function countedAsHeld(count: Count, held: ReadonlySet<string>): Count {
  const lots = [...count.lots].map(([lot, counted]): [string, Statuses] => {
    if (!held.has(lotKey({ itemId: count.itemId, lot }))) return [lot, counted]
    return [lot, { ...counted, available: 0, qualityHold: counted.qualityHold + counted.available }]
  })
  return { ...count, lots: new Map(lots) }
}

export type ClaimToLose = {
  readonly doc: number
  readonly line: number
  readonly itemId: number
  readonly location: string
  readonly quantity: Quantity
  /** What the line may be split at. */
  readonly part: Quantity
}

/** What of claims no lot serves that lives long enough: the latest orders go without, in whole parts; counts down. */
export function claimsTooLong<Claim extends ClaimToLose & { readonly days: number }>(
  claims: readonly Claim[],
  lives: ShelfLives,
): Claim[] {
  return claims
    .toSorted((a, b) => a.doc - b.doc || a.line - b.line)
    .flatMap((claim): Claim[] => {
      const missing = claim.quantity - lives.at(claim.itemId, claim.location, claim.days)
      const quantity = Math.min(claim.quantity, Math.max(0, Math.ceil(missing / claim.part) * claim.part))
      lives.claim({ ...claim, quantity: claim.quantity - quantity })
      return quantity > 0 ? [{ ...claim, quantity }] : []
    })
}

/** Which claims lose what places are short of: those of the latest orders first, in whole parts, and no more than is short. */
export function claimsLost<Claim extends ClaimToLose>(
  claims: readonly Claim[],
  short: ReadonlyMap<string, Quantity>,
): Claim[] {
  const missing = new Map(short)
  return claims
    .toSorted((a, b) => b.doc - a.doc || b.line - a.line)
    .flatMap((claim): Claim[] => {
      const key = stockKey(claim.itemId, claim.location)
      const wanted = missing.get(key) ?? 0
      if (wanted <= 0) return []
      const quantity = Math.min(claim.quantity, Math.ceil(wanted / claim.part) * claim.part)
      missing.set(key, wanted - quantity)
      return [{ ...claim, quantity }]
    })
}
