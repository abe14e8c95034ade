/** What a count by people corrects: the books' figure, and what was in doubt beside it; pure. */
import type { Quantity } from '#platform/quantity.ts'
import type { Bucket, StockStatus } from '../contract.ts'

export type CorrectingMove = { readonly from: Bucket; readonly to: Bucket; readonly quantity: Quantity }

/**
 * Changes a status by `difference` and what is in doubt by `explained`, each by itself if it must, through each other as
 * far as they can: what was not found and is counted now was never lost.
 */
export function correction(
  status: StockStatus,
  { difference, explained }: { readonly difference: Quantity; readonly explained: Quantity },
): readonly CorrectingMove[] {
  const opposite = Math.sign(difference) === -Math.sign(explained)
  const through = opposite ? Math.min(Math.abs(difference), Math.abs(explained)) : 0
  const between: CorrectingMove =
    difference > 0
      ? { from: 'unreconciled', to: status, quantity: through }
      : { from: status, to: 'unreconciled', quantity: through }
  return [
    between,
    against(status, difference - Math.sign(difference) * through),
    against('unreconciled', explained - Math.sign(explained) * through),
  ].filter(({ quantity }) => quantity > 0)
}

const against = (bucket: Bucket, change: Quantity): CorrectingMove =>
  change > 0
    ? { from: 'adjustment', to: bucket, quantity: change }
    : { from: bucket, to: 'adjustment', quantity: -change }

/** As much of what a count explained as is in doubt still. */
export function stillInDoubt(explained: Quantity, unreconciled: Quantity): Quantity {
  if (explained > 0) return Math.min(explained, Math.max(0, -unreconciled))
  return Math.max(explained, Math.min(0, -unreconciled))
}
