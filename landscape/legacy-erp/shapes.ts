/** The legacy ERP's shapes: strings all over, German field names, padded numbers, its own units and dates. */
import { type Fields, text, records } from '../fields.ts'
import { decimal, decimalText, type TaxLine } from '../erp/amounts.ts'
import type { BookCustomer } from '../erp/books.ts'
import {
  type BookInvoice,
  type BookOrder,
  type BookPayment,
  type ClosingIn,
  type InvoiceIn,
  openMilli,
  type OrderIn,
  type PaymentIn,
  type ReversalIn,
} from '../erp/documents.ts'
import type { OpenLine } from '../erp/open-orders.ts'
import type { PurchaseLine } from '../erp/purchase-orders.ts'
import type { SiteStock } from '../erp/site-stock.ts'
import type { Item, ItemUnit, Price, TaxClass, Unit } from '../world/world.ts'

const UNIT: Record<Unit, string> = { EA: 'ST', CA: 'KAR', BX: 'KI', PL: 'PAL', KG: 'KG', BG: 'SAK' }
const UNIT_BACK = new Map(Object.entries(UNIT).map(([ours, theirs]) => [theirs, ours]))
const TAX: Record<TaxClass, string> = { GENERAL: '1', FOOD: '2', EXEMPT: '0' }

const padded = (number: string, width: number): string => number.padStart(width, '0')
export const bare = (value: unknown): string => text(value).replace(/^0+(?=.)/, '')
/** An unknown unit stays as it is, so that the books refuse it. */
const unitOf = (value: unknown): string => UNIT_BACK.get(text(value)) ?? `?${text(value)}`
const theirUnit = (unit: string): string => UNIT[unit as Unit] ?? unit

/** 2026-11-02T08:15:00.000Z → 20261102, 081500 */
export const datum = (iso: string): string => iso.slice(0, 10).replaceAll('-', '')
export const uhrzeit = (iso: string): string => iso.slice(11, 19).replaceAll(':', '') || '000000'
const isoDate = (value: unknown): string => text(value).replace(/^(\d{4})(\d{2})(\d{2})$/, '$1-$2-$3')

/** Amounts carry their sign behind. */
export const betrag = (minor: number): string =>
  minor < 0 ? `${decimalText(-minor, 2)}-` : decimalText(minor, 2)
const menge = (milli: number): string => decimalText(milli, 3)

export function customerRow(customer: BookCustomer): Fields {
  const [main] = customer.addresses
  return {
    KUNNR: padded(customer.number, 10),
    NAME1: customer.name,
    STRAS: main?.street ?? '',
    ORT01: main?.city ?? '',
    PSTLZ: main?.postalCode ?? '',
    REGIO: main?.region ?? '',
    LAND1: main?.country ?? '',
    WAERS: customer.currency,
    BUKRS: customer.company,
    ZTERM: `ZB${customer.termsDays}`,
    KLIMK: betrag(customer.creditLimitMinor),
    SKFOR: betrag(customer.balanceMinor),
    AUFSD: customer.creditBlocked ? '01' : '',
    AUFFREI: customer.openOrdersFree ? 'X' : '',
    TAXKD: customer.resale ? '0' : '1',
    STCEG: customer.vatNumber,
    VSBED: customer.shipComplete ? '02' : '01',
    MHDRZ: String(customer.shelfLifeDays ?? 0).padStart(4, '0'),
    EDILS: customer.ediId,
    ILN: main?.gln ?? '',
    LOEVM: '',
    ADRS: customer.addresses.map((one) => ({
      ADRNR: one.code,
      NAME1: one.name,
      STRAS: one.street,
      ORT01: one.city,
      PSTLZ: one.postalCode,
      REGIO: one.region,
      LAND1: one.country,
      ILN: one.gln,
    })),
    AEDAT: datum(customer.changedAt),
    AEZET: uhrzeit(customer.changedAt),
  }
}

export function materialRow(item: Item, today: string): Fields {
  const conversion = (unit: ItemUnit): Fields => ({
    MEINH: UNIT[unit.unit],
    UMREZ: String(unit.numerator),
    UMREN: String(unit.denominator),
    EAN11: unit.gtin,
  })
  return {
    MATNR: padded(item.number, 18),
    MAKTX: item.name,
    MEINS: UNIT[item.baseUnit],
    VRKME: UNIT[item.salesUnit],
    MSTAE: item.discontinued ? 'Z9' : '',
    XCHPF: item.lotControlled ? 'X' : '',
    SERNP: item.serialControlled ? '0001' : '',
    CWQUAL: item.catchWeight ? 'X' : '',
    NTGEW: decimalText(item.nominalGrams, 3),
    TAXM1: TAX[item.taxClass],
    EAN11: item.units.find((unit) => unit.unit === item.baseUnit)?.gtin ?? '',
    UNITS: item.units.filter((unit) => unit.unit !== item.baseUnit).map(conversion),
    AEDAT: datum(today),
    AEZET: '000000',
  }
}

