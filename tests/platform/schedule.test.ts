import { beforeEach, expect, test } from 'vitest'
import { Outage } from '#platform/faults.ts'
import { schedule } from '#platform/schedule.ts'
import type { Log } from '#platform/telemetry-log.ts'
import { fakeClock, type FakeClock } from '#tests/support/clock.ts'
import { comeRound } from '../../src/app-upkeep.ts'

let clock: FakeClock
let errors: string[]
beforeEach(() => {
  clock = fakeClock()
  errors = []
})

const onError = (name: string, error: unknown): void => void errors.push(`${name}: ${String(error)}`)

test('a job runs at once, and then each time its pause is over', async () => {
  const at: number[] = []
  const run = async (): Promise<void> => void at.push(clock.monotonicMs() - 1_000)
  const stop = schedule([{ name: 'sweep', everyMs: 100, run }], clock, onError)
  await clock.advance(250)
  expect(at).toEqual([0, 100, 200])
  await stop()
  await clock.advance(1_000)
  expect([at.length, clock.pending]).toEqual([3, 0])
})

test('a job never overlaps itself, and a slow one does not hold up another', async () => {
  let slow = 0
  let quick = 0
  const { promise, resolve } = Promise.withResolvers<void>()
  const stop = schedule(
    [
      { name: 'slow', everyMs: 10, run: () => (slow++, promise) },
      { name: 'quick', everyMs: 10, run: async () => quick++ },
    ],
    clock,
    onError,
  )
  await clock.advance(100)
  expect([slow, quick]).toEqual([1, 11])
  resolve()
  await clock.advance(10)
  expect(slow).toBe(2)
  await stop()
})

test('a job that fails is told of and comes round again, also when it throws before it begins', async () => {
  let runs = 0
  const run = (): Promise<void> => {
    runs++
    if (runs === 1) throw new Error('at once')
    return Promise.reject(new Error('later'))
  }
  const stop = schedule([{ name: 'sweep', everyMs: 10, run }], clock, onError)
  await clock.advance(25)
  expect(errors).toEqual(['sweep: Error: at once', 'sweep: Error: later', 'sweep: Error: later'])
  await stop()
})

test('a stop waits for the job that is under way, and starts none', async () => {
  let runs = 0
  const { promise, resolve } = Promise.withResolvers<void>()
  const stop = schedule([{ name: 'sweep', everyMs: 0, run: () => (runs++, promise) }], clock, onError)
  let stopped = false
  const stopping = stop().then(() => (stopped = true))
  await clock.settle()
  expect(stopped).toBe(false)
  resolve()
  await stopping
  expect([runs, clock.pending]).toEqual([1, 0])
})

test.each([
  ['since somebody is away', new Outage('wms', 'it does not answer'), 'warn'],
  ['since somebody holds a lock', Object.assign(new Error('lock timeout'), { code: '55P03' }), 'warn'],
  ['by itself', new TypeError('nothing is no function'), 'error'],
  ['against what tables hold', Object.assign(new Error('violates'), { code: '23514' }), 'error'],
])('upkeep that fails %s is told as such', async (_why, failure, level) => {
  const told: string[] = []
  const say = (as: string) => (message: string) => void told.push(`${as}: ${message}`)
  const log = { warn: say('warn'), error: say('error') } as unknown as Log
  const stop = comeRound([{ name: 'sweep', everyMs: 100, run: () => Promise.reject(failure) }], {
    clock,
    log,
  })
  await clock.advance(50)
  await stop()
  expect(told).toEqual([`${level}: upkeep failed: sweep`])
})
