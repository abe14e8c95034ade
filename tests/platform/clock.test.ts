import { expect, test } from 'vitest'
import { followingClock, systemClock } from '#platform/clock.ts'

test('a clock that follows another tells the other’s time, passes on time as its own does, and does not mind being set', () => {
  let own = new Date('2026-11-02T09:00:00Z')
  let monotonicMs = 4_000
  const clock = followingClock({ ...systemClock, now: () => own, monotonicMs: () => monotonicMs })
  expect(clock.now()).toEqual(own)
  clock.follow(new Date('2026-11-02T08:00:00Z'))
  expect(clock.now()).toEqual(new Date('2026-11-02T08:00:00Z'))
  monotonicMs += 5_000
  own = new Date('2026-11-02T07:00:00Z')
  expect(clock.now()).toEqual(new Date('2026-11-02T08:00:05Z'))
  expect(clock.monotonicMs()).toBe(9_000)
  clock.follow(new Date('2026-11-02T09:00:05Z'))
  expect(clock.now()).toEqual(new Date('2026-11-02T09:00:05Z'))
})
