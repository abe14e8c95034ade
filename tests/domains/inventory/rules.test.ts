/** How stock is shared out. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  allocate,
  coverable,
  type FreeStock,
  setAside,
  stockKey,
  type WantedLine,
} from '#domains/inventory/rules.ts'

const NEAR = 'near'
const FAR = 'far'
const LOCATIONS = [NEAR, FAR, 'farthest']

const stock = (rows: readonly (readonly [itemId: number, location: string, free: number])[]): FreeStock =>
  new Map(rows.map(([itemId, location, free]) => [stockKey(itemId, location), free]))

const itemId = fc.integer({ min: 1, max: 4 })
/** Free stock may be minus where more left than the books had. */
const anyStock = fc
  .array(fc.tuple(itemId, fc.constantFrom(...LOCATIONS), fc.integer({ min: -20, max: 100 })), {
    maxLength: 12,
  })
  .map(stock)
const anyLines = fc.array(fc.record({ itemId, quantity: fc.integer({ min: 1, max: 80 }) }), {
  minLength: 1,
  maxLength: 6,
})

const total = (allocations: readonly { readonly quantity: number }[]): number =>
  allocations.reduce((sum, { quantity }) => sum + quantity, 0)

function takenFrom(lines: readonly WantedLine[], given: ReturnType<typeof allocate>, key: string): number {
  return lines.reduce((sum, line, place) => {
    const here = given[place]!.filter(({ location }) => stockKey(line.itemId, location) === key)
    return sum + total(here)
  }, 0)
}

describe('an order is given', () => {
  test('all of it from the first location that can serve it whole, not the first that has some', () => {
    const free = stock([
      [1, NEAR, 10],
      [2, NEAR, 1],
      [1, FAR, 10],
      [2, FAR, 5],
    ])
    const lines = [
      { itemId: 1, quantity: 8 },
      { itemId: 2, quantity: 2 },
    ]
    expect(allocate(free, lines, LOCATIONS)).toEqual([
      [{ location: FAR, quantity: 8 }],
      [{ location: FAR, quantity: 2 }],
    ])
    expect(free.get(stockKey(1, NEAR))).toBe(10)
  })

  test('parts from several in the order of preference where none can serve it whole', () => {
    const free = stock([
      [1, NEAR, 3],
      [1, FAR, 4],
    ])
    expect(allocate(free, [{ itemId: 1, quantity: 9 }], LOCATIONS)).toEqual([
      [
        { location: NEAR, quantity: 3 },
        { location: FAR, quantity: 4 },
      ],
    ])
  })

  test('nothing from a location that only two of its lines apart could be served from', () => {
    const free = stock([
      [1, NEAR, 5],
      [1, FAR, 8],
    ])
    const lines = [
      { itemId: 1, quantity: 4 },
      { itemId: 1, quantity: 4 },
    ]
    expect(
      allocate(free, lines, LOCATIONS)
        .flat()
        .map(({ location }) => location),
    ).toEqual([FAR, FAR])
  })

  test('never more than it wants, never more than is free, and never a part of nothing', () => {
    fc.assert(
      fc.property(anyStock, anyLines, (free, lines) => {
        const before = new Map(free)
        const given = allocate(free, lines, LOCATIONS)
        lines.forEach((line, place) => {
          expect(total(given[place]!)).toBeLessThanOrEqual(line.quantity)
          for (const { quantity } of given[place]!) expect(quantity).toBeGreaterThan(0)
        })
        for (const [key, was] of before) {
          const taken = takenFrom(lines, given, key)
          expect(taken).toBeLessThanOrEqual(Math.max(0, was))
          expect(free.get(key)).toBe(was - taken)
        }
      }),
    )
  })

  test('all it wants from one location exactly when one has it all', () => {
    fc.assert(
      fc.property(anyStock, anyLines, (free, lines) => {
        const serves = (location: string): boolean =>
          [...Map.groupBy(lines, (line) => line.itemId)].every(
            ([item, same]) => (free.get(stockKey(item, location)) ?? 0) >= total(same),
          )
        const first = LOCATIONS.find(serves)
        const given = allocate(free, lines, LOCATIONS)
        if (first === undefined) return
        expect(given).toEqual(lines.map(({ quantity }) => [{ location: first, quantity }]))
      }),
    )
  })

  test('whole parts alone from each place, unless that is all that it lacks', () => {
    const anyPart = fc.integer({ min: 1, max: 15 })
    fc.assert(
      fc.property(anyStock, fc.integer({ min: 1, max: 200 }), anyPart, (free, quantity, part) => {
        const [given] = allocate(free, [{ itemId: 1, quantity, part }], LOCATIONS)
        const broken = given!.filter((one) => one.quantity % part !== 0)
        if (broken.length > 0) expect(total(given!)).toBe(quantity)
        expect(broken.length).toBeLessThanOrEqual(1)
        const missing = quantity - total(given!)
        for (const each of missing > 0 ? LOCATIONS : []) {
          expect(free.get(stockKey(1, each)) ?? 0).toBeLessThan(Math.min(part, missing))
        }
      }),
    )
  })

  test('as much as the listed locations have where it wants more', () => {
    fc.assert(
      fc.property(anyStock, fc.integer({ min: 1, max: 400 }), (free, quantity) => {
        const there = LOCATIONS.reduce((sum, each) => sum + Math.max(0, free.get(stockKey(1, each)) ?? 0), 0)
        const [given] = allocate(free, [{ itemId: 1, quantity }], LOCATIONS)
        expect(total(given!)).toBe(Math.min(quantity, there))
      }),
    )
  })
})

describe('what is set aside for those who wait', () => {
  test('comes from the locations in the order in which they would be given it', () => {
    const free = stock([
      [1, NEAR, 5],
      [1, FAR, 5],
    ])
    setAside(free, [{ itemId: 1, quantity: 7 }], LOCATIONS)
    expect([...free.values()]).toEqual([0, 3])
  })

  test('is what they want, or all there is, and leaves the rest alone', () => {
    const there = (free: FreeStock, item: number) =>
      LOCATIONS.reduce((sum, each) => sum + Math.max(0, free.get(stockKey(item, each)) ?? 0), 0)
    fc.assert(
      fc.property(anyStock, fc.integer({ min: 1, max: 200 }), (free, quantity) => {
        const before = [1, 2, 3, 4].map((item) => there(free, item))
        setAside(free, [{ itemId: 1, quantity }], LOCATIONS)
        expect([1, 2, 3, 4].map((item) => there(free, item))).toEqual([
          Math.max(0, before[0]! - quantity),
          ...before.slice(1),
        ])
      }),
    )
  })
})

test('a line can be covered by what one location has although another owes', () => {
  const free = stock([
    [1, NEAR, -9],
    [1, FAR, 5],
  ])
  const lines = [2, 4, 3].map((quantity) => ({ itemId: 1, quantity }))
  expect(coverable(free, lines, LOCATIONS)).toEqual([lines[0], lines[2]])
})
