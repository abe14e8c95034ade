/** Reading fields by hand: what is right passes exactly, what is not is told with its place. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  amountOf,
  type Fields,
  fieldsOf,
  filledText,
  instant,
  integer,
  list,
  listOf,
  number,
  optionalText,
  quantity,
  quantityNumber,
  quantityOf,
  text,
  truth,
  Unexpected,
} from '#platform/fields.ts'

test('a quantity goes out as a number and comes back as it was', () => {
  fc.assert(
    fc.property(fc.integer({ min: -100_000_000_000, max: 100_000_000_000 }), (exact) => {
      const read = JSON.parse(JSON.stringify({ qty: quantityNumber(exact) })) as Fields
      expect(quantity(read, 'qty')).toBe(exact)
    }),
  )
})

test.each([
  ['a text that is a number', () => text({ a: 1 }, 'a'), 'a is not a text'],
  ['a text that is missing', () => text({}, 'a'), 'a is missing'],
  ['an empty text that must say something', () => filledText({ a: '' }, 'a'), 'a is empty'],
  ['a number that is a text', () => number({ a: '1' }, 'a'), 'a is not a number'],
  ['a broken whole number', () => integer({ a: 1.5 }, 'a'), 'a is not a whole number'],
  ['a whole number beyond the exact ones', () => integer({ a: 2 ** 53 }, 'a'), 'a is not a whole number'],
  ['a truth that is a text', () => truth({ a: 'true' }, 'a'), 'a is not true or false'],
  ['a list that is an object', () => list({ a: {} }, 'a'), 'a is not a list'],
  ['an object that is a list', () => fieldsOf([]), 'the body is not an object'],
  ['an object that is nothing', () => fieldsOf(null, 'order'), 'order is not an object'],
  [
    'a local time',
    () => instant({ a: '2026-11-02T08:00:00' }, 'a'),
    'a is not an instant: "2026-11-02T08:00:00"',
  ],
  [
    'a day that is none',
    () => instant({ a: '2026-13-02T08:00:00Z' }, 'a'),
    'a is not an instant: "2026-13-02T08:00:00Z"',
  ],
  [
    'a fifth decimal',
    () => quantity({ a: 0.00001 }, 'a'),
    'a is not a quantity with at most four places: 0.00001',
  ],
  ['half a cent', () => amountOf('1.005', 'USD', 'price'), /^price: /],
  ['a comma', () => quantityOf('1,5', 'qty'), /^qty: /],
])('%s is unexpected', (_, read, message) => {
  expect(read).toThrow(Unexpected)
  expect(read).toThrow(message)
})

test('null, empty and absent are all nothing said', () => {
  const fields = { a: null, b: '', c: 'x' }
  expect(['a', 'b', 'c', 'd'].map((name) => optionalText(fields, name))).toEqual([
    undefined,
    undefined,
    'x',
    undefined,
  ])
})

test('the place of a bad entry of a list is told', () => {
  const read = () => listOf({ rows: [{ sku: 'a' }, { sku: 1 }] }, 'rows', (row) => text(row, 'sku'))
  expect(read).toThrow('rows/1: sku is not a text')
  expect(() => listOf({ rows: ['a'] }, 'rows', (row) => row)).toThrow('rows/0: the entry is not an object')
})

test('a bug while a list is read stays a bug', () => {
  const broken = () =>
    listOf({ rows: [{}] }, 'rows', () => {
      throw new TypeError('ours')
    })
  expect(broken).toThrow(TypeError)
})
