/** The legacy ERP's rows of master data in our words; pure. */
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
  listOf,
  optionalText,
  quantityOf,
  text,
  Unexpected,
} from '#platform/fields.ts'
import type { Quantity } from '#platform/quantity.ts'
import { amount, units } from './map.ts'
import { bareNumber, changeTime, decimalText, flag, isoDate } from './wire.ts'

/** All customers share the one list of the ERP; contracts go before it. */
const LIST = 'PR00'
const CONTRACT = 'A305'

export function toCustomer(row: Fields): ErpCustomer {
  const currency = filledText(row, 'WAERS')
  const addresses = listOf(row, 'ADRS', toAddress)
  const [first] = addresses
  if (!first) throw new Unexpected('ADRS is empty')
  return {
    number: bareNumber(row, 'KUNNR'),
    name: text(row, 'NAME1'),
    status: flag(row, 'LOEVM') ? 'blocked' : 'active',
    currency,
    termsDays: termsDays(filledText(row, 'ZTERM')),
    priceList: LIST,
    creditLimitMinor: amount(row, 'KLIMK', currency),
    receivablesMinor: amount(row, 'SKFOR', currency),
    creditHold: optionalText(row, 'AUFSD') !== undefined,
    countsOpenOrders: optionalText(row, 'AUFFREI') === undefined,
    taxId: optionalText(row, 'STCEG'),
    taxExempt: isExempt(text(row, 'TAXKD')),
    shippingRule: shippingRuleOf(text(row, 'VSBED')),
    minimumShelfLifeDays: shelfLifeDays(optionalText(row, 'MHDRZ')),
    addresses,
    defaultShipTo: first.code,
  }
}

function isExempt(taxClass: string): boolean {
  if (taxClass !== '0' && taxClass !== '1')
    throw new Unexpected(`"${taxClass}" is no known tax class of customers`)
  return taxClass === '0'
}

const SHIPPING_RULES: Readonly<Record<string, ErpCustomer['shippingRule']>> = {
  '01': 'ship-available',
  '02': 'ship-complete',
}

function shippingRuleOf(code: string): ErpCustomer['shippingRule'] {
  const found = SHIPPING_RULES[code]
  if (found === undefined) throw new Unexpected(`"${code}" is no known shipping condition`)
  return found
}

/** Minimum remaining shelf life, NUMC 4: `0060` is 60 days; `0000`, as anything blank, asks for none. */
function shelfLifeDays(days: string | undefined): number | undefined {
  if (days === undefined) return undefined
  if (!/^\d{1,4}$/.test(days)) throw new Unexpected(`MHDRZ "${days}" is no number of days`)
  return Number(days) === 0 ? undefined : Number(days)
}

/** `ZB30` is 30 days net. */
function termsDays(code: string): number {
  const match = /^ZB(\d{1,3})$/.exec(code)
  if (!match) throw new Unexpected(`"${code}" are no known terms of payment`)
  return Number(match[1])
}

const toAddress = (row: Fields): Address & { readonly code: string } => ({
  code: filledText(row, 'ADRNR'),
  name: optionalText(row, 'NAME1'),
  lines: [text(row, 'STRAS')],
  city: optionalText(row, 'ORT01'),
  region: optionalText(row, 'REGIO'),
  postalCode: optionalText(row, 'PSTLZ'),
  country: optionalText(row, 'LAND1'),
})

const TAX_CLASSES: Readonly<Record<string, string>> = { 0: 'exempt', 1: 'general', 2: 'food' }

export function toItem(row: Fields): ErpItem {
  const baseUnit = units.ours(filledText(row, 'MEINS'))
  const packs = listOf(row, 'UNITS', (unit) => ({
    unit: units.ours(filledText(unit, 'MEINH')),
    factor: { numerator: count(unit, 'UMREZ'), denominator: count(unit, 'UMREN') },
    gtin: optionalText(unit, 'EAN11'),
  }))
  const gtins = [optionalText(row, 'EAN11'), ...packs.map((pack) => pack.gtin)]
  return {
    sku: bareNumber(row, 'MATNR'),
    name: text(row, 'MAKTX'),
    status: statusOf(text(row, 'MSTAE')),
    baseUnit,
    units: packs.map(({ unit, factor }) => ({ unit, factor })),
    catchWeight: flag(row, 'CWQUAL'),
    lotControlled: flag(row, 'XCHPF'),
    serialControlled: optionalText(row, 'SERNP') !== undefined,
    taxClass: taxClassOf(text(row, 'TAXM1')),
    identifiers: gtins.filter((gtin) => gtin !== undefined).map((value) => ({ scheme: 'gtin', value })),
  }
}

