/** Who owns which exception and by when: rules as data, and a default, so that none is without owner and due time. */
import type { BusinessCalendar } from './calendars.ts'

export const SEVERITIES = ['critical', 'high', 'normal', 'low'] as const
export type Severity = (typeof SEVERITIES)[number]

export type Responsibility = {
  /** The business queue whose people work on it. */
  readonly owner: string
  readonly severity: Severity
  readonly dueBusinessHours: number
}

/** `prefix` is a code or the start of one up to a dot: `orders`, `orders.credit`, `orders.credit.exceeded`. */
export type OwnershipRule = Responsibility & { readonly prefix: string }

export type Ownership = {
  readonly rules: readonly OwnershipRule[]
  readonly otherwise: Responsibility
  /** The calendar in whose working hours a company's exceptions fall due. */
  calendarOf(company: string): Pick<BusinessCalendar, 'addBusinessMs'>
}

const HOUR_MS = 3_600_000

/** The rule with the longest prefix of the code decides, else the default. */
export function responsibilityFor(ownership: Ownership, code: string): Responsibility {
  let best: OwnershipRule | undefined
  for (const rule of ownership.rules) {
    const matches = code === rule.prefix || code.startsWith(`${rule.prefix}.`)
    if (matches && rule.prefix.length > (best?.prefix.length ?? -1)) best = rule
  }
  return best ?? ownership.otherwise
}

export function dueAt(ownership: Ownership, company: string, openedAt: Date, businessHours: number): Date {
  return ownership.calendarOf(company).addBusinessMs(openedAt, businessHours * HOUR_MS)
}
