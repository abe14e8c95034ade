/** A clock that stands still until a test advances it: due work runs in order, and promises settle in between. */
import { setImmediate as turn, setTimeout as pause } from 'node:timers/promises'
import type { Clock } from '#platform/clock.ts'

export interface FakeClock extends Clock {
  /** Lets `ms` pass: each timer that falls due runs at its own time, in order, and what it started settles first. */
  advance(ms: number): Promise<void>
  /** Runs what is due now and waits until promises, and tasks given to `soon`, have nothing left to do. */
  settle(): Promise<void>
  /** Waits for real input and output, such as an answer of PostgreSQL, without letting time pass. */
  until(condition: () => boolean | Promise<boolean>, what?: string): Promise<void>
  /** As `until`, and lets time pass to the next timer whenever nothing else happens, at most `limitMs` of it. */
  advanceUntil(condition: () => boolean | Promise<boolean>, limitMs: number): Promise<void>
  /** Moves the wall clock alone, as a correction by NTP or a person does; monotonic time does not notice. */
  shiftWall(ms: number): void
  /** How many timers and sleepers wait. */
  readonly pending: number
}

type Timer = { readonly dueMs: number; readonly order: number; readonly task: () => void }

/** Real time that `until` grants to real input and output before it calls the test stuck. */
const STUCK_AFTER_MS = 50_000
/** Turns of the event loop without work after which everything counts as settled. */
const QUIET_TURNS = 3
/** Most answers come at once; from then on the processor is left to who is to answer. */
const EAGER_LOOKS = 10
const PAUSE_MS = 1
/** Real time given to real answers before `advanceUntil` lets time pass. */
const PATIENCE_MS = 3

/** A Monday morning in winter unless told otherwise. Monotonic time starts at 1,000 so that it differs from "unset". */
export function fakeClock(start: Date | string = '2026-03-02T09:00:00Z'): FakeClock {
  const timers = new Set<Timer>()
  let monotonic = 1_000
  let wallOffset = new Date(start).getTime() - monotonic
  let order = 0
  let soonPending = 0
  let failure: { error: unknown } | undefined

  function next(): Timer | undefined {
    let first: Timer | undefined
    for (const timer of timers) {
      if (!first || timer.dueMs < first.dueMs || (timer.dueMs === first.dueMs && timer.order < first.order))
        first = timer
    }
    return first
  }

  function run(task: () => void): void {
    try {
      task()
    } catch (error) {
      failure ??= { error }
    }
  }

  function rethrow(): void {
    const failed = failure
    failure = undefined
    if (failed) throw failed.error
  }

  function runNextDueBy(limitMs: number): boolean {
    const timer = next()
    if (!timer || timer.dueMs > limitMs) return false
    timers.delete(timer)
    monotonic = Math.max(monotonic, timer.dueMs)
    run(timer.task)
    return true
  }

  async function settle(): Promise<void> {
    let quiet = 0
    while (quiet < QUIET_TURNS) {
      await turn()
      quiet = runNextDueBy(monotonic) || soonPending > 0 ? 0 : quiet + 1
    }
    rethrow()
  }

  async function advance(ms: number): Promise<void> {
    const targetMs = monotonic + ms
    await settle()
    while (runNextDueBy(targetMs)) await settle()
    monotonic = targetMs
    await settle()
  }

  function after(ms: number, task: () => void): () => void {
    const timer: Timer = { dueMs: monotonic + Math.max(0, ms), order: order++, task }
    timers.add(timer)
    return () => void timers.delete(timer)
  }

  async function until(condition: () => boolean | Promise<boolean>, what = 'the condition'): Promise<void> {
    const stuckAt = performance.now() + STUCK_AFTER_MS
    for (let looks = 1; !(await condition()); looks++) {
      if (performance.now() > stuckAt)
        throw new Error(`${what} did not come true within ${STUCK_AFTER_MS} ms`)
      if (looks > EAGER_LOOKS) await pause(PAUSE_MS)
      await settle()
    }
  }

  async function advanceUntil(condition: () => boolean | Promise<boolean>, limitMs: number): Promise<void> {
    const targetMs = monotonic + limitMs
    const stuckAt = performance.now() + STUCK_AFTER_MS
    let patientUntil = performance.now() + PATIENCE_MS
    while (!(await condition())) {
      await settle()
      const realMs = performance.now()
      if (realMs > stuckAt) throw new Error(`no end within ${STUCK_AFTER_MS} real ms`)
      if (realMs < patientUntil) {
        await pause(PAUSE_MS)
        continue
      }
      const timer = next()
      if (!timer || timer.dueMs > targetMs)
        throw new Error(`the condition did not come true within ${limitMs} ms`)
      runNextDueBy(targetMs)
      patientUntil = performance.now() + PATIENCE_MS
    }
  }

  return {
    now: () => new Date(monotonic + wallOffset),
    monotonicMs: () => monotonic,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted) return resolve()
        const cancel = after(ms, () => {
          signal?.removeEventListener('abort', wake)
          resolve()
        })
        const wake = (): void => {
          cancel()
          resolve()
        }
        signal?.addEventListener('abort', wake, { once: true })
      }),
    after,
    soon(task) {
      soonPending += 1
      setImmediate(() => {
        soonPending -= 1
        run(task)
      })
    },
    advance,
    settle,
    until,
    advanceUntil,
    shiftWall(ms) {
      wallOffset += ms
    },
    get pending() {
      return timers.size
    },
  }
}
