/** Business calendars, above all in the nights when the clocks change. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { z } from 'zod'
import { businessCalendar, type BusinessCalendar, Calendar } from '#platform/calendars.ts'
import { timeZone } from '#platform/time-zone.ts'

const HOUR_MS = 3_600_000
const NINE_TO_FIVE = [{ from: '09:00', to: '17:00' }]
const ALWAYS = [{ from: '00:00', to: '24:00' }]
const everyDay = <T>(shifts: T) => ({
  mon: shifts,
  tue: shifts,
  wed: shifts,
  thu: shifts,
  fri: shifts,
  sat: shifts,
  sun: shifts,
})

function calendar(overrides: Partial<z.input<typeof Calendar>> = {}): BusinessCalendar {
  const { sat: _sat, sun: _sun, ...workingWeek } = everyDay(NINE_TO_FIVE)
  return businessCalendar(Calendar.parse({ timeZone: 'Europe/Berlin', week: workingWeek, ...overrides }))
}

const at = (text: string): Date => new Date(text)
const iso = (date: Date | undefined): string | undefined => date?.toISOString().replace(':00.000Z', 'Z')

describe('hours', () => {
  test('opening is inside working time and closing is outside', () => {
    const berlin = calendar()
    expect(berlin.isOpen(at('2026-03-02T07:59:59.999Z'))).toBe(false)
    expect(berlin.isOpen(at('2026-03-02T08:00:00Z'))).toBe(true)
    expect(berlin.isOpen(at('2026-03-02T15:59:59.999Z'))).toBe(true)
    expect(berlin.isOpen(at('2026-03-02T16:00:00Z'))).toBe(false)
  })

  test('work that arrives on Friday evening starts on Monday morning', () => {
    expect(iso(calendar().nextOpen(at('2026-03-06T18:00:00Z')))).toBe('2026-03-09T08:00Z')
  })

  test('four working hours from Friday afternoon end on Monday', () => {
    expect(iso(calendar().addBusinessMs(at('2026-03-06T15:00:00Z'), 4 * HOUR_MS))).toBe('2026-03-09T11:00Z')
  })

  test('working time that fills the day ends at closing, not at the next opening', () => {
    expect(iso(calendar().addBusinessMs(at('2026-03-02T08:00:00Z'), 8 * HOUR_MS))).toBe('2026-03-02T16:00Z')
  })

  test('a holiday is closed, and a special day has its own hours even on a holiday or a Sunday', () => {
    const berlin = calendar({
      holidays: ['2026-12-24', '2026-12-25'],
      specialDays: {
        '2026-12-24': [{ from: '09:00', to: '12:00' }],
        '2026-12-27': [{ from: '10:00', to: '11:00' }],
      },
    })
    expect(iso(berlin.addBusinessMs(at('2026-12-23T16:00:00Z'), 4 * HOUR_MS))).toBe('2026-12-27T10:00Z')
    expect(berlin.businessMsBetween(at('2026-12-24T00:00:00Z'), at('2026-12-28T00:00:00Z'))).toBe(4 * HOUR_MS)
  })

  test('a night shift belongs to the day it starts on, and overlapping shifts count once', () => {
    const nights = calendar({
      week: { fri: [{ from: '22:00', to: '06:00' }], sat: [{ from: '05:00', to: '07:00' }] },
    })
    expect(nights.isOpen(at('2026-03-07T04:30:00Z'))).toBe(true)
    expect(nights.businessMsBetween(at('2026-03-06T00:00:00Z'), at('2026-03-08T00:00:00Z'))).toBe(9 * HOUR_MS)
  })

  test('a calendar without hours, with an empty shift or an unknown zone is refused', () => {
    for (const wrong of [
      { timeZone: 'Europe/Berlin', week: {} },
      { timeZone: 'Europe/Berlin', week: { mon: [{ from: '09:00', to: '09:00' }] } },
      { timeZone: 'Europe/Atlantis', week: { mon: NINE_TO_FIVE } },
      { timeZone: 'Europe/Berlin', week: { mon: NINE_TO_FIVE }, cutOffs: ['18:00'] },
    ]) {
      expect(Calendar.safeParse(wrong).success).toBe(false)
    }
  })
})

describe('cut-offs', () => {
  const berlin = calendar({
    cutOffs: ['15:00', '11:00'],
    holidays: ['2026-03-03'],
    specialDays: { '2026-03-04': [{ from: '09:00', to: '12:00' }] },
  })

  test.each([
    ['2026-03-02T08:00:00Z', '2026-03-02T10:00Z'],
    ['2026-03-02T09:59:59.999Z', '2026-03-02T10:00Z'],
    ['2026-03-02T10:00:00Z', '2026-03-02T14:00Z'],
    ['2026-03-02T14:00:00Z', '2026-03-04T10:00Z'],
    ['2026-03-04T10:00:00Z', '2026-03-05T10:00Z'],
    ['2026-03-06T20:00:00Z', '2026-03-09T10:00Z'],
  ])('an order of %s makes the cut-off of %s', (ordered, expected) => {
    expect(iso(berlin.nextCutOff(at(ordered)))).toBe(expected)
  })

  test('a calendar without cut-offs has no next one', () => {
    expect(calendar().nextCutOff(at('2026-03-02T08:00:00Z'))).toBeUndefined()
  })
})

describe('daylight saving', () => {
  test('nine o’clock stays nine o’clock when the clocks change', () => {
    const berlin = calendar()
    expect(iso(berlin.nextOpen(at('2026-03-27T20:00:00Z')))).toBe('2026-03-30T07:00Z')
    expect(iso(berlin.nextOpen(at('2026-10-23T20:00:00Z')))).toBe('2026-10-26T08:00Z')
  })

  test.each([
    ['Europe/Berlin', '2026-03-29', 23],
    ['Europe/Berlin', '2026-10-25', 25],
    ['America/New_York', '2026-03-08', 23],
    ['America/New_York', '2026-11-01', 25],
    ['Asia/Kolkata', '2026-03-29', 24],
    ['Australia/Lord_Howe', '2026-10-04', 23.5],
    ['Australia/Lord_Howe', '2026-04-05', 24.5],
  ])('in %s the day %s has %d working hours when open around the clock', (zone, date, hours) => {
    const always = calendar({ timeZone: zone, week: everyDay(ALWAYS) })
    const midnight = new Date(timeZone(zone).toUtcMs(Date.parse(date)))
    const nextMidnight = new Date(timeZone(zone).toUtcMs(Date.parse(date) + 24 * HOUR_MS))
    expect(always.businessMsBetween(midnight, nextMidnight)).toBe(hours * HOUR_MS)
    expect(nextMidnight.getTime() - midnight.getTime()).toBe(hours * HOUR_MS)
  })

  test('a local time that comes twice is its first occurrence, a skipped one is the moment of the jump', () => {
    const berlin = timeZone('Europe/Berlin')
    expect(iso(new Date(berlin.toUtcMs(Date.parse('2026-10-25T02:30:00Z'))))).toBe('2026-10-25T00:30Z')
    expect(iso(new Date(berlin.toUtcMs(Date.parse('2026-03-29T02:30:00Z'))))).toBe('2026-03-29T01:00Z')
  })

  test('a shift that lies in the skipped hour does not exist that night', () => {
    const nights = calendar({ week: { sun: [{ from: '02:10', to: '02:50' }] } })
    expect(nights.businessMsBetween(at('2026-03-28T00:00:00Z'), at('2026-03-30T00:00:00Z'))).toBe(0)
    expect(iso(nights.nextOpen(at('2026-03-28T00:00:00Z')))).toBe('2026-04-05T00:10Z')
  })
})

const ZONES = ['Europe/Berlin', 'America/New_York', 'Asia/Kolkata', 'Australia/Lord_Howe'] as const
/** Clock changes of these zones between 2025 and 2027; questions are asked within four days of them. */
const CHANGES = [
  '2025-03-30',
  '2025-10-26',
  '2026-03-29',
  '2026-10-25',
  '2027-03-28',
  '2026-03-08',
  '2026-11-01',
  '2026-04-05',
  '2026-10-04',
].map((date) => Date.parse(date))

