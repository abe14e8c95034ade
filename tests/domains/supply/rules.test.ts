/** On which lines of a purchase order a receipt counts. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type ReceivingLine, shareOut } from '#domains/supply/rules.ts'
import { units } from '#platform/quantity.ts'
import { COMPANY, NORTH, receipt, SOUTH } from './purchases.ts'

const line = (n: number, overrides: Partial<ReceivingLine> = {}): ReceivingLine => ({
  company: COMPANY,
  number: 'P-1',
  line: n,
  itemId: 1,
  location: NORTH,
  expectedOn: '2026-03-06',
  open: units(60),
  received: 0,
  ...overrides,
})

const counted = (receipts: Parameters<typeof shareOut>[0], lines: readonly ReceivingLine[]) =>
  shareOut(receipts, lines).map((share) => [share.line, share.quantity / units(1)])

test.each([
  ['the line that it names, whatever is open of it', { line: 20 }, [[20, 90]]],
  [
    'the lines of its item where it names none, the rest on the last',
    {},
    [
      [10, 60],
      [20, 30],
    ],
  ],
  [
    'the lines of its item where the order has no such line',
    { line: 7 },
    [
      [10, 60],
      [20, 30],
    ],
  ],
])('a receipt counts on %s', (_, named, expected) => {
  const told = receipt('P-1', { purchaseOrder: { number: 'P-1', ...named }, quantity: units(90) })
  expect(counted([told], [line(10), line(20)])).toEqual(expected)
})

test('lines of its place come first, then those that are due first, then those without a date', () => {
  const lines = [
    line(10, { expectedOn: 'infinity' }),
    line(20, { location: SOUTH, expectedOn: '2026-03-01' }),
    line(30, { expectedOn: '2026-03-09' }),
    line(40, { expectedOn: '2026-03-05' }),
  ]
  expect(counted([receipt('P-1', { quantity: units(250) })], lines)).toEqual([
    [40, 60],
    [30, 60],
    [10, 60],
    [20, 70],
  ])
})

test('a line of another item is never received, also where the warehouse names it', () => {
  const told = receipt('P-1', { purchaseOrder: { number: 'P-1', line: 10 }, itemId: 2 })
  expect(counted([told], [line(10)])).toEqual([[0, 10]])
})

test('a receipt of an order that is not there, or that names none, stands on no line', () => {
  const blind = receipt('P-1', { purchaseOrder: undefined })
  expect(counted([receipt('P-2'), blind], [line(10)])).toEqual([
    [0, 10],
    [0, 10],
  ])
})

test('receipts of one list see each other, and nothing of what was received is lost or made', () => {
  const amounts = fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 6 })
  const opens = fc.array(fc.integer({ min: 0, max: 100 }), { minLength: 1, maxLength: 5 })
  fc.assert(
    fc.property(amounts, opens, (received, open) => {
      const lines = open.map((one, n) => line(n + 1, { open: one }))
      const shares = shareOut(
        received.map((quantity) => receipt('P-1', { quantity })),
        lines,
      )
      const sum = (quantities: readonly number[]) => quantities.reduce((total, one) => total + one, 0)
      expect(sum(shares.map(({ quantity }) => quantity))).toBe(sum(received))
      const beyond = lines.filter((one) => {
        const mine = shares.filter((share) => share.line === one.line)
        return sum(mine.map(({ quantity }) => quantity)) > one.open
      })
      // more than is open stands on the last line alone, and only when nothing is open any more
      expect(beyond.every((one) => one === lines.at(-1))).toBe(true)
      expect(beyond.length > 0).toBe(sum(received) > sum(open))
    }),
  )
})

test('what is taken back comes off the lines that received it, the last first, and the rest stands on no line', () => {
  const lines = [line(10, { received: units(30) }), line(20, { received: units(5) })]
  const takenBack = receipt('P-1', { quantity: -units(40) })
  expect(counted([takenBack], lines)).toEqual([
    [20, -5],
    [10, -30],
    [0, -5],
  ])
  expect(counted([receipt('P-2', { quantity: -units(3) })], lines)).toEqual([[0, -3]])
})

test('what is taken back in the list that brings it finds it, whichever of the two stands first', () => {
  const [came, back] = [receipt('P-1', { quantity: units(8) }), receipt('P-1', { quantity: -units(8) })]
  expect(counted([back, came], [line(10)])).toEqual([
    [10, 8],
    [10, -8],
  ])
})
