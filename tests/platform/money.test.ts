import fc from 'fast-check'
import { expect, test } from 'vitest'
import { extend, extendFraction, formatAmount, minorDigits, parseAmount } from '#platform/money.ts'
import { parseQuantity, units } from '#platform/quantity.ts'

const currencies = fc.constantFrom('USD', 'JPY', 'KWD')

test('every amount is read back from its text as it was', () => {
  const amounts = fc.integer({ min: -9_999_999_999_999, max: 9_999_999_999_999 })
  const property = fc.property(amounts, currencies, (amount, currency) => {
    expect(parseAmount(formatAmount(amount, currency), currency)).toBe(amount)
  })
  fc.assert(property)
})

test('a currency has the places that ISO 4217 gives it', () => {
  expect(['EUR', 'JPY', 'TND', 'ISK'].map(minorDigits)).toEqual([2, 0, 3, 0])
  expect([formatAmount(-5, 'USD'), formatAmount(1_250, 'KWD'), formatAmount(125, 'JPY')]).toEqual([
    '-0.05',
    '1.250',
    '125',
  ])
})

test('zeros beyond the places of the currency change nothing', () => {
  expect(parseAmount('12.5000', 'USD')).toBe(1_250)
  expect(Object.is(parseAmount('-0.00', 'USD'), 0)).toBe(true)
})

test.each([
  ['12.505', 'USD'],
  ['1.5', 'JPY'],
  ['12,50', 'EUR'],
  ['1e3', 'USD'],
  ['', 'USD'],
  ['9999999999999.999', 'KWD'],
])('"%s" is refused as an amount of %s', (text, currency) => {
  expect(() => parseAmount(text, currency)).toThrow(expect.objectContaining({ code: 'money.malformed' }))
})

/** Half away from zero, by the school's method. */
function rounded(numerator: bigint, denominator: bigint): number {
  const size = numerator < 0n ? -numerator : numerator
  const whole = size / denominator + (2n * (size % denominator) >= denominator ? 1n : 0n)
  return Number(numerator < 0n ? -whole : whole)
}

const prices = fc.integer({ min: -10_000_000_000, max: 10_000_000_000 })
const quantities = fc.integer({ min: -1_000_000_000, max: 1_000_000_000 })

test('price times quantity is exact and rounds half a unit away from zero', () => {
  expect(extend(333, parseQuantity('0.5'))).toBe(167)
  expect(extend(-333, parseQuantity('0.5'))).toBe(-167)
  expect(extend(333, parseQuantity('0.4999'))).toBe(166)
  const property = fc.property(prices, quantities, (price, quantity) => {
    expect(extend(price, quantity)).toBe(rounded(BigInt(price) * BigInt(quantity), 10_000n))
  })
  fc.assert(property, {
    examples: [
      [-1, 1],
      [0, -5],
      [9_007_199_254, 999_999],
    ],
  })
})

test('a price in another unit is rounded once, at the end', () => {
  // 10.00 a dozen: two pieces are 1.666…, not twice a rounded 0.83.
  expect(extendFraction(1_000, units(2), { numerator: 1, denominator: 12 })).toBe(167)
  const fractions = fc.integer({ min: 1, max: 10_000 })
  const property = fc.property(prices, quantities, fractions, fractions, (price, quantity, up, down) => {
    const exact = rounded(BigInt(price) * BigInt(quantity) * BigInt(up), BigInt(down) * 10_000n)
    fc.pre(Number.isSafeInteger(exact))
    expect(extendFraction(price, quantity, { numerator: up, denominator: down })).toBe(exact)
  })
  fc.assert(property)
})

test('an amount that a double cannot hold is refused, not rounded', () => {
  expect(() => extend(9_000_000_000_000, units(99_999_999_999))).toThrow(
    expect.objectContaining({ code: 'money.malformed' }),
  )
})
