/** How much less is promised while the source of stock is silent; pure. */
import type { Quantity } from '#platform/quantity.ts'
import type { CarefulRule } from '../contract/freshness.ts'

const HOUR_MS = 3_600_000

export type Silence = {
  /** Since it was last heard. */
  readonly silentMs: number
  readonly perHour: Quantity
  /** Promised since it fell silent. */
  readonly promised: Quantity
}

/** Never more than `available`, never below 0, and never more the longer the silence lasts. */
export function carefulFigure(
  rule: CarefulRule,
  available: Quantity,
  { silentMs, perHour, promised }: Silence,
): Quantity {
  const there = Math.max(0, available)
  if (rule.kind === 'zero' || rule.kind === 'ask') return 0
  if (rule.kind === 'cap') return Math.min(there, Math.max(0, rule.quantity - promised))
  const sold = Math.ceil((perHour * rule.factor * silentMs) / HOUR_MS)
  return Math.max(0, there - rule.least - sold)
}
