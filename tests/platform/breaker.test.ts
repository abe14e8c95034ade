/** The circuit breaker as a machine: each state with each event, and what trips it. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type Breaker,
  type BreakerEvent,
  BreakerPolicy,
  type BreakerState,
  CallWindow,
  CLOSED,
  nextBreaker,
} from '#platform/breaker.ts'

const policy = BreakerPolicy.parse({
  openMs: 1_000,
  halfOpenProbes: 3,
  minCalls: 10,
  windowMs: 10_000,
  failureRatio: 0.5,
})
const NOW_MS = 5_000
const breakers: Record<BreakerState, Breaker> = {
  closed: CLOSED,
  open: { state: 'open', untilMs: NOW_MS, proven: 0 },
  half_open: { state: 'half_open', untilMs: 0, proven: 1 },
}

describe('transitions', () => {
  test.each<[BreakerState, BreakerEvent, BreakerState]>([
    ['closed', 'tripped', 'open'],
    ['closed', 'waited', 'closed'],
    ['closed', 'probe_succeeded', 'closed'],
    ['closed', 'probe_failed', 'closed'],
    ['open', 'tripped', 'open'],
    ['open', 'waited', 'half_open'],
    ['open', 'probe_succeeded', 'open'],
    ['open', 'probe_failed', 'open'],
    ['half_open', 'tripped', 'half_open'],
    ['half_open', 'waited', 'half_open'],
    ['half_open', 'probe_succeeded', 'half_open'],
    ['half_open', 'probe_failed', 'open'],
  ])('%s after %s is %s', (state, event, expected) => {
    const after = nextBreaker(breakers[state], event, policy, NOW_MS)
    expect(after.state).toBe(expected)
    if (state === expected && event !== 'probe_succeeded') expect(after).toBe(breakers[state])
  })

  test('an open breaker waits out its time to the millisecond', () => {
    const open = nextBreaker(CLOSED, 'tripped', policy, NOW_MS)
    expect(open.untilMs).toBe(NOW_MS + 1_000)
    expect(nextBreaker(open, 'waited', policy, NOW_MS + 999)).toBe(open)
    expect(nextBreaker(open, 'waited', policy, NOW_MS + 1_000).state).toBe('half_open')
  })

  test('as many good probes as asked for close it, and one bad probe after two good ones opens it again', () => {
    const good = (breaker: Breaker): Breaker => nextBreaker(breaker, 'probe_succeeded', policy, NOW_MS)
    const halfOpen: Breaker = { state: 'half_open', untilMs: 0, proven: 0 }
    expect(good(good(halfOpen)).state).toBe('half_open')
    expect(good(good(good(halfOpen)))).toBe(CLOSED)
    const reopened = nextBreaker(good(good(halfOpen)), 'probe_failed', policy, NOW_MS)
    expect(reopened).toEqual({ state: 'open', untilMs: NOW_MS + 1_000, proven: 0 })
  })
})

describe('the window', () => {
  const record = (window: CallWindow, bad: number, good: number, nowMs = 0): boolean => {
    let tripped = false
    for (let call = 0; call < good; call++) tripped = window.record(false, nowMs)
    for (let call = 0; call < bad; call++) tripped = window.record(true, nowMs)
    return tripped
  }

  test('half of ten bad calls trip it; nine calls never do, however bad', () => {
    expect(record(new CallWindow(policy), 9, 0)).toBe(false)
    expect(record(new CallWindow(policy), 4, 6)).toBe(false)
    expect(record(new CallWindow(policy), 5, 5)).toBe(true)
  })

  test('calls older than the window are forgotten', () => {
    const window = new CallWindow(policy)
    record(window, 9, 0, 0)
    expect(window.record(true, 9_999)).toBe(true)
    const later = new CallWindow(policy)
    record(later, 9, 0, 0)
    expect(later.record(true, 10_000)).toBe(false)
  })

  test('a good call never trips it', () => {
    const window = new CallWindow(policy)
    record(window, 9, 0)
    expect(window.record(false, 0)).toBe(false)
  })

  test('it counts what a plain list of the calls of the last ten slices counts', () => {
    const calls = fc.array(fc.record({ afterMs: fc.nat(3_000), bad: fc.boolean() }), { maxLength: 80 })
    fc.assert(
      fc.property(calls, (steps) => {
        const window = new CallWindow(policy)
        const list: { slice: number; bad: boolean }[] = []
        let nowMs = 0
        for (const { afterMs, bad } of steps) {
          nowMs += afterMs
          const slice = Math.floor(nowMs / 1_000)
          list.push({ slice, bad })
          const recent = list.filter((call) => call.slice > slice - 10)
          const badCalls = recent.filter((call) => call.bad).length
          expect(window.record(bad, nowMs)).toBe(bad && recent.length >= 10 && badCalls * 2 >= recent.length)
        }
      }),
    )
  })
})
