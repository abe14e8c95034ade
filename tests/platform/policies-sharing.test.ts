/** Calls a second and calls at once that several workers share: never too many, nobody starved, nothing lost for long. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type PoliciesWorld, policiesWorld, type Worker } from './policies-world.ts'

let world: PoliciesWorld

beforeEach(async () => {
  world = await policiesWorld()
})
afterEach(() => world.end())

type Start = { readonly worker: number; readonly atMs: number }

/** Workers with endless work: each starts what it may, and every call takes `callMs`. */
async function greedy(
  workers: readonly Worker[],
  forMs: number,
  callMs: number,
): Promise<{ starts: Start[]; most: number }> {
  const { clock } = world
  const startedMs = clock.monotonicMs()
  const starts: Start[] = []
  let atOnce = 0
  let most = 0
  const stops = workers.map((worker) => {
    const stop = new AbortController()
    void worker.policies.run(stop.signal)
    return stop
  })
  await world.pass(forMs, () => {
    workers.forEach(({ gate }, worker) => {
      while (gate.enter().go) {
        starts.push({ worker, atMs: clock.monotonicMs() - startedMs })
        most = Math.max(most, ++atOnce)
        clock.after(callMs, () => {
          atOnce -= 1
          gate.report({ outcome: 'success', tookMs: callMs })
        })
      }
    })
  })
  stops.forEach((stop) => stop.abort())
  return { starts, most }
}

const countOf = (starts: readonly Start[], worker: number): number =>
  starts.filter((start) => start.worker === worker).length

function mostWithin(starts: readonly Start[], windowMs: number): number {
  return Math.max(
    ...starts.map(({ atMs }) => starts.filter((s) => s.atMs >= atMs && s.atMs < atMs + windowMs).length),
  )
}

describe('calls a second', () => {
  test('two greedy workers together keep to the rate and use it up, and neither starves', async () => {
    const policy = { rate: { perSecond: 40, burst: 10 } }
    const workers = [await world.worker(policy), await world.worker(policy)]
    const { starts } = await greedy(workers, 10_000, 20)
    expect(starts.length).toBeLessThanOrEqual(10 + 40 * 10)
    expect(starts.length).toBeGreaterThanOrEqual(0.9 * 40 * 10)
    expect(mostWithin(starts, 1_000)).toBeLessThanOrEqual(10 + 40 * 3)
    for (const worker of [0, 1]) expect(countOf(starts, worker)).toBeGreaterThan(0.3 * starts.length)
  })

  test('at one call in two seconds each of three workers gets its turn', async () => {
    const policy = { rate: { perSecond: 0.5 } }
    const workers = [await world.worker(policy), await world.worker(policy), await world.worker(policy)]
    const { starts } = await greedy(workers, 24_000, 20)
    expect(starts.length).toBeGreaterThanOrEqual(11)
    expect(starts.length).toBeLessThanOrEqual(13)
    for (const worker of [0, 1, 2]) expect(countOf(starts, worker)).toBeGreaterThanOrEqual(3)
  })

  test('tokens that one worker took and did not use serve another within a second', async () => {
    const policy = { rate: { perSecond: 10, burst: 10 } }
    const [first, second] = [await world.worker(policy), await world.worker(policy)]
    expect(first.gate.enter().go).toBe(false)
    await world.quiet()
    await first.policies.refresh()
    await first.policies.refresh()
    let started = 0
    await world.pass(300, () => (started += second.gate.enter().go ? 1 : 0))
    expect(started).toBeGreaterThanOrEqual(10)
  })

  test('tokens and places that are being offered back are not used meanwhile', async () => {
    const { gate, policies } = await world.worker({ rate: { perSecond: 10 }, concurrency: 10 })
    await world.pass(20, () => void (gate.enter().go && gate.report({ outcome: 'success', tookMs: 0 })))
    expect(policies.view()[0]).toMatchObject({ slots: 10, tokens: 7 })
    const exchange = policies.refresh()
    expect(policies.view()[0]).toMatchObject({ slots: 0, tokens: 0 })
    expect(gate.enter().go).toBe(false)
    await exchange
    expect(gate.enter().go).toBe(true)
  })

  test('tokens kept through a long pause of the process are worth nothing', async () => {
    const { gate, policies } = await world.worker({ rate: { perSecond: 10 } })
    gate.enter()
    await world.quiet()
    expect(policies.view()[0]?.tokens).toBe(10)
    await world.clock.advance(2_000)
    expect(gate.enter().go).toBe(false)
  })
})

