/** What is sold and at which price: items in several units, lists with quantity breaks, contracts. */
import { draw, drawInteger, drawOne } from '../random.ts'
import { gtin14 } from './gs1.ts'
import { BULKS, CATCH_WEIGHTS, FOODS, FOOD_SIZES, PARTS, PART_SIZES } from './words.ts'
import {
  dayAfter,
  type CompanyCode,
  type Customer,
  type Item,
  type Price,
  type Supply,
  type Unit,
} from './world.ts'

const FIRST_NUMBER: Record<CompanyCode, number> = { NWF: 10_000, NWI: 20_000 }
/** The last items of each company are the planted ones. */
export const DISCONTINUED = 6
const AWAITED_SHARE = 0.16
const SCARCE_SHARE = 0.08

function supplyOf(seed: string, company: CompanyCode, nth: number): Supply {
  // The first items are the popular ones; they are ample so that planted orders always find some.
  if (nth < 20) return 'ample'
  const chance = draw(seed, `supply/${company}`, nth)
  return chance < AWAITED_SHARE ? 'awaited' : chance < AWAITED_SHARE + SCARCE_SHARE ? 'scarce' : 'ample'
}

type Shape = Pick<Item, 'name' | 'baseUnit' | 'salesUnit' | 'priceUnit' | 'catchWeight' | 'nominalGrams'> & {
  packs: [Unit, number][]
}

function foodShape(seed: string, nth: number): Shape {
  const kind = draw(seed, 'food/kind', nth)
  if (kind < 0.08) {
    const name = drawOne(seed, 'food/catch', nth, CATCH_WEIGHTS)
    const nominalGrams = drawInteger(seed, 'food/grams', nth, [8, 40]) * 250
    const packs: [Unit, number][] = [['CA', drawOne(seed, 'food/pack', nth, [2, 4])]]
    return { name, baseUnit: 'EA', salesUnit: 'CA', priceUnit: 'KG', catchWeight: true, nominalGrams, packs }
  }
  const plain = { catchWeight: false, nominalGrams: 1_000 }
  if (kind < 0.14) {
    const name = `${drawOne(seed, 'food/bulk', nth, BULKS)} 25 kg`
    return {
      ...plain,
      name,
      baseUnit: 'KG',
      salesUnit: 'BG',
      priceUnit: 'BG',
      packs: [
        ['BG', 25],
        ['PL', 1_000],
      ],
    }
  }
  const name = `${drawOne(seed, 'food/name', nth, FOODS)} ${drawOne(seed, 'food/size', nth, FOOD_SIZES)}`
  const pack = drawOne(seed, 'food/pack', nth, [6, 12, 24])
  return {
    ...plain,
    name,
    baseUnit: 'EA',
    salesUnit: 'CA',
    priceUnit: 'CA',
    packs: [
      ['CA', pack],
      ['PL', pack * 40],
    ],
  }
}

function partShape(seed: string, nth: number): Shape {
  const name = `${drawOne(seed, 'part/name', nth, PARTS)} ${drawOne(seed, 'part/size', nth, PART_SIZES)}`
  const box = drawOne(seed, 'part/pack', nth, [50, 100, 200])
  const nominalGrams = drawInteger(seed, 'part/grams', nth, [5, 400])
  const packs: [Unit, number][] = [
    ['BX', box],
    ['CA', box * 10],
    ['PL', box * 400],
  ]
  return { name, baseUnit: 'EA', salesUnit: 'BX', priceUnit: 'BX', catchWeight: false, nominalGrams, packs }
}

function itemOf(seed: string, company: CompanyCode, nth: number, count: number): Item {
  const { packs, ...shape } = company === 'NWF' ? foodShape(seed, nth) : partShape(seed, nth)
  const serial = FIRST_NUMBER[company] + nth
  const discontinued = nth >= count - DISCONTINUED
  const units = packs.map(([unit, numerator], level) => ({
    unit,
    numerator,
    denominator: 1,
    gtin: gtin14(level + 1, serial),
  }))
  const base = { unit: shape.baseUnit, numerator: 1, denominator: 1, gtin: gtin14(0, serial) }
  // A catch-weight piece weighs what it weighs; the nominal weight makes an exact fraction of it.
  const weight = { unit: 'KG' as const, numerator: 1_000, denominator: shape.nominalGrams, gtin: '' }
  const home = company === 'NWF' ? ['DC1', 'DC2'] : ['DC1', 'DC3']
  return {
    ...shape,
    company,
    number: String(serial),
    units: shape.catchWeight ? [base, ...units, weight] : [base, ...units],
    discontinued,
    lotControlled: company === 'NWF' && draw(seed, 'lot', nth) < 0.3,
    serialControlled: false,
    taxClass: company === 'NWF' ? 'FOOD' : 'GENERAL',
    supply: discontinued ? 'ample' : supplyOf(seed, company, nth),
    sites: draw(seed, `sites/${company}`, nth) < 0.6 ? home : [drawOne(seed, `site/${company}`, nth, home)],
  }
}

