/** Stopping in order: each ending has its turn, and all of them together have a limit. */
import { expect, test } from 'vitest'
import { type Ending, endInReverse } from '#platform/endings.ts'
import { createLog } from '#platform/telemetry-log.ts'
import { fakeClock } from '#tests/support/clock.ts'

function stopping(endings: readonly Ending[]) {
  const clock = fakeClock()
  const lines: string[] = []
  const log = createLog({ level: 'error', clock, destination: { write: (line) => void lines.push(line) } })
  const began: string[] = []
  const noted = endings.map(({ what, end }) => ({ what, end: () => (began.push(what), end()) }))
  return { clock, lines, began, startedMs: clock.monotonicMs(), stopped: endInReverse(noted, { clock, log }) }
}

const ends = (what: string): Ending => ({ what, end: async () => undefined })
const fails = (what: string): Ending => ({ what, end: () => Promise.reject(new Error('no')) })
const hangs = (what: string): Ending => ({ what, end: () => new Promise(() => undefined) })

test('what was begun last ends first, and one that fails keeps no other from ending', async () => {
  const { began, lines, stopped } = stopping([ends('database'), fails('calls'), ends('work')])
  expect(await stopped).toEqual([])
  expect(began).toEqual(['work', 'calls', 'database'])
  expect(lines.join('')).toContain('calls did not end well')
})

test('however many hang, all are tried and the stop is over before an orchestrator loses patience', async () => {
  const { clock, began, lines, startedMs, stopped } = stopping([
    ends('database'),
    ...['connections', 'notices', 'calls', 'outward', 'work'].map(hangs),
  ])
  let left: string[] | undefined
  void stopped.then((what) => (left = what))
  await clock.advanceUntil(() => left !== undefined, 60_000)
  expect(left).toEqual(['work', 'outward', 'calls', 'notices', 'connections'])
  expect(began.at(-1)).toBe('database')
  expect(lines).toHaveLength(5)
  expect(clock.monotonicMs() - startedMs).toBeLessThan(25_000)
})

test('what follows an ending that hangs has time of its own', async () => {
  const late: Ending = { what: 'connections', end: () => clockOf().sleep(500) }
  const { clock, stopped } = stopping([late, hangs('work')])
  const clockOf = () => clock
  let left: string[] | undefined
  void stopped.then((what) => (left = what))
  await clock.advanceUntil(() => left !== undefined, 60_000)
  expect(left).toEqual(['work'])
})
