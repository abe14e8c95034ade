/** Money as integer minor units with its ISO 4217 currency; nothing here divides without saying how it rounds. */
import { Refusal } from './faults.ts'
import type { Quantity, UnitFactor } from './quantity.ts'

export type Money = { readonly amountMinor: number; readonly currency: string }

/** ISO 4217 currencies whose minor unit is not a hundredth. */
const WHOLE = new Set('BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF'.split(' '))
const THOUSANDTHS = new Set('BHD IQD JOD KWD LYD OMR TND'.split(' '))

export const minorDigits = (currency: string): number =>
  WHOLE.has(currency) ? 0 : THOUSANDTHS.has(currency) ? 3 : 2

/** Reads "12.50" of a currency into minor units; refuses more places than the currency has. */
export function parseAmount(text: string, currency: string): number {
  const digits = minorDigits(currency)
  const match = /^(-?)(\d{1,13})(?:\.(\d+))?$/.exec(text)
  const places = match?.[3]?.replace(/0+$/, '') ?? ''
  if (!match || places.length > digits) {
    throw new Refusal(
      'money.malformed',
      `"${text}" is not an amount of ${currency} with at most ${digits} places`,
    )
  }
  const minor = Number(match[2] + places.padEnd(digits, '0'))
  if (!Number.isSafeInteger(minor)) throw new Refusal('money.malformed', `"${text}" is too large`)
  return match[1] === '-' && minor !== 0 ? -minor : minor
}

export function formatAmount(amountMinor: number, currency: string): string {
  const digits = minorDigits(currency)
  if (digits === 0) return String(amountMinor)
  const sign = amountMinor < 0 ? '-' : ''
  const text = String(Math.abs(amountMinor)).padStart(digits + 1, '0')
  return `${sign}${text.slice(0, -digits)}.${text.slice(-digits)}`
}

/** Price × quantity in minor units, half away from zero as invoices round. Exact also where doubles are not. */
export function extend(priceMinor: number, quantity: Quantity): number {
  const product = priceMinor * quantity
  // Adding zero turns a negative zero into zero.
  if (Number.isSafeInteger(product)) return Math.sign(product) * Math.round(Math.abs(product) / 10_000) + 0
  const exact = BigInt(priceMinor) * BigInt(quantity)
  const half = exact < 0n ? -5_000n : 5_000n
  return safeAmount((exact + half) / 10_000n)
}

/** Price × quantity × fraction, rounded once, half away from zero: for a price in another unit than the quantity. */
export function extendFraction(
  priceMinor: number,
  quantity: Quantity,
  { numerator, denominator }: UnitFactor,
): number {
  if (numerator === denominator) return extend(priceMinor, quantity)
  const product = BigInt(priceMinor) * BigInt(quantity) * BigInt(numerator)
  const divisor = BigInt(denominator) * 10_000n
  const half = product < 0n ? -divisor : divisor
  return safeAmount((2n * product + half) / (2n * divisor))
}

function safeAmount(exact: bigint): number {
  const amount = Number(exact)
  if (!Number.isSafeInteger(amount))
    throw new Refusal('money.malformed', `an amount of ${exact} minor units is too large`)
  return amount
}
