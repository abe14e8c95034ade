/** How long a document that could not be worked on waits for its next try, and when a person has to see why. */
import { failuresBy, type Fault } from './desk.ts'
import { isBusy } from './outage.ts'

const FIRST_RETRY_MS = 250
/**
 * What fails by itself is parked within seconds. What only meets locks of others is not, however many hold them for
 * however many minutes; after an hour of nothing else a person has to see why.
 */
const PATIENCE: Readonly<Record<Fault, { readonly failuresMax: number; readonly delayMaxMs: number }>> = {
  own: { failuresMax: 5, delayMaxMs: 4_000 },
  busy: { failuresMax: 125, delayMaxMs: 30_000 },
}
const FOREVER_MS = 100 * 365 * 24 * 3_600_000

export type NextTry = {
  readonly failed: Fault
  readonly delayMs: number
  /** It is not tried again by itself. */
  readonly parks: boolean
}

export function nextTry(failures: number, error: unknown): NextTry {
  const failed: Fault = isBusy(error) ? 'busy' : 'own'
  const { failuresMax, delayMaxMs } = PATIENCE[failed]
  const before = failuresBy(failures, failed)
  const parks = before + 1 >= failuresMax
  return { failed, parks, delayMs: parks ? FOREVER_MS : Math.min(FIRST_RETRY_MS * 2 ** before, delayMaxMs) }
}
