import fc from 'fast-check'
import { expect, test } from 'vitest'
import { convertQuantity, formatQuantity, parseQuantity, units } from '#platform/quantity.ts'

const quantities = fc.integer({ min: -999_999_999_999_999, max: 999_999_999_999_999 })

test('every quantity is read back from its text as it was', () => {
  const property = fc.property(quantities, (quantity) => {
    expect(parseQuantity(formatQuantity(quantity))).toBe(quantity)
  })
  fc.assert(property)
})

test('a quantity has one shortest text', () => {
  const texts = ['0', '12', '12.5', '0.0001', '-0.0005', '99999999999.9999']
  expect(texts.map((text) => formatQuantity(parseQuantity(text)))).toEqual(texts)
  expect(formatQuantity(parseQuantity('12.5000'))).toBe('12.5')
  expect(formatQuantity(parseQuantity('-0'))).toBe('0')
})

test('what PostgreSQL writes for a numeric of any scale is read exactly', () => {
  expect(['12.50', '0.00000000', '7.000000'].map(parseQuantity)).toEqual([125_000, 0, 70_000])
  expect(Object.is(parseQuantity('-0.0000'), 0)).toBe(true)
})

test.each(['', '.5', '1.', '1e3', '1,5', '0.00001', '100000000000', 'NaN', ' 1', '+1', '١'])(
  '"%s" is refused as a quantity',
  (text) => {
    expect(() => parseQuantity(text)).toThrow(expect.objectContaining({ code: 'quantity.malformed' }))
  },
)

test('a conversion is exact or it is none', () => {
  expect(convertQuantity(units(3), { numerator: 12, denominator: 1 })).toBe(units(36))
  expect(convertQuantity(units(6), { numerator: 1, denominator: 12 })).toBe(5_000)
  expect(convertQuantity(units(1), { numerator: 1, denominator: 12 })).toBeUndefined()
  expect(convertQuantity(999_999_999_999_999, { numerator: 10_000, denominator: 1 })).toBeUndefined()
})

test('a conversion and its reverse cancel out', () => {
  const part = fc.integer({ min: 1, max: 10_000 })
  const times = fc.integer({ min: -1_000_000, max: 1_000_000 })
  const property = fc.property(times, part, part, (count, numerator, denominator) => {
    const quantity = count * denominator
    const there = convertQuantity(quantity, { numerator, denominator })!
    expect(there).toBe(count * numerator)
    expect(convertQuantity(there, { numerator: denominator, denominator: numerator })).toBe(quantity)
  })
  fc.assert(property)
})
