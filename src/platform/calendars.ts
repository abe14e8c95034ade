/** Business calendars: working hours, holidays and cut-offs of a location, carrier or partner, in its own time zone. */
import { z } from 'zod'
import { DAY_MS, LocalTime, minutesOf, timeZone, type TimeZone, TimeZoneName } from './time-zone.ts'

/** Working hours by the wall clock. `to` at or before `from` is on the next day: a night shift. */
const Shift = z.strictObject({ from: LocalTime, to: LocalTime })
type Shift = z.infer<typeof Shift>

const Shifts = z
  .array(Shift)
  .refine((shifts) => shifts.every((shift) => shift.from !== shift.to), 'a shift must have a length')

const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const

export const Weekday = z.enum(WEEKDAYS)

export const Calendar = z
  .strictObject({
    timeZone: TimeZoneName,
    /** Weekdays that are not named are closed. */
    week: z.partialRecord(Weekday, Shifts),
    holidays: z.array(z.iso.date()).default([]),
    /** Dates with hours of their own; they win over the week and over a holiday. */
    specialDays: z.record(z.iso.date(), Shifts).default({}),
    /** Times by which something must be in to count for that working day. */
    cutOffs: z.array(LocalTime).default([]),
  })
  .refine((calendar) => Object.values(calendar.week).some((shifts) => shifts.length > 0), {
    path: ['week'],
    message: 'at least one weekday needs working hours',
  })
  .refine((calendar) => calendar.cutOffs.every((time) => fitsSomeDay(calendar.week, minutesOf(time))), {
    path: ['cutOffs'],
    message: 'a cut-off must fall on a working day before its last closing',
  })
export type Calendar = z.infer<typeof Calendar>

/** Every answer is exact to the millisecond; hours that a clock change removes or repeats count as they really last. */
export interface BusinessCalendar {
  /** Opening is inside, closing is outside. */
  isOpen(at: Date): boolean
  /** `at` itself when open. */
  nextOpen(at: Date): Date
  /** The earliest instant by which `ms` of working time have passed since `at`; `at` itself for 0. */
  addBusinessMs(at: Date, ms: number): Date
  /** Working time from `a` to `b`, negative when `b` is earlier. */
  businessMsBetween(a: Date, b: Date): number
  /** The first cut-off after `at`: what comes in at the cut-off is late. Undefined when there are none. */
  nextCutOff(at: Date): Date | undefined
}

type Span = { readonly startMs: number; readonly endMs: number }

/** No question reaches further than this many days, so that no answer is searched for ever. */
const HORIZON_DAYS = 40 * 366
const DAYS_KEPT = 4_000

export function businessCalendar(definition: Calendar): BusinessCalendar {
  const walk = workingTime(definition)
  const nextCutOff = cutOffsOf(definition)
  const nextOpen = (atMs: number): number => walk(atMs, (startMs) => startMs)

  function add(atMs: number, ms: number): number {
    if (!(ms >= 0)) throw new RangeError(`working time to add must be 0 or more, not ${ms}`)
    if (ms === 0) return atMs
    let leftMs = ms
    return walk(atMs, (startMs, endMs) => {
      if (endMs - startMs >= leftMs) return startMs + leftMs
      leftMs -= endMs - startMs
      return undefined
    })
  }

  function between(aMs: number, bMs: number): number {
    if (bMs < aMs) return -between(bMs, aMs)
    let sumMs = 0
    return walk(aMs, (startMs, endMs) => {
      sumMs += Math.max(0, Math.min(endMs, bMs) - startMs)
      return endMs >= bMs ? sumMs : undefined
    })
  }

  return {
    isOpen: (at) => nextOpen(at.getTime()) === at.getTime(),
    nextOpen: (at) => new Date(nextOpen(at.getTime())),
    addBusinessMs: (at, ms) => new Date(add(at.getTime(), ms)),
    businessMsBetween: (a, b) => between(a.getTime(), b.getTime()),
    nextCutOff(at) {
      const cutOffMs = nextCutOff(at.getTime())
      return cutOffMs === undefined ? undefined : new Date(cutOffMs)
    },
  }
}

