/** How each company sells, and who owns what goes wrong: from the configuration to what processes ask. */
import { businessCalendar, type BusinessCalendar } from '#platform/calendars.ts'
import { exceptionOpener } from '#platform/exceptions.ts'
import { Refusal } from '#platform/faults.ts'
import { minorDigits } from '#platform/money.ts'
import { freshnessOf } from './app-freshness.ts'
import type { Config } from './config-schema.ts'
import type { SellingCompany } from './processes/availability.ts'
import { Care } from './processes/care.ts'
import type { CompanyRules, ProcessPorts } from './processes/ports.ts'
import { OWNERSHIP } from './processes/trouble.ts'

export function portsOf(
  config: Config,
  ports: Omit<
    ProcessPorts,
    'company' | 'findCompany' | 'countsStock' | 'tolerance' | 'freshness' | 'care' | 'labels'
  >,
): ProcessPorts {
  const rules = new Map(
    config.companies.map((company): [string, CompanyRules] => [company.code, rulesOf(config, company)]),
  )
  const freshness = freshnessOf(config)
  return {
    ...ports,
    freshness,
    care: new Care(freshness, ports.clock),
    countsStock: countsStockOf(config),
    labels: new Map(config.locations.flatMap(({ code, labels }) => (labels ? [[code, labels]] : []))),
    tolerance: toleranceOf(config),
    company(code) {
      const found = rules.get(code)
      if (!found) throw new Error(`company ${code} is not configured`)
      return found
    },
    findCompany(code) {
      const found = rules.get(code)
      if (found) return found
      const message = `there is no company ${code}; there are ${[...rules.keys()].join(', ')}`
      throw new Refusal('inventory.company_unknown', message, {}, '/company')
    },
  }
}

/** Whatever is neither system nor feed, such as a person, moves what it says. */
export const countsStockOf =
  (config: Config): ProcessPorts['countsStock'] =>
  (source, reason) =>
    (config.systems[source]?.stock ?? config.feeds[source])?.moves[reason] !== 'none'

/** An EDI partner's stands under a feed of its name. */
export const toleranceOf =
  ({ systems, feeds, companies }: Config): ProcessPorts['tolerance'] =>
  (source, company) => {
    const settings = systems[source]?.stock ?? feeds[source]
    const tolerance = settings?.tolerances[company] ?? settings?.tolerance
    if (!tolerance) return undefined
    const { value, ...sizes } = tolerance
    if (value === undefined) return sizes
    const { currency } = companies.find(({ code }) => code === company)!
    return { ...sizes, mostMinor: value * 10 ** minorDigits(currency) }
  }

export const exceptionsOf = (config: Config): ReturnType<typeof exceptionOpener> =>
  exceptionOpener({ ...OWNERSHIP, calendarOf: workingTimeOf(config) })

/** Working hours of each company by its own clock; what is nobody's alone goes by office hours in UTC. */
export function workingTimeOf(config: Config): (company: string) => BusinessCalendar {
  const calendars = new Map(config.companies.map((company) => [company.code, calendarOf(company)]))
  const anywhere = calendarOf({ timeZone: 'UTC', hours: OFFICE_HOURS })
  return (company) => calendars.get(company) ?? anywhere
}

const OFFICE_HOURS = {
  days: ['mon', 'tue', 'wed', 'thu', 'fri'],
  from: '08:00',
  to: '17:00',
  holidays: [],
} satisfies Config['companies'][number]['hours']

const calendarOf = ({ timeZone, hours }: Pick<Config['companies'][number], 'timeZone' | 'hours'>) =>
  businessCalendar({
    timeZone,
    week: Object.fromEntries(hours.days.map((day) => [day, [{ from: hours.from, to: hours.to }]])),
    holidays: [...hours.holidays],
    specialDays: {},
    cutOffs: [],
  })

function groupsOf(places: Config['locations']): ReadonlyMap<string, readonly string[]> {
  const groups = new Set(places.flatMap((place) => place.groups))
  return new Map(
    [...groups].map((group) => [
      group,
      places.filter((place) => place.groups.includes(group)).map((place) => place.code),
    ]),
  )
}

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const PPM_PER_PERCENT = 10_000

/** Where a company sells from, and by whose clock; undefined where it is not configured. */
export function placesIn(config: Config, code: string): SellingCompany | undefined {
  const company = config.companies.find((one) => one.code === code)
  return company && sellingOf(config, company)
}

function sellingOf(config: Config, { code, timeZone }: Config['companies'][number]): SellingCompany {
  const places = config.locations.filter((place) => (place.company ?? code) === code)
  return {
    code,
    timeZone,
    locations: places.map((place) => place.code),
    locationGroups: groupsOf(places),
  }
}

function rulesOf(config: Config, company: Config['companies'][number]): CompanyRules {
  const { tolerancePercent, ...priceRules } = company.price
  return {
    ...sellingOf(config, company),
    currency: company.currency,
    reservations: {
      softMs: company.reservations.softMinutes * MINUTE_MS,
      softMaxMs: company.reservations.softMinutesMax * MINUTE_MS,
    },
    adjustments: {
      approveAboveMinor: company.adjustments.approveAbove * 10 ** minorDigits(company.currency),
    },
    taxedBy: company.tax === 'erp' ? 'erp' : 'tax-system',
    credit: { staleAfterMs: company.credit.staleAfterHours * HOUR_MS, fallback: company.credit.fallback },
    holdsExpireAfterMs:
      company.holds.expireAfterDays === undefined ? undefined : company.holds.expireAfterDays * DAY_MS,
    price: { ...priceRules, tolerancePpm: Math.round(tolerancePercent * PPM_PER_PERCENT) },
  }
}
