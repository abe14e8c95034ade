/** The seven figures: how often they are counted. What they count is shown by the flows. */
import { beforeEach, expect, test } from 'vitest'
import type { Queries } from '#platform/database.ts'
import { createSummary, type Summary } from '#processes/summary.ts'
import { fakeClock, type FakeClock } from '#tests/support/clock.ts'

/** A database of a house in which nothing has happened yet; each question takes as long as it is told. */
let clock: FakeClock
let tookMs: number
let failure: Error | undefined
let counts: number
let summary: () => Promise<Summary>
beforeEach(() => {
  clock = fakeClock()
  ;[tookMs, failure, counts] = [0, undefined, 0]
  const queries: Queries = {
    async query({ name }) {
      if (name === 'exceptions.count_open') counts++
      await clock.sleep(tookMs)
      if (failure) throw failure
      return []
    },
  }
  summary = createSummary(queries, clock)
})

async function looked(): Promise<void> {
  void summary().catch(() => undefined)
  await clock.settle()
}

test('everybody who looks within a second is told of one count', async () => {
  for (const ms of [0, 500, 499, 1, 999]) {
    await clock.advance(ms)
    await looked()
  }
  expect(counts).toBe(2)
})

test('a count that takes long is waited for by all who look, and not soon done again', async () => {
  tookMs = 3_000
  for (let second = 0; second < 30; second++) {
    await looked()
    await clock.advance(1_000)
  }
  expect(counts).toBe(1)
  await clock.advance(120_000)
  await looked()
  expect(counts).toBe(2)
})

test('a count that fails is told to who waited for it, and tried again by the next who looks', async () => {
  failure = new Error('gone')
  await expect(Promise.all([summary(), clock.advance(1)])).rejects.toThrow('gone')
  failure = undefined
  await expect(Promise.all([summary(), clock.advance(1)])).resolves.toMatchObject([
    { accepted: 0 },
    undefined,
  ])
})
