/** The retry budget: an outage does not become an overload by retries, and no retry is lost. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { RetryBudget } from '#platform/budget.ts'
import { RetryPolicy } from '#platform/retry.ts'

const POLICY = RetryPolicy.parse({ budget: { ratio: 0.25, perSecond: 2, max: 3 } }).budget
const budget = (workers = () => 1) => new RetryBudget(POLICY, 0, workers)

test('retries within what was saved are not delayed, the next ones come one after the other', () => {
  const spent = budget()
  const delays = Array.from({ length: 6 }, () => {
    spent.failed(0)
    return spent.delayMs(0)
  })
  expect(delays).toEqual([0, 0, 0, 500, 1_000, 1_500])
})

test('time pays a debt', () => {
  const spent = budget()
  for (let call = 0; call < 7; call++) spent.failed(0)
  expect(spent.delayMs(1_500)).toBe(500)
  expect(spent.delayMs(2_000)).toBe(0)
})

test('four good calls pay one retry at a ratio of one in four', () => {
  const spent = budget()
  for (let call = 0; call < 5; call++) spent.failed(0)
  expect(spent.delayMs(0)).toBe(1_000)
  for (let call = 0; call < 4; call++) spent.succeeded()
  expect(spent.delayMs(0)).toBe(500)
})

test('several workers have equal parts of what is saved and of what time pays', () => {
  const shared = [budget(() => 2), budget(() => 2)]
  const delays = Array.from({ length: 3 }, () =>
    shared.map((part) => {
      part.failed(0)
      return part.delayMs(0)
    }),
  )
  expect(delays).toEqual([
    [0, 0],
    [500, 500],
    [1_500, 1_500],
  ])
})

test('a worker that is alone again pays its debt as fast as all did together', () => {
  let workers = 4
  const spent = budget(() => workers)
  for (let call = 0; call < 2; call++) spent.failed(0)
  expect(spent.delayMs(0)).toBe(2_500)
  workers = 1
  expect(spent.delayMs(0)).toBe(625)
})

test('a long quiet time saves no more than the maximum', () => {
  const spent = budget()
  for (let call = 0; call < 4; call++) spent.failed(3_600_000)
  expect(spent.delayMs(3_600_000)).toBe(500)
})

test('retries that become due by any time never exceed saved, earned by good calls and earned by time', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ waitMs: fc.nat(400), good: fc.boolean() }), { maxLength: 200 }),
      (calls) => {
        const spent = budget()
        const dueMs: number[] = []
        let nowMs = 0
        let good = 0
        for (const call of calls) {
          nowMs += call.waitMs
          if (call.good) {
            spent.succeeded()
            good += 1
          } else {
            spent.failed(nowMs)
            dueMs.push(nowMs + spent.delayMs(nowMs))
          }
        }
        const dueByNow = dueMs.filter((ms) => ms <= nowMs).length
        expect(dueByNow).toBeLessThanOrEqual(3 + 0.25 * good + (2 * nowMs) / 1_000 + 1e-6)
      },
    ),
  )
})
