/** When failed calls are tried again. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { backoffMs, retryAfterMs, RetryPolicy } from '#platform/retry.ts'

const policy = RetryPolicy.parse({})

describe('backoff', () => {
  test.each([
    [1, 500],
    [2, 1_000],
    [5, 8_000],
    [10, 256_000],
    [11, 300_000],
    [99, 300_000],
  ])('after attempt %d the wait is at most %d ms and can be nothing', (attempt, boundMs) => {
    expect(backoffMs(attempt, policy, () => 0)).toBe(0)
    expect(backoffMs(attempt, policy, () => 1 - 2 ** -52)).toBe(boundMs)
  })

  test('the jitter is full: the wait is spread evenly from nothing to its bound', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (drawn) => {
        const waitMs = backoffMs(4, policy, () => drawn)
        expect(Math.abs(waitMs - drawn * 4_000)).toBeLessThanOrEqual(1)
      }),
    )
  })
})

describe('Retry-After', () => {
  const now = new Date('1994-11-06T08:49:07Z')
  const inMs = (value: string, date?: string): number | undefined =>
    retryAfterMs({ 'retry-after': value, ...(date ? { date } : {}) }, now)

  test.each([
    ['0', 0],
    ['120', 120_000],
    [' 7 ', 7_000],
    ['Sun, 06 Nov 1994 08:49:37 GMT', 30_000],
    ['Sunday, 06-Nov-94 08:49:37 GMT', 30_000],
    ['Sun Nov  6 08:49:37 1994', 30_000],
    ['Sun, 06 Nov 1994 08:00:00 GMT', 0],
  ])('%j is read as %d ms', (value, expected) => {
    expect(inMs(value)).toBe(expected)
  })

  test.each(['3601', '999999999', 'Mon, 07 Nov 1994 08:49:37 GMT'])('%j is cut to one hour', (value) => {
    expect(inMs(value)).toBe(3_600_000)
  })

  test.each(['', 'soon', '-5', '1.5', '2026-01-01', 'Sun, 99 Foo 1994 08:49:37 GMT'])(
    '%j says nothing',
    (value) => {
      expect(inMs(value)).toBeUndefined()
    },
  )

  test('a date is read against the clock of the system that wrote it', () => {
    expect(inMs('Sun, 06 Nov 1994 12:00:10 GMT', 'Sun, 06 Nov 1994 12:00:00 GMT')).toBe(10_000)
  })

  test('an answer without the header says nothing', () => {
    expect(retryAfterMs({ date: 'Sun, 06 Nov 1994 12:00:00 GMT' }, now)).toBeUndefined()
  })
})
