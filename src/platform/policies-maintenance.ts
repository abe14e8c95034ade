/** Maintenance windows: the times at which a system is not to be called, by its own wall clock. */
import { z } from 'zod'
import { Weekday } from './calendars.ts'
import { DAY_MS, LocalTime, minutesOf, timeZone, type TimeZone, TimeZoneName } from './time-zone.ts'

/** Each week. `to` at or before `from` is on the next day. */
const WeeklyWindow = z.strictObject({ days: z.array(Weekday).min(1), from: LocalTime, to: LocalTime })

/** Once, in local time. */
const DatedWindow = z
  .strictObject({ from: z.iso.datetime({ local: true }), to: z.iso.datetime({ local: true }) })
  .refine((window) => localMsOf(window.from) < localMsOf(window.to), 'a window must end after it begins')

export const Maintenance = z.strictObject({
  timeZone: TimeZoneName,
  windows: z.array(z.union([WeeklyWindow, DatedWindow])).min(1),
})
export type Maintenance = z.infer<typeof Maintenance>

/** Whether the system is closed, and the instant until which that is so. */
export type MaintenanceState = { readonly closed: boolean; readonly untilMs: number }

type Span = { readonly startMs: number; readonly endMs: number }

const WEEKDAYS = Weekday.options
const LOOK_AHEAD_DAYS = 8

/** Windows that touch count as one, so that "closed until" is when calls really start again. */
export function maintenanceAt(maintenance: Maintenance, atMs: number): MaintenanceState {
  const spans = spansAround(maintenance, atMs)
  let closedUntilMs = atMs
  for (const { startMs, endMs } of spans) {
    if (startMs <= closedUntilMs && endMs > closedUntilMs) closedUntilMs = endMs
  }
  if (closedUntilMs > atMs) return { closed: true, untilMs: closedUntilMs }
  const next = spans.find((span) => span.startMs > atMs)
  return { closed: false, untilMs: next?.startMs ?? atMs + DAY_MS }
}

function spansAround(maintenance: Maintenance, atMs: number): Span[] {
  const zone = timeZone(maintenance.timeZone)
  const today = Math.floor(zone.toLocalMs(atMs) / DAY_MS)
  return maintenance.windows
    .flatMap((window) =>
      'days' in window
        ? weeklySpans(zone, window, today)
        : [span(zone, localMsOf(window.from), localMsOf(window.to))],
    )
    .filter(({ startMs, endMs }) => endMs > atMs && endMs > startMs)
    .sort((a, b) => a.startMs - b.startMs)
}

function weeklySpans(zone: TimeZone, window: z.infer<typeof WeeklyWindow>, today: number): Span[] {
  const fromMs = minutesOf(window.from) * 60_000
  const toMs = minutesOf(window.to) * 60_000
  const spans: Span[] = []
  for (let day = today - 1; day <= today + LOOK_AHEAD_DAYS; day++) {
    // Day 0, the first of January 1970, was a Thursday.
    if (!window.days.includes(WEEKDAYS[(day + 4) % 7]!)) continue
    const endMs = toMs > fromMs ? toMs : toMs + DAY_MS
    spans.push(span(zone, day * DAY_MS + fromMs, day * DAY_MS + endMs))
  }
  return spans
}

function span(zone: TimeZone, fromLocalMs: number, toLocalMs: number): Span {
  return { startMs: zone.toUtcMs(fromLocalMs), endMs: zone.toUtcMs(toLocalMs) }
}

const localMsOf = (local: string): number => Date.parse(`${local}Z`)
