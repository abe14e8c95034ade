import { expect, test } from 'vitest'
import { clockThere } from '#platform/clock-there.ts'
import { fakeClock } from '#tests/support/clock.ts'

const NOW = new Date('2026-11-02T09:00:00.400Z')
const at = (seconds: number): Date => new Date(NOW.getTime() + seconds * 1_000)
const dated = (date: Date) => ({ headers: { date: date.toUTCString() } })

test('a moment of ours is never told too late by a clock that is behind, nor made later by one that is ahead', () => {
  const there = clockThere(fakeClock(NOW))
  there.heard(dated(at(-120)))
  expect(there.at(NOW)).toEqual(new Date('2026-11-02T08:58:00Z'))
  there.heard(dated(at(300)))
  expect(there.at(NOW)).toEqual(NOW)
})

test('a clock that has told nothing may be ten minutes behind; an answer without a date, or with nonsense for one, tells nothing', () => {
  const there = clockThere(fakeClock(NOW))
  expect(there.at(NOW)).toEqual(at(-600))
  there.heard({ headers: {} })
  there.heard({ headers: { date: 'yesterday' } })
  expect(there.at(NOW)).toEqual(at(-600))
})