describe('calls at once', () => {
  const policy = { concurrency: 5, timeoutMs: 4_000 }
  const askAll = async (worker: Worker): Promise<number> => {
    let entered = 0
    await world.pass(20, () => {
      while (worker.gate.enter().go) entered += 1
    })
    return entered
  }

  test('a worker alone may use all of them', async () => {
    const { starts, most } = await greedy([await world.worker(policy)], 3_000, 100)
    expect(most).toBe(5)
    expect(starts.length).toBeGreaterThanOrEqual(0.8 * 5 * 30)
  })

  test('two greedy workers never exceed the limit together, and neither starves', async () => {
    const { starts, most } = await greedy(
      [await world.worker(policy), await world.worker(policy)],
      6_000,
      100,
    )
    expect(most).toBe(5)
    for (const worker of [0, 1]) expect(countOf(starts, worker)).toBeGreaterThan(0.3 * starts.length)
    expect(starts.length).toBeGreaterThanOrEqual(0.8 * 5 * 60)
  })

  test('a system that takes one call at a time serves three workers in turn', async () => {
    const serial = { concurrency: 1 }
    const workers = [await world.worker(serial), await world.worker(serial), await world.worker(serial)]
    const { starts, most } = await greedy(workers, 12_000, 100)
    expect(most).toBe(1)
    for (const worker of [0, 1, 2]) expect(countOf(starts, worker)).toBeGreaterThan(0.15 * starts.length)
    expect(starts.length).toBeGreaterThanOrEqual(0.5 * 120)
  })

  test('a dead worker’s places come back after its lease and one call’s time, and not sooner', async () => {
    const [dead, heir] = [await world.worker(policy), await world.worker(policy)]
    expect(await askAll(dead)).toBe(5)
    // The lease counts from the last exchange, a few milliseconds ago.
    await world.pass(8_900, undefined, 100)
    expect(await askAll(heir)).toBe(0)
    let inherited = 0
    await world.pass(500, () => (inherited += heir.gate.enter().go ? 1 : 0), 20)
    expect(inherited).toBe(5)
  })

  test('a worker that cannot renew its lease starts nothing more once it has ended', async () => {
    const { gate } = await world.worker(policy)
    gate.enter()
    await world.quiet()
    expect(gate.enter().go).toBe(true)
    world.down = true
    await world.clock.advance(4_900)
    expect(gate.enter().go).toBe(true)
    await world.clock.advance(200)
    expect(gate.enter().go).toBe(false)
  })

  test('a worker that stops gives its places back at once', async () => {
    const [leaving, staying] = [await world.worker(policy), await world.worker(policy)]
    expect(await askAll(leaving)).toBe(5)
    for (let call = 0; call < 5; call++) leaving.gate.report({ outcome: 'success', tookMs: 10 })
    await leaving.policies.release()
    expect(await askAll(staying)).toBe(5)
  })

  test('a worker without work costs no transaction and holds nothing', async () => {
    const { policies, gate } = await world.worker(policy)
    gate.enter()
    await world.quiet()
    if (gate.enter().go) gate.report({ outcome: 'success', tookMs: 1 })
    await policies.refresh()
    await policies.refresh()
    const before = world.statements
    await policies.refresh()
    expect(world.statements - before).toBe(1)
    expect(await world.query('select slots, active from policies.lease')).toEqual([
      { slots: 0, active: false },
    ])
  })
})