function statusOf(code: string): ErpItem['status'] {
  if (code === '') return 'active'
  return code === 'Z9' ? 'discontinued' : 'blocked'
}

function taxClassOf(code: string): string {
  const found = TAX_CLASSES[code]
  if (found === undefined) throw new Unexpected(`"${code}" is no known tax class`)
  return found
}

function count(row: Fields, name: string): number {
  const value = text(row, name)
  if (!/^0*[1-9]\d{0,8}$/.test(value)) throw new Unexpected(`${name} is no whole number above zero`)
  return Number(value)
}

export function toPrice(row: Fields): ErpPrice {
  const currency = filledText(row, 'WAERS')
  const kind = filledText(row, 'KSCHL')
  if (kind !== LIST && kind !== CONTRACT) throw new Unexpected(`"${kind}" is no known kind of price`)
  return {
    sku: bareNumber(row, 'MATNR'),
    ...(kind === LIST ? { list: LIST } : { customer: bareNumber(row, 'KUNNR') }),
    unit: units.ours(filledText(row, 'KMEIN')),
    currency,
    minQuantity: quantityOf(text(row, 'KSTBM'), 'KSTBM'),
    amountMinor: priceOfOne(amount(row, 'KBETR', currency), count(row, 'KPEIN')),
    validFrom: isoDate(row, 'DATAB'),
    validTo: isoDate(row, 'DATBI'),
  }
}

/** A price for 100 pieces is one for a piece only where it comes out even. */
function priceOfOne(amountMinor: number, per: number): number {
  if (amountMinor % per !== 0) throw new Unexpected(`the price for ${per} has no exact price for one`)
  return amountMinor / per
}

export const toStock = (row: Fields): StockOnHand => ({
  sku: bareNumber(row, 'MATNR'),
  location: filledText(row, 'WERKS'),
  available: stockIn(row, 'LABST'),
  qualityHold: stockIn(row, 'INSME'),
  damaged: stockIn(row, 'SPEME'),
})

const stockIn = (row: Fields, kind: 'LABST' | 'INSME' | 'SPEME'): Quantity =>
  quantityOf(decimalText(row, kind), kind)

export function toSupply(row: Fields): PurchaseOrderLine {
  const ordered = quantityOf(decimalText(row, 'MENGE'), 'MENGE')
  const received = quantityOf(decimalText(row, 'WEMNG'), 'WEMNG')
  const given = quantityOf(decimalText(row, 'ABMNG'), 'ABMNG')
  // Of a line that is marked as deleted nothing more comes, whatever its quantities say.
  const cancelled = text(row, 'LOEKZ') === 'L' ? Math.max(given, ordered - received) : given
  return {
    number: filledText(row, 'EBELN'),
    line: count(row, 'EBELP'),
    supplier: bareNumber(row, 'LIFNR'),
    sku: bareNumber(row, 'MATNR'),
    location: filledText(row, 'WERKS'),
    unit: units.ours(filledText(row, 'MEINS')),
    ordered,
    received,
    cancelled,
    expectedOn: text(row, 'EINDT') === '' ? undefined : isoDate(row, 'EINDT'),
    changedAt: changeTime(row),
  }
}

/** `BV` is sold over the counter and taken away at once, or soon. */
const COUNTER_SALE = 'BV'

export const toOpenOrder = (row: Fields): OpenOrderLine => ({
  number: filledText(row, 'VBELN'),
  line: filledText(row, 'POSNR'),
  reference: optionalText(row, 'BSTNK'),
  kind: text(row, 'AUART') === COUNTER_SALE ? 'counter' : 'order',
  customer: bareNumber(row, 'KUNNR'),
  sku: bareNumber(row, 'MATNR'),
  location: optionalText(row, 'WERKS'),
  open: quantityOf(decimalText(row, 'OFMNG'), 'OFMNG'),
  unit: units.ours(filledText(row, 'VRKME')),
  changedAt: changeTime(row),
})

export function toCredit(row: Fields): {
  creditLimitMinor: number
  receivablesMinor: number
  creditHold: boolean
} {
  const currency = filledText(row, 'WAERS')
  return {
    creditLimitMinor: amount(row, 'KLIMK', currency),
    receivablesMinor: amount(row, 'SKFOR', currency),
    creditHold: flag(row, 'CRBLB'),
  }
}
