/** The cloud ERP's entities of master data in our words; pure. */
import type {
  Address,
  ErpCustomer,
  ErpItem,
  ErpPrice,
  OpenOrderLine,
  PurchaseOrderLine,
  StockOnHand,
} from '#capabilities/erp.ts'
import {
  type Fields,
  filledText,
  instant,
  integer,
  listOf,
  optionalText,
  quantity,
  text,
  truth,
  Unexpected,
} from '#platform/fields.ts'
import { units } from './map.ts'
import { minorOf } from './wire.ts'

/** The list of all customers; prices of one customer go before it. */
const LIST = 'ALL'

export function toCustomer(row: Fields): ErpCustomer {
  const currency = filledText(row, 'currencyCode')
  const addresses = listOf(row, 'shipToAddresses', toAddress)
  const [first] = addresses
  if (!first) throw new Unexpected('shipToAddresses is empty')
  const blocked = blockOf(row)
  return {
    number: filledText(row, 'number'),
    name: text(row, 'displayName'),
    status: blocked === 'All' ? 'blocked' : 'active',
    currency,
    termsDays: termsDays(filledText(row, 'paymentTermsCode')),
    priceList: LIST,
    creditLimitMinor: minorOf(row, 'creditLimit', currency),
    receivablesMinor: minorOf(row, 'balanceDue', currency),
    creditHold: blocked === 'Ship',
    countsOpenOrders:
      row['creditLimitIncludesOrders'] === undefined || truth(row, 'creditLimitIncludesOrders'),
    taxId: optionalText(row, 'taxRegistrationNumber'),
    taxExempt: !truth(row, 'taxLiable'),
    shippingRule: shippingRuleOf(filledText(row, 'shippingAdvice')),
    minimumShelfLifeDays: shelfLifeDays(optionalText(row, 'minimumShelfLifeCalculation')),
    addresses,
    defaultShipTo: first.code,
  }
}

/** " " is not blocked, "Ship" blocked for credit, "All" for everything. */
function blockOf(row: Fields): string {
  const blocked = text(row, 'blocked').trim()
  if (!['', 'Ship', 'All'].includes(blocked)) throw new Unexpected(`"${blocked}" is no known block`)
  return blocked
}

const SHIPPING_ADVICE: Readonly<Record<string, ErpCustomer['shippingRule']>> = {
  Partial: 'ship-available',
  Complete: 'ship-complete',
}

function shippingRuleOf(advice: string): ErpCustomer['shippingRule'] {
  const found = SHIPPING_ADVICE[advice]
  if (found === undefined) throw new Unexpected(`"${advice}" is no known shipping advice`)
  return found
}

/** A date formula from the day of shipment: `60D` is 60 days; blank asks for none. */
function shelfLifeDays(formula: string | undefined): number | undefined {
  if (formula === undefined) return undefined
  const match = /^(\d{1,4})D$/.exec(formula)
  if (!match) throw new Unexpected(`minimumShelfLifeCalculation "${formula}" is no number of days`)
  return Number(match[1])
}

/** `NET30` is 30 days net. */
function termsDays(code: string): number {
  const match = /^NET(\d{1,3})$/.exec(code)
  if (!match) throw new Unexpected(`"${code}" are no known terms of payment`)
  return Number(match[1])
}

const toAddress = (row: Fields): Address & { readonly code: string } => ({
  code: filledText(row, 'code'),
  name: optionalText(row, 'name'),
  lines: [text(row, 'addressLine1')],
  city: optionalText(row, 'city'),
  region: optionalText(row, 'state'),
  postalCode: optionalText(row, 'postalCode'),
  country: optionalText(row, 'country'),
})

const TAX_CLASSES: Readonly<Record<string, string>> = { EXEMPT: 'exempt', GENERAL: 'general', FOOD: 'food' }

