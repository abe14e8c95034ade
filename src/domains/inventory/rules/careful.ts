/** How much less is promised while the source of stock is silent; pure. */
import { formatQuantity, parseQuantity, type Quantity } from '#platform/quantity.ts'
import type { CarefulRule, FreshnessRule, KnownSource, RuleWords } from '../contract/freshness.ts'

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

/** What people set stands in the place of what is configured of the same source and flow, or beside it. */
export function rulesInForce(
  configured: readonly FreshnessRule[],
  sources: readonly KnownSource[],
): readonly FreshnessRule[] {
  const set = sources.flatMap(({ source, flow, rule }) => (rule ? [{ source, flow, ...rule }] : []))
  if (set.length === 0) return configured
  const isOf = (a: FreshnessRule) => (b: FreshnessRule) => a.source === b.source && a.flow === b.flow
  return [
    ...configured.map((rule) => set.find(isOf(rule)) ?? rule),
    ...set.filter((rule) => !configured.some(isOf(rule))),
  ]
}

export function wordsOf(rule: CarefulRule): RuleWords {
  if (rule.kind === 'buffer')
    return { rule: rule.kind, least: formatQuantity(rule.least), factor: rule.factor }
  return rule.kind === 'cap' ? { rule: rule.kind, most: formatQuantity(rule.quantity) } : { rule: rule.kind }
}

export function ruleFrom({ rule, least = '0', factor = 1, most = '0' }: RuleWords): CarefulRule {
  if (rule === 'buffer') return { kind: rule, least: parseQuantity(least), factor }
  return rule === 'cap' ? { kind: rule, quantity: parseQuantity(most) } : { kind: rule }
}
