/** Time as one actor of a simulation sees it. */
import type { Clock } from '#platform/clock.ts'
import type { Actor, Scheduler } from './scheduler.ts'

/** When every simulation begins. */
export const BEGIN = new Date('2026-11-02T09:00:00Z')

/** `skewMs`: how far this machine's wall clock is off; the database's is not. */
export function virtualClock(scheduler: Scheduler, actor: Actor, skewMs = 0): Clock {
  const after = (ms: number, task: () => void): (() => void) =>
    scheduler.after(ms, { actor, label: 'timer', run: task })
  return {
    now: () => new Date(BEGIN.getTime() + scheduler.nowMs + skewMs),
    monotonicMs: () => scheduler.nowMs,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted) return resolve()
        const aborted = (): void => {
          cancel()
          resolve()
        }
        const cancel = after(ms, () => {
          signal?.removeEventListener('abort', aborted)
          resolve()
        })
        signal?.addEventListener('abort', aborted)
      }),
    after,
    soon: (task) => scheduler.offer({ actor, label: 'soon', run: task }),
  }
}
