import { readdirSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { BUGS } from './bugs.ts'
import { crashPoints } from './crash-points.ts'
import { type Lane, openLane } from './lane.ts'
import { search } from './search.ts'
import { type Plan, simulate } from './simulate.ts'

const REGRESSIONS = new URL('regressions/', import.meta.url)
/** Those of the first sixteen that together meet nearly all kinds of fault; `npm run simulate` has no end of them. */
const SEEDS = [0, 1, 6, 8, 9, 13, 14].map((nth) => `fixed-${nth}`)
const planOf = (seed: string): Plan => ({ seed, mode: seed.endsWith('3') ? 'safety' : 'liveness' })
const histories = new Map<string, string>()

let lane: Lane
beforeAll(async () => {
  lane = await openLane()
})
afterAll(() => lane?.end())

test.each(SEEDS)('no invariant is broken in %s', { timeout: 60_000 }, async (seed) => {
  const { violations, orders, steps, history } = await simulate(lane, planOf(seed))
  histories.set(seed, history)
  expect(violations).toEqual([])
  expect(orders).toBeGreaterThan(0)
  expect(steps).toBeGreaterThan(100)
})

test('partners who order by EDI are told each document once', { timeout: 60_000 }, async () => {
  const { violations } = await simulate(lane, { seed: 'partners', mode: 'liveness', partners: true })
  expect(violations).toEqual([])
})

test(
  'whatever happens to stock on one day, everybody ends with the same figures',
  { timeout: 120_000 },
  async () => {
    const stock = [
      'reservations',
      'profiles',
      'counts',
      'questions',
      'supply',
      'sales',
      'silence',
      'levels',
    ] as const
    const { violations } = await simulate(lane, { seed: 'stock', mode: 'liveness', orders: 2, stock })
    expect(violations).toEqual([])
  },
)

test('whoever moves goods beside us, each unit is where it lies', { timeout: 60_000 }, async () => {
  const stock = ['runs', 'lives', 'lots', 'adjustments', 'machines', 'transfers', 'desks'] as const
  const { violations } = await simulate(lane, { seed: 'goods', mode: 'liveness', orders: 2, stock })
  expect(violations).toEqual([])
})

test('subscribers are told each event that they asked for, whatever fails', { timeout: 60_000 }, async () => {
  const own = ['error', 'busy', 'hangs', 'refuses', 'gone'].map((what) => `subscriber-${what}`)
  const kinds = [...own, 'crash', 'stop', 'answer-lost', 'request-late', 'request-twice']
  const plan = { seed: 'sub-0', mode: 'liveness', orders: 4, subscribers: 2, kinds } as const
  const { violations, faults, history } = await simulate(lane, plan)
  expect(violations).toEqual([])
  expect(own.filter((kind) => !faults.has(kind))).toEqual([])
  expect((await simulate(lane, plan)).history).toBe(history)
})

test(
  'whoever is told to stop in the middle of his work ends by himself, and nothing stands still',
  { timeout: 60_000 },
  async () => {
    const kinds = ['stop', 'crash-stopping', 'answer-slow']
    const shares = { stop: 0.01, 'crash-stopping': 0.005 }
    const plan = { seed: 'stops', mode: 'liveness', orders: 3, kinds, shares } as const
    const { violations, faults, history } = await simulate(lane, plan)
    expect(violations).toEqual([])
    expect(faults.get('stop')).toBeGreaterThan(3)
    expect(faults.get('crash-stopping')).toBeGreaterThan(0)
    expect((await simulate(lane, plan)).history).toBe(history)
  },
)

test(
  'programs that die while they migrate an empty database leave each file to others, and the day goes on',
  { timeout: 60_000 },
  async () => {
    const kinds = ['crash', 'session-ended']
    const shares = { crash: 0.01, 'session-ended': 0.01 }
    const plan = { seed: 'empty', mode: 'liveness', unmigrated: true, kinds, shares } as const
    const { violations, struck, history } = await simulate(lane, plan)
    expect(violations).toEqual([])
    expect(crashPoints(struck).K15).toBeGreaterThan(3)
    await simulate(lane, planOf('fixed-0'))
    expect((await simulate(lane, plan)).history).toBe(history)
  },
)

test(
  'a warehouse that is told and tells by X12 has the same figures as we',
  { timeout: 60_000 },
  async () => {
    const { violations } = await simulate(lane, { seed: 'x12', mode: 'liveness', orders: 4, stock: ['x12'] })
    expect(violations).toEqual([])
  },
)

test(
  'each parcel is with us where its carrier saw it last, however badly that is told',
  { timeout: 60_000 },
  async () => {
    const told = ['duplicate', 'reorder', 'delay', 'stale', 'lost', 'answer-lost']
    const kinds = [...told.map((kind) => `webhook-${kind}`), 'crash', 'session-ended']
    const plan = {
      seed: 'parcels',
      mode: 'liveness',
      orders: 5,
      cancels: 0,
      stock: ['parcels'],
      kinds,
    } as const
    const { violations, faults, history } = await simulate(lane, plan)
    expect(violations).toEqual([])
    expect(faults.get('counterpart: webhook-stale')).toBeGreaterThan(0)
    expect((await simulate(lane, plan)).history).toBe(history)
  },
)

test(
  'a parcel of which words are lost for good, also the last, is where its carrier saw it',
  { timeout: 60_000 },
  async () => {
    const { violations, faults } = await simulate(lane, {
      seed: 'parcels that are lost sight of',
      mode: 'liveness',
      orders: 5,
      cancels: 0,
      stock: ['parcels'],
      systems: ['carrier'],
      peaceAfterMs: 8_000,
      kinds: [
        'webhook-drop',
        'webhook-delay',
        'server-errors',
        'rate-limit',
        'crash',
        'answer-lost',
        'request-lost',
      ],
      shares: { 'webhook-drop': 0.5 },
    })
    expect(violations).toEqual([])
    expect(faults.get('counterpart: webhook-drop')).toBeGreaterThan(3)
  },
)

test(
  'a label is paid once and used or void, whatever fails between us, its carrier and the warehouse',
  { timeout: 60_000 },
  async () => {
    const calls = ['answer-lost', 'answer-slow', 'request-late', 'request-lost', 'request-twice']
    const told = ['duplicate', 'reorder', 'delay'].map((kind) => `webhook-${kind}`)
    const kinds = [...calls, ...told, 'outage-refused', 'no-answer-reset', 'crash', 'stall']
    const plan = {
      mode: 'liveness',
      orders: 6,
      alike: [13],
      cancels: 0.3,
      stock: ['labels'],
      kinds,
      shares: { 'answer-slow': 0.25, 'request-lost': 0.15 },
      systems: ['carrier', 'wms'],
    } as const
    const ended = new Set<string>()
    for (const seed of ['labels-4', 'labels-5']) {
      expect((await simulate(lane, { ...plan, seed })).violations).toEqual([])
      const { rows } = await lane.cluster.side.query<{ state: string }>('select state from shipments.packing')
      for (const { state } of rows) ended.add(state)
    }
    expect(ended).toEqual(new Set(['used', 'void']))
  },
)

test('the same seed has the same history, whatever ran before it', { timeout: 60_000 }, async () => {
  const historyOf = async (seed: string): Promise<string> => (await simulate(lane, planOf(seed))).history
  const [a, b] = ['fixed-6', 'fixed-13'] as const
  const before = [histories.get(b) ?? (await historyOf(b)), histories.get(a) ?? (await historyOf(a))]
  expect([await historyOf(b), await historyOf(a)]).toEqual(before)
  expect(before[0]).not.toBe(before[1])
})

test('a failing seed is shrunk to the faults that it takes', { timeout: 120_000 }, async () => {
  // A network that repeats requests on its own shows the one system that cannot tell them apart.
  const kinds = ['request-twice-unkeyed', 'client-repeats', 'stall']
  const unkeyed = (seed: number): Plan => ({ seed: `${seed}`, mode: 'liveness', kinds })
  let found = await search(lane, unkeyed(0))
  for (let seed = 1; found.violations.length === 0 && seed < 20; seed++)
    found = await search(lane, unkeyed(seed))
  const { violations, struck, shortest } = found
  expect(violations).not.toEqual([])
  expect(shortest!.plan.only!.size).toBeLessThanOrEqual(struck.length)
  expect([...shortest!.plan.only!].every((name) => name.startsWith('request-twice-unkeyed'))).toBe(true)
  const again = await simulate(lane, shortest!.plan)
  expect(again.violations).toEqual(shortest!.violations)
})

test('each bug that is planted finds its place in the product once, and there are 30 of them', () => {
  const places = BUGS.map(({ name, file, find }) => {
    const text = readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8')
    return [name, text.split(find).length - 1]
  })
  expect(places).toEqual(BUGS.map(({ name }) => [name, 1]))
  expect(new Set(BUGS.map(({ name }) => name)).size).toBeGreaterThanOrEqual(30)
})

type Kept = Omit<Plan, 'only'> & { readonly only?: readonly string[] }

const broken = readdirSync(REGRESSIONS).filter((name) => name.endsWith('.json'))

test.each(broken)('what was once broken stays mended: %s', { timeout: 60_000 }, async (name) => {
  const { only, ...plan } = JSON.parse(readFileSync(new URL(name, REGRESSIONS), 'utf8')) as Kept
  const kept = { ...plan, ...(only ? { only: new Set(only) } : {}) }
  expect((await simulate(lane, kept)).violations).toEqual([])
})
