/** The cloud ERP's shapes: OData entities in camel case, amounts as numbers, its own unit codes and etags. */
import { type Fields, text, records } from '../fields.ts'
import { decimal, type TaxLine } from '../erp/amounts.ts'
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
import { hash } from '../random.ts'
import type { Address, Item, Price, Unit } from '../world/world.ts'

const UNIT: Record<Unit, string> = { EA: 'PCS', CA: 'CASE', BX: 'BOX', PL: 'PALLET', KG: 'KG', BG: 'BAG' }
const UNIT_BACK = new Map(Object.entries(UNIT).map(([ours, theirs]) => [theirs, ours]))

const amount = (minor: number): number => minor / 100
const unitOf = (value: unknown): string => UNIT_BACK.get(text(value)) ?? `?${text(value)}`
const theirUnit = (unit: string): string => UNIT[unit as Unit] ?? unit

/** A stable id in the form of a GUID. */
export function guid(name: string): string {
  const part = (n: number): string => hash(`${name}#${n}`).toString(16).padStart(8, '0')
  const all = part(1) + part(2) + part(3) + part(4)
  return `${all.slice(0, 8)}-${all.slice(8, 12)}-4${all.slice(13, 16)}-8${all.slice(17, 20)}-${all.slice(20)}`
}

export const etag = (name: string, version: number | string): string =>
  `W/"${hash(`${name}@${version}`).toString(36)}"`

const entity = (name: string, version: number | string, fields: Fields): Fields => ({
  '@odata.etag': etag(name, version),
  id: guid(name),
  ...fields,
})

const place = (address: Address): Fields => ({
  addressLine1: address.street,
  city: address.city,
  state: address.region,
  postalCode: address.postalCode,
  country: address.country,
  gln: address.gln,
})

const blocked = (customer: BookCustomer): string => (customer.creditBlocked ? 'Ship' : ' ')

export function customerEntity(customer: BookCustomer): Fields {
  const [main] = customer.addresses
  return entity(`customer/${customer.number}`, customer.changedAt, {
    number: customer.number,
    displayName: customer.name,
    ...(main ? place(main) : {}),
    currencyCode: customer.currency,
    paymentTermsCode: `NET${customer.termsDays}`,
    creditLimit: amount(customer.creditLimitMinor),
    balanceDue: amount(customer.balanceMinor),
    blocked: blocked(customer),
    creditLimitIncludesOrders: !customer.openOrdersFree,
    taxLiable: !customer.resale,
    taxRegistrationNumber: customer.vatNumber,
    shippingAdvice: customer.shipComplete ? 'Complete' : 'Partial',
    minimumShelfLifeCalculation: customer.shelfLifeDays === undefined ? '' : `${customer.shelfLifeDays}D`,
    ediIdentifier: customer.ediId,
    shipToAddresses: customer.addresses.map((one) => ({ code: one.code, name: one.name, ...place(one) })),
    lastModifiedDateTime: customer.changedAt,
  })
}

const trackingOf = ({ lotControlled, serialControlled }: Item): string => {
  if (!lotControlled && !serialControlled) return ''
  return `${lotControlled ? 'LOT' : ''}${serialControlled ? 'SN' : ''}ALL`
}

export const itemEntity = (item: Item, changedAt: string): Fields =>
  entity(`item/${item.number}`, changedAt, {
    number: item.number,
    displayName: item.name,
    type: 'Inventory',
    baseUnitOfMeasureCode: UNIT[item.baseUnit],
    salesUnitOfMeasureCode: UNIT[item.salesUnit],
    blocked: item.discontinued,
    gtin: item.units.find((unit) => unit.unit === item.baseUnit)?.gtin ?? '',
    taxGroupCode: item.taxClass,
    itemTrackingCode: trackingOf(item),
    catchWeight: item.catchWeight,
    netWeight: item.nominalGrams / 1_000,
    unitsOfMeasure: item.units
      .filter((unit) => unit.unit !== item.baseUnit)
      .map((unit) => ({
        code: UNIT[unit.unit],
        qtyPerUnitOfMeasure: unit.numerator,
        qtyPerDivisor: unit.denominator,
        gtin: unit.gtin,
      })),
    lastModifiedDateTime: changedAt,
  })

