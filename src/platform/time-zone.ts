/** Local time in IANA zones: which instant a wall clock means, daylight saving included. */
import { z } from 'zod'

export const DAY_MS = 86_400_000

/**
 * Local time is written as the milliseconds that the same date and time would have in UTC, so that days and
 * minutes of the wall clock are plain arithmetic.
 */
export interface TimeZone {
  /** What the wall clock shows at an instant. */
  toLocalMs(utcMs: number): number
  /** When the wall clock shows it: the first time if it does so twice, the moment of the jump if it never does. */
  toUtcMs(localMs: number): number
}

/** 00:00 to 24:00. */
export const LocalTime = z
  .string()
  .regex(/^(?:[01]\d|2[0-3]):[0-5]\d$|^24:00$/, 'a time of day such as 08:30')

export const TimeZoneName = z.string().refine(isTimeZone, 'an IANA time zone such as Europe/Berlin')

export function minutesOf(time: string): number {
  return Number(time.slice(0, 2)) * 60 + Number(time.slice(3, 5))
}

/** The ISO date on the wall of a zone. */
export const localDate = (at: Date, zone: string): string =>
  new Date(timeZone(zone).toLocalMs(at.getTime())).toISOString().slice(0, 10)

const zones = new Map<string, TimeZone>()

/** Throws a RangeError for a name that the machine does not know. */
export function timeZone(name: string): TimeZone {
  let zone = zones.get(name)
  if (!zone) zones.set(name, (zone = createZone(name)))
  return zone
}

function isTimeZone(name: string): boolean {
  try {
    return timeZone(name) !== undefined
  } catch {
    return false
  }
}

/** Days kept of each zone: about 27 years. Beyond it the memory starts afresh. */
const DAYS_KEPT = 10_000

type Jump = { readonly atMs: number; readonly beforeMs: number; readonly afterMs: number }

function createZone(name: string): TimeZone {
  const offsetAt = intlOffset(name)
  // Asking Intl costs microseconds, so each UTC day is asked once: nearly always it has one offset.
  const days = new Map<number, number | Jump>()

  function dayOf(utcMs: number): number | Jump {
    const day = Math.floor(utcMs / DAY_MS)
    let known = days.get(day)
    if (known === undefined) {
      if (days.size >= DAYS_KEPT) days.clear()
      days.set(day, (known = readDay(offsetAt, day * DAY_MS)))
    }
    return known
  }

  function offsetMs(utcMs: number): number {
    const day = dayOf(utcMs)
    if (typeof day === 'number') return day
    return utcMs < day.atMs ? day.beforeMs : day.afterMs
  }

  function toUtcMs(localMs: number): number {
    const beforeMs = offsetMs(localMs - DAY_MS)
    const afterMs = offsetMs(localMs + DAY_MS)
    const first = localMs - beforeMs
    if (beforeMs === afterMs || offsetMs(first) === beforeMs) return first
    const second = localMs - afterMs
    if (offsetMs(second) === afterMs) return second
    return jumpBetween(offsetMs, second, first)
  }

  return { toLocalMs: (utcMs) => utcMs + offsetMs(utcMs), toUtcMs }
}

function readDay(offsetAt: (utcMs: number) => number, startMs: number): number | Jump {
  const beforeMs = offsetAt(startMs)
  const afterMs = offsetAt(startMs + DAY_MS)
  if (beforeMs === afterMs) return beforeMs
  return { atMs: jumpBetween(offsetAt, startMs, startMs + DAY_MS), beforeMs, afterMs }
}

/** The first instant of the later offset. Clocks jump at whole seconds. */
function jumpBetween(offsetAt: (utcMs: number) => number, fromMs: number, toMs: number): number {
  const before = offsetAt(fromMs)
  let low = Math.floor(fromMs / 1_000)
  let high = Math.ceil(toMs / 1_000)
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (offsetAt(middle * 1_000) === before) low = middle
    else high = middle
  }
  return high * 1_000
}

function intlOffset(name: string): (utcMs: number) => number {
  const format = new Intl.DateTimeFormat('en-US', { timeZone: name, timeZoneName: 'longOffset' })
  return (utcMs) => {
    const text = format.format(utcMs)
    const match = /GMT(?:([+-])(\d\d):(\d\d)(?::(\d\d))?)?$/.exec(text)
    if (!match) throw new Error(`the offset of ${name} cannot be read from "${text}"`)
    const seconds = Number(match[2] ?? 0) * 3600 + Number(match[3] ?? 0) * 60 + Number(match[4] ?? 0)
    return (match[1] === '-' ? -seconds : seconds) * 1_000
  }
}
