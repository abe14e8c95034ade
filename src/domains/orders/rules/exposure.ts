/** What orders take of their customers' credit, and give back when they are cancelled; pure. */
import type { Quantity } from '#platform/quantity.ts'

/** What so many base units of a line are worth at the price it was captured at, in minor units, rounded half up. */
export function lineWorth(line: { netMinor: number; ordered: Quantity }, quantity: Quantity): number {
  if (quantity === 0) return 0
  return Number(
    (BigInt(line.netMinor) * BigInt(quantity) * 2n + BigInt(line.ordered)) / (2n * BigInt(line.ordered)),
  )
}

type Cancelling = {
  readonly line: { readonly netMinor: number; readonly ordered: Quantity; readonly cancelled: Quantity }
  readonly quantity: Quantity
}

/**
 * What an order no longer takes of credit when so much of its lines is cancelled besides. However a line is cut up, its
 * parts come to what it took; an order that took nothing gives nothing back.
 */
export function freedExposure(
  order: { readonly exposureMinor: number },
  cancelling: readonly Cancelling[],
): number {
  const freed = cancelling.map(({ line, quantity }) => {
    const wanted = line.ordered - line.cancelled
    return lineWorth(line, wanted) - lineWorth(line, wanted - quantity)
  })
  return Math.min(
    order.exposureMinor,
    freed.reduce((sum, each) => sum + each, 0),
  )
}
