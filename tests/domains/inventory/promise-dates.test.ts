/** On which day each of those who wait is promised what it waits for. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { moved, promiseDates } from '#domains/inventory/rules/promise-dates.ts'

const TODAY = '2026-03-02'
const dates = (queue: readonly number[], free: number, ...coming: readonly (readonly [string, number])[]) =>
  promiseDates({ queue, free, coming: coming.map(([on, quantity]) => ({ on, quantity })), today: TODAY })

test('the first in the queue has the earliest day, and nobody overtakes one whom supply does not reach', () => {
  const supply = [
    ['2026-03-09', 10],
    ['2026-03-05', 4],
  ] as const
  expect(dates([2, 4, 6, 3], 2, ...supply)).toEqual([TODAY, '2026-03-05', '2026-03-09', '2026-03-09'])
  expect(dates([2, 20, 1], 2, ...supply)).toEqual([TODAY, null, null])
})

test('what was to come on a day that has passed is promised to nobody', () => {
  expect(dates([5], 0, ['2026-03-01', 100])).toEqual([null])
})

test('no day is before that of who stands before, and until each day all is there that was promised for it', () => {
  const day = fc.integer({ min: 1, max: 9 }).map((of) => `2026-03-0${of}`)
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 20 }), { maxLength: 8 }),
      fc.integer({ min: -3, max: 20 }),
      fc.array(fc.tuple(day, fc.integer({ min: 1, max: 20 })), { maxLength: 6 }),
      (queue, free, coming) => {
        const promised = dates(queue, free, ...coming)
        const known = promised.filter((one) => one !== null)
        expect(promised.slice(0, known.length)).toEqual(known)
        expect(known).toEqual(known.toSorted())
        for (const until of known) {
          const there = coming.reduce(
            (sum, [on, of]) => (on >= TODAY && on <= until ? sum + of : sum),
            Math.max(0, free),
          )
          const needed = queue.reduce((sum, of, at) => (known[at]! <= until ? sum + of : sum), 0)
          expect(needed).toBeLessThanOrEqual(there)
        }
      },
    ),
  )
})

test.each([
  [null, null, '2026-03-05', { promisedOn: '2026-03-05', slippedFrom: null, slips: false }],
  ['2026-03-05', null, '2026-03-08', { promisedOn: '2026-03-08', slippedFrom: '2026-03-05', slips: true }],
  ['2026-03-08', '2026-03-05', null, { promisedOn: null, slippedFrom: '2026-03-05', slips: true }],
  [null, '2026-03-05', '2026-03-06', { promisedOn: '2026-03-06', slippedFrom: '2026-03-05', slips: false }],
  ['2026-03-06', '2026-03-05', '2026-03-05', { promisedOn: '2026-03-05', slippedFrom: null, slips: false }],
])('a promise for %s, first broken %s, that is for %s now', (promisedOn, slippedFrom, on, after) => {
  expect(moved({ promisedOn, slippedFrom }, on)).toEqual(after)
})
