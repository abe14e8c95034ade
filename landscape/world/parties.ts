/** The companies, their warehouses and their customers, the planted credit cases among them. */
import { draw, drawInteger, drawOne } from '../random.ts'
import { gln13 } from './gs1.ts'
import { FIRSTS, FOOD_TRADES, INDUSTRY_TRADES, PLACES_EU, PLACES_US, STREETS } from './words.ts'
import type { Address, Company, CompanyCode, Customer, Door, Site } from './world.ts'

export const COMPANIES: Company[] = [
  { code: 'NWF', name: 'Northway Foods', currency: 'USD', country: 'US' },
  { code: 'NWI', name: 'Northway Industrial', currency: 'EUR', country: 'DE' },
]

const site = (
  code: string,
  name: string,
  place: readonly [string, string, string],
  cutOff: string,
): Site => ({
  code,
  name,
  street: '1 Depot Way',
  city: place[0],
  region: place[1],
  postalCode: place[2],
  country: 'US',
  timeZone: 'America/New_York',
  cutOff,
})

export const SITES: Site[] = [
  site('DC1', 'Newark central', ['Newark', 'NJ', '07102'], '16:00'),
  site('DC2', 'Columbus', ['Columbus', 'OH', '43215'], '15:00'),
  { ...site('DC3', 'Kiel', ['Kiel', '', '24103'], '14:00'), country: 'DE', timeZone: 'Europe/Berlin' },
]

/** How many of a company's customers are blocked, and how many are over their limit. */
const BLOCKED = 3
const OVER_LIMIT = 3
/** For how long goods must live after they ship for those who want them to. */
const SHELF_LIFE_DAYS = 120
const FIRST_NUMBER: Record<CompanyCode, number> = { NWF: 100_100, NWI: 20_100 }
const OVER_LIMIT_MINOR = 100_000

export const customerNumber = (company: CompanyCode, nth: number): string =>
  `${company === 'NWI' ? 'C' : ''}${FIRST_NUMBER[company] + nth}`

function addressOf(seed: string, company: CompanyCode, name: string, nth: string): Address {
  const site = `address/${company}`
  const american = company === 'NWF'
  const place = american ? drawOne(seed, site, nth, PLACES_US) : drawOne(seed, site, nth, PLACES_EU)
  return {
    code: '01',
    name,
    street: `${drawInteger(seed, `${site}/number`, nth, [1, 199])} ${drawOne(seed, `${site}/street`, nth, STREETS)} St`,
    city: place[0],
    region: american ? place[1] : '',
    postalCode: place[2],
    country: american ? 'US' : place[1],
    gln: gln13(drawInteger(seed, `${site}/gln`, nth, [10_000, 99_999])),
  }
}

/** The one way by which a customer sends its orders. */
export function doorOf(seed: string, company: CompanyCode, nth: number): Door {
  const chance = draw(seed, `door/${company}`, nth)
  return chance < 0.4 ? 'api' : chance < 0.65 ? 'shop' : 'edi'
}

function customerOf(seed: string, company: Company, nth: number): Customer {
  const { code } = company
  const site = `customer/${code}`
  const trades = code === 'NWF' ? FOOD_TRADES : INDUSTRY_TRADES
  const first = drawOne(seed, `${site}/first`, nth, FIRSTS)
  const street = drawOne(seed, `${site}/second`, nth, STREETS)
  const name = `${first} ${street} ${drawOne(seed, `${site}/trade`, nth, trades)}`
  const main = addressOf(seed, code, name, String(nth))
  const branch = { ...addressOf(seed, code, `${name}, branch`, `${nth}/2`), code: '02' }
  const overLimit = nth >= BLOCKED && nth < BLOCKED + OVER_LIMIT
  return {
    company: code,
    number: customerNumber(code, nth),
    name,
    addresses: draw(seed, `${site}/branch`, nth) < 0.3 ? [main, branch] : [main],
    currency: company.currency,
    termsDays: drawOne(seed, `${site}/terms`, nth, [14, 30, 30, 60]),
    creditLimitMinor: overLimit ? OVER_LIMIT_MINOR : 0,
    receivablesMinor: overLimit
      ? OVER_LIMIT_MINOR - 1
      : drawInteger(seed, `${site}/open`, nth, [0, 2_000_000]),
    creditBlocked: nth < BLOCKED,
    openOrdersFree: false,
    overLimit,
    resale: code === 'NWF' && draw(seed, `${site}/resale`, nth) < 0.4,
    vatNumber: code === 'NWI' ? `${main.country}${drawInteger(seed, `${site}/vat`, nth, [1e8, 9e8])}` : '',
    shipComplete: false,
    ediId: String(4_155_550_000 + FIRST_NUMBER[code] + nth),
    door: doorOf(seed, code, nth),
    shopId: 71_000_000 + FIRST_NUMBER[code] + nth,
  }
}

/** So many customers with good credit want goods to live for long. */
export const withLongLives = (customers: Customer[], count: number): Customer[] =>
  customers.map((customer, nth) => {
    const wants = nth >= BLOCKED + OVER_LIMIT && nth < BLOCKED + OVER_LIMIT + count
    return wants ? { ...customer, shelfLifeDays: SHELF_LIFE_DAYS } : customer
  })

/** Credit limits follow when the planned orders are known. */
export const customersOf = (seed: string, company: Company, count: number): Customer[] =>
  Array.from({ length: count }, (_, nth) => customerOf(seed, company, nth))
