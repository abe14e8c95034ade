/** What goods sold by weight weigh on paper, before somebody weighs them; pure. */
import { convertQuantity, type Quantity } from '#platform/quantity.ts'
import type { SellingItem } from '#domains/items/contract.ts'

export const KILOGRAM = 'KGM'

/** In kilograms; undefined where the item has no weight, or none that is exact. */
export function nominalWeight({ units }: Pick<SellingItem, 'units'>, base: Quantity): Quantity | undefined {
  const weight = units.get(KILOGRAM)
  return weight && convertQuantity(base, { numerator: weight.denominator, denominator: weight.numerator })
}