export const priceEntity = (price: Price, nth: number, changedAt: string): Fields =>
  entity(`price/${nth}`, changedAt, {
    sourceType: price.customer === undefined ? 'All Customers' : 'Customer',
    sourceNumber: price.customer ?? '',
    itemNumber: price.item,
    unitOfMeasureCode: UNIT[price.unit],
    minimumQuantity: price.fromQuantity,
    unitPrice: amount(price.priceMinor),
    currencyCode: price.currency,
    startingDate: price.validFrom,
    endingDate: price.validTo,
    lastModifiedDateTime: changedAt,
  })

export const stockEntity = (stock: SiteStock, baseUnit: Unit, asOf: string): Fields => ({
  itemNumber: stock.item,
  locationCode: stock.site,
  inventory: stock.available,
  qualityHold: stock.hold,
  unitOfMeasureCode: UNIT[baseUnit],
  asOf,
  lastModifiedDateTime: asOf,
})

export const receiptEntity = (line: PurchaseLine, baseUnit: Unit): Fields => ({
  documentNumber: line.number,
  lineNumber: line.line,
  vendorNumber: line.supplier,
  itemNumber: line.item,
  locationCode: line.site,
  quantity: line.quantity,
  quantityReceived: line.received,
  quantityCanceled: line.cancelled,
  unitOfMeasureCode: UNIT[baseUnit],
  expectedReceiptDate: line.expectedOn,
  lastModifiedDateTime: line.changedAt,
})

export const openLineEntity = ({ order, line, openMilli: open, changedAt }: OpenLine): Fields => ({
  documentNumber: order.number,
  lineNumber: Number(line.line),
  documentType: order.kind === 'counter' ? 'Counter Sale' : 'Order',
  externalDocumentNumber: order.reference,
  customerNumber: order.customer,
  itemNumber: line.item,
  locationCode: line.site ?? '',
  outstandingQuantity: open / 1_000,
  unitOfMeasureCode: theirUnit(line.unit),
  lastModifiedDateTime: changedAt,
})

export const creditEntity = (customer: BookCustomer): Fields => ({
  number: customer.number,
  creditLimit: amount(customer.creditLimitMinor),
  balance: amount(customer.balanceMinor),
  outstandingOrders: amount(customer.openOrdersMinor),
  blocked: blocked(customer),
  currencyCode: customer.currency,
})

function label(address: unknown): string {
  const { name, addressLine1, postalCode, city, country } = (address ?? {}) as Fields
  const place = `${text(postalCode)} ${text(city)}`.trim()
  return [text(name), text(addressLine1), place, text(country)].filter(Boolean).join(', ')
}

export const orderIn = (fields: Fields): OrderIn => ({
  reference: text(fields['externalDocumentNumber']),
  customer: text(fields['customerNumber']),
  customerReference: text(fields['customerOrderReference']),
  currency: text(fields['currencyCode']),
  shipTo: text(fields['shipToCode']) || label(fields['shipToAddress']),
  lines: records(fields['salesOrderLines']).map((line) => ({
    line: String(line['sequence']),
    item: text(line['lineObjectNumber']),
    quantityMilli: decimal(line['quantity'], 3),
    unit: unitOf(line['unitOfMeasureCode']),
    priceMinor: decimal(line['unitPrice'], 2),
    priceUnit: unitOf(line['priceUnitOfMeasureCode'] ?? line['unitOfMeasureCode']),
    requestedOn: text(line['requestedDeliveryDate']),
  })),
})

function orderStatus(order: BookOrder): string {
  if (order.cancelled) return 'Canceled'
  if (order.lines.every((line) => openMilli(line) === 0)) return 'Invoiced'
  return order.lines.some((line) => line.invoicedMilli > 0) ? 'Partially Invoiced' : 'Open'
}

export const orderId = (order: BookOrder): string => guid(order.id)
export const orderEtag = (order: BookOrder): string => etag(order.id, order.version)

export const orderEntity = (order: BookOrder): Fields =>
  entity(order.id, order.version, {
    number: order.number,
    externalDocumentNumber: order.reference,
    customerNumber: order.customer,
    customerOrderReference: order.customerReference,
    currencyCode: order.currency,
    status: orderStatus(order),
    totalAmountExcludingTax: amount(order.netMinor),
    salesOrderLines: order.lines.map((line) => ({
      sequence: Number(line.line),
      lineObjectNumber: line.item,
      quantity: line.quantityMilli / 1_000,
      unitOfMeasureCode: theirUnit(line.unit),
      unitPrice: amount(line.priceMinor),
      netAmount: amount(line.netMinor),
      invoicedQuantity: line.invoicedMilli / 1_000,
      canceledQuantity: line.cancelledMilli / 1_000,
    })),
    lastModifiedDateTime: order.createdAt,
  })

