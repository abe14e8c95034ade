/** Policies at work: what one worker learns of a system holds for all, and costs nothing while nothing happens. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { SystemGate } from '#platform/policies-gate.ts'
import { Policy } from '#platform/policies.ts'
import { type PoliciesWorld, policiesWorld, type Worker } from './policies-world.ts'

let world: PoliciesWorld

beforeEach(async () => {
  world = await policiesWorld()
})
afterEach(() => world.end())

const BREAKER = { minCalls: 4, openMs: 10_000, halfOpenProbes: 3, slowCallMs: 2_000 }

const success = { outcome: 'success', tookMs: 0 } as const
const failure = { outcome: 'failure', tookMs: 0 } as const

/** Starts as many calls as may start, at most `most`. */
function enterAll(gate: SystemGate, most = 100): number {
  let entered = 0
  while (entered < most && gate.enter().go) entered += 1
  return entered
}

/** Why the gate is closed, and for how many ms. */
function refusal(gate: SystemGate): { reason: string; waitMs: number } {
  const permission = gate.enter()
  if (permission.go) return expect.unreachable('the gate is open')
  return { reason: permission.reason, waitMs: permission.until.getTime() - world.clock.now().getTime() }
}

async function trip(worker: Worker): Promise<void> {
  for (let call = 0; call < BREAKER.minCalls; call++) {
    worker.gate.enter()
    worker.gate.report(failure)
  }
  await world.quiet()
}

const both = (policy: Parameters<PoliciesWorld['worker']>[0]): Promise<[Worker, Worker]> =>
  Promise.all([world.worker(policy, 1), world.worker(policy, 2)])

test('a policy has a default for everything and refuses what it does not know', () => {
  expect(Policy.parse({})).toMatchObject({
    timeoutMs: 10_000,
    retry: { baseMs: 500, maxMs: 300_000 },
    breaker: { halfOpenProbes: 3 },
  })
  expect(Policy.safeParse({ timeout: 5 }).success).toBe(false)
  expect(Policy.safeParse({ rate: { perSecond: 0 } }).success).toBe(false)
})

describe('one process', () => {
  test('a system without shared limits costs no statement, however many calls it gets', async () => {
    const { gate } = await world.worker({ concurrencyPerProcess: 1_000 })
    const before = world.statements
    for (let round = 0; round < 10; round++) {
      expect(enterAll(gate, 1_000)).toBe(1_000)
      for (let call = 0; call < 1_000; call++) gate.report(success)
      await world.quiet()
    }
    expect(world.statements).toBe(before)
  })

  test('the call over the limit of the process waits for the next answer', async () => {
    const { gate } = await world.worker({ concurrencyPerProcess: 3 })
    expect(enterAll(gate)).toBe(3)
    expect(refusal(gate)).toEqual({ reason: 'concurrency: every place of this process is taken', waitMs: 0 })
    gate.report(success)
    expect(enterAll(gate)).toBe(1)
  })

  test('an outcome without a call is a bug', async () => {
    const { gate } = await world.worker({})
    expect(() => gate.report(success)).toThrow('never entered')
  })

  test('retries that the budget cannot pay come later, one after the other', async () => {
    const budget = { ratio: 0.2, perSecond: 2, max: 2 }
    const { gate } = await world.worker({ retry: { baseMs: 100, budget }, breaker: { minCalls: 100 } })
    const waits = Array.from({ length: 4 }, () => {
      gate.enter()
      gate.report(failure)
      return gate.retryAt(1).getTime() - world.clock.now().getTime()
    })
    expect(waits).toEqual([50, 50, 550, 1_050])
  })

  test('a system in maintenance is closed until its own clock says otherwise, and then opens by itself', async () => {
    const windows = [{ days: ['mon' as const], from: '10:30', to: '11:15' }]
    const { gate, policies } = await world.worker({ maintenance: { timeZone: 'Europe/Berlin', windows } })
    expect(gate.enter().go).toBe(true)
    await world.clock.advance(30 * 60_000)
    expect(refusal(gate)).toEqual({ reason: 'maintenance: planned maintenance', waitMs: 45 * 60_000 })
    expect(policies.view()[0]?.closed).toMatchObject({
      reason: 'maintenance',
      until: new Date('2026-03-02T10:15:00Z'),
    })
    await world.clock.advance(45 * 60_000)
    expect(gate.enter().go).toBe(true)
  })
})

