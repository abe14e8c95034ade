/** From where an order is served by a profile, and what is said of the places that do not serve it. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type KeptDecision, type SourcingRules, STRATEGIES } from '#domains/inventory/contract/sourcing.ts'
import { sourceFrom } from '#domains/inventory/operations/sourcing.ts'
import { decideAgain } from '#domains/inventory/operations/sourcing-comparison.ts'
import { stockKey } from '#domains/inventory/rules.ts'
import { formatAmount } from '#platform/money.ts'
import {
  CANDIDATES_MAX,
  type Sourcing,
  type SourcingAsked,
  sourceOrder,
} from '#domains/inventory/rules/sourcing.ts'

const NETWORK = ['east', 'mid', 'west', 'north']
const RULES: Sourcing = {
  network: NETWORK,
  strategies: ['single-location'],
  tieBreakers: [],
  maxSplits: 5,
  minSplitOrderMinor: 0,
  minSplitLineMinor: 0,
  nearest: [],
  costs: [],
}

type Stock = Readonly<Record<string, readonly number[]>>
/** What is free of items 1, 2, … at each place. */
const stock = (places: Stock) =>
  new Map(
    Object.entries(places).flatMap(([location, items]) =>
      items.map((free, at): [string, number] => [stockKey(at + 1, location), free]),
    ),
  )

/** Lines want so much of items 1, 2, …; each unit is worth 10. */
const wants = (...quantities: readonly number[]) =>
  quantities.map((quantity, at) => ({ itemId: at + 1, quantity, part: 1, valueMinor: quantity * 10 }))

const ask = (rules: Partial<Sourcing>, asked: Partial<SourcingAsked>) =>
  sourceOrder({ lines: [], free: new Map(), locations: NETWORK, ...asked, rules: { ...RULES, ...rules } })

const servedFrom = (sourced: ReturnType<typeof sourceOrder>) => [
  ...new Set(sourced.allocations.flat().map(({ location }) => location)),
]
const whyNot = (sourced: ReturnType<typeof sourceOrder>, ...locations: readonly string[]) =>
  sourced.candidates.find((candidate) => candidate.locations.join() === locations.join())?.why

describe('an order is served', () => {
  const lines = wants(4, 2)

  test('from one location that has all of it before several', () => {
    const free = stock({ east: [4, 0], mid: [0, 2], west: [9, 9] })
    expect(servedFrom(ask({}, { lines, free }))).toEqual(['west'])
  })

  test('from as few as have all of it where fewest splits count, by network order among equals', () => {
    const free = stock({ east: [3, 0], mid: [1, 1], west: [1, 2], north: [0, 2] })
    expect(servedFrom(ask({ strategies: ['fewest-splits'] }, { lines, free }))).toEqual(['east', 'west'])
  })

  test('from the nearest by the list of its region, else of its country', () => {
    const nearest = [
      { shipTo: 'US', locations: ['west', 'east'] },
      { shipTo: 'US-IL', locations: ['mid', 'west'] },
    ]
    const free = stock({ east: [9, 9], mid: [9, 9], west: [9, 9] })
    const from = (shipTo: string | undefined) =>
      servedFrom(ask({ strategies: ['nearest'], nearest }, { lines, free, shipTo }))
    expect([from('US-IL'), from('US-CA'), from('US'), from(undefined)]).toEqual([
      ['mid'],
      ['west'],
      ['west'],
      ['east'],
    ])
  })

  test('from two that are cheap rather than one that is dear, where cost counts before the number', () => {
    const costs = [
      { location: 'east', perShipmentMinor: 300, perLineMinor: 10 },
      { location: 'mid', perShipmentMinor: 300, perLineMinor: 10 },
      { location: 'west', perShipmentMinor: 900, perLineMinor: 0 },
    ]
    const free = stock({ east: [4, 0], mid: [0, 2], west: [4, 2] })
    const cheap = ask({ strategies: ['lowest-cost'], costs }, { lines, free })
    expect(servedFrom(cheap)).toEqual(['east', 'mid'])
    expect(whyNot(cheap, 'west')).toBe('lowest-cost: 620 against 900')
    const single = ask({ strategies: ['single-location', 'lowest-cost'], costs }, { lines, free })
    expect(servedFrom(single)).toEqual(['west'])
  })

  test('from where the oldest lot of the item lies', () => {
    const free = stock({ east: [9], mid: [9], west: [9] })
    const lotsSince = new Map([
      [stockKey(1, 'east'), new Date('2026-03-02')],
      [stockKey(1, 'west'), new Date('2026-02-01')],
    ])
    const asked = { lines: wants(4), free, lotsSince }
    expect(servedFrom(ask({ strategies: ['oldest-lot'] }, asked))).toEqual(['west'])
  })

  test('among equals from where the most or the least is left', () => {
    const free = stock({ east: [5], mid: [7], west: [6] })
    const by = (breaker: 'most-stock' | 'least-stock') =>
      servedFrom(ask({ network: ['west', 'east', 'mid'], tieBreakers: [breaker] }, { lines: wants(4), free }))
    expect([by('most-stock'), by('least-stock')]).toEqual([['mid'], ['east']])
  })
})

