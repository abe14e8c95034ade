/** What may happen to an order, and what it is called. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { HoldType, HOLDS, orderRefusals, OrderRequest, type LineOutcome } from '#domains/orders/contract.ts'
import { worthOf } from '#domains/orders/operations.ts'
import {
  applyShippingRule,
  isTerminal,
  missingParts,
  type LineQuantities,
  outcomeOf,
  stageOf,
} from '#domains/orders/rules.ts'
import { catalogue } from '#platform/http-catalogue.ts'
import { units } from '#platform/quantity.ts'

const BUCKETS = [
  'cancelled',
  'open',
  'backordered',
  'reserved',
  'released',
  'picked',
  'packed',
  'shipped',
] as const

/** A line of which so much is in each bucket. */
function quantities(given: Partial<Record<(typeof BUCKETS)[number], number>>): LineQuantities {
  const empty = {
    cancelled: 0,
    open: 0,
    backordered: 0,
    reserved: 0,
    released: 0,
    picked: 0,
    packed: 0,
    shipped: 0,
  }
  const line = { ...empty, ...given }
  return { ...line, ordered: BUCKETS.reduce((sum, bucket) => sum + line[bucket], 0) }
}

const anyLine = fc.record(
  Object.fromEntries(BUCKETS.map((bucket) => [bucket, fc.integer({ min: 0, max: 3 })])) as Record<
    (typeof BUCKETS)[number],
    fc.Arbitrary<number>
  >,
)

describe('the stage of an order', () => {
  test.each([
    ['received', [{ open: 5 }], {}],
    ['allocated', [{ reserved: 5 }], {}],
    ['allocated', [{ reserved: 5 }, { cancelled: 2 }], {}],
    ['partially_allocated', [{ reserved: 5, backordered: 1 }], {}],
    ['partially_allocated', [{ reserved: 5 }, { backordered: 1 }], {}],
    ['backordered', [{ backordered: 5 }], {}],
    ['held', [{ reserved: 5 }], { held: true }],
    ['held', [{ released: 5 }], { held: true }],
    ['released', [{ released: 5 }, { backordered: 1 }], {}],
    ['in_fulfillment', [{ released: 1, picked: 4 }], { held: true }],
    ['in_fulfillment', [{ packed: 4 }], {}],
    ['partially_shipped', [{ shipped: 4, backordered: 1 }], { held: true }],
    ['partially_shipped', [{ shipped: 4 }, { released: 1 }], {}],
    ['shipped', [{ shipped: 4 }, { shipped: 1, cancelled: 2 }], {}],
    ['closed', [{ shipped: 4 }], { closed: true }],
    ['cancelled', [{ cancelled: 4 }], {}],
    ['cancelled', [{ cancelled: 4 }, {}], { closed: true }],
  ] as const)('is %s for %j %j', (stage, lines, axes) => {
    expect(stageOf({ held: false, closed: false, ...axes, lines: lines.map(quantities) })).toBe(stage)
  })

  test('is the same from the sums of its lines, so that a list need not read the lines', () => {
    fc.assert(
      fc.property(
        fc.array(anyLine, { minLength: 1, maxLength: 5 }),
        fc.boolean(),
        fc.boolean(),
        (given, held, closed) => {
          const lines = given.map(quantities)
          const sums = quantities(
            Object.fromEntries(
              BUCKETS.map((bucket) => [bucket, lines.reduce((sum, line) => sum + line[bucket], 0)]),
            ),
          )
          expect(stageOf({ lines: [sums], held, closed })).toBe(stageOf({ lines, held, closed }))
        },
      ),
    )
  })
})

test('a line is terminal when it is shipped or cancelled to the last unit', () => {
  expect(isTerminal(quantities({ shipped: units(3), cancelled: units(2) }))).toBe(true)
  expect(isTerminal(quantities({ shipped: units(3), packed: 1 }))).toBe(false)
  expect(isTerminal(quantities({}))).toBe(true)
})

describe('the outcome of capture', () => {
  test.each<[string, LineOutcome[], boolean]>([
    ['accepted', ['reserved', 'reserved'], false],
    ['accepted', ['reserved', 'rejected'], false],
    ['accepted-with-holds', ['reserved'], true],
    ['accepted-with-holds', ['backordered'], true],
    ['partially-allocated', ['reserved', 'backordered'], false],
    ['partially-allocated', ['partially-reserved'], false],
    ['partially-allocated', ['partially-reserved', 'backordered', 'rejected'], false],
    ['backordered', ['backordered', 'backordered'], false],
    ['backordered', ['backordered', 'rejected'], false],
    ['rejected', ['rejected'], false],
    ['rejected', ['rejected', 'rejected'], true],
  ])('is %s for lines %j, held %j', (outcome, lines, held) => {
    expect(outcomeOf(lines, held)).toBe(outcome)
  })
})

