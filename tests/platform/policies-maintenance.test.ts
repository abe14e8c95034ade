/** Maintenance windows: closed until when, by the system's own wall clock. */
import { describe, expect, test } from 'vitest'
import type { z } from 'zod'
import { Maintenance, maintenanceAt } from '#platform/policies-maintenance.ts'

type Window = z.input<typeof Maintenance>['windows'][number]

function stateAt(at: string, ...windows: Window[]): string {
  const maintenance = Maintenance.parse({ timeZone: 'America/New_York', windows })
  const { closed, untilMs } = maintenanceAt(maintenance, Date.parse(at))
  return `${closed ? 'closed' : 'open'} until ${new Date(untilMs).toISOString().slice(0, 16)}Z`
}

describe('weekly', () => {
  const saturdayNight: Window = { days: ['sat'], from: '22:00', to: '04:00' }

  test.each([
    ['2026-03-15T01:59:59Z', 'open until 2026-03-15T02:00Z'],
    ['2026-03-15T02:00:00Z', 'closed until 2026-03-15T08:00Z'],
    ['2026-03-15T07:59:59Z', 'closed until 2026-03-15T08:00Z'],
    ['2026-01-18T03:00:00Z', 'closed until 2026-01-18T09:00Z'],
  ])('at %s a window that starts on Saturday at ten is %s', (at, expected) => {
    expect(stateAt(at, saturdayNight)).toBe(expected)
  })

  test('the night of the clock change is an hour shorter or longer, as on the wall', () => {
    expect(stateAt('2026-03-08T04:00:00Z', saturdayNight)).toBe('closed until 2026-03-08T08:00Z')
    expect(stateAt('2026-11-01T04:00:00Z', saturdayNight)).toBe('closed until 2026-11-01T09:00Z')
  })

  test('the next window of another weekday is found days ahead', () => {
    expect(stateAt('2026-03-15T08:00:00Z', saturdayNight)).toBe('open until 2026-03-22T02:00Z')
  })
})

describe('dated', () => {
  const inventory: Window = { from: '2026-12-30T18:00', to: '2027-01-02T06:00' }

  test('a window runs across the new year, and after it the system is open', () => {
    expect(stateAt('2027-01-01T00:00:00Z', inventory)).toBe('closed until 2027-01-02T11:00Z')
    expect(stateAt('2027-01-02T11:00:00Z', inventory)).toMatch(/^open/)
  })

  test('windows that touch or overlap count as one', () => {
    const before: Window = { from: '2026-12-30T12:00', to: '2026-12-30T18:00' }
    const inside: Window = { from: '2026-12-31T00:00', to: '2026-12-31T01:00' }
    expect(stateAt('2026-12-30T18:00:00Z', inside, inventory, before)).toBe('closed until 2027-01-02T11:00Z')
  })
})

test('a window without length, without days or with a zone of its own in the time is refused', () => {
  for (const window of [
    { from: '2026-12-30T18:00', to: '2026-12-30T18:00' },
    { days: [], from: '22:00', to: '04:00' },
    { from: '2026-12-30T18:00Z', to: '2026-12-30T19:00Z' },
  ]) {
    expect(Maintenance.safeParse({ timeZone: 'Europe/Berlin', windows: [window] }).success).toBe(false)
  }
})
