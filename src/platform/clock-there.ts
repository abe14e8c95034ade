/** What time it is at a system that stamps with its own clock what changes there. */
import type { Clock } from './clock.ts'
import type { HttpResponse } from './http-client.ts'

export interface ClockThere {
  /** An answer says by its Date what time it was over there (RFC 9110, section 6.6.1; whole seconds). */
  heard(response: Pick<HttpResponse, 'headers'>): void
  /** A moment of ours by the clock over there: rather too early than too late, and never later than by ours. */
  at(ours: Date): Date
}

/** As far behind as a clock may be that has told nothing yet. */
const UNHEARD_MS = 600_000

export function clockThere(clock: Clock): ClockThere {
  let behindMs = UNHEARD_MS
  return {
    heard({ headers }) {
      const toldMs = Date.parse(headers['date'] ?? '')
      if (!Number.isNaN(toldMs)) behindMs = Math.max(0, clock.now().getTime() - toldMs)
    },
    at: (ours) => new Date(ours.getTime() - behindMs),
  }
}
