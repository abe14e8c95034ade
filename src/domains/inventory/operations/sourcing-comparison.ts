/** A decision that was kept, taken again by other rules on what was free then. Pure. */
import { formatAmount, minorDigits } from '#platform/money.ts'
import { formatQuantity, parseQuantity } from '#platform/quantity.ts'
import type { Allocation } from '../contract.ts'
import type { KeptDecision, SourcingRules } from '../contract/sourcing.ts'
import type { Served } from '../contract/sourcing-comparison.ts'
import { type FreeStock, stockKey } from '../rules.ts'
import { type Candidate, measured, sourceOrder, type SourcingAsked } from '../rules/sourcing.ts'
import { inMinor } from './sourcing.ts'

type KeptLine = KeptDecision['lines'][number]
type Rerun = {
  readonly rules: SourcingRules
  readonly currency: string
  readonly locations: readonly string[]
  readonly shipTo: string | undefined
}

export type Side = Served & { readonly worthMinor: number; readonly costMinor: number | undefined }
export type Compared = {
  readonly isChanged: boolean
  readonly before: Side
  readonly after: Side
  readonly why: string
  readonly whyNotBefore: string | undefined
}

/** Undefined where the record does not say what the rules ask for: older ones say nothing of stock, others not of lots. */
export function decideAgain(kept: KeptDecision, rerun: Rerun): Compared | undefined {
  const needsLots = rerun.rules.strategies.includes('oldest-lot')
  if (kept.lines.some(({ free }) => free === undefined) || (needsLots && !kept.lotsRead)) return undefined
  const asked = askedOf(kept, rerun)
  const past = kept.lines.map(({ given }) =>
    given.map(({ location, quantity }) => ({ location, quantity: parseQuantity(quantity) })),
  )
  const { allocations, candidates } = sourceOrder(asked)
  const side = (some: readonly (readonly Allocation[])[]): Side => sideOf(asked, some, rerun)
  const [before, after] = [side(past), side(allocations)]
  return {
    isChanged: keyOf(past) !== keyOf(allocations),
    before,
    after,
    why: candidates.find(({ verdict }) => verdict === 'chosen')?.why ?? 'nothing could be served',
    whyNotBefore: whyNot(candidates, placesIn(past)),
  }
}

/** Of just these locations, or of one of them that is not asked at all. */
function whyNot(candidates: readonly Candidate[], places: readonly string[]): string | undefined {
  const others = candidates.filter(({ verdict }) => verdict !== 'chosen')
  const same = others.find(({ locations }) => locations.toSorted().join('\n') === places.join('\n'))
  const refused = others.find(
    ({ verdict, locations: [first, ...more] }) =>
      verdict === 'refused' && more.length === 0 && places.includes(first!),
  )
  return (same ?? refused)?.why
}

function askedOf({ lines, orderWorth, used }: KeptDecision, rerun: Rerun): SourcingAsked {
  const items = new Map([...new Set(lines.map(({ sku }) => sku))].map((sku, at) => [sku, at + 1]))
  const itemOf = ({ sku }: KeptLine): number => items.get(sku)!
  const minor = (text: string): number => Math.round(Number(text) * 10 ** minorDigits(rerun.currency))
  const free: FreeStock = new Map()
  const lotsSince = new Map<string, Date>()
  for (const line of lines) {
    for (const { location, quantity, since } of line.free ?? []) {
      const key = stockKey(itemOf(line), location)
      free.set(key, parseQuantity(quantity))
      if (since !== undefined) lotsSince.set(key, new Date(since))
    }
  }
  return {
    rules: inMinor(rerun.rules, rerun.currency),
    lines: lines.map((line) => ({
      itemId: itemOf(line),
      quantity: parseQuantity(line.wanted),
      part: line.whole === undefined ? undefined : parseQuantity(line.whole),
      valueMinor: minor(line.worth ?? '0'),
      ...(line.avoided && { avoid: new Set(line.avoided) }),
    })),
    free,
    shipTo: rerun.shipTo,
    lotsSince,
    locations: rerun.locations,
    orderMinor: orderWorth === undefined ? undefined : minor(orderWorth),
    used,
  }
}

function sideOf(
  asked: SourcingAsked,
  allocations: readonly (readonly Allocation[])[],
  { rules, currency }: Rerun,
): Side {
  const { splits, valueMinor: worthMinor, distance, costMinor } = measured(asked, allocations)
  const cost = rules.costs.length > 0 ? costMinor : undefined
  const sums = new Map<string, number>()
  for (const { location, quantity } of allocations.flat())
    sums.set(location, (sums.get(location) ?? 0) + quantity)
  return {
    given: [...sums].map(([location, quantity]) => ({ location, quantity: formatQuantity(quantity) })),
    splits,
    worth: formatAmount(worthMinor, currency),
    ...(rules.nearest.length > 0 && { distance }),
    ...(cost !== undefined && { cost: formatAmount(cost, currency) }),
    worthMinor,
    costMinor: cost,
  }
}

const placesIn = (allocations: readonly (readonly Allocation[])[]): string[] =>
  [...new Set(allocations.flat().map(({ location }) => location))].toSorted()

/** The same text where each line is given the same from the same places. */
const keyOf = (allocations: readonly (readonly Allocation[])[]): string =>
  JSON.stringify(
    allocations.map((some) => some.map(({ location, quantity }) => `${location} ${quantity}`).toSorted()),
  )
