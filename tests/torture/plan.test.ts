/** The plan of a torture: the same seed is the same plan, and each kind strikes as often as the length of a run asks. */
import { expect, test } from 'vitest'
import { CONFIGURED, TELLERS } from '#tests/simulation/counterparts.ts'
import { firstStartOf, planOf, type Strike } from './plan.ts'

const PROXIES = [
  'database',
  'doors',
  ...Object.keys(CONFIGURED),
  ...TELLERS.map((teller) => `webhooks of ${teller}`),
]
const plan = (seed: string, minutes: number): Strike[] =>
  planOf({ seed, forMs: minutes * 60_000, members: 4, proxies: PROXIES })
const count = (strikes: readonly Strike[], kind: Strike['kind']): number =>
  strikes.filter((strike) => strike.kind === kind).length

test('the same seed is the same plan, and another seed another', () => {
  expect(plan('one', 1)).toEqual(plan('one', 1))
  expect(plan('one', 1)).not.toEqual(plan('two', 1))
})

test('strikes come in the order of time, all of them within the run', () => {
  const times = plan('one', 3).map(({ atMs }) => atMs)
  expect(times).toEqual(times.toSorted((a, b) => a - b))
  expect(Math.max(...times)).toBeLessThan(180_000)
})

test('ten minutes have at least 60 kills and 5 stops of the database', () => {
  expect(count(plan('any', 10), 'kill')).toBeGreaterThanOrEqual(60)
  expect(count(plan('any', 10), 'stop-database')).toBeGreaterThanOrEqual(5)
})

test('the shortest run has one strike of each kind', () => {
  const kinds = new Set(plan('any', 0.01).map(({ kind }) => kind))
  expect([...kinds].toSorted()).toEqual([
    'freeze',
    'kill',
    'network',
    'restart',
    'stop-database',
    'terminate',
  ])
})

test('a few minutes have every fault of the network, every proxy, every program, and zombies', () => {
  const strikes = plan('any', 5)
  const networks = strikes.filter((strike) => strike.kind === 'network')
  expect(new Set(networks.map(({ fault }) => fault.kind)).size).toBe(6)
  expect(new Set(networks.map(({ proxy }) => proxy))).toEqual(new Set(PROXIES))
  const kills = strikes.filter((strike) => strike.kind === 'kill')
  expect(new Set(kills.map(({ member }) => member))).toEqual(new Set([0, 1, 2, 3]))
  expect(strikes.some((strike) => strike.kind === 'freeze' && strike.forMs > 10_000)).toBe(true)
  const restarts = strikes.filter((strike) => strike.kind === 'restart')
  expect(new Set(restarts.map(({ member }) => member))).toEqual(new Set([0, 1, 2, 3]))
  expect(new Set(restarts.map(({ killAfterMs }) => killAfterMs !== undefined))).toEqual(
    new Set([true, false]),
  )
})

test('of the programs that migrate together, one is killed in each third of the files, the same by the same seed', () => {
  const firstStart = (seed: string) => firstStartOf({ seed, members: 4, files: 150 })
  expect(firstStart('one')).toEqual(firstStart('one'))
  expect(firstStart('one')).not.toEqual(firstStart('two'))
  const thirds = firstStart('one').map(({ afterFiles }) => Math.floor(afterFiles / 50))
  expect(thirds).toEqual([0, 1, 2])
})
