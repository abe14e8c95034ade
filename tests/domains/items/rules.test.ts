/** Units of an item. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { SellingItem } from '#domains/items/contract.ts'
import { isCounted, toBase } from '#domains/items/rules.ts'
import { Refusal } from '#platform/faults.ts'
import { parseQuantity, type UnitFactor } from '#platform/quantity.ts'

const item = (baseUnit: string, units: Record<string, UnitFactor> = {}): SellingItem => ({
  id: 1,
  company: 'NWF',
  sku: 'NWF-1001',
  name: 'Olives',
  status: 'active',
  baseUnit,
  catchWeight: false,
  lotControlled: false,
  serialControlled: false,
  taxClass: 'food',
  units: new Map([[baseUnit, { numerator: 1, denominator: 1 }], ...Object.entries(units)]),
  asOf: new Date(0),
})

const factor = (numerator: number, denominator = 1): UnitFactor => ({ numerator, denominator })
const codeOf = (answer: number | Refusal) => (answer instanceof Refusal ? answer.code : answer)
const convert = (of: SellingItem, quantity: string, unit: string) =>
  codeOf(toBase(of, parseQuantity(quantity), unit))

const canned = item('EA', { CA: factor(12), KGM: factor(2, 3), PL: factor(480) })
const cheese = item('KGM', { EA: factor(5, 2), LBR: factor(45_359_237, 100_000_000), GRM: factor(1, 1_000) })

describe('a quantity', () => {
  test.each([
    ['7', 'EA', '7'],
    ['3', 'CA', '36'],
    ['2', 'PL', '960'],
    ['1.5', 'KGM', '1'],
  ])('of cans: %s %s are %s each', (quantity, unit, base) => {
    expect(convert(canned, quantity, unit)).toBe(parseQuantity(base))
  })

  test.each([
    ['3', 'EA', '7.5'],
    ['12.25', 'KGM', '12.25'],
    ['250', 'GRM', '0.25'],
  ])('of cheese: %s %s are %s kilograms', (quantity, unit, base) => {
    expect(convert(cheese, quantity, unit)).toBe(parseQuantity(base))
  })

  test('in a unit that the item does not have is refused with the units it has', () => {
    expect(convert(canned, '1', 'BX')).toBe('items.unit_unknown')
    const refusal = toBase(canned, parseQuantity('1'), 'BX')
    expect(refusal).toMatchObject({ facts: { units: ['EA', 'CA', 'KGM', 'PL'] } })
  })

  test.each(['0.5', '1.0001'])('of %s cases is refused: packages come in whole numbers', (quantity) => {
    expect(convert(canned, quantity, 'CA')).toBe('items.quantity_not_whole')
  })

  test('that would be a fraction of a piece is refused', () => {
    expect(convert(canned, '1', 'KGM')).toBe('items.quantity_not_exact')
  })

  test('that would have to be rounded to four places is refused', () => {
    expect(convert(cheese, '1', 'LBR')).toBe('items.quantity_not_exact')
    expect(convert(cheese, '0.05', 'GRM')).toBe('items.quantity_not_exact')
  })

  test.each(['0', '-1'])('of %s is refused', (quantity) => {
    expect(convert(canned, quantity, 'EA')).toBe('items.quantity_not_positive')
  })

  test('is converted exactly or refused, whatever the factor', () => {
    const part = fc.integer({ min: 1, max: 100_000 })
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10_000_000_000 }),
        part,
        part,
        (quantity, numerator, denominator) => {
          const answer = toBase(item('KGM', { LTR: factor(numerator, denominator) }), quantity, 'LTR')
          const product = BigInt(quantity) * BigInt(numerator)
          const isExact = product % BigInt(denominator) === 0n
          if (isExact) expect(BigInt(answer as number) * BigInt(denominator)).toBe(product)
          else expect(codeOf(answer)).toBe('items.quantity_not_exact')
        },
      ),
    )
  })
})

test('pieces and packages are counted, masses and volumes are measured', () => {
  expect(['EA', 'CA', 'PL', 'XBX', 'DZN', 'C62'].every(isCounted)).toBe(true)
  expect(['KGM', 'LBR', 'LTR', 'GLL', 'MTR', 'MTK'].some(isCounted)).toBe(false)
})