/** Offers each piece of working time from `afterMs` on, in order and without overlap, until one is answered. */
type Walk = (afterMs: number, visit: (startMs: number, endMs: number) => number | undefined) => number

function workingTime(definition: Calendar): Walk {
  const zone = timeZone(definition.timeZone)
  const shiftsOn = shiftsByDay(definition)
  const days = new Map<number, readonly Span[]>()

  function spansOf(day: number): readonly Span[] {
    let spans = days.get(day)
    if (!spans) {
      if (days.size >= DAYS_KEPT) days.clear()
      spans = shiftsOn(day).map(({ fromMs, toMs }) => ({
        startMs: zone.toUtcMs(day * DAY_MS + fromMs),
        endMs: zone.toUtcMs(day * DAY_MS + toMs),
      }))
      days.set(day, spans)
    }
    return spans
  }

  return (afterMs, visit) => {
    let cursorMs = afterMs
    // A night shift of the day before may still run.
    const firstDay = localDay(zone, afterMs) - 1
    for (let day = firstDay; day < firstDay + HORIZON_DAYS; day++) {
      for (const { startMs, endMs } of spansOf(day)) {
        const fromMs = Math.max(startMs, cursorMs)
        if (endMs <= fromMs) continue
        const answer = visit(fromMs, endMs)
        if (answer !== undefined) return answer
        cursorMs = endMs
      }
    }
    throw new RangeError(`no answer within ${HORIZON_DAYS} days of ${new Date(afterMs).toISOString()}`)
  }
}

function cutOffsOf(definition: Calendar): (atMs: number) => number | undefined {
  const zone = timeZone(definition.timeZone)
  const shiftsOn = shiftsByDay(definition)
  const cutOffsMs = definition.cutOffs.map((time) => minutesOf(time) * 60_000).sort((a, b) => a - b)
  return (atMs) => {
    if (cutOffsMs.length === 0) return undefined
    const firstDay = localDay(zone, atMs)
    for (let day = firstDay; day < firstDay + HORIZON_DAYS; day++) {
      const closingMs = Math.max(0, ...shiftsOn(day).map((shift) => shift.toMs))
      for (const cutOffMs of cutOffsMs) {
        if (cutOffMs > closingMs) break
        const cutOffUtcMs = zone.toUtcMs(day * DAY_MS + cutOffMs)
        if (cutOffUtcMs > atMs) return cutOffUtcMs
      }
    }
    throw new RangeError(`no cut-off within ${HORIZON_DAYS} days of ${new Date(atMs).toISOString()}`)
  }
}

const localDay = (zone: TimeZone, utcMs: number): number => Math.floor(zone.toLocalMs(utcMs) / DAY_MS)

/** A shift as milliseconds after the midnight of its day; past 24 hours it ends on the next. */
type DayShift = { readonly fromMs: number; readonly toMs: number }

function shiftsByDay(definition: Calendar): (day: number) => readonly DayShift[] {
  const week = WEEKDAYS.map((weekday) => dayShifts(definition.week[weekday] ?? []))
  const special = new Map<number, readonly DayShift[]>()
  for (const date of definition.holidays) special.set(dayOfDate(date), [])
  for (const [date, shifts] of Object.entries(definition.specialDays)) {
    special.set(dayOfDate(date), dayShifts(shifts))
  }
  return (day) => special.get(day) ?? week[weekdayOf(day)] ?? []
}

function dayShifts(shifts: readonly Shift[]): DayShift[] {
  return shifts
    .map(({ from, to }) => {
      const fromMs = minutesOf(from) * 60_000
      const toMs = minutesOf(to) * 60_000
      return { fromMs, toMs: toMs > fromMs ? toMs : toMs + DAY_MS }
    })
    .sort((a, b) => a.fromMs - b.fromMs)
}

function fitsSomeDay(week: Partial<Record<string, readonly Shift[]>>, minutes: number): boolean {
  return Object.values(week).some((shifts) =>
    dayShifts(shifts ?? []).some((shift) => shift.toMs >= minutes * 60_000),
  )
}

const dayOfDate = (date: string): number => Date.parse(date) / DAY_MS

/** Day 0, the first of January 1970, was a Thursday. */
const weekdayOf = (day: number): number => (((day + 4) % 7) + 7) % 7
