/** Whom what there is too little of goes to: who may take from whom, and that nothing is made or lost by it. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Kept, KeptKind } from '#domains/inventory/contract.ts'
import { CLASSES, type DemandClass } from '#domains/inventory/contract/backorder-runs.ts'
import { stockKey } from '#domains/inventory/rules.ts'
import { ChannelStock } from '#domains/inventory/rules/channel-stock.ts'
import { ShelfLives } from '#domains/inventory/rules/shelf-life.ts'
import { type Demand, redistribute, shiftAll } from '#domains/inventory/rules/redistribute.ts'

const [NEAR, FAR] = ['near', 'far']
const LOCATIONS = [NEAR, FAR]
let docs = 0
const demand = (
  name: DemandClass,
  waiting: number,
  kept: Record<string, number> = {},
  more: Partial<Demand> = {},
): Demand => ({
  doc: ++docs,
  line: 1,
  channel: 'api',
  class: name,
  waiting,
  kept: new Map(Object.entries(kept)),
  part: 1,
  whole: false,
  minimumShelfLifeDays: null,
  ...more,
})
const ITEM = 1
const stockOf = (free: Record<string, number>, kept: readonly Kept[] = []) =>
  new ChannelStock({
    free: new Map(Object.entries(free).map(([place, here]) => [stockKey(ITEM, place), here])),
    kept,
  })
const run = (demands: readonly Demand[], free: Record<string, number> = {}, kept: readonly Kept[] = []) =>
  redistribute({ demands, itemId: ITEM, stock: stockOf(free, kept), locations: LOCATIONS }).map(
    ({ demand: { class: name }, location, quantity }) => [name, location, quantity],
  )
const keptFor = (kind: KeptKind, channel: string, left: number): Kept => {
  return { id: 1, itemId: ITEM, location: 'near', name: channel, kind, channels: [channel], left }
}

describe('who wins', () => {
  test('has what is free before anybody gives', () => {
    expect(run([demand('win', 5), demand('lose', 0, { near: 9 })], { far: 5 })).toEqual([['win', FAR, 5]])
  })

  test('takes from who loses first, then from who is to keep what others do not need, and no more than it wants', () => {
    const demands = [demand('fill', 0, { near: 9 }), demand('lose', 0, { far: 4 }), demand('win', 6)]
    expect(run(demands)).toEqual([
      ['lose', FAR, -4],
      ['fill', NEAR, -2],
      ['win', NEAR, 2],
      ['win', FAR, 4],
    ])
  })

  test('takes nothing of who gains or wins', () => {
    expect(run([demand('win', 5), demand('win', 0, { near: 9 }), demand('gain', 0, { near: 9 })])).toEqual([])
  })

  test('has whole ordered units alone, and what must be whole is given whole or not at all', () => {
    const lose = () => demand('lose', 0, { near: 17 })
    expect(run([demand('win', 24, {}, { part: 12 }), lose()])).toEqual([
      ['lose', NEAR, -12],
      ['win', NEAR, 12],
    ])
    expect(run([demand('win', 24, {}, { part: 12, whole: true }), lose()])).toEqual([])
  })
})

test.each([
  ['gain', 'improve', true],
  ['improve', 'redistribute', true],
  ['improve', 'gain', false],
  ['redistribute', 'fill', true],
  ['redistribute', 'improve', false],
  ['fill', 'lose', false],
  ['lose', 'lose', false],
] as const)('%s takes from %s: %s', (taker, giver, takes) => {
  expect(run([demand(taker, 3), demand(giver, 0, { near: 3 })]).length > 0).toBe(takes)
})

test('of those that are redistributed who ranks higher takes from who ranks lower, never the other way', () => {
  const [high, low] = [demand('redistribute', 3), demand('redistribute', 0, { near: 3 })]
  expect(run([high, low])).toEqual([
    ['redistribute', NEAR, -3],
    ['redistribute', NEAR, 3],
  ])
  expect(run([low, high])).toEqual([])
})

describe('where something is kept for a channel', () => {
  test('a winner has what is kept for his own, and nothing of what is kept for another', () => {
    const own = () => demand('win', 5, {}, { channel: 'edi' })
    const lose = () => demand('lose', 0, { near: 9 })
    expect(run([own(), lose()], { near: 4 }, [keptFor('minimum', 'edi', 4)])).toEqual([
      ['lose', NEAR, -1],
      ['win', NEAR, 5],
    ])
    expect(run([own(), lose()], { near: 4 }, [keptFor('minimum', 'shop', 4)])).toEqual([
      ['lose', NEAR, -5],
      ['win', NEAR, 5],
    ])
    expect(run([own()], { near: 4 }, [keptFor('minimum', 'shop', 4)])).toEqual([])
  })

  test('a wall lets nothing in and nothing out', () => {
    const walled = (name: DemandClass, waiting: number, here: Record<string, number> = {}) =>
      demand(name, waiting, here, { channel: 'edi' })
    const wall = [keptFor('wall', 'edi', 0)]
    expect(run([walled('win', 5), demand('lose', 0, { near: 9 })], { near: 9 }, wall)).toEqual([])
    expect(run([demand('win', 5), walled('lose', 0, { near: 9 })], {}, wall)).toEqual([])
    expect(run([walled('win', 5), walled('lose', 0, { near: 9 })], {}, wall)).toEqual([
      ['lose', NEAR, -5],
      ['win', NEAR, 5],
    ])
  })
})

describe('where lines want goods to live long', () => {
  const living = (free: Record<string, number>, lots: Lot[], demands: readonly Demand[]) => {
    const stock = stockOf(free)
    stock.countLives(livesOf(lots, demands))
    return redistribute({ demands, itemId: ITEM, stock, locations: LOCATIONS })
  }
  type Lot = { readonly location: string; readonly days: number; readonly quantity: number }
  const livesOf = (lots: readonly Lot[], demands: readonly Demand[]): ShelfLives =>
    new ShelfLives(
      lots.map((lot) => ({ itemId: ITEM, ...lot })),
      demands.flatMap(({ kept, minimumShelfLifeDays: days }) =>
        days === null
          ? []
          : [...kept].map(([location, quantity]) => ({ itemId: ITEM, location, days, quantity })),
      ),
    )
  const moved = (shifts: ReturnType<typeof living>) =>
    shifts.map(({ demand: { class: name }, location, quantity }) => [name, location, quantity])

  test('a winner has of what others give what lives long enough, and takes what was free for the others', () => {
    const win = demand('win', 6, {}, { minimumShelfLifeDays: 60 })
    const lots = [
      { location: NEAR, days: 90, quantity: 4 },
      { location: NEAR, days: 10, quantity: 8 },
    ]
    expect(moved(living({ near: 3 }, lots, [win, demand('lose', 0, { near: 9 })]))).toEqual([
      ['lose', NEAR, -1],
      ['win', NEAR, 4],
    ])
  })

  test('takes it from who wants it too where no other has it, and leaves who could not use it what he has', () => {
    const wanting = { minimumShelfLifeDays: 60 }
    const demands = [
      demand('win', 5, {}, wanting),
      demand('fill', 0, { near: 5 }, wanting),
      demand('lose', 0, { near: 5 }),
    ]
    const lots = [{ location: NEAR, days: 60, quantity: 5 }]
    expect(moved(living({}, lots, demands))).toEqual([
      ['fill', NEAR, -5],
      ['win', NEAR, 5],
    ])
  })

  test('whoever gains, all that is kept then can be served by lots that live long enough, as far as it could before', () => {
    const days = fc.option(fc.constantFrom(1, 2, 3))
    const anyDemand = fc
      .record({
        class: fc.constantFrom(...CLASSES),
        waiting: fc.nat(12),
        near: fc.nat(12),
        part: fc.integer({ min: 1, max: 4 }),
        whole: fc.boolean(),
        minimumShelfLifeDays: days,
      })
      .map(({ class: name, waiting, near, ...more }) => demand(name, waiting, near > 0 ? { near } : {}, more))
    const anyLot = fc.record({ location: fc.constant(NEAR), days: fc.nat(4), quantity: fc.nat(15) })
    const slack = (lots: readonly Lot[], claims: readonly { days: number | null; quantity: number }[]) =>
      [1, 2, 3].map((limit) => {
        const sum = (some: readonly { days: number | null; quantity: number }[]) =>
          some.reduce((total, one) => ((one.days ?? 0) >= limit ? total + one.quantity : total), 0)
        return sum(lots) - sum(claims)
      })
    fc.assert(
      fc.property(
        fc.array(anyDemand, { maxLength: 8 }),
        fc.array(anyLot, { maxLength: 4 }),
        fc.nat(10),
        (demands, lots, near) => {
          const shifts = living({ near }, lots, demands)
          const kept = demands.map((one) => ({
            days: one.minimumShelfLifeDays,
            quantity: one.kept.get(NEAR) ?? 0,
          }))
          const changes = shifts.map(({ demand: one, quantity }) => ({
            days: one.minimumShelfLifeDays,
            quantity,
          }))
          const [before, after] = [slack(lots, kept), slack(lots, [...kept, ...changes])]
          for (const [at, left] of after.entries())
            expect(left).toBeGreaterThanOrEqual(Math.min(0, before[at]!))
          const stock = stockOf({ near })
          stock.countLives(livesOf(lots, demands))
          const steps = shifts.map((shift) => ({ ...shift.demand, ...shift }))
          expect(shiftAll(stock, ITEM, steps).size).toBe(steps.filter(({ quantity }) => quantity > 0).length)
        },
      ),
    )
  })
})

test('whatever is asked, nothing is made or lost, nobody gives what he has not, and no class gains that may not', () => {
  const anyDemand = fc
    .record({
      class: fc.constantFrom(...CLASSES),
      waiting: fc.integer({ min: 0, max: 20 }),
      near: fc.integer({ min: 0, max: 20 }),
      far: fc.integer({ min: 0, max: 20 }),
      part: fc.integer({ min: 1, max: 5 }),
      whole: fc.boolean(),
      channel: fc.constantFrom('api', 'edi', 'shop'),
    })
    .map(({ class: name, waiting, near, far, ...more }) => {
      const kept = Object.fromEntries(Object.entries({ near, far }).filter(([, here]) => here > 0))
      return demand(name, waiting, kept, more)
    })
  const anyFree = fc.record({ near: fc.integer({ min: -5, max: 10 }), far: fc.integer({ min: -5, max: 10 }) })
  const anyKept = fc
    .record({ kind: fc.constantFrom<KeptKind>('minimum', 'wall'), edi: fc.nat(8), shop: fc.nat(8) })
    .map(({ kind, edi, shop }) => [keptFor(kind, 'edi', edi), { ...keptFor('minimum', 'shop', shop), id: 2 }])
  fc.assert(
    fc.property(fc.array(anyDemand, { maxLength: 8 }), anyFree, anyKept, (demands, free, kept) => {
      const before = stockOf(free, kept)
      const shifts = redistribute({ demands, itemId: ITEM, stock: before.copy(), locations: LOCATIONS })
      const after = before.copy()
      const steps = shifts.map((shift) => ({
        ...shift,
        channel: shift.demand.channel,
        minimumShelfLifeDays: null,
      }))
      const gains = shiftAll(after, ITEM, steps)
      expect([...gains.keys()]).toEqual(steps.filter(({ quantity }) => quantity > 0))
      for (const {
        channels: [channel],
        left,
      } of kept) {
        const mine = shifts.some(({ demand: one, quantity }) => one.channel === channel && quantity > 0)
        const there = Math.min(
          left,
          Math.max(0, free.near - kept.reduce((sum, one) => sum + one.left, -left)),
        )
        if (!mine) expect(after.at(channel, ITEM, 'near')).toBeGreaterThanOrEqual(there)
      }
      for (const location of LOCATIONS) {
        const net = shifts.reduce((sum, one) => (one.location === location ? sum + one.quantity : sum), 0)
        expect(net).toBeLessThanOrEqual(Math.max(0, free[location as 'near' | 'far']))
      }
      for (const one of demands) {
        const mine = shifts.filter((shift) => shift.demand === one)
        const gained = mine.reduce((sum, { quantity }) => sum + quantity, 0)
        expect(gained).toBeLessThanOrEqual(one.waiting)
        for (const { location, quantity } of mine)
          expect(-quantity).toBeLessThanOrEqual(one.kept.get(location) ?? 0)
        if (one.class === 'win' || one.class === 'gain') expect(gained).toBeGreaterThanOrEqual(0)
        if (one.class === 'fill' || one.class === 'lose') expect(gained).toBeLessThanOrEqual(0)
        if (one.whole && gained > 0) expect(gained).toBe(one.waiting)
      }
    }),
  )
})
