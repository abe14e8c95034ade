/** What people change of stock is worth: at the highest price at which an item is sold that day. */
import type { Queries } from '#platform/database.ts'
import { extendFraction } from '#platform/money.ts'
import type { Quantity } from '#platform/quantity.ts'
import { localDate } from '#platform/time-zone.ts'
import { OWN } from '#domains/inventory/contract/owners.ts'
import type { AdjustedLine } from '#domains/inventory/contract/adjustments.ts'
import type { SellingItem } from '#domains/items/contract.ts'
import { highestPrices } from '#domains/pricing/operations.ts'
import type { CompanyRules } from './ports.ts'

/** In minor units of the company's currency, of a quantity in base units; undefined where the item has no price. */
export type Worth = (itemId: number, quantity: Quantity) => number | undefined

export async function worthOf(
  queries: Queries,
  { code, currency, timeZone }: Pick<CompanyRules, 'code' | 'currency' | 'timeZone'>,
  items: readonly SellingItem[],
  now: Date,
): Promise<Worth> {
  const ids = items.map(({ id }) => id)
  const prices = await highestPrices(queries, code, ids, { currency, date: localDate(now, timeZone) })
  const byItem = Map.groupBy(prices, ({ itemId }) => itemId)
  const known = new Map(items.map((item) => [item.id, item]))
  return (itemId, quantity) => {
    const worths = (byItem.get(itemId) ?? []).flatMap(({ unit, amountMinor }) => {
      const factor = known.get(itemId)?.units.get(unit)
      if (!factor) return []
      const { numerator, denominator } = factor
      return [extendFraction(amountMinor, quantity, { numerator: denominator, denominator: numerator })]
    })
    return worths.length > 0 ? Math.max(...worths) : undefined
  }
}

/** Of the lines that change how much there is of ours or what may be done with it; undefined where one of them has no price. */
export function valueOf(lines: readonly AdjustedLine[], worth: Worth): number | undefined {
  let sum = 0
  for (const line of lines) {
    const changed = changedBy(line)
    if (changed === 0) continue
    const value = worth(line.itemId, changed)
    if (value === undefined) return undefined
    sum += value
  }
  return sum
}

function changedBy({ kind, quantity, difference, explained, owner, toOwner }: AdjustedLine): Quantity {
  if (owner !== OWN && toOwner !== OWN) return 0
  if (kind === 'counted') return Math.abs(difference! + explained!)
  // what travels is there as before until it is missing
  return kind === 'sent' || kind === 'arrived' ? 0 : quantity
}