describe('an order is not split', () => {
  const free = stock({ east: [4, 0, 1], mid: [0, 3, 1], west: [0, 0, 5] })

  test('more often than it may be, and what more splits would serve is named', () => {
    const sourced = ask({ maxSplits: 1 }, { lines: wants(4, 3, 5), free })
    expect(servedFrom(sourced)).toHaveLength(2)
    expect(whyNot(sourced, 'east', 'mid', 'west')).toBe('more than 1 split')
  })

  test('where it is worth too little', () => {
    const asked = { lines: wants(4, 3), free }
    expect(servedFrom(ask({ minSplitOrderMinor: 70 }, asked))).toEqual(['east', 'mid'])
    const small = ask({ minSplitOrderMinor: 71 }, asked)
    expect(servedFrom(small)).toEqual(['east'])
    expect(whyNot(small, 'east', 'mid')).toBe('the order is worth less than what may be split')
  })

  test('beyond the places that something of it is kept at already', () => {
    const asked = { lines: wants(4), free, used: ['mid', 'west'] }
    expect(servedFrom(ask({ maxSplits: 2 }, asked))).toEqual(['east'])
    expect(servedFrom(ask({ maxSplits: 1 }, asked))).toEqual([])
  })
})

test('a line that is worth too little comes from one place, the others may be split', () => {
  const free = stock({ east: [4, 4], mid: [4, 4] })
  const lines = [...wants(6), { itemId: 2, quantity: 6, part: 1, valueMinor: 59 }]
  const { allocations } = ask({ minSplitLineMinor: 60 }, { lines, free })
  expect(allocations.map((some) => some.length)).toEqual([2, 1])
})

test('why each place that has no part is not asked is said', () => {
  const free = stock({ east: [4], mid: [1], west: [4] })
  const lines = [{ ...wants(4)[0]!, part: 2, avoid: new Set(['west']) }]
  const sourced = ask({ network: ['east', 'mid', 'west'] }, { lines, free })
  expect([whyNot(sourced, 'mid'), whyNot(sourced, 'west'), whyNot(sourced, 'north')]).toEqual([
    'has no whole part of any line free',
    'a pick found too little there, and nobody has counted since',
    'is not in the network of the profile',
  ])
})

const anyAsked = fc.record({
  rules: fc.record({
    network: fc.shuffledSubarray(NETWORK, { minLength: 1 }),
    strategies: fc.shuffledSubarray([...STRATEGIES]),
    tieBreakers: fc.subarray(['most-stock', 'least-stock'] as const, { maxLength: 1 }),
    maxSplits: fc.integer({ min: 0, max: 3 }),
    minSplitOrderMinor: fc.integer({ min: 0, max: 300 }),
    minSplitLineMinor: fc.integer({ min: 0, max: 100 }),
    nearest: fc.constant([{ shipTo: 'US', locations: ['west', 'mid'] }]),
    costs: fc.constant([{ location: 'mid', perShipmentMinor: 5, perLineMinor: 1 }]),
  }),
  lines: fc.array(
    fc.record({
      itemId: fc.integer({ min: 1, max: 3 }),
      quantity: fc.integer({ min: 1, max: 30 }),
      part: fc.integer({ min: 1, max: 6 }),
      valueMinor: fc.integer({ min: 0, max: 200 }),
      avoid: fc.option(fc.constant(new Set(['east'])), { nil: undefined }),
    }),
    { minLength: 1, maxLength: 5 },
  ),
  free: fc
    .array(
      fc.tuple(fc.integer({ min: 1, max: 3 }), fc.constantFrom(...NETWORK), fc.integer({ min: -5, max: 30 })),
    )
    .map(
      (rows) => new Map(rows.map(([item, place, free]): [string, number] => [stockKey(item, place), free])),
    ),
  shipTo: fc.constantFrom('US', undefined),
  used: fc.subarray(NETWORK, { maxLength: 2 }),
  locations: fc.constant([...NETWORK, 'elsewhere']),
})

