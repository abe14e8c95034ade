/** What doors answer while more comes than is worked off; and how much is due on the desk that nobody has taken. */
import type { Clock } from './clock.ts'
import type { Queries } from './database.ts'
import { countBacklog } from './desk.ts'
import { Refusal, type RefusalCode } from './faults.ts'

export const backlogRefusals = {
  'work.backlog_full': {
    status: 429,
    title: 'More is accepted than is worked off',
    cause: 'So many documents wait for a worker that another one would only make the wait longer.',
    fix: 'Repeat the request with the same Idempotency-Key after Retry-After; the operator looks after the workers.',
  },
  'work.door_full': {
    status: 429,
    title: 'More waits at this door than can be answered in time',
    cause: 'So much came at once that what comes now would be answered after its sender has left.',
    fix: 'Send the same again after Retry-After; nothing of it was done or kept.',
  },
} as const satisfies Record<string, RefusalCode>

export interface Backlog {
  /** Refuses while more is due than may be. Reads nothing itself: the figure is at most seconds old, or unknown. */
  assertRoom(): void
}

export type BacklogOptions = {
  readonly queries: Queries
  readonly clock: Clock
  readonly max: number
}

const READ_EVERY_MS = 1_000
/** A figure from before a pause says nothing; neither does one that could not be read anew. */
const USABLE_MS = 5_000
const RETRY_AFTER_MS = 5_000

/** Counted beside the requests, once a second while there are some, and no further than to the bound. */
export function createBacklog({ queries, clock, max }: BacklogOptions): Backlog {
  let isFull = false
  let readMs = Number.NEGATIVE_INFINITY
  let askedMs = Number.NEGATIVE_INFINITY

  async function read(): Promise<void> {
    isFull = (await countBacklog(queries, max + 1)) > max
    readMs = clock.monotonicMs()
  }

  return {
    assertRoom() {
      const nowMs = clock.monotonicMs()
      if (nowMs - askedMs >= READ_EVERY_MS) {
        askedMs = nowMs
        // unknown then; orders are taken as long as the database takes them
        read().catch(() => undefined)
      }
      if (isFull && nowMs - readMs < USABLE_MS) {
        throw new Refusal('work.backlog_full', `More than ${max} documents wait to be worked on.`, {
          retryAfterMs: RETRY_AFTER_MS,
        })
      }
    },
  }
}