export const conditionRow = (price: Price, nth: number): Fields => ({
  KNUMH: padded(String(700_001 + nth), 10),
  KSCHL: price.customer === undefined ? 'PR00' : 'A305',
  KUNNR: price.customer === undefined ? '' : padded(price.customer, 10),
  MATNR: padded(price.item, 18),
  KMEIN: UNIT[price.unit],
  KSTBM: String(price.fromQuantity),
  KBETR: betrag(price.priceMinor),
  KPEIN: '1',
  WAERS: price.currency,
  DATAB: datum(price.validFrom),
  DATBI: datum(price.validTo),
})

export const stockRow = (stock: SiteStock, baseUnit: Unit, today: string): Fields => ({
  MATNR: padded(stock.item, 18),
  WERKS: stock.site,
  LABST: String(stock.available),
  INSME: String(stock.hold),
  SPEME: String(stock.damaged),
  MEINS: UNIT[baseUnit],
  STDAT: datum(today),
  STZET: '000000',
})

/** A line of which nothing is wanted any more is marked as deleted; what is cancelled of others is their ABMNG. */
export const receiptRow = (line: PurchaseLine, baseUnit: Unit): Fields => ({
  EBELN: line.number,
  EBELP: padded(String(line.line), 5),
  LIFNR: padded(line.supplier, 10),
  MATNR: padded(line.item, 18),
  WERKS: line.site,
  MENGE: String(line.quantity),
  WEMNG: String(line.received),
  ABMNG: String(line.cancelled),
  LOEKZ: line.cancelled === line.quantity ? 'L' : '',
  MEINS: UNIT[baseUnit],
  EINDT: datum(line.expectedOn),
  AEDAT: datum(line.changedAt),
  AEZET: uhrzeit(line.changedAt),
})

export const openLineRow = ({ order, line, openMilli: open, changedAt }: OpenLine): Fields => ({
  VBELN: order.number,
  POSNR: line.line,
  AUART: order.kind === 'counter' ? 'BV' : 'TA',
  BSTNK: order.reference,
  KUNNR: padded(order.customer, 10),
  MATNR: padded(line.item, 18),
  WERKS: line.site ?? '',
  OFMNG: menge(open),
  VRKME: theirUnit(line.unit),
  AEDAT: datum(changedAt),
  AEZET: uhrzeit(changedAt),
})

export const creditRow = (customer: BookCustomer): Fields => ({
  KUNNR: padded(customer.number, 10),
  KLIMK: betrag(customer.creditLimitMinor),
  SKFOR: betrag(customer.balanceMinor),
  SAUFT: betrag(customer.openOrdersMinor),
  CRBLB: customer.creditBlocked ? 'X' : '',
  WAERS: customer.currency,
})

function label(address: unknown): string {
  const { NAME1, STRAS, PSTLZ, ORT01, LAND1 } = (address ?? {}) as Fields
  return [text(NAME1), text(STRAS), `${text(PSTLZ)} ${text(ORT01)}`.trim(), text(LAND1)]
    .filter(Boolean)
    .join(', ')
}

export const orderIn = (fields: Fields): OrderIn => ({
  reference: text(fields['BSTNK']),
  customer: bare(fields['KUNNR']),
  customerReference: text(fields['IHREZ']),
  currency: text(fields['WAERS']),
  shipTo: text(fields['ADRNR']) || label(fields['LIEFADR']),
  lines: records(fields['POS']).map((line) => ({
    line: text(line['POSNR']),
    item: bare(line['MATNR']),
    quantityMilli: decimal(line['KWMENG'], 3),
    unit: unitOf(line['VRKME']),
    priceMinor: decimal(line['KBETR'], 2),
    priceUnit: unitOf(line['KMEIN'] ?? line['VRKME']),
    requestedOn: isoDate(line['EDATU']),
  })),
})

