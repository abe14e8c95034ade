/** What tests may rely on when they drive time by hand. */
import { expect, test } from 'vitest'
import { fakeClock } from '#tests/support/clock.ts'

test('timers run in the order of their time, each at its own time', async () => {
  const clock = fakeClock()
  const startMs = clock.monotonicMs()
  const seen: string[] = []
  const note = (name: string) => () => void seen.push(`${name}@${clock.monotonicMs() - startMs}`)
  clock.after(30, note('late'))
  clock.after(10, note('early'))
  clock.after(10, note('second'))
  await clock.advance(29)
  expect(seen).toEqual(['early@10', 'second@10'])
  await clock.advance(1)
  expect(seen.at(-1)).toBe('late@30')
})

test('a loop of sleeps advances through every round of one advance', async () => {
  const clock = fakeClock()
  let rounds = 0
  const loop = async (): Promise<void> => {
    for (;;) {
      await clock.sleep(100)
      rounds += 1
    }
  }
  void loop()
  await clock.advance(1_000)
  expect(rounds).toBe(10)
})

test('a sleep ends at once when it is aborted and leaves no timer behind', async () => {
  const clock = fakeClock()
  const abort = new AbortController()
  let ended = false
  void clock.sleep(60_000, abort.signal).then(() => (ended = true))
  await clock.settle()
  expect(ended).toBe(false)
  abort.abort()
  await clock.settle()
  expect(ended).toBe(true)
  expect(clock.pending).toBe(0)
})

test('a cancelled timer never runs', async () => {
  const clock = fakeClock()
  const cancel = clock.after(5, () => expect.unreachable())
  cancel()
  await clock.advance(10)
})

test('an error inside a timer reaches the test that advanced the clock', async () => {
  const clock = fakeClock()
  clock.after(5, () => {
    throw new Error('broken timer')
  })
  await expect(clock.advance(10)).rejects.toThrow('broken timer')
})

test('work given to soon is done when the clock has settled', async () => {
  const clock = fakeClock()
  let done = 0
  clock.soon(() => clock.soon(() => void (done += 1)))
  await clock.settle()
  expect(done).toBe(1)
})

test('a jump of the wall clock leaves monotonic time and timers alone', async () => {
  const clock = fakeClock('2026-03-02T09:00:00Z')
  let ran = false
  clock.after(1_000, () => void (ran = true))
  clock.shiftWall(3_600_000)
  await clock.settle()
  expect(clock.now().toISOString()).toBe('2026-03-02T10:00:00.000Z')
  expect(ran).toBe(false)
})

test('advanceUntil stops at the timer that made the condition true and refuses to wait beyond its limit', async () => {
  const clock = fakeClock()
  const startMs = clock.monotonicMs()
  let fired = false
  clock.after(5_000, () => void (fired = true))
  await clock.advanceUntil(() => fired, 60_000)
  expect(clock.monotonicMs() - startMs).toBe(5_000)
  clock.after(5_000, () => undefined)
  await expect(clock.advanceUntil(() => false, 1_000)).rejects.toThrow('within 1000 ms')
})
