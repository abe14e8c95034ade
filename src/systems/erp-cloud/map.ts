/** Between our documents and those of the cloud ERP; pure. */
import type {
  Address,
  InvoicePosting,
  PaymentRegistration,
  PaymentReversal,
  PostedInvoice,
  SalesOrder,
  SalesOrderLineClosing,
} from '#capabilities/erp.ts'
import { atMost, atMostPlaces, codeList } from '#platform/connector-codes.ts'
import { type Fields, filledText, quantityNumber } from '#platform/fields.ts'
import { minorDigits } from '#platform/money.ts'
import type { Quantity } from '#platform/quantity.ts'
import { localDate } from '#platform/time-zone.ts'
import {
  type CloudAddress,
  type CloudClosing,
  type CloudInvoice,
  type CloudOrder,
  type CloudPayment,
  type CloudReversal,
  type CloudTax,
  minorOf,
} from './wire.ts'

/** UN/ECE to the ERP's own. */
export const units = codeList('unit', {
  EA: 'PCS',
  CA: 'CASE',
  BX: 'BOX',
  XPX: 'PALLET',
  KGM: 'KG',
  XBG: 'BAG',
})

const REFERENCE_LENGTH = 35
/** Lines are numbered in steps, so that its users can insert between. */
const SEQUENCE_STEP = 10_000

export function toCloudOrder(order: SalesOrder): CloudOrder {
  const { currency } = order
  return {
    customerNumber: order.customer,
    externalDocumentNumber: atMost(REFERENCE_LENGTH, order.number, 'order number'),
    customerOrderReference: order.customerOrder,
    ...(order.requestedDate && { requestedDeliveryDate: order.requestedDate }),
    currencyCode: currency,
    ...shipTo(order.shipTo),
    salesOrderLines: order.lines.map((line) => ({
      sequence: line.line * SEQUENCE_STEP,
      lineObjectNumber: line.sku,
      quantity: thousandths(line.quantity),
      unitOfMeasureCode: units.theirs(line.unit),
      unitPrice: amountNumber(line.priceMinor, currency),
      priceUnitOfMeasureCode: units.theirs(line.priceUnit),
      ...(line.requestedDate && { requestedDeliveryDate: line.requestedDate }),
    })),
  }
}

/** Its lines are lowered to what is still wanted of them. */
export const toCloudClosing = (closing: SalesOrderLineClosing): CloudClosing => ({
  salesOrderLines: [
    {
      sequence: closing.line * SEQUENCE_STEP,
      quantity: thousandths(closing.quantity),
      unitOfMeasureCode: units.theirs(closing.unit),
    },
  ],
})

function shipTo(address: Address | undefined): Pick<CloudOrder, 'shipToCode' | 'shipToAddress'> {
  if (!address) return {}
  return address.code === undefined
    ? { shipToAddress: toCloudAddress(address) }
    : { shipToCode: address.code }
}

const toCloudAddress = (address: Address): CloudAddress => ({
  name: address.name ?? '',
  addressLine1: (address.lines ?? []).join(', '),
  city: address.city ?? '',
  state: address.region ?? '',
  postalCode: address.postalCode ?? '',
  country: address.country ?? '',
})

/** Minor units as the number that prints as the same decimal. */
const amountNumber = (minor: number, currency: string): number => minor / 10 ** minorDigits(currency)

const thousandths = (quantity: Quantity): number => quantityNumber(atMostPlaces(3, quantity))

export function toCloudInvoice(invoice: InvoicePosting, zone: string): CloudInvoice {
  const { currency, tax } = invoice
  return {
    customerNumber: invoice.customer,
    externalDocumentNumber: atMost(REFERENCE_LENGTH, invoice.document, 'invoice document'),
    orderNumber: invoice.salesOrder,
    invoiceDate: localDate(invoice.shippedAt, zone),
    currencyCode: currency,
    salesInvoiceLines: invoice.lines.map((line) => ({
      sequence: line.line * SEQUENCE_STEP,
      orderLineSequence: line.orderLine * SEQUENCE_STEP,
      lineObjectNumber: line.sku,
      quantity: thousandths(line.quantity),
      unitOfMeasureCode: units.theirs(line.unit),
      catchWeight: line.catchWeight === undefined ? null : thousandths(line.catchWeight),
      unitPrice: amountNumber(line.priceMinor, currency),
      priceUnitOfMeasureCode: units.theirs(line.priceUnit),
      netAmount: amountNumber(line.netMinor, currency),
    })),
    ...(tax && { taxEvidence: tax.evidence, taxLines: toTaxes(invoice, tax.jurisdiction) }),
  }
}

const PPM_PER_PERCENT = 10_000

/** One tax line for each invoice line: the ERP checks each against its own base and rate. */
function toTaxes({ lines, currency }: InvoicePosting, jurisdiction: string): CloudTax[] {
  return lines.map(({ netMinor, taxMinor = 0, taxRatePpm = 0 }) => ({
    jurisdiction,
    taxableAmount: amountNumber(netMinor, currency),
    rate: taxRatePpm / PPM_PER_PERCENT,
    taxAmount: amountNumber(taxMinor, currency),
  }))
}

/** One registration for each invoice that is paid; several carry a number behind our document's. */
const paymentReferences = ({
  document,
  invoices,
}: Pick<PaymentRegistration, 'document' | 'invoices'>): string[] =>
  invoices.map((_, at, { length }) =>
    atMost(REFERENCE_LENGTH, length === 1 ? document : `${document}/${at + 1}`, 'payment'),
  )

export function toCloudPayments(payment: PaymentRegistration, zone: string): CloudPayment[] {
  const { currency } = payment
  const references = paymentReferences(payment)
  return payment.invoices.map(({ number, amountMinor }, at) => ({
    customerNumber: payment.customer,
    externalDocumentNumber: references[at]!,
    appliesToInvoiceNumber: number,
    amount: amountNumber(amountMinor, currency),
    currencyCode: currency,
    postingDate: localDate(payment.receivedAt, zone),
  }))
}

const REASON_LENGTH = 100

export const toCloudReversals = (reversal: PaymentReversal, zone: string): CloudReversal[] =>
  paymentReferences(reversal).map((reference) => ({
    externalDocumentNumber: reference,
    reasonDescription: reversal.reason.slice(0, REASON_LENGTH),
    postingDate: localDate(reversal.reversedAt, zone),
  }))

/** The ERP tells no time of posting, so it is the moment we heard of it. */
export const toPostedInvoice = (fields: Fields, currency: string, postedAt: Date): PostedInvoice => ({
  number: filledText(fields, 'number'),
  netMinor: minorOf(fields, 'totalAmountExcludingTax', currency),
  taxMinor: minorOf(fields, 'totalTaxAmount', currency),
  totalMinor: minorOf(fields, 'totalAmountIncludingTax', currency),
  postedAt,
})