function orderStatus(order: BookOrder): string {
  if (order.cancelled) return 'X'
  if (order.lines.every((line) => openMilli(line) === 0)) return 'C'
  return order.lines.some((line) => line.invoicedMilli > 0) ? 'B' : 'A'
}

export const orderRow = (order: BookOrder): Fields => ({
  VBELN: order.number,
  BSTNK: order.reference,
  KUNNR: padded(order.customer, 10),
  IHREZ: order.customerReference,
  NETWR: betrag(order.netMinor),
  WAERS: order.currency,
  STATUS: orderStatus(order),
  ERDAT: datum(order.createdAt),
  ERZET: uhrzeit(order.createdAt),
  POS: order.lines.map((line) => ({
    POSNR: line.line,
    MATNR: padded(line.item, 18),
    KWMENG: menge(line.quantityMilli),
    VRKME: theirUnit(line.unit),
    NETWR: betrag(line.netMinor),
    FKIMG: menge(line.invoicedMilli),
    ABGMG: menge(line.cancelledMilli),
  })),
})

export const closingsIn = (fields: Fields): ClosingIn[] =>
  records(fields['POS']).map((line) => ({
    line: text(line['POSNR']),
    quantityMilli: decimal(line['KWMENG'], 3),
    unit: unitOf(line['VRKME']),
  }))

/** KBETR of a tax line is per cent with four places, which is millionths of a rate. */
const taxIn = (tax: Fields): TaxLine => ({
  jurisdiction: text(tax['TXJCD']),
  rateMicro: decimal(tax['KBETR'], 4),
  baseMinor: decimal(tax['KAWRT'], 2),
  taxMinor: decimal(tax['MWSBK'], 2),
})

const given = (value: unknown): boolean => value !== undefined && value !== ''

export const invoiceIn = (fields: Fields): InvoiceIn => ({
  reference: text(fields['XBLNR']),
  customer: bare(fields['KUNNR']),
  order: given(fields['VBELN']) ? padded(text(fields['VBELN']), 10) : undefined,
  date: isoDate(fields['FKDAT']),
  currency: text(fields['WAERS']),
  taxEvidence: text(fields['STEUERBELEG']),
  lines: records(fields['POS']).map((line) => ({
    line: text(line['POSNR']),
    orderLine: text(line['AUPOS']),
    item: bare(line['MATNR']),
    quantityMilli: decimal(line['FKIMG'], 3),
    unit: unitOf(line['VRKME']),
    weightGrams: given(line['CWMENGE']) ? decimal(line['CWMENGE'], 3) : undefined,
    priceMinor: decimal(line['KBETR'], 2),
    priceUnit: unitOf(line['KMEIN'] ?? line['VRKME']),
    netMinor: given(line['NETWR']) ? decimal(line['NETWR'], 2) : undefined,
  })),
  taxes: fields['STEUER'] === undefined ? undefined : records(fields['STEUER']).map(taxIn),
})

export const invoiceTotals = (invoice: BookInvoice): Fields => ({
  BELNR: invoice.number,
  FIBEL: invoice.posting,
  NETWR: betrag(invoice.netMinor),
  MWSBK: betrag(invoice.taxMinor),
  BRTWR: betrag(invoice.netMinor + invoice.taxMinor),
  FAEDN: datum(invoice.dueOn),
})

export const invoiceRow = (invoice: BookInvoice): Fields => ({
  XBLNR: invoice.reference,
  ...invoiceTotals(invoice),
  KUNNR: padded(invoice.customer, 10),
  VBELN: invoice.order ?? '',
  WAERS: invoice.currency,
  OFFEN: betrag(invoice.openMinor),
})

export const paymentIn = (fields: Fields): PaymentIn => ({
  reference: text(fields['XBLNR']),
  customer: bare(fields['KUNNR']),
  invoice: text(fields['BELNR']),
  amountMinor: decimal(fields['WRBTR'], 2),
  currency: text(fields['WAERS']),
  date: isoDate(fields['VALUT']),
})

export const paymentRow = (payment: BookPayment): Fields => ({
  XBLNR: payment.reference,
  AUGBL: payment.number,
  BELNR: payment.invoice,
  WRBTR: betrag(payment.amountMinor),
  OFFEN: betrag(payment.invoiceOpenMinor),
  STBLG: payment.reversal?.number ?? '',
})

export const reversalIn = (fields: Fields): ReversalIn => ({
  reference: text(fields['XBLNR']),
  reason: text(fields['STTXT']),
  date: isoDate(fields['STDAT']),
})
