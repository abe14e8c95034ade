/** What can be promised on days that lie ahead: stock, supply by its day, and those who wait for it. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { StockFacts } from '#domains/inventory/views/promising.ts'
import { units } from '#platform/quantity.ts'
import { daysAhead, type ItemBooks, onDay } from '../../src/processes/stock-ahead.ts'

const TODAY = '2026-03-02'
const DC1 = { location: 'DC1', reserved: 0, onHold: 0, inTransit: 0, unreconciled: 0, toldMs: null }
const facts = (count: number, waiting = 0): StockFacts => ({
  here: [{ ...DC1, available: units(count) }],
  kept: [],
  waiting: waiting > 0 ? [{ itemId: 1, channel: 'api', quantity: units(waiting) }] : [],
})
const comes = (expectedOn: string | null, count: number, location = 'DC1') => ({
  itemId: 1,
  location,
  expectedOn,
  quantity: units(count),
})
const books = (stock: StockFacts, ...supply: ItemBooks['supply']): ItemBooks => ({
  itemId: 1,
  facts: stock,
  supply,
})
const asking = { locations: ['DC1', 'DC2'] }
const on = (item: ItemBooks, day: string | undefined): number[] =>
  onDay(item, asking, { today: TODAY, on: day }).map(({ available }) => available / units(1))
const timeline = (item: ItemBooks, day?: string) =>
  daysAhead(item, asking, { today: TODAY, on: day, timeline: true }).map(({ date, rows }) => [
    date,
    ...rows.map(({ available }) => available / units(1)),
  ])

describe('on a day ahead', () => {
  const item = books(facts(10), comes('2026-03-05', 20), comes('2026-03-09', 7, 'DC2'))

  test.each([
    [undefined, [10, 0]],
    [TODAY, [10, 0]],
    ['2026-03-04', [10, 0]],
    ['2026-03-05', [30, 0]],
    ['2026-03-10', [30, 7]],
  ])('%s there is what has come by its evening', (day, expected) => {
    expect(on(item, day)).toEqual(expected)
  })

  test('there is nothing of what is late, nor of what comes on a day that nobody knows', () => {
    expect(on(books(facts(10), comes('2026-03-01', 5), comes(null, 5)), '2026-12-31')).toEqual([10, 0])
  })

  test('those who wait are given what comes before anybody new', () => {
    const waited = books(facts(0, 12), comes('2026-03-05', 8), comes('2026-03-06', 10))
    expect(timeline(waited)).toEqual([
      [TODAY, 0, 0],
      ['2026-03-05', 0, 0],
      ['2026-03-06', 6, 0],
    ])
  })

  test('what is kept for a channel comes before what others are promised', () => {
    const kept = {
      id: 1,
      itemId: 1,
      location: 'DC1',
      name: 'shop',
      kind: 'wall',
      channels: ['shop'],
    } as const
    const walled = books({ ...facts(0), kept: [{ ...kept, left: units(15) }] }, comes('2026-03-05', 20))
    const days = { today: TODAY, on: '2026-03-05' }
    const promised = (channel: string) => onDay(walled, { ...asking, channel }, days)[0]!.available
    expect([promised('shop'), promised('portal')]).toEqual([units(15), units(5)])
  })
})

test('the days begin with the one that is asked about, and each is told once', () => {
  const item = books(facts(1), comes('2026-03-05', 2), comes('2026-03-05', 3, 'DC2'), comes('2026-03-07', 4))
  expect(timeline(item)).toEqual([
    [TODAY, 1, 0],
    ['2026-03-05', 3, 3],
    ['2026-03-07', 7, 3],
  ])
  expect(timeline(item, '2026-03-06')).toEqual([
    ['2026-03-06', 3, 3],
    ['2026-03-07', 7, 3],
  ])
})

test('whatever comes and whoever waits, there is never less on a later day, and never more than stock and supply', () => {
  const day = fc.integer({ min: 1, max: 28 }).map((date) => `2026-03-${String(date).padStart(2, '0')}`)
  const supply = fc.array(
    fc.record({ day, count: fc.integer({ min: 1, max: 30 }), location: fc.constantFrom('DC1', 'DC2') }),
    { maxLength: 8 },
  )
  fc.assert(
    fc.property(supply, fc.nat(30), fc.nat(60), (coming, stock, waiting) => {
      const item = books(
        facts(stock, waiting),
        ...coming.map((one) => comes(one.day, one.count, one.location)),
      )
      const sums = timeline(item).map(([date, ...here]) => ({
        date: date as string,
        sum: (here as number[]).reduce((a, b) => a + b, 0),
      }))
      for (const [at, { date, sum }] of sums.entries()) {
        expect(sum).toBeGreaterThanOrEqual(at === 0 ? 0 : sums[at - 1]!.sum)
        const come = coming
          .filter((one) => one.day >= TODAY && one.day <= date)
          .reduce((total, { count }) => total + count, 0)
        expect(sum).toBe(Math.max(0, stock + come - waiting))
      }
    }),
  )
})

test('nor is there for any channel, whatever is kept for it and for others, and whoever of them waits', () => {
  const day = fc.integer({ min: 3, max: 9 }).map((date) => `2026-03-0${date}`)
  const place = fc.constantFrom('DC1', 'DC2')
  const channel = fc.constantFrom('shop', 'edi', 'api')
  const supply = fc.array(fc.record({ day, count: fc.integer({ min: 1, max: 30 }), location: place }), {
    maxLength: 6,
  })
  const queue = fc.array(fc.record({ channel, count: fc.integer({ min: 1, max: 30 }) }), { maxLength: 5 })
  const shares = fc.uniqueArray(
    fc.record({
      location: place,
      channel: fc.constantFrom('shop', 'edi'),
      kind: fc.constantFrom('wall' as const, 'minimum' as const),
      count: fc.nat(30),
    }),
    { maxLength: 4, selector: (one) => `${one.location} ${one.channel}` },
  )
  const given = fc.record({ supply, queue, shares, stock: fc.nat(30), asks: channel })
  fc.assert(
    fc.property(given, ({ supply: coming, queue: waiting, shares: kept, stock, asks }) => {
      const item = books(
        {
          ...facts(stock),
          kept: kept.map(({ location, channel: of, kind, count }, id) => {
            return { id, itemId: 1, location, name: of, kind, channels: [of], left: units(count) }
          }),
          waiting: waiting.map((one) => ({ itemId: 1, channel: one.channel, quantity: units(one.count) })),
        },
        ...coming.map((one) => comes(one.day, one.count, one.location)),
      )
      const asked = { ...asking, channel: asks }
      const days = daysAhead(item, asked, { today: TODAY, on: undefined, timeline: true })
      const sums = days.map(({ rows }) => rows.reduce((sum, { available }) => sum + available, 0))
      expect(sums).toEqual(sums.toSorted((x, y) => x - y))
    }),
  )
})