const nearChange = fc
  .record({
    change: fc.constantFrom(...CHANGES),
    awayMs: fc.integer({ min: -4 * 86_400_000, max: 4 * 86_400_000 }),
  })
  .map(({ change, awayMs }) => new Date(change + awayMs))
const hhmm = fc
  .integer({ min: 0, max: 1_439 })
  .map(
    (minute) => `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`,
  )
const shift = fc.record({ from: hhmm, to: hhmm }).filter(({ from, to }) => from !== to)
const anyCalendar = fc
  .record({
    timeZone: fc.constantFrom(...ZONES),
    week: fc.constantFrom('mon', 'sun').chain((day) =>
      fc.record({
        [day]: fc.array(shift, { minLength: 1, maxLength: 2 }),
        wed: fc.array(shift, { maxLength: 2 }),
      }),
    ),
    holidays: fc.constantFrom([], ['2026-03-29', '2026-11-01']),
  })
  .map((definition) => businessCalendar(Calendar.parse(definition)))

/** The wall clock as Intl prints it: independent of how the calendar finds its offsets. */
function wallMinute(zone: string, date: Date): number {
  const parts = new Intl.DateTimeFormat('en-GB', {
    timeZone: zone,
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  }).formatToParts(date)
  const part = (type: string): number => Number(parts.find((one) => one.type === type)?.value)
  return part('hour') * 60 + part('minute')
}

