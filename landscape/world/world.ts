/** The wholesaler's world in neutral words: whom it sells to, what, at which price, and what is on its shelves. */

export type CompanyCode = 'NWF' | 'NWI'
/** UN/ECE and X12 codes as trading partners use them; BG is a bag, PL a pallet. */
export type Unit = 'EA' | 'CA' | 'BX' | 'PL' | 'KG' | 'BG'
export type TaxClass = 'FOOD' | 'GENERAL' | 'EXEMPT'
export type Door = 'api' | 'shop' | 'edi'
/**
 * Ample: more than planned orders need. Awaited: nothing until receipts. Scarce: less than any line asks for. Aging:
 * ample, but until receipts of lots alone that are too old for who wants goods to live for long.
 */
export type Supply = 'ample' | 'awaited' | 'scarce' | 'aging'

export type Company = { code: CompanyCode; name: string; currency: string; country: string }

export type Address = {
  code: string
  name: string
  street: string
  city: string
  region: string
  postalCode: string
  country: string
  gln: string
}

export type Site = Omit<Address, 'gln'> & { timeZone: string; cutOff: string }

export type Customer = {
  company: CompanyCode
  number: string
  name: string
  /** The first is the bill-to and default ship-to. */
  addresses: Address[]
  currency: string
  termsDays: number
  creditLimitMinor: number
  receivablesMinor: number
  creditBlocked: boolean
  /** What it has ordered and was not billed for uses up none of its limit. */
  openOrdersFree: boolean
  /** Every order of this customer exceeds its limit. */
  overLimit: boolean
  resale: boolean
  vatNumber: string
  shipComplete: boolean
  /** What has a lot must live for so many days after it ships; undefined where any will do. */
  shelfLifeDays?: number | undefined
  ediId: string
  door: Door
  shopId: number
}

/** One `unit` is numerator/denominator base units. */
export type ItemUnit = { unit: Unit; numerator: number; denominator: number; gtin: string }

export type Item = {
  company: CompanyCode
  number: string
  name: string
  baseUnit: Unit
  salesUnit: Unit
  /** The base unit is among them. */
  units: ItemUnit[]
  /** KG for catch weight, else the sales unit. */
  priceUnit: Unit
  discontinued: boolean
  lotControlled: boolean
  serialControlled: boolean
  catchWeight: boolean
  /** Of one base unit. */
  nominalGrams: number
  taxClass: TaxClass
  supply: Supply
  sites: string[]
}

export type Price = {
  company: CompanyCode
  /** Undefined is the list price. */
  customer: string | undefined
  item: string
  unit: Unit
  fromQuantity: number
  priceMinor: number
  currency: string
  validFrom: string
  validTo: string
}

export type StockStatus = 'available' | 'hold' | 'damaged'

export type Stock = {
  company: CompanyCode
  site: string
  item: string
  lot: string
  expiresOn: string
  status: StockStatus
  /** In base units. */
  quantity: number
}

export type Receipt = Omit<Stock, 'status'> & { id: string; day: number; expectedOn: string }

/** How the ERP that buys it calls a receipt, and so whoever is told of it by that ERP. */
export type PurchaseReference = { number: string; line: number }

export const purchaseOrderOf = ({ company, id }: Pick<Receipt, 'company' | 'id'>): PurchaseReference =>
  company === 'NWF' ? { number: id, line: 10 } : { number: `PO-${id}`, line: 10_000 }

export type PlantedCase =
  | 'regular'
  | 'credit_blocked'
  | 'over_limit'
  | 'price_mismatch'
  | 'price_tolerated'
  | 'discontinued'
  | 'unknown_item'
  | 'unknown_customer'
  | 'bad_unit'
  | 'long_life'
  | 'too_old'
  | 'duplicate_same'
  | 'duplicate_changed'

export type Outcome =
  | 'ships_at_once'
  | 'fills_later'
  | 'ships_later_lots'
  | 'fills_with_later_lots'
  | 'stays_backordered'
  | 'held_credit_block'
  | 'held_over_limit'
  | 'held_price'
  | 'rejected_discontinued'
  | 'rejected_unknown_item'
  | 'rejected_unknown_customer'
  | 'rejected_bad_unit'
  | 'duplicate_of_earlier'
  | 'conflict_with_earlier'

export type OrderLine = {
  line: number
  item: string
  quantity: number
  /** A planted bad unit is not one of ours. */
  unit: string
  priceMinor: number
  priceUnit: Unit
}

export type WorldOrder = {
  /** Its place in the stream, from 0. */
  nth: number
  company: CompanyCode
  door: Door
  customer: string
  /** The customer's own number: with the customer it is the order's natural key. */
  poNumber: string
  orderedOn: string
  requestedOn: string
  shipTo: string
  currency: string
  lines: OrderLine[]
  case: PlantedCase
  /** For duplicates: the order that it repeats. */
  repeats: number | undefined
  expected: Outcome
}

export type World = {
  seed: string
  today: string
  plannedOrders: number
  companies: Company[]
  sites: Site[]
  customers: Customer[]
  items: Item[]
  prices: Price[]
  stock: Stock[]
  receipts: Receipt[]
  carriers: string[]
  suppliers: { number: string; name: string }[]
  /** The stream of orders from place `from`; the same place is always the same order. */
  orders(count: number, from?: number): WorldOrder[]
}

/** How far a stated price may be from ours, either way, before a person must look. */
export const PRICE_TOLERANCE_PERCENT = 2

export const factorOf = (item: Item, unit: string): ItemUnit | undefined =>
  item.units.find((one) => one.unit === unit)

/** What whoever runs only these sites has of the world. */
export const worldAt = (world: World, sites: readonly string[]): World => ({
  ...world,
  sites: world.sites.filter(({ code }) => sites.includes(code)),
  stock: world.stock.filter(({ site }) => sites.includes(site)),
  receipts: world.receipts.filter(({ site }) => sites.includes(site)),
})

/** `days` after an ISO date, as an ISO date. */
export const dayAfter = (date: string, days: number): string =>
  new Date(Date.parse(`${date}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10)