describe('Retry-After', () => {
  const inMs = (ms: number) => ({
    outcome: 'throttled' as const,
    tookMs: 0,
    retryAt: new Date(world.clock.now().getTime() + ms),
  })

  test('one worker that is told to wait stops all workers until then', async () => {
    const [first, second] = await both({})
    await world.notify()
    first.gate.enter()
    first.gate.report(inMs(30_000))
    expect(first.gate.enter().go).toBe(false)
    await world.clock.until(
      () => second.policies.view()[0]?.closed !== undefined,
      'the other worker hears of it',
    )
    await world.quiet()
    expect(refusal(second.gate).reason).toBe('paused: the system asked to be left alone')
    expect(refusal(second.gate).waitMs).toBeGreaterThanOrEqual(30_000)
    await world.clock.advance(29_999)
    expect([first.gate.enter().go, second.gate.enter().go]).toEqual([false, false])
    await world.clock.advance(1_001)
    expect([first.gate.enter().go, second.gate.enter().go]).toEqual([true, true])
  })

  test('a lost notification costs one second at most', async () => {
    const [first, second] = await both({})
    const stop = new AbortController()
    const running = second.policies.run(stop.signal)
    await world.quiet()
    first.gate.enter()
    first.gate.report(inMs(30_000))
    await world.pass(1_000, undefined, 250)
    expect(second.gate.enter().go).toBe(false)
    stop.abort()
    await running
  })

  test('a worker that claims work knows what others were told, also when the notification was lost', async () => {
    const [first, second] = await both({})
    first.gate.enter()
    first.gate.report(inMs(30_000))
    await world.pass(100)
    expect(second.gate.enter().go).toBe(true)
    second.policies.reread()
    await world.quiet()
    expect(second.gate.enter().go).toBe(false)
  })

  test('claims in quick succession cost one reading', async () => {
    const { policies } = await world.worker({})
    await world.pass(100)
    const before = world.statements
    for (let claim = 0; claim < 10; claim++) {
      policies.reread()
      await world.quiet()
    }
    expect(world.statements - before).toBe(1)
  })

  test('being told to wait says nothing about health: the breaker stays closed', async () => {
    const { gate, policies } = await world.worker({ breaker: BREAKER })
    expect(enterAll(gate, 16)).toBe(16)
    for (let call = 0; call < 16; call++) gate.report(inMs(1_000))
    await world.quiet()
    expect(policies.view()[0]).toMatchObject({
      breaker: 'closed',
      closed: { reason: 'paused' },
      retryDelayMs: 0,
    })
  })

  test('a system cannot silence us for more than an hour, and one that names no time is left alone for a while', async () => {
    const { gate } = await world.worker({ throttledMs: 7_000 })
    enterAll(gate, 2)
    gate.report({ outcome: 'throttled', tookMs: 0 })
    expect(refusal(gate).waitMs).toBe(7_000)
    gate.report(inMs(86_400_000))
    expect(refusal(gate).waitMs).toBe(3_600_000)
  })

  test('a shorter pause does not end a longer one, and an operator ends it for all', async () => {
    const [first, second] = await both({})
    first.gate.pause(60_000, 'stocktaking')
    await world.quiet()
    second.gate.pause(5_000, 'short')
    await world.quiet()
    await second.policies.refresh()
    await world.clock.advance(10_000)
    expect(refusal(second.gate).reason).toBe('paused: stocktaking')
    second.gate.resume()
    await world.quiet()
    await first.policies.refresh()
    expect([first.gate.enter().go, second.gate.enter().go]).toEqual([true, true])
  })

  test('a worker without PostgreSQL stops by itself and tells the others when it can', async () => {
    const [first, second] = await both({})
    world.down = true
    first.gate.enter()
    first.gate.report(inMs(30_000))
    await world.quiet()
    expect(first.errors).toHaveLength(1)
    expect(first.gate.enter().go).toBe(false)
    world.down = false
    await first.policies.refresh()
    await second.policies.refresh()
    expect(refusal(second.gate).reason).toContain('paused')
  })

  test('a worker that starts during a pause keeps to it', async () => {
    const first = await world.worker({})
    first.gate.pause(60_000, 'stocktaking')
    await world.quiet()
    const late = await world.worker({})
    expect(late.gate.enter().go).toBe(false)
  })
})

