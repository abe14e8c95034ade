/** Jobs that come round: one at a time each, on a clock, never stopping because one of them failed. */
import type { Clock } from './clock.ts'

export type Job = {
  readonly name: string
  readonly everyMs: number
  run(): Promise<unknown>
}

/** Runs each job at once and then again `everyMs` after it ended. The answer stops them and waits for who is at it. */
export function schedule(
  jobs: readonly Job[],
  clock: Clock,
  onError: (name: string, error: unknown) => void,
): () => Promise<void> {
  const stopping = new AbortController()
  const running = jobs.map(async ({ name, everyMs, run }) => {
    while (!stopping.signal.aborted) {
      try {
        await run()
      } catch (error) {
        onError(name, error)
      }
      await clock.sleep(everyMs, stopping.signal)
    }
  })
  return async () => {
    stopping.abort()
    await Promise.all(running)
  }
}
