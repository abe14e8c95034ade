/** Ends what a program has begun, the latest first, within a time that whoever told it to stop can count on. */
import type { Clock } from './clock.ts'
import type { Log } from './telemetry-log.ts'

export type Ending = { readonly what: string; readonly end: () => Promise<unknown> }

/** For all of it together: orchestrators kill a program half a minute after they have told it to stop. */
const END_WITHIN_MS = 20_000
/** For each, also when those before it have used up the time. */
const AT_LEAST_MS = 1_000

/** Each ending is tried, whatever became of the others. Answers what did not end in time and still goes on. */
export async function endInReverse(
  endings: readonly Ending[],
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): Promise<string[]> {
  const untilMs = clock.monotonicMs() + END_WITHIN_MS
  const left: string[] = []
  for (const { what, end } of endings.toReversed()) {
    const withinMs = Math.max(AT_LEAST_MS, Math.round(untilMs - clock.monotonicMs()))
    const done = new AbortController()
    const ended = end()
      .catch((error: unknown) => log.error(`${what} did not end well`, { error }))
      .finally(() => done.abort())
    await Promise.race([ended, clock.sleep(withinMs, done.signal)])
    if (done.signal.aborted) continue
    log.error(`${what} did not end in time`, { withinMs })
    left.push(what)
  }
  return left
}