export const closingsIn = (fields: Fields): ClosingIn[] =>
  records(fields['salesOrderLines']).map((line) => ({
    line: String(line['sequence']),
    quantityMilli: decimal(line['quantity'], 3),
    unit: unitOf(line['unitOfMeasureCode']),
  }))

/** Rates are per cent with up to four places, which are millionths. */
const taxIn = (tax: Fields): TaxLine => ({
  jurisdiction: text(tax['jurisdiction']),
  rateMicro: decimal(tax['rate'], 4),
  baseMinor: decimal(tax['taxableAmount'], 2),
  taxMinor: decimal(tax['taxAmount'], 2),
})

const given = (value: unknown): boolean => value !== undefined && value !== null && value !== ''

export const invoiceIn = (fields: Fields): InvoiceIn => ({
  reference: text(fields['externalDocumentNumber']),
  customer: text(fields['customerNumber']),
  order: given(fields['orderNumber']) ? text(fields['orderNumber']) : undefined,
  date: text(fields['invoiceDate']),
  currency: text(fields['currencyCode']),
  taxEvidence: text(fields['taxEvidence']),
  lines: records(fields['salesInvoiceLines']).map((line) => ({
    line: String(line['sequence']),
    orderLine: String(line['orderLineSequence']),
    item: text(line['lineObjectNumber']),
    quantityMilli: decimal(line['quantity'], 3),
    unit: unitOf(line['unitOfMeasureCode']),
    weightGrams: given(line['catchWeight']) ? decimal(line['catchWeight'], 3) : undefined,
    priceMinor: decimal(line['unitPrice'], 2),
    priceUnit: unitOf(line['priceUnitOfMeasureCode'] ?? line['unitOfMeasureCode']),
    netMinor: given(line['netAmount']) ? decimal(line['netAmount'], 2) : undefined,
  })),
  taxes: given(fields['taxLines']) ? records(fields['taxLines']).map(taxIn) : undefined,
})

export const invoiceEntity = (invoice: BookInvoice): Fields =>
  entity(invoice.id, invoice.openMinor, {
    number: invoice.number,
    postingNumber: invoice.posting,
    externalDocumentNumber: invoice.reference,
    customerNumber: invoice.customer,
    orderNumber: invoice.order ?? '',
    invoiceDate: invoice.date,
    dueDate: invoice.dueOn,
    currencyCode: invoice.currency,
    status: invoice.openMinor === 0 ? 'Paid' : 'Open',
    totalAmountExcludingTax: amount(invoice.netMinor),
    totalTaxAmount: amount(invoice.taxMinor),
    totalAmountIncludingTax: amount(invoice.netMinor + invoice.taxMinor),
    remainingAmount: amount(invoice.openMinor),
  })

export const paymentIn = (fields: Fields): PaymentIn => ({
  reference: text(fields['externalDocumentNumber']),
  customer: text(fields['customerNumber']),
  invoice: text(fields['appliesToInvoiceNumber']),
  amountMinor: decimal(fields['amount'], 2),
  currency: text(fields['currencyCode']),
  date: text(fields['postingDate']),
})

export const paymentEntity = (payment: BookPayment): Fields =>
  entity(payment.id, payment.reversal ? 2 : 1, {
    number: payment.number,
    externalDocumentNumber: payment.reference,
    customerNumber: payment.customer,
    appliesToInvoiceNumber: payment.invoice,
    amount: amount(payment.amountMinor),
    currencyCode: payment.currency,
    postingDate: payment.date,
    invoiceRemainingAmount: amount(payment.invoiceOpenMinor),
    reversed: payment.reversal !== undefined,
    reversalNumber: payment.reversal?.number ?? '',
  })

export const reversalIn = (fields: Fields): ReversalIn => ({
  reference: text(fields['externalDocumentNumber']),
  reason: text(fields['reasonDescription']),
  date: text(fields['postingDate']),
})