describe('properties around the clock changes', () => {
  test('open says the same as a clock on the wall', () => {
    fc.assert(
      fc.property(fc.constantFrom(...ZONES), nearChange, (zone, date) => {
        const nineToFive = calendar({ timeZone: zone, week: everyDay(NINE_TO_FIVE) })
        const minute = wallMinute(zone, date)
        expect(nineToFive.isOpen(date)).toBe(minute >= 540 && minute < 1_020)
      }),
      { numRuns: 300 },
    )
  })

  test('going to local time and back is the identity, except for the second of two equal local times', () => {
    fc.assert(
      fc.property(fc.constantFrom(...ZONES), nearChange, (name, date) => {
        const zone = timeZone(name)
        const localMs = zone.toLocalMs(date.getTime())
        const backMs = zone.toUtcMs(localMs)
        expect(backMs).toBeLessThanOrEqual(date.getTime())
        expect(zone.toLocalMs(backMs)).toBe(localMs)
        expect(Math.floor((localMs / 60_000) % 1_440)).toBe(wallMinute(name, date))
      }),
      { numRuns: 300 },
    )
  })

  test('adding working time and measuring it are inverse', () => {
    fc.assert(
      fc.property(
        anyCalendar,
        nearChange,
        fc.integer({ min: 0, max: 30 * HOUR_MS }),
        (business, start, ms) => {
          const end = business.addBusinessMs(start, ms)
          expect(business.businessMsBetween(start, end)).toBe(ms)
          expect(business.businessMsBetween(end, start) + ms).toBe(0)
          if (ms > 0) expect(business.businessMsBetween(start, new Date(end.getTime() - 1))).toBe(ms - 1)
        },
      ),
      { numRuns: 200 },
    )
  })

  test('working time adds up over any point between, and never exceeds the time that passed', () => {
    fc.assert(
      fc.property(anyCalendar, nearChange, nearChange, nearChange, (business, a, b, c) => {
        const [first, middle, last] = [a, b, c].sort((x, y) => x.getTime() - y.getTime()) as [
          Date,
          Date,
          Date,
        ]
        const whole = business.businessMsBetween(first, last)
        expect(business.businessMsBetween(first, middle) + business.businessMsBetween(middle, last)).toBe(
          whole,
        )
        expect(whole).toBeLessThanOrEqual(last.getTime() - first.getTime())
      }),
      { numRuns: 200 },
    )
  })

  test('the next opening is open, is not earlier, and no working time lies before it', () => {
    fc.assert(
      fc.property(anyCalendar, nearChange, (business, start) => {
        const open = business.nextOpen(start)
        expect(open.getTime()).toBeGreaterThanOrEqual(start.getTime())
        expect(business.isOpen(open)).toBe(true)
        expect(business.businessMsBetween(start, open)).toBe(0)
      }),
      { numRuns: 200 },
    )
  })
})
