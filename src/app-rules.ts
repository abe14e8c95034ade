/** How each company sells, and who owns what goes wrong: from the configuration to what processes ask. */
import { businessCalendar } from '#platform/calendars.ts'
import { exceptionOpener } from '#platform/exceptions.ts'
import type { Config } from './config-schema.ts'
import type { CompanyRules, ProcessPorts } from './processes/ports.ts'
import { OWNERSHIP } from './processes/trouble.ts'

export function portsOf(config: Config, ports: Omit<ProcessPorts, 'company'>): ProcessPorts {
  const rules = new Map(
    config.companies.map((company): [string, CompanyRules] => [company.code, rulesOf(config, company)]),
  )
  return {
    ...ports,
    company(code) {
      const found = rules.get(code)
      if (!found) throw new Error(`company ${code} is not configured`)
      return found
    },
  }
}

export function exceptionsOf(config: Config): ReturnType<typeof exceptionOpener> {
  const calendars = new Map(
    config.companies.map((company) => [
      company.code,
      businessCalendar({ ...OFFICE_HOURS, timeZone: company.timeZone }),
    ]),
  )
  const anywhere = businessCalendar({ ...OFFICE_HOURS, timeZone: 'UTC' })
  return exceptionOpener({ ...OWNERSHIP, calendarOf: (company) => calendars.get(company) ?? anywhere })
}

const WORKDAY = [{ from: '08:00', to: '17:00' }]
const OFFICE_HOURS = {
  week: { mon: WORKDAY, tue: WORKDAY, wed: WORKDAY, thu: WORKDAY, fri: WORKDAY },
  holidays: [],
  specialDays: {},
  cutOffs: [],
}

const HOUR_MS = 3_600_000
const PPM_PER_PERCENT = 10_000

function rulesOf(config: Config, company: Config['companies'][number]): CompanyRules {
  const { tolerancePercent, ...priceRules } = company.price
  return {
    code: company.code,
    currency: company.currency,
    locations: config.locations
      .filter((place) => (place.company ?? company.code) === company.code)
      .map((place) => place.code),
    taxedBy: company.tax === 'erp' ? 'erp' : 'tax-system',
    credit: { staleAfterMs: company.credit.staleAfterHours * HOUR_MS, fallback: company.credit.fallback },
    price: { ...priceRules, tolerancePpm: Math.round(tolerancePercent * PPM_PER_PERCENT) },
  }
}
