/** Dates and times in our documents: what the clock on the wall shows where the partner reads it. */
import { timeZone } from '#platform/time-zone.ts'
import type { PartnerGuide } from './partner-guide.ts'

/** An ISO date, and HHMM. */
export type WallClock = { readonly date: string; readonly time: string }

export function wallClock(at: Date, guide: Pick<PartnerGuide, 'timeZone'>): WallClock {
  const local = new Date(timeZone(guide.timeZone).toLocalMs(at.getTime())).toISOString()
  return { date: local.slice(0, 10), time: local.slice(11, 16).replace(':', '') }
}
