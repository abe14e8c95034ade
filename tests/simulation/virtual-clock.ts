/** Time as one actor of a simulation sees it. */
import type { Clock } from '#platform/clock.ts'
import type { Actor, Scheduler } from './scheduler.ts'

/** When every simulation begins. */
export const BEGIN = new Date('2026-11-02T09:00:00Z')

export const timeAt = (ms: number): Date => new Date(BEGIN.getTime() + ms)

type Machine = {
  /** How far its wall clock is off; the database's is not. Asked each time, since a clock may be set. */
  readonly skewMs?: () => number
  /** How many times longer than asked long sleeps take, as on a machine that has much else to do. */
  readonly drowsy?: number
}

const LONG_MS = 1_000

export function virtualClock(
  scheduler: Scheduler,
  actor: Actor,
  { skewMs = () => 0, drowsy = 1 }: Machine = {},
): Clock {
  const after = (ms: number, task: () => void): (() => void) =>
    scheduler.after(ms, { actor, label: 'timer', run: task })
  return {
    now: () => timeAt(scheduler.nowMs + skewMs()),
    monotonicMs: () => scheduler.nowMs,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted) return resolve()
        const aborted = (): void => {
          cancel()
          resolve()
        }
        const cancel = after(ms < LONG_MS ? ms : ms * drowsy, () => {
          signal?.removeEventListener('abort', aborted)
          resolve()
        })
        signal?.addEventListener('abort', aborted)
      }),
    after,
    soon: (task) => scheduler.offer({ actor, label: 'soon', run: task }),
  }
}
