/** What a difference between books and a count may come of, so that what has one cause is told once; pure. */
import { formatQuantity, type Quantity } from '#platform/quantity.ts'
import type { ExternalReservation } from '#domains/inventory/contract/external.ts'
import type { Difference, Statuses } from '#domains/inventory/contract/feeds.ts'

export const inTotal = ({ available, qualityHold, damaged }: Statuses): Quantity =>
  available + qualityHold + damaged

type Sold = Pick<ExternalReservation, 'source' | 'document' | 'shipped' | 'gone'>

/**
 * `untold`: its source counted facts that it never told. `left SOURCE DOCUMENT`: just what has left with that order and
 * was not told. `status`: all of it is there, otherwise than the books say. Else `less` or `more` is counted.
 */
export function reasonOf(
  { ours, theirs }: Pick<Difference, 'ours' | 'theirs'>,
  { isUntold, sold }: { readonly isUntold: boolean; readonly sold: readonly Sold[] },
): string {
  if (isUntold) return 'untold'
  const short = inTotal(ours) - inTotal(theirs)
  const left = sold.filter(({ shipped, gone }) => shipped > gone)
  const documents = new Set(left.map(({ source, document }) => `left ${source} ${document}`))
  const untold = left.reduce((sum, { shipped, gone }) => sum + shipped - gone, 0)
  if (documents.size === 1 && untold === short) return [...documents][0]!
  if (short === 0) return 'status'
  return short > 0 ? 'less' : 'more'
}

/** What has left by the list of its source and was never told may be the difference. */
export function soldLine({ source, document, owner, wanted, shipped, gone }: ExternalReservation): string {
  const untold = shipped - gone
  const left = untold > 0 ? `, of which ${formatQuantity(untold)} left and was not told` : ''
  return `${source} ${document} for ${owner}: ${formatQuantity(wanted)}${left}`
}
