/** On which day each of those who wait is promised what it waits for. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Kept, KeptKind } from '#domains/inventory/contract.ts'
import { stockKey } from '#domains/inventory/rules.ts'
import { ChannelStock } from '#domains/inventory/rules/channel-stock.ts'
import { datesOf, moved, promiseDates } from '#domains/inventory/rules/promise-dates.ts'
import { ShelfLives } from '#domains/inventory/rules/shelf-life.ts'

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

const kept = (kind: KeptKind, channel: string, left: number): Kept => {
  return { id: 1, itemId: 1, location: 'here', name: channel, kind, channels: [channel], left }
}
type Waits = readonly [channel: string, quantity: number]
const datesHere = (queue: readonly Waits[], keeps: Kept, ...coming: readonly (readonly [string, number])[]) =>
  datesOf({
    itemId: 1,
    queue: queue.map(([channel, quantity]) => ({ channel, quantity })),
    stock: new ChannelStock({ free: new Map([[stockKey(1, 'here'), 1]]), kept: [keeps] }),
    coming: coming.map(([on, quantity]) => ({ on, quantity, location: 'here' })),
    locations: ['here'],
    today: TODAY,
  })

test('who waits is promised what comes for his channel, past others before him', () => {
  const supply = [
    ['2026-03-09', 10],
    ['2026-03-05', 3],
    ['2026-03-01', 90],
  ] as const
  const queue: readonly Waits[] = [
    ['api', 5],
    ['edi', 1],
    ['edi', 3],
    ['api', 1],
    ['edi', 9],
  ]
  expect(datesHere(queue, kept('minimum', 'edi', 4), ...supply)).toEqual([
    '2026-03-09',
    TODAY,
    '2026-03-05',
    '2026-03-09',
    null,
  ])
  // behind the wall nothing else comes, and nobody waits for who is there
  expect(datesHere(queue, kept('wall', 'edi', 2), ...supply)).toEqual([
    '2026-03-09',
    TODAY,
    null,
    '2026-03-09',
    null,
  ])
})

test('where nothing is left of what is kept each is promised the day that he is promised without it', () => {
  const queue = fc.array(fc.tuple(fc.constantFrom('api', 'edi'), fc.integer({ min: 1, max: 20 })), {
    maxLength: 6,
  })
  const days = fc.array(fc.tuple(fc.constantFrom('2026-03-01', '2026-03-04', '2026-03-07'), fc.nat(20)), {
    maxLength: 4,
  })
  fc.assert(
    fc.property(queue, days, (waits, coming) => {
      const none = datesHere(waits, kept('safety', 'nobody', 0), ...coming)
      expect(datesHere(waits, kept('minimum', 'edi', 0), ...coming)).toEqual(none)
    }),
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

test('who wants goods to live long has what does and what comes, and nobody waits for what he cannot use', () => {
  const stock = new ChannelStock({ free: new Map([[stockKey(1, 'here'), 10]]), kept: [] })
  stock.countLives(new ShelfLives([{ itemId: 1, location: 'here', days: 90, quantity: 3 }], []))
  const waits = [
    { channel: 'api', quantity: 3, minimumShelfLifeDays: 60 },
    { channel: 'api', quantity: 4, minimumShelfLifeDays: 60 },
    { channel: 'api', quantity: 7, minimumShelfLifeDays: null },
  ]
  const coming = [{ on: '2026-03-09', quantity: 4, location: 'here' }]
  const dating = { itemId: 1, queue: waits, stock, coming, locations: ['here'], today: TODAY }
  expect(datesOf(dating)).toEqual([TODAY, '2026-03-09', TODAY])
})