export function toItem(row: Fields): ErpItem {
  const packs = listOf(row, 'unitsOfMeasure', (unit) => ({
    unit: units.ours(filledText(unit, 'code')),
    factor: { numerator: count(unit, 'qtyPerUnitOfMeasure'), denominator: count(unit, 'qtyPerDivisor') },
    gtin: optionalText(unit, 'gtin'),
  }))
  const gtins = [optionalText(row, 'gtin'), ...packs.map((pack) => pack.gtin)]
  return {
    sku: filledText(row, 'number'),
    name: text(row, 'displayName'),
    status: truth(row, 'blocked') ? 'discontinued' : 'active',
    baseUnit: units.ours(filledText(row, 'baseUnitOfMeasureCode')),
    units: packs.map(({ unit, factor }) => ({ unit, factor })),
    catchWeight: truth(row, 'catchWeight'),
    ...trackingOf(text(row, 'itemTrackingCode')),
    taxClass: taxClassOf(text(row, 'taxGroupCode')),
    identifiers: gtins.filter((gtin) => gtin !== undefined).map((value) => ({ scheme: 'gtin', value })),
  }
}

/** By lot, by serial, or by both. */
const TRACKING: Readonly<Record<string, readonly [lots: boolean, serials: boolean]>> = {
  LOTALL: [true, false],
  SNALL: [false, true],
  LOTSNALL: [true, true],
}

function trackingOf(code: string): Pick<ErpItem, 'lotControlled' | 'serialControlled'> {
  const [lotControlled, serialControlled] = TRACKING[code] ?? [false, false]
  return { lotControlled, serialControlled }
}

function taxClassOf(code: string): string {
  const found = TAX_CLASSES[code]
  if (found === undefined) throw new Unexpected(`"${code}" is no known tax group`)
  return found
}

function count(row: Fields, name: string): number {
  const value = integer(row, name)
  if (value < 1) throw new Unexpected(`${name} is no whole number above zero`)
  return value
}

export function toPrice(row: Fields): ErpPrice {
  const currency = filledText(row, 'currencyCode')
  return {
    sku: filledText(row, 'itemNumber'),
    ...priceFor(row),
    unit: units.ours(filledText(row, 'unitOfMeasureCode')),
    currency,
    minQuantity: quantity(row, 'minimumQuantity'),
    amountMinor: minorOf(row, 'unitPrice', currency),
    validFrom: filledText(row, 'startingDate'),
    validTo: optionalText(row, 'endingDate'),
  }
}

function priceFor(row: Fields): { list: string } | { customer: string } {
  const kind = filledText(row, 'sourceType')
  if (kind === 'All Customers') return { list: LIST }
  if (kind === 'Customer') return { customer: filledText(row, 'sourceNumber') }
  throw new Unexpected(`"${kind}" is no known kind of price`)
}

export const toStock = (row: Fields): StockOnHand => ({
  sku: filledText(row, 'itemNumber'),
  location: filledText(row, 'locationCode'),
  available: quantity(row, 'inventory'),
  qualityHold: quantity(row, 'qualityHold'),
  // it writes off what is damaged instead of keeping it apart
  damaged: 0,
})

export const toSupply = (row: Fields): PurchaseOrderLine => ({
  number: filledText(row, 'documentNumber'),
  line: count(row, 'lineNumber'),
  supplier: filledText(row, 'vendorNumber'),
  sku: filledText(row, 'itemNumber'),
  location: filledText(row, 'locationCode'),
  unit: units.ours(filledText(row, 'unitOfMeasureCode')),
  ordered: quantity(row, 'quantity'),
  received: quantity(row, 'quantityReceived'),
  cancelled: quantity(row, 'quantityCanceled'),
  expectedOn: optionalText(row, 'expectedReceiptDate'),
  changedAt: instant(row, 'lastModifiedDateTime'),
})

export const toOpenOrder = (row: Fields): OpenOrderLine => ({
  number: filledText(row, 'documentNumber'),
  line: String(count(row, 'lineNumber')),
  reference: optionalText(row, 'externalDocumentNumber'),
  kind: text(row, 'documentType') === 'Counter Sale' ? 'counter' : 'order',
  customer: filledText(row, 'customerNumber'),
  sku: filledText(row, 'itemNumber'),
  location: optionalText(row, 'locationCode'),
  open: quantity(row, 'outstandingQuantity'),
  unit: units.ours(filledText(row, 'unitOfMeasureCode')),
  changedAt: instant(row, 'lastModifiedDateTime'),
})

export function toCredit(row: Fields): {
  creditLimitMinor: number
  receivablesMinor: number
  creditHold: boolean
} {
  const currency = filledText(row, 'currencyCode')
  return {
    creditLimitMinor: minorOf(row, 'creditLimit', currency),
    receivablesMinor: minorOf(row, 'balance', currency),
    creditHold: blockOf(row) === 'Ship',
  }
}
