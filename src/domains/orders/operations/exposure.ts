/** What orders take of their customers' credit, and give back when they are cancelled; pure. */
import type { Quantity } from '#platform/quantity.ts'
import { worthOf } from '../operations.ts'

type Cancelling = {
  readonly line: { readonly netMinor: number; readonly ordered: Quantity; readonly cancelled: Quantity }
  readonly quantity: Quantity
}

/**
 * What an order no longer takes of credit when so much of its lines is cancelled besides. However a line is cut up, its
 * parts come to what it took; an order that took nothing gives nothing back.
 */
export function exposureFreed(
  order: { readonly exposureMinor: number },
  cancelling: readonly Cancelling[],
): number {
  const freed = cancelling.map(({ line, quantity }) => {
    const wanted = line.ordered - line.cancelled
    return worthOf(line, wanted) - worthOf(line, wanted - quantity)
  })
  return Math.min(
    order.exposureMinor,
    freed.reduce((sum, each) => sum + each, 0),
  )
}
