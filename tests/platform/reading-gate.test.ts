/** Readings of a system are under the policy of its calls: they give way, heed what calls were told, and pass on what they hear. */
import { beforeEach, describe, expect, test } from 'vitest'
import { Outage } from '#platform/faults.ts'
import { SystemGate } from '#platform/policies-gate.ts'
import { Policy } from '#platform/policies.ts'
import { readUnderGate } from '#platform/reading-gate.ts'
import { fakeClock, type FakeClock } from '#tests/support/clock.ts'

let clock: FakeClock
beforeEach(() => {
  clock = fakeClock()
})

const fromNow = (ms: number): Date => new Date(clock.now().getTime() + ms)
const gateOf = (policy: object = {}): SystemGate =>
  new SystemGate({
    instance: 'erp',
    policy: Policy.parse(policy),
    clock,
    random: () => 0.5,
    workers: () => 1,
    ask: () => undefined,
  })

/** What becomes of one reading, and whether the system was asked at all. */
function reading(gate: SystemGate, answer: () => Promise<string> = () => Promise.resolve('a page')) {
  const seen: { asked: boolean; page?: string; error?: unknown } = { asked: false }
  const read = (): Promise<string> => {
    seen.asked = true
    return answer()
  }
  void readUnderGate({ system: 'erp', gate, clock }, read).then(
    (page) => (seen.page = page),
    (error: unknown) => (seen.error = error),
  )
  return seen
}

describe('a reading', () => {
  test('waits while calls have every place, and takes one when calls leave one', async () => {
    const gate = gateOf({ concurrencyPerProcess: 1 })
    gate.enter()
    const seen = reading(gate)
    await clock.advance(1_000)
    expect(seen.asked).toBe(false)
    gate.report({ outcome: 'success', tookMs: 1 })
    expect(gate.enter().go).toBe(true)
    await clock.advance(1_000)
    expect(seen.asked).toBe(false)
    gate.report({ outcome: 'success', tookMs: 1 })
    await clock.advance(100)
    expect(seen).toEqual({ asked: true, page: 'a page' })
  })

  test('keeps its place until it is answered, and gives it back however it ends', async () => {
    const gate = gateOf({ concurrencyPerProcess: 1 })
    const { promise, reject } = Promise.withResolvers<string>()
    const seen = reading(gate, () => promise)
    await clock.settle()
    expect(gate.enter().go).toBe(false)
    reject(new Error('a defect'))
    await clock.settle()
    expect([gate.enter().go, String(seen.error)]).toEqual([true, 'Error: a defect'])
  })

  test('is left for later while the system is closed, and told until when', async () => {
    const gate = gateOf()
    gate.pause(60_000, 'the system asked to be left alone')
    const until = fromNow(60_000)
    const seen = reading(gate)
    await clock.settle()
    expect(seen).toMatchObject({ asked: false, error: { system: 'erp', retryAt: until } })
  })

  test('that hears how long to be silent stops the calls until then', async () => {
    const gate = gateOf()
    const retryAt = fromNow(30_000)
    reading(gate, () => Promise.reject(new Outage('erp', 'status 429', { retryAt })))
    await clock.settle()
    expect(gate.enter()).toMatchObject({ go: false, until: retryAt })
    await clock.advance(30_000)
    expect(gate.enter().go).toBe(true)
  })

  test('counts against the system when it fails, and not when it takes long', async () => {
    const breaker = { minCalls: 2, slowCallMs: 100 }
    const slow = gateOf({ breaker })
    for (let nth = 0; nth < 4; nth++) reading(slow, () => clock.sleep(10_000).then(() => 'a page'))
    await clock.advance(10_000)
    expect(slow.view().breaker).toBe('closed')
    const failing = gateOf({ breaker })
    for (let nth = 0; nth < 4; nth++) reading(failing, () => Promise.reject(new Outage('erp', 'no')))
    await clock.settle()
    expect(failing.view().breaker).toBe('open')
  })
})
