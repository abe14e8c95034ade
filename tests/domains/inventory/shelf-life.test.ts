/** How much of lots may be claimed by who wants them to live for long; the rule alone. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type FreeStock, stockKey } from '#domains/inventory/rules.ts'
import { ShelfLives } from '#domains/inventory/rules/shelf-life.ts'

const ITEM = 1
const PLACES = ['NORTH', 'SOUTH']

const days = fc.integer({ min: 0, max: 5 })
const location = fc.constantFrom(...PLACES)
const quantity = fc.integer({ min: 1, max: 20 })
const lots = fc.array(fc.record({ itemId: fc.constant(ITEM), location, days, quantity }), { maxLength: 6 })
/** Without days any lot will do. */
const wishes = fc.array(fc.record({ location, quantity, days: fc.option(days) }), { maxLength: 12 })
/** What is there and known by no lot. */
const loose = fc.record({ NORTH: fc.nat(10), SOUTH: fc.nat(10) })

type Lot = { readonly location: string; readonly days: number; readonly quantity: number }
type Wish = { readonly location: string; readonly quantity: number; readonly days: number | null }

/** Unit by unit, by augmenting paths: how many of these can be served together. */
function served(stock: readonly Lot[], claims: readonly Wish[]): number {
  const units = stock.flatMap((lot) => Array.from({ length: lot.quantity }, () => lot))
  const wants = claims.flatMap((claim) => Array.from({ length: claim.quantity }, () => claim))
  const takenBy = new Map<number, number>()
  const find = (want: number, seen: Set<number>): boolean =>
    units.some((unit, at) => {
      const { location: place, days: least } = wants[want]!
      if (unit.location !== place || unit.days < (least ?? -1) || seen.has(at)) return false
      seen.add(at)
      const before = takenBy.get(at)
      if (before !== undefined && !find(before, seen)) return false
      takenBy.set(at, want)
      return true
    })
  return wants.filter((_, want) => find(want, new Set())).length
}

const UNKNOWN = -1
const stockOf = (known: readonly Lot[], unknown: Record<string, number>): Lot[] => [
  ...known,
  ...PLACES.map((place) => ({ location: place, days: UNKNOWN, quantity: unknown[place]! })),
]
const freeOf = (stock: readonly Lot[]): FreeStock =>
  new Map(
    PLACES.map((place) => [
      stockKey(ITEM, place),
      stock.filter((lot) => lot.location === place).reduce((sum, lot) => sum + lot.quantity, 0),
    ]),
  )

/** Gives each what it can have, in their order, as orders are given it. */
function grantAll(
  known: readonly (Lot & { itemId: number })[],
  free: FreeStock,
  asked: readonly Wish[],
): Wish[] {
  const lives = new ShelfLives(known, [])
  return asked.map((wish) => {
    const key = stockKey(ITEM, wish.location)
    const here = free.get(key)!
    const most = wish.days === null ? here : Math.min(here, lives.at(ITEM, wish.location, wish.days))
    const granted = Math.min(wish.quantity, most)
    free.set(key, here - granted)
    if (wish.days !== null) lives.claim({ itemId: ITEM, ...wish, days: wish.days, quantity: granted })
    return { ...wish, quantity: granted }
  })
}

const total = (some: readonly Wish[]): number => some.reduce((sum, one) => sum + one.quantity, 0)

describe('claims on lots that live long enough', () => {
  test('all that is granted can be served at once, each from a lot that it may have', () => {
    fc.assert(
      fc.property(lots, loose, wishes, (known, unknown, asked) => {
        const stock = stockOf(known, unknown)
        const granted = grantAll(known, freeOf(stock), asked)
        expect(served(stock, granted)).toBe(total(granted))
      }),
      { numRuns: 300 },
    )
  })

  test('nobody is refused a unit that could be served beside what was granted before', () => {
    fc.assert(
      fc.property(lots, loose, wishes, (known, unknown, asked) => {
        const stock = stockOf(known, unknown)
        const granted = grantAll(known, freeOf(stock), asked)
        const refused = asked.findIndex((wish, at) => granted[at]!.quantity < wish.quantity)
        if (refused < 0) return
        const before = granted.slice(0, refused + 1)
        const more = { ...asked[refused]!, quantity: 1 }
        expect(served(stock, [...before, more])).toBe(total(before))
      }),
      { numRuns: 300 },
    )
  })

  test.each([
    [90, 25],
    [60, 25],
    [30, 45],
    [0, 45],
  ])(
    'who wants %i days has %i of 40 with 90 days and 20 with 30, of which another has claimed 15 for 60',
    (wanted, most) => {
      const known = [
        { itemId: ITEM, location: 'NORTH', days: 90, quantity: 40 },
        { itemId: ITEM, location: 'NORTH', days: 30, quantity: 20 },
      ]
      const lives = new ShelfLives(known, [{ itemId: ITEM, location: 'NORTH', days: 60, quantity: 15 }])
      expect(lives.at(ITEM, 'NORTH', wanted)).toBe(most)
      expect(lives.at(ITEM, 'SOUTH', wanted)).toBe(0)
    },
  )
})
