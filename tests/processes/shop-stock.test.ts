/** What a shop is told of an item sold in several units: whole ones, and never less than none. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseQuantity, units } from '#platform/quantity.ts'
import { wholeIn } from '../../src/processes/shop-stock.ts'

test.each([
  ['100', 12, 1, 8],
  ['96', 12, 1, 8],
  ['95.9999', 12, 1, 7],
  ['-5', 12, 1, 0],
  ['7.5', 1, 1, 7],
  ['10', 1_000, 2_500, 25],
  ['99999999999', 1, 1_000, 99_999_999_999_000],
])('%s base units are so many of %d/%d', (available, numerator, denominator, expected) => {
  const whole = wholeIn(parseQuantity(available), { numerator, denominator })
  expect(whole / units(1)).toBe(expected)
})

test('so many and not one more can be promised', () => {
  const natural = fc.integer({ min: 1, max: 10_000 })
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 10 ** 12 }),
      natural,
      natural,
      (available, numerator, denominator) => {
        const count = BigInt(wholeIn(available, { numerator, denominator }) / units(1))
        const inBase = (some: bigint): bigint => some * BigInt(numerator) * BigInt(units(1))
        const has = BigInt(available) * BigInt(denominator)
        expect(inBase(count) <= has && inBase(count + 1n) > has).toBe(true)
      },
    ),
  )
})
