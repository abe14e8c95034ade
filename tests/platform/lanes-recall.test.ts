import { beforeEach, expect, test } from 'vitest'
import { type CalledBack, Recall } from '#platform/lanes-recall.ts'
import { fakeClock, type FakeClock } from '#tests/support/clock.ts'

const OPEN_MAX = 40

let clock: FakeClock
let beganMs: number
let asked: { readonly atMs: number; readonly limit: number }[]
let open: number
let answer: CalledBack
beforeEach(() => {
  clock = fakeClock()
  beganMs = clock.monotonicMs()
  asked = []
  open = 0
  answer = { count: 0, areMore: true }
})

const recallOf = (): Recall =>
  new Recall({
    clock,
    random: () => 0.5,
    openMax: OPEN_MAX,
    open: () => open,
    async callBack(limit) {
      asked.push({ atMs: clock.monotonicMs() - beganMs, limit })
      return answer
    },
  })

const fromNow = (ms: number): Date => new Date(clock.now().getTime() + ms)

test('a few are called back once the gate may have opened, and all there is room for when those are answered', async () => {
  const recall = recallOf()
  recall.after(fromNow(60_000))
  answer = { count: 10, areMore: true }
  await clock.advance(61_000)
  expect(asked).toEqual([{ atMs: 61_000, limit: 10 }])
  for (let come = 0; come < 10; come++) recall.placesForNext()
  recall.answered(true)
  await clock.settle()
  expect(asked.slice(1)).toEqual([{ atMs: 61_000, limit: OPEN_MAX }])
})

test('nobody is called back while more than half of the places are taken, or others are on their way to them', async () => {
  const recall = recallOf()
  recall.sentAway()
  answer = { count: 30, areMore: true }
  open = OPEN_MAX / 2 + 1
  recall.answered(true)
  await clock.settle()
  expect(asked).toEqual([])
  open = 10
  recall.answered(true)
  recall.answered(true)
  await clock.settle()
  recall.answered(true)
  await clock.settle()
  expect(asked.map(({ limit }) => limit)).toEqual([30])
})

test('it is asked again and again while some are away, and no more when there are none', async () => {
  const recall = recallOf()
  recall.after(fromNow(60_000))
  await clock.advance(63_500)
  expect(asked.map(({ atMs }) => atMs)).toEqual([61_000, 62_000, 63_000])
  answer = { count: 0, areMore: false }
  await clock.advance(3_600_000)
  expect(asked).toHaveLength(4)
})

test('none found right after one was sent away means that it is not written down yet', async () => {
  const recall = recallOf()
  answer = { count: 0, areMore: false }
  recall.sentAway()
  recall.answered(true)
  await clock.advance(10_000)
  expect(asked.map(({ atMs }) => atMs)).toEqual([0, 1_000, 2_000, 3_000, 4_000, 5_000])
})

test('newcomers take no more than half of the places while others are away', () => {
  const recall = recallOf()
  expect(recall.placesForNext()).toBe(OPEN_MAX)
  recall.sentAway()
  expect(recall.placesForNext()).toBe(OPEN_MAX / 2)
})

test('a lane that was stopped calls nobody back', async () => {
  const recall = recallOf()
  recall.after(fromNow(1_000))
  recall.stop()
  await clock.advance(60_000)
  expect([asked, clock.pending]).toEqual([[], 0])
})
