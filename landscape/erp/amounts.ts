/** Exact arithmetic of invoices in whole numbers: thousandths of a unit, cents, millionths of a rate. */
import type { ItemUnit } from '../world/world.ts'

export type TaxLine = { jurisdiction: string; rateMicro: number; baseMinor: number; taxMinor: number }

type Priced = { quantityMilli: number; priceMinor: number; unit: string; priceUnit: string }

/** Quantity × price, half away from zero; a weighed line is priced by its weight when the price is per KG. */
export function netMinor(
  line: Priced,
  unit: ItemUnit,
  priceUnit: ItemUnit,
  weightGrams: number | undefined,
): number {
  if (weightGrams !== undefined && line.priceUnit === 'KG')
    return divideHalfUp(weightGrams * line.priceMinor, 1_000)
  if (line.unit === line.priceUnit) return divideHalfUp(line.quantityMilli * line.priceMinor, 1_000)
  const numerator = unit.numerator * priceUnit.denominator
  const denominator = unit.denominator * priceUnit.numerator
  return divideHalfUp(line.quantityMilli * line.priceMinor * numerator, 1_000 * denominator)
}

/** Also exact where the product leaves the safe integers. */
export function divideHalfUp(value: number, by: number): number {
  if (!Number.isSafeInteger(value)) throw new RangeError('an amount is too large for these books')
  const rest = value % by
  const whole = (value - rest) / by
  return Math.abs(rest) * 2 >= by ? whole + Math.sign(value) : whole
}

/** Near base × rate: whoever rounds per line differs by half a cent for each, and a cent is always forgiven. */
export const taxAgrees = (tax: TaxLine, lines: number): boolean =>
  Math.abs(tax.taxMinor - (tax.baseMinor * tax.rateMicro) / 1_000_000) <= Math.max(1, lines / 2)

const DECIMAL = /^(-?)(\d{1,12})(?:\.(\d{1,6}))?(-?)$/

/** Reads a decimal, sign before or behind, into whole numbers of 10^-places; NaN for anything else or finer. */
export function decimal(text: unknown, places: number): number {
  const match = DECIMAL.exec(
    typeof text === 'number' ? String(text) : typeof text === 'string' ? text.trim() : '',
  )
  if (!match) return Number.NaN
  const fraction = (match[3] ?? '').replace(/0+$/, '')
  if (fraction.length > places) return Number.NaN
  const value = Number(match[2] + fraction.padEnd(places, '0'))
  return match[1] === '-' || match[4] === '-' ? -value : value
}

/** Whole numbers of 10^-places as a decimal with all its places. */
export function decimalText(value: number, places: number): string {
  const text = String(Math.abs(value)).padStart(places + 1, '0')
  const sign = value < 0 ? '-' : ''
  return places === 0 ? sign + text : `${sign}${text.slice(0, -places)}.${text.slice(-places)}`
}
