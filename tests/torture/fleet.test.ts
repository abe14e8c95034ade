/** The supervisor of the torture: what ends as it was told to is started again, and whatever ends otherwise is written down. */
import { afterEach, expect, test, vi } from 'vitest'
import { Fleet } from './fleet.ts'

const STAND_IN = new URL('./stand-in.ts', import.meta.url)
const LONG_MS = 60_000
let fleet: Fleet

afterEach(() => fleet.abandon())

function openFleet(ends: string, stopWithinMs = LONG_MS): void {
  fleet = new Fleet({
    configs: { program: { role: 'all' } },
    environment: { ENDS: ends },
    onLog: () => undefined,
    program: STAND_IN,
    stopWithinMs,
  })
}

async function startFleet(...given: Parameters<typeof openFleet>): Promise<void> {
  openFleet(...given)
  await vi.waitUntil(() => fleet.ready)
}

const endings = () => fleet.ended.map(({ what, code }) => [what, code])

test('a program that stops in order is no complaint, and another takes its place', async () => {
  await startFleet('0')
  expect(fleet.restart(0)).toBeDefined()
  await vi.waitUntil(() => !fleet.ready)
  await vi.waitUntil(() => fleet.ready)
  expect(endings()).toEqual([])
  expect(fleet.longestStopMs).toBeGreaterThan(0)
})

test('a program that fails when it is told to stop has not stopped in order', async () => {
  await startFleet('3')
  fleet.restart(0)
  await expect.poll(endings).toEqual([['a program did not stop in order', 3]])
})

test('a program that does not stop in time has not stopped in order, also at the end of a run', async () => {
  await startFleet('never', 100)
  await fleet.stop()
  expect(endings()).toEqual([['a program did not stop in order', null]])
})

test('a program that is killed while it stops is no complaint, and is killed once', async () => {
  await startFleet('never')
  const kill = fleet.restart(0)!
  expect(fleet.restart(0)).toBeUndefined()
  expect(fleet.freeze(0)).toBeUndefined()
  expect(kill()).toBe(true)
  await vi.waitUntil(() => !fleet.ready)
  await vi.waitUntil(() => fleet.ready)
  expect(kill()).toBe(false)
  expect(endings()).toEqual([])
})

test('a frozen program is not told to stop, and one that goes on is', async () => {
  await startFleet('0')
  const thaw = fleet.freeze(0)!
  expect(fleet.restart(0)).toBeUndefined()
  thaw()
  expect(fleet.restart(0)).toBeDefined()
})

test('a program that ends although nobody told it to is written down', async () => {
  openFleet('at once')
  await expect.poll(() => endings()[0]).toEqual(['a program ended by itself', 7])
})
