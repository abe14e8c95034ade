/** The only source of time and of waiting; a simulation hands in another one. */
import { setTimeout as sleepFor } from 'node:timers/promises'

export interface Clock {
  /** Wall time, for what people and documents see. */
  now(): Date
  /** Milliseconds that never run backwards, for measuring and for deadlines. */
  monotonicMs(): number
  /** Resolves after `ms`, or at once when `signal` aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
  /** Runs `task` once after `ms`; the answer cancels it. */
  after(ms: number, task: () => void): () => void
  /** Runs `task` when the work at hand has yielded: what arrives meanwhile joins the batch. */
  soon(task: () => void): void
}

export const systemClock: Clock = {
  now: () => new Date(),
  monotonicMs: () => performance.now(),
  sleep: (ms, signal) => sleepFor(ms, undefined, signal ? { signal } : {}).catch(() => undefined),
  after(ms, task) {
    const timer = setTimeout(task, ms)
    return () => clearTimeout(timer)
  },
  soon: (task) => void setImmediate(task),
}

/** A clock that tells the time of another machine, as it last heard it, and does not notice when its own is set. */
export interface FollowingClock extends Clock {
  /** It is `now` there. */
  follow(now: Date): void
}

/** Machines disagree about the time; who compares times that others wrote down goes by one clock for all. */
export function followingClock(own: Clock): FollowingClock {
  let beganMs: number | undefined
  return {
    now: () => (beganMs === undefined ? own.now() : new Date(beganMs + own.monotonicMs())),
    monotonicMs: () => own.monotonicMs(),
    sleep: (ms, signal) => own.sleep(ms, signal),
    after: (ms, task) => own.after(ms, task),
    soon: (task) => own.soon(task),
    follow(now) {
      beganMs = now.getTime() - own.monotonicMs()
    },
  }
}
