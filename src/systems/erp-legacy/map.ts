/** Between our documents and those of the legacy ERP; pure. */
import type {
  Address,
  InvoicePosting,
  InvoicePostingLine,
  PaymentRegistration,
  PaymentReversal,
  PostedInvoice,
  SalesOrder,
  SalesOrderLineClosing,
} from '#capabilities/erp.ts'
import { atMost, atMostPlaces, codeList } from '#platform/connector-codes.ts'
import { amountOf, type Fields, filledText } from '#platform/fields.ts'
import { formatAmount } from '#platform/money.ts'
import { formatQuantity, type Quantity } from '#platform/quantity.ts'
import { localDate } from '#platform/time-zone.ts'
import {
  decimalText,
  type LegacyAddress,
  type LegacyClosing,
  type LegacyInvoice,
  type LegacyInvoiceLine,
  type LegacyOrder,
  type LegacyPayment,
  type LegacyReversal,
  type LegacyTax,
  legacyDate,
} from './wire.ts'

/** UN/ECE to the ERP's own. */
export const units = codeList('unit', { EA: 'ST', CA: 'KAR', BX: 'KI', XPX: 'PAL', KGM: 'KG', XBG: 'SAK' })

const REFERENCE_LENGTH = 35
const POSITION_STEP = 10

export function toLegacyOrder(order: SalesOrder): LegacyOrder {
  return {
    BUKRS: order.company,
    KUNNR: order.customer,
    BSTNK: atMost(REFERENCE_LENGTH, order.number, 'order number'),
    IHREZ: order.customerOrder,
    ...(order.requestedDate && { VDATU: legacyDate(order.requestedDate) }),
    WAERS: order.currency,
    ...shipTo(order.shipTo),
    POS: order.lines.map((line) => ({
      POSNR: position(line.line),
      MATNR: line.sku,
      KWMENG: thousandths(line.quantity),
      VRKME: units.theirs(line.unit),
      KBETR: formatAmount(line.priceMinor, order.currency),
      KMEIN: units.theirs(line.priceUnit),
      ...(line.requestedDate && { EDATU: legacyDate(line.requestedDate) }),
    })),
  }
}

export const toLegacyClosing = (closing: SalesOrderLineClosing): LegacyClosing => ({
  VBELN: closing.erpNumber,
  POS: [
    {
      POSNR: position(closing.line),
      KWMENG: thousandths(closing.quantity),
      VRKME: units.theirs(closing.unit),
    },
  ],
})

function shipTo(address: Address | undefined): Pick<LegacyOrder, 'ADRNR' | 'LIEFADR'> {
  if (!address) return {}
  return address.code === undefined ? { LIEFADR: toLegacyAddress(address) } : { ADRNR: address.code }
}

const toLegacyAddress = (address: Address): LegacyAddress => ({
  NAME1: address.name ?? '',
  STRAS: (address.lines ?? []).join(', '),
  ORT01: address.city ?? '',
  PSTLZ: address.postalCode ?? '',
  REGIO: address.region ?? '',
  LAND1: address.country ?? '',
})

/** Line 3 is position 000030: the ERP's users insert between. */
const position = (line: number): string => String(line * POSITION_STEP).padStart(6, '0')

const thousandths = (quantity: Quantity): string => formatQuantity(atMostPlaces(3, quantity))

export function toLegacyInvoice(invoice: InvoicePosting, zone: string): LegacyInvoice {
  const { currency, tax } = invoice
  return {
    BUKRS: invoice.company,
    KUNNR: invoice.customer,
    XBLNR: atMost(REFERENCE_LENGTH, invoice.document, 'invoice document'),
    VBELN: invoice.salesOrder,
    FKDAT: legacyDate(localDate(invoice.shippedAt, zone)),
    WAERS: currency,
    POS: invoice.lines.map((line) => toLegacyInvoiceLine(line, currency)),
    ...(tax && { STEUERBELEG: tax.evidence, STEUER: toTaxes(invoice, tax.jurisdiction) }),
  }
}

function toLegacyInvoiceLine(line: InvoicePostingLine, currency: string): LegacyInvoiceLine {
  return {
    POSNR: position(line.line),
    AUPOS: position(line.orderLine),
    MATNR: line.sku,
    FKIMG: thousandths(line.quantity),
    VRKME: units.theirs(line.unit),
    CWMENGE: line.catchWeight === undefined ? '' : thousandths(line.catchWeight),
    KBETR: formatAmount(line.priceMinor, currency),
    KMEIN: units.theirs(line.priceUnit),
    NETWR: formatAmount(line.netMinor, currency),
  }
}

const PPM_PER_PERCENT_PLACE = 10_000

/** One tax line for each invoice line: the ERP checks each against its own base and rate. */
function toTaxes({ lines, currency }: InvoicePosting, jurisdiction: string): LegacyTax[] {
  return lines.map(({ netMinor, taxMinor = 0, taxRatePpm = 0 }) => ({
    TXJCD: jurisdiction,
    KAWRT: formatAmount(netMinor, currency),
    KBETR: (taxRatePpm / PPM_PER_PERCENT_PLACE).toFixed(4),
    MWSBK: formatAmount(taxMinor, currency),
  }))
}

/** One registration for each invoice that is paid; several carry a number behind our document's. */
export const paymentReferences = ({
  document,
  invoices,
}: Pick<PaymentRegistration, 'document' | 'invoices'>): string[] =>
  invoices.map((_, at, { length }) =>
    atMost(REFERENCE_LENGTH, length === 1 ? document : `${document}/${at + 1}`, 'payment'),
  )

export function toLegacyPayments(payment: PaymentRegistration, zone: string): LegacyPayment[] {
  const references = paymentReferences(payment)
  return payment.invoices.map(({ number, amountMinor }, at) => ({
    XBLNR: references[at]!,
    KUNNR: payment.customer,
    BELNR: number,
    WRBTR: formatAmount(amountMinor, payment.currency),
    WAERS: payment.currency,
    VALUT: legacyDate(localDate(payment.receivedAt, zone)),
  }))
}

const TEXT_LENGTH = 50

export const toLegacyReversals = (reversal: PaymentReversal, zone: string): LegacyReversal[] =>
  paymentReferences(reversal).map((reference) => ({
    XBLNR: reference,
    STDAT: legacyDate(localDate(reversal.reversedAt, zone)),
    STTXT: reversal.reason.slice(0, TEXT_LENGTH),
  }))

/** The ERP tells no time of posting, so it is the moment we heard of it. */
export const toPostedInvoice = (fields: Fields, currency: string, postedAt: Date): PostedInvoice => ({
  number: filledText(fields, 'BELNR'),
  netMinor: amount(fields, 'NETWR', currency),
  taxMinor: amount(fields, 'MWSBK', currency),
  totalMinor: amount(fields, 'BRTWR', currency),
  postedAt,
})

export const amount = (fields: Fields, name: string, currency: string): number =>
  amountOf(decimalText(fields, name), currency, name)
