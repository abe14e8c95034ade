/**
 * Exact quantities: safe integers that count ten-thousandths of a unit, so that adding and comparing is plain
 * arithmetic and nothing is ever rounded unseen. In JSON and SQL they are decimals ("12.5", numeric(15,4)).
 */
import { Refusal } from './faults.ts'

declare const quantity: unique symbol
/** Ten-thousandths of the unit that stands beside it. */
export type Quantity = number & { readonly [quantity]?: never }

const SCALE = 10_000
/** The largest quantity we hold, in units; beyond it sums could leave the safe integers. */
export const MAX_UNITS = 99_999_999_999

const DECIMAL = /^(-?)(\d{1,11})(?:\.(\d{1,4})0*)?$/

/** Reads a decimal with at most four places; refuses what it would have to round. */
export function parseQuantity(text: string): Quantity {
  const match = DECIMAL.exec(text)
  if (!match) {
    throw new Refusal('quantity.malformed', `"${text}" is not a decimal with at most 11 digits and 4 places`)
  }
  const units = Number(match[2]) * SCALE + Number((match[3] ?? '').padEnd(4, '0'))
  return match[1] === '-' && units !== 0 ? -units : units
}

/** The shortest exact decimal: 12, 12.5, 0.0001. */
export function formatQuantity(quantity: Quantity): string {
  if (quantity % SCALE === 0) return String(quantity / SCALE)
  const sign = quantity < 0 ? '-' : ''
  const digits = String(Math.abs(quantity)).padStart(5, '0')
  return `${sign}${digits.slice(0, -4)}.${digits.slice(-4).replace(/0+$/, '')}`
}

export const units = (count: number): Quantity => count * SCALE

/** How many of `to` one `from` is, as an exact fraction: a case of 12 is 12/1, an inch of a foot 1/12. */
export type UnitFactor = { readonly numerator: number; readonly denominator: number }

/** Converts exactly, or answers undefined when the result has no exact quantity with four places. */
export function convertQuantity(quantity: Quantity, factor: UnitFactor): Quantity | undefined {
  const product = BigInt(quantity) * BigInt(factor.numerator)
  const divisor = BigInt(factor.denominator)
  if (product % divisor !== 0n) return undefined
  const converted = Number(product / divisor)
  return Number.isSafeInteger(converted) ? converted : undefined
}