describe('the breaker', () => {
  test('a worker that sees a system fail stops at once, and all others with it', async () => {
    const [first, second] = await both({ breaker: BREAKER })
    await world.notify()
    await trip(first)
    expect(refusal(first.gate)).toEqual({ reason: 'breaker_open: the system fails', waitMs: 10_000 })
    await world.clock.until(
      () => second.policies.view()[0]?.breaker === 'open',
      'the other worker hears of it',
    )
    expect(second.gate.enter().go).toBe(false)
  })

  test('slow calls count as bad even when they succeed', async () => {
    const { gate, policies } = await world.worker({ breaker: BREAKER })
    enterAll(gate, 4)
    await world.clock.advance(2_000)
    for (let call = 0; call < 4; call++) gate.report({ outcome: 'success', tookMs: 2_000 })
    await world.quiet()
    expect(policies.view()[0]?.breaker).toBe('open')
  })

  async function halfOpen(): Promise<[Worker, Worker, number, number]> {
    const [first, second] = await both({ breaker: BREAKER })
    await trip(first)
    await second.policies.refresh()
    await world.clock.advance(10_000)
    let fromFirst = 0
    let fromSecond = 0
    await world.pass(2_000, () => {
      fromFirst += enterAll(first.gate)
      fromSecond += enterAll(second.gate)
    })
    return [first, second, fromFirst, fromSecond]
  }

  const report = (worker: Worker, count: number, outcome: 'success' | 'failure'): void => {
    for (let call = 0; call < count; call++) worker.gate.report({ outcome, tookMs: 0 })
  }

  test('after its time three probes go out from all workers together, and three good ones close it for all', async () => {
    const [first, second, fromFirst, fromSecond] = await halfOpen()
    expect(fromFirst + fromSecond).toBe(3)
    report(first, fromFirst, 'success')
    report(second, fromSecond, 'success')
    await world.quiet()
    await Promise.all([first.policies.refresh(), second.policies.refresh()])
    expect([first.gate, second.gate].map((gate) => enterAll(gate, 10))).toEqual([10, 10])
  })

  test('one bad probe opens it again for all, and late good ones do not help', async () => {
    const [first, second, fromFirst, fromSecond] = await halfOpen()
    const [prober, other] = fromFirst > 0 ? [first, second] : [second, first]
    report(prober, 1, 'failure')
    await world.quiet()
    report(prober, Math.max(fromFirst, fromSecond) - 1, 'success')
    await world.quiet()
    await other.policies.refresh()
    expect([prober, other].map((worker) => worker.policies.view()[0]?.breaker)).toEqual(['open', 'open'])
    expect(other.gate.enter().go).toBe(false)
  })

  test('probes that were granted are not lost to what is exchanged before they are used', async () => {
    const worker = await world.worker({ breaker: BREAKER })
    await trip(worker)
    await world.clock.advance(10_000)
    let probes = 0
    await world.pass(3_000, () => {
      void worker.policies.refresh()
      probes += enterAll(worker.gate)
    })
    expect(probes).toBe(3)
  })

  test('probes that a worker has no call for go to another within two seconds', async () => {
    const [first, second] = await both({ breaker: BREAKER })
    await trip(first)
    await world.clock.advance(10_000)
    first.gate.enter()
    await world.quiet()
    await second.policies.refresh()
    const stop = new AbortController()
    for (const worker of [first, second]) void worker.policies.run(stop.signal)
    let probes = 0
    const probe = (): void => void (probes += enterAll(second.gate))
    await world.pass(900, probe, 50)
    expect(probes).toBe(0)
    await world.pass(1_200, probe, 50)
    expect(probes).toBe(3)
    stop.abort()
  })

  test('the probes of a worker that died go out again once its lease has lapsed', async () => {
    const [first, second, fromFirst] = await halfOpen()
    const survivor = fromFirst > 0 ? second : first
    await world.pass(14_000, () => void survivor.gate.enter(), 250)
    let probes = 0
    await world.pass(2_000, () => (probes += enterAll(survivor.gate)), 250)
    expect(probes).toBe(3)
  })

  test('a system whose calls a second are limited too is probed: probes and calls come with one answer', async () => {
    const worker = await world.worker({ breaker: BREAKER, rate: { perSecond: 5 } })
    await world.pass(2_000, () => report(worker, enterAll(worker.gate), 'failure'))
    expect(worker.policies.view()[0]?.breaker).toBe('open')
    await world.clock.advance(10_000)
    let probes = 0
    await world.pass(5_000, () => (probes += enterAll(worker.gate)))
    expect(probes).toBe(3)
  })

  test('failures of calls that started before it opened do not open it again', async () => {
    const { gate, policies } = await world.worker({ breaker: BREAKER })
    expect(enterAll(gate, 12)).toBe(12)
    await world.clock.advance(1)
    for (let call = 0; call < 4; call++) gate.report({ outcome: 'failure', tookMs: 1 })
    await world.quiet()
    await world.clock.advance(10_000)
    await world.pass(2_000, () => void enterAll(gate, 3))
    for (let probe = 0; probe < 3; probe++) gate.report(success)
    await world.quiet()
    expect(policies.view()[0]?.breaker).toBe('closed')
    await world.clock.advance(100)
    for (let call = 0; call < 8; call++) gate.report({ outcome: 'failure', tookMs: 12_101 })
    await world.quiet()
    expect(policies.view()[0]?.breaker).toBe('closed')
  })
})