export const itemsOf = (seed: string, company: CompanyCode, count: number): Item[] =>
  Array.from({ length: count }, (_, nth) => itemOf(seed, company, nth, count))

/** Every so many-th item that is ample and has lots. */
const AGING_EVERY = 4

/** The same with some that are aging. */
export function withAging(items: Item[]): Item[] {
  const withLots = items.filter((item) => item.lotControlled && item.supply === 'ample' && !item.discontinued)
  const aging = new Set(withLots.filter((_, nth) => nth % AGING_EVERY === 0))
  return items.map((item) => (aging.has(item) ? { ...item, supply: 'aging' } : item))
}

type Validity = Pick<Price, 'validFrom' | 'validTo'>
type Years = { readonly present: Validity; readonly last: Validity }

const yearsAround = (today: string): Years => ({
  present: { validFrom: dayAfter(today, -300), validTo: dayAfter(today, 400) },
  last: { validFrom: dayAfter(today, -700), validTo: dayAfter(today, -301) },
})

const BREAKS: [fromQuantity: number, percent: number][] = [
  [1, 100],
  [10, 97],
  [50, 94],
]

function listPrices(seed: string, item: Item, currency: string, years: Years): Price[] {
  const minor = drawInteger(seed, `list/${item.company}`, item.number, [400, 9_500])
  const row = {
    company: item.company,
    customer: undefined,
    item: item.number,
    unit: item.priceUnit,
    currency,
  }
  const rows = (item.catchWeight ? BREAKS.slice(0, 1) : BREAKS).map(([fromQuantity, percent]) => ({
    ...row,
    fromQuantity,
    priceMinor: Math.round((minor * percent) / 100),
    ...years.present,
  }))
  const expired = { ...row, fromQuantity: 1, priceMinor: Math.round(minor * 0.8), ...years.last }
  return draw(seed, `list/expired/${item.company}`, item.number) < 0.1 ? [...rows, expired] : rows
}

/** How many items a customer has a contract for. */
const CONTRACTS = 10

function contractPrices(seed: string, customer: Customer, lists: Price[], years: Years): Price[] {
  const rows = new Map<string, Price>()
  for (let n = 0; n < CONTRACTS; n++) {
    const list = drawOne(seed, `contract/${customer.number}`, n, lists)
    const percent = drawInteger(seed, `contract/percent/${customer.number}`, n, [88, 95])
    const priceMinor = Math.round((list.priceMinor * percent) / 100)
    const validity = n === 0 ? years.last : years.present
    rows.set(list.item, { ...list, customer: customer.number, fromQuantity: 1, priceMinor, ...validity })
  }
  return [...rows.values()]
}

export function pricesOf(seed: string, items: Item[], customers: Customer[], today: string): Price[] {
  const currency = customers[0]?.currency ?? 'USD'
  const years = yearsAround(today)
  const lists = items.flatMap((item) => listPrices(seed, item, currency, years))
  const current = lists.filter((price) => price.fromQuantity === 1 && price.validTo >= today)
  return [...lists, ...customers.flatMap((customer) => contractPrices(seed, customer, current, years))]
}

export type PriceBook = (customer: string, item: Item, quantity: number, date: string) => number

/** A valid contract wins over the list; in the list the highest break that the quantity reaches. */
export function priceBook(prices: readonly Price[]): PriceBook {
  const byKey = new Map<string, Price[]>()
  for (const price of prices) {
    const key = `${price.customer ?? ''}|${price.item}`
    byKey.set(key, [...(byKey.get(key) ?? []), price])
  }
  function best(key: string, quantity: number, date: string): Price | undefined {
    let found: Price | undefined
    for (const one of byKey.get(key) ?? []) {
      const isValid = one.validFrom <= date && date <= one.validTo && one.fromQuantity <= quantity
      if (isValid && (!found || one.fromQuantity > found.fromQuantity)) found = one
    }
    return found
  }
  return (customer, item, quantity, date) => {
    const price =
      best(`${customer}|${item.number}`, quantity, date) ?? best(`|${item.number}`, quantity, date)
    if (!price) throw new Error(`item ${item.number} has no price on ${date}`)
    return price.priceMinor
  }
}
