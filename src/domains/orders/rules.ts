/** What may happen to an order; pure. */
import type { Quantity } from '#platform/quantity.ts'
import type { LineOutcome, Outcome, ShippingRule } from './contract.ts'

/** The quantities of a line, in base units: together what was ordered. */
export type LineQuantities = {
  readonly ordered: Quantity
  readonly cancelled: Quantity
  readonly open: Quantity
  readonly backordered: Quantity
  readonly reserved: Quantity
  readonly released: Quantity
  readonly picked: Quantity
  readonly packed: Quantity
  readonly shipped: Quantity
}

/** Nothing more will happen to the line by itself: it is shipped or cancelled to the last unit. */
export const isTerminal = (line: LineQuantities): boolean => line.cancelled + line.shipped === line.ordered

export type Stage =
  | 'received'
  | 'held'
  | 'backordered'
  | 'partially_allocated'
  | 'allocated'
  | 'released'
  | 'in_fulfillment'
  | 'partially_shipped'
  | 'shipped'
  | 'closed'
  | 'cancelled'

/** The header's stage, derived from its lines and axes; the one place that knows how. */
export function stageOf(order: {
  readonly lines: readonly LineQuantities[]
  readonly held: boolean
  readonly closed: boolean
}): Stage {
  const sum = (pick: (line: LineQuantities) => Quantity): Quantity =>
    order.lines.reduce((total, line) => total + pick(line), 0)
  const shipped = sum((line) => line.shipped)
  if (order.lines.every(isTerminal)) {
    if (shipped === 0) return 'cancelled'
    return order.closed ? 'closed' : 'shipped'
  }
  if (shipped > 0) return 'partially_shipped'
  if (sum((line) => line.picked + line.packed) > 0) return 'in_fulfillment'
  if (order.held) return 'held'
  if (sum((line) => line.released) > 0) return 'released'
  if (sum((line) => line.open) > 0) return 'received'
  const reserved = sum((line) => line.reserved)
  if (sum((line) => line.backordered) === 0) return 'allocated'
  return reserved > 0 ? 'partially_allocated' : 'backordered'
}

/** Countries without postal codes, as far as anybody here ships there. */
const WITHOUT_POSTAL_CODE = new Set([
  'AE',
  'AG',
  'AO',
  'BS',
  'BZ',
  'FJ',
  'GY',
  'HK',
  'IE',
  'JM',
  'MO',
  'PA',
  'QA',
])

type Place = {
  readonly lines?: readonly string[] | null | undefined
  readonly city?: string | null | undefined
  readonly postalCode?: string | null | undefined
  readonly country?: string | null | undefined
}

/** What a truck must know and an address does not say. A country that is not told is the company's own. */
export function missingParts({ lines, city, postalCode, country }: Place): string[] {
  const has = (part: string | null | undefined): boolean => (part ?? '').trim() !== ''
  return [
    ...(lines?.some(has) ? [] : ['a street']),
    ...(has(city) ? [] : ['a city']),
    ...(has(postalCode) || WITHOUT_POSTAL_CODE.has(country ?? '') ? [] : ['a postal code']),
  ]
}

/** The answer at capture, from what became of the lines. */
export function outcomeOf(lines: readonly LineOutcome[], held: boolean): Outcome {
  const alive = lines.filter((outcome) => outcome !== 'rejected')
  if (alive.length === 0) return 'rejected'
  if (held) return 'accepted-with-holds'
  if (alive.every((outcome) => outcome === 'backordered')) return 'backordered'
  return alive.every((outcome) => outcome === 'reserved') ? 'accepted' : 'partially-allocated'
}

/** Which of a line's reserved and short quantities stay, by the order's shipping rule. */
export function applyShippingRule(
  rule: ShippingRule,
  lines: readonly { readonly wanted: Quantity; readonly found: Quantity }[],
): readonly { readonly reserve: Quantity; readonly backorder: Quantity; readonly cancel: Quantity }[] {
  return lines.map(({ wanted, found }) => {
    const short = wanted - found
    if (rule === 'line-complete' && short > 0) return { reserve: 0, backorder: wanted, cancel: 0 }
    if (rule === 'cancel-rest') return { reserve: found, backorder: 0, cancel: short }
    return { reserve: found, backorder: short, cancel: 0 }
  })
}