describe('what an order keeps of the stock found for it', () => {
  const short = [{ wanted: units(10), found: units(4) }]
  const whole = [{ wanted: units(10), found: units(10) }]

  test.each([
    ['ship-available', { reserve: units(4), backorder: units(6), cancel: 0 }],
    ['ship-complete', { reserve: units(4), backorder: units(6), cancel: 0 }],
    ['line-complete', { reserve: 0, backorder: units(10), cancel: 0 }],
    ['cancel-rest', { reserve: units(4), backorder: 0, cancel: units(6) }],
  ] as const)('of a short line under %s is %j', (rule, kept) => {
    expect(applyShippingRule(rule, short)).toEqual([kept])
    expect(applyShippingRule(rule, whole)).toEqual([{ reserve: units(10), backorder: 0, cancel: 0 }])
  })

  test('adds up to what it wanted under every rule and never exceeds what was found', () => {
    const rule = fc.constantFrom('ship-available', 'ship-complete', 'line-complete', 'cancel-rest' as const)
    const lines = fc.array(
      fc
        .nat({ max: 1_000 })
        .chain((wanted) => fc.record({ wanted: fc.constant(wanted), found: fc.nat({ max: wanted }) })),
    )
    fc.assert(
      fc.property(rule, lines, (each, wanted) => {
        applyShippingRule(each, wanted).forEach(({ reserve, backorder, cancel }, place) => {
          expect(reserve + backorder + cancel).toBe(wanted[place]!.wanted)
          expect(reserve).toBeLessThanOrEqual(wanted[place]!.found)
        })
      }),
    )
  })
})

describe('what part of a line is worth', () => {
  test.each([
    [{ netMinor: 100, ordered: units(3) }, units(1), 33],
    [{ netMinor: 100, ordered: units(3) }, units(2), 67],
    [{ netMinor: 5, ordered: units(2) }, units(1), 3],
    [{ netMinor: 5, ordered: units(2) }, 0, 0],
  ])('of %j for %j is %j', (line, quantity, worth) => {
    expect(worthOf(line, quantity)).toBe(worth)
  })

  test('is nothing for a rejected line, of which nothing was ordered', () => {
    expect(worthOf({ netMinor: 0, ordered: 0 }, 0)).toBe(0)
  })

  test('is exactly its price for all of it, and never more for less, also beyond what doubles can multiply', () => {
    const ordered = fc.integer({ min: 1, max: 999_999_999_999_999 })
    const lines = fc.tuple(fc.nat({ max: 9_999_999_999_999 }), ordered)
    fc.assert(
      fc.property(lines, fc.double({ min: 0, max: 1, noNaN: true }), ([netMinor, all], share) => {
        const line = { netMinor, ordered: all }
        const part = Math.min(all, Math.floor(all * share))
        expect(worthOf(line, all)).toBe(netMinor)
        expect(worthOf(line, part)).toBeLessThanOrEqual(netMinor)
        const sum = worthOf(line, part) + worthOf(line, all - part)
        expect(Math.abs(sum - netMinor)).toBeLessThanOrEqual(1)
      }),
    )
  })
})

describe('the words of orders', () => {
  test('explain every refusal with a title, a cause and a way out', () => {
    expect([...catalogue(orderRefusals).keys()]).toEqual(Object.keys(orderRefusals))
  })

  test('say for every type of hold which steps it blocks and whose desk it lies on', () => {
    expect(Object.keys(HOLDS).toSorted()).toEqual(HoldType.options.toSorted())
    for (const { blocks, owner } of Object.values(HOLDS)) {
      expect(blocks).toContain('release')
      expect(owner).not.toBe('')
    }
  })

  const request = {
    company: 'NWF',
    customer: 'C-1',
    customerOrder: 'PO-1',
    lines: [{ line: '1', sku: 'A', quantity: '1', unit: 'CA' }],
  }

  test('take an order without what the house knows better', () => {
    expect(OrderRequest.parse(request)).toEqual({ ...request, channel: 'api' })
  })

  test.each([
    ['no lines', { lines: [] }],
    ['a quantity below zero', { lines: [{ ...request.lines[0], quantity: '-1' }] }],
    ['a quantity that would be rounded', { lines: [{ ...request.lines[0], quantity: '1.00001' }] }],
    ['a quantity as a JSON number', { lines: [{ ...request.lines[0], quantity: 1 }] }],
    ['a member nobody knows', { priority: 'high' }],
  ])('take no order with %s', (_, overrides) => {
    expect(OrderRequest.safeParse({ ...request, ...overrides }).success).toBe(false)
  })
})

describe('an address', () => {
  const whole = { lines: ['12 Pier Rd'], city: 'Boston', postalCode: '02110', country: 'US' }
  test.each([
    ['nothing', whole, []],
    ['nothing where no country is told, which is ours', { ...whole, country: null }, []],
    ['nothing where the country has no postal codes', { ...whole, country: 'HK', postalCode: null }, []],
    ['a street', { ...whole, lines: [' '] }, ['a street']],
    ['a city', { ...whole, city: '' }, ['a city']],
    ['a postal code', { ...whole, postalCode: undefined }, ['a postal code']],
    ['everything', { country: 'US' }, ['a street', 'a city', 'a postal code']],
  ])('lacks %s', (_, address, missing) => {
    expect(missingParts(address)).toEqual(missing)
  })
})
