/** Quantities as a channel knows them: in the unit that was ordered where that is exact, else in base units. */
import { convertQuantity, type Quantity, type UnitFactor, units } from '#platform/quantity.ts'
import type { OrderLine } from '#domains/orders/views.ts'

type Ordered = Pick<OrderLine, 'unit' | 'numerator' | 'denominator' | 'baseUnit'>

/** All of a line's quantities in one unit, so that they can be compared with each other. */
export function inOrderedUnit<Name extends string>(
  { unit, numerator, denominator, baseUnit }: Ordered,
  base: Readonly<Record<Name, Quantity>>,
): Readonly<Record<Name, Quantity>> & { readonly unit: string } {
  const converted = Object.entries<Quantity>(base).map(
    ([name, quantity]) =>
      [name, convertQuantity(quantity, { numerator: denominator, denominator: numerator })] as const,
  )
  if (converted.some(([, quantity]) => quantity === undefined)) return { ...base, unit: baseUnit }
  return { ...(Object.fromEntries(converted) as Record<Name, Quantity>), unit }
}

/** So much of a line in the unit that was ordered, where that is exact. */
export function asOrdered({ unit, numerator, denominator }: Ordered, base: Quantity) {
  const quantity = convertQuantity(base, { numerator: denominator, denominator: numerator })
  return quantity === undefined ? undefined : { quantity, unit }
}

/** One ordered unit in base units, or as many as are exact in those: what a line may be split at. */
export function wholePart({ numerator, denominator }: UnitFactor): Quantity {
  const ones = units(1) * numerator
  return ones / divisorOf(ones, denominator)
}

const divisorOf = (a: number, b: number): number => (b === 0 ? a : divisorOf(b, a % b))

/** A part of a line in whole ordered units, else in base units: what a document counts that is to be paid. */
export function countedIn(
  { unit, numerator, denominator, baseUnit }: Ordered,
  base: Quantity,
): { readonly quantity: Quantity; readonly unit: string } {
  const ordered = convertQuantity(base, { numerator: denominator, denominator: numerator })
  const isWhole = ordered !== undefined && ordered % units(1) === 0
  return isWhole || unit === baseUnit
    ? { quantity: ordered ?? base, unit }
    : { quantity: base, unit: baseUnit }
}
