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
const written = Promise.resolve()

test('a few are called back once the gate may have opened, and all there is room for when those are answered', async () => {
  const recall = recallOf()
  recall.after(fromNow(60_000), written)
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
  answer = { count: 30, areMore: true }
  open = OPEN_MAX / 2 + 1
  recall.sentAway(written)
  await clock.settle()
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
  recall.after(fromNow(60_000), written)
  await clock.advance(63_500)
  expect(asked.map(({ atMs }) => atMs)).toEqual([61_000, 62_000, 63_000])
  answer = { count: 0, areMore: false }
  await clock.advance(3_600_000)
  expect(asked).toHaveLength(4)
})

test('who was sent away is asked for once it is written down, and no more when none is found then', async () => {
  const recall = recallOf()
  answer = { count: 0, areMore: false }
  const { promise, resolve } = Promise.withResolvers<void>()
  recall.sentAway(promise)
  recall.answered(true)
  await clock.advance(3_000)
  expect(asked).toEqual([])
  resolve()
  await clock.advance(60_000)
  expect(asked.map(({ atMs }) => atMs)).toEqual([3_000])
})

test('who is written down while it is asked for others is asked for once more', async () => {
  const asking = Promise.withResolvers<void>()
  const options = { clock, random: () => 0.5, openMax: OPEN_MAX, open: () => 0 }
  let times = 0
  const recall = new Recall({
    ...options,
    async callBack() {
      if (times++ === 0) await asking.promise
      return { count: 0, areMore: false }
    },
  })
  recall.sentAway(written)
  await clock.settle()
  recall.sentAway(written)
  await clock.settle()
  asking.resolve()
  await clock.advance(60_000)
  expect(times).toBe(2)
})

test('what others may have sent away who are gone is asked for once, a few first', async () => {
  const recall = recallOf()
  answer = { count: 0, areMore: false }
  recall.lookForAll()
  await clock.advance(60_000)
  expect(asked).toEqual([{ atMs: 1_000, limit: 10 }])
})

test('newcomers take no more than half of the places while others are away', () => {
  const recall = recallOf()
  expect(recall.placesForNext()).toBe(OPEN_MAX)
  recall.sentAway(written)
  expect(recall.placesForNext()).toBe(OPEN_MAX / 2)
})

test('a lane that was stopped calls nobody back', async () => {
  const recall = recallOf()
  recall.after(fromNow(1_000), written)
  recall.stop()
  await clock.advance(60_000)
  expect([asked, clock.pending]).toEqual([[], 0])
})
