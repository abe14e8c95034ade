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