describe('whatever the rules and the stock', () => {
  test('no more is given than is free or wanted, from allowed places and in whole parts', () => {
    fc.assert(
      fc.property(anyAsked, (asked) => {
        const before = new Map(asked.free)
        const { allocations } = sourceOrder(asked)
        expect(asked.free).toEqual(before)
        for (const [at, line] of asked.lines.entries()) {
          const given = allocations[at]!.reduce((sum, { quantity }) => sum + quantity, 0)
          expect(given).toBeLessThanOrEqual(line.quantity)
          for (const { location, quantity } of allocations[at]!) {
            expect(asked.rules.network).toContain(location)
            expect(line.avoid?.has(location) ?? false).toBe(false)
            if (quantity % line.part !== 0) expect(given).toBe(line.quantity)
          }
        }
        const taken = new Map<string, number>()
        for (const [at, some] of allocations.entries()) {
          for (const { location, quantity } of some) {
            const key = stockKey(asked.lines[at]!.itemId, location)
            taken.set(key, (taken.get(key) ?? 0) + quantity)
          }
        }
        for (const [key, quantity] of taken) expect(quantity).toBeLessThanOrEqual(before.get(key) ?? 0)
      }),
    )
  })

  test('neither order nor line is split more than it may be', () => {
    fc.assert(
      fc.property(anyAsked, (asked) => {
        const { rules, lines, used } = asked
        const sourced = sourceOrder(asked)
        const served = servedFrom(sourced)
        const isSmall = lines.reduce((sum, { valueMinor }) => sum + valueMinor, 0) < rules.minSplitOrderMinor
        const most = isSmall ? 1 : rules.maxSplits + 1
        expect(served.length === 0 ? 0 : new Set([...used, ...served]).size).toBeLessThanOrEqual(most)
        const divided = lines.filter((_, at) => sourced.allocations[at]!.length > 1)
        expect(divided.filter(({ valueMinor }) => valueMinor < rules.minSplitLineMinor)).toEqual([])
      }),
    )
  })

  test('the same question has the same answer, which says of each candidate why', () => {
    fc.assert(
      fc.property(anyAsked, (asked) => {
        const sourced = sourceOrder(asked)
        expect(sourceOrder(structuredClone(asked))).toEqual(sourced)
        const chosen = sourced.candidates.filter(({ verdict }) => verdict === 'chosen')
        expect(chosen.length).toBe(servedFrom(sourced).length > 0 ? 1 : 0)
        for (const { why, valueMinor } of sourced.candidates) {
          expect(why).not.toBe('')
          if (chosen[0]) expect(valueMinor).toBeLessThanOrEqual(chosen[0].valueMinor)
        }
      }),
    )
  })
})

describe('a decision that was kept', () => {
  const decimal = (minor: number): string => formatAmount(minor, 'USD')
  const written = (rules: Sourcing): SourcingRules => ({
    ...rules,
    network: [...rules.network],
    strategies: [...rules.strategies],
    tieBreakers: [...rules.tieBreakers],
    minSplitOrder: decimal(rules.minSplitOrderMinor),
    minSplitLine: decimal(rules.minSplitLineMinor),
    nearest: rules.nearest.map((entry) => ({ ...entry, locations: [...entry.locations] })),
    costs: rules.costs.map(({ location, perShipmentMinor, perLineMinor }) => ({
      location,
      perShipment: decimal(perShipmentMinor),
      perLine: decimal(perLineMinor),
    })),
  })
  const since = fc.constantFrom(undefined, new Date('2026-01-01'), new Date('2026-02-01'))
  const anyLots = fc
    .array(fc.tuple(fc.integer({ min: 1, max: 3 }), fc.constantFrom(...NETWORK), since))
    .map((rows) => new Map(rows.flatMap(([item, at, day]) => (day ? [[stockKey(item, at), day]] : []))))

  test('is the same when it is taken again by the rules that took it', () => {
    fc.assert(
      fc.property(anyAsked, anyLots, ({ rules, lines, free, shipTo, used, locations }, lotsSince) => {
        const numbered = lines.map((line, at) => ({
          ...line,
          line: String(at + 1),
          sku: `SKU-${line.itemId}`,
        }))
        const common = { rules: written(rules), currency: 'USD', shipTo, locations }
        const asked = { ...common, lines: numbered, free: new Map(free), lotsSince, orderMinor: 250, used }
        const kept = JSON.parse(JSON.stringify(sourceFrom(asked).decision)) as KeptDecision
        const again = decideAgain(kept, common)!
        expect(again.isChanged).toBe(false)
        expect(again.after).toEqual(again.before)
      }),
    )
  })

  test('cannot be taken again where nothing was kept of what was free, or of lots where they count', () => {
    const lines = wants(4).map((line) => ({ ...line, line: '1', sku: 'SKU-1' }))
    const common = { rules: written(RULES), currency: 'USD', locations: NETWORK, shipTo: undefined }
    const { decision } = sourceFrom({ ...common, lines, free: stock({ east: [9] }) })
    const lots = { ...common, rules: { ...common.rules, strategies: ['oldest-lot' as const] } }
    expect([decideAgain(decision, common)?.isChanged, decideAgain(decision, lots)]).toEqual([
      false,
      undefined,
    ])
    const older = { ...decision, lines: decision.lines.map(({ free: _, ...line }) => line) }
    expect(decideAgain(older, common)).toBeUndefined()
  })
})

test('of many places only so many combinations are looked at, the preferred ones', () => {
  const network = Array.from({ length: 20 }, (_, at) => `place-${at}`)
  const free = new Map(network.map((place): [string, number] => [stockKey(1, place), 1]))
  const sourced = ask({ network, strategies: ['lowest-cost'] }, { lines: wants(6), free, locations: network })
  expect(sourced.looked).toBeLessThanOrEqual(CANDIDATES_MAX + 1)
  expect(servedFrom(sourced)).toContain('place-0')
})
