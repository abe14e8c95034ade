import { expect, test } from 'vitest'
import { followingClock, systemClock } from '#platform/clock.ts'

test('a clock that follows another tells the other’s time, and passes on time as its own does', () => {
  let own = new Date('2026-11-02T09:00:00Z')
  const clock = followingClock({ ...systemClock, now: () => own, monotonicMs: () => own.getTime() })
  expect(clock.now()).toEqual(own)
  clock.follow(new Date('2026-11-02T08:00:00Z'))
  expect(clock.now()).toEqual(new Date('2026-11-02T08:00:00Z'))
  own = new Date('2026-11-02T09:00:05Z')
  expect(clock.now()).toEqual(new Date('2026-11-02T08:00:05Z'))
  expect(clock.monotonicMs()).toBe(own.getTime())
  clock.follow(new Date('2026-11-02T09:00:05Z'))
  expect(clock.now()).toEqual(own)
})
