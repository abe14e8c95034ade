/** The invoice (810): lines, charges and taxes whose sum is the total, or it is not written. */
import { Decimal } from 'decimal.js'
import { Refusal } from '#platform/faults.ts'
import { minorDigits } from '#platform/money.ts'
import type { SegmentData } from '../x12-writer.ts'
import type { DocumentParty, ProductId, QualifiedDate, Reference } from './parts.ts'
import { extensionMinor } from '../invoice-price.ts'
import {
  fromHundredths,
  isoDate,
  optional,
  party,
  present,
  productIds,
  qualifiedDates,
  references,
  writeDates,
  writeParty,
  writeProductIds,
  writeReferences,
  x12Date,
} from './parts.ts'
import type { Loop } from './structure.ts'
import { all, element, first, loopsOf, structure } from './structure.ts'

export const INVOICE = structure(`
  ST M 1; BIG M 1; NTE O 100; CUR O 1; REF O 12; YNQ O 10; PER O 3
  N1 O 200 (; N2 O 2; N3 O 2; N4 O 1; REF O 12; PER O 3; DMG O 1; )
  ITD O >1; DTM O 10; FOB O 1; PID O 200; MEA O 40; PWK O 25; PKG O 25; L7 O >1; BAL O >1; INC O 1; PAM O >1
  LM O 10 (; LQ M 100; )
  N9 O 1 (; MSG M 10; )
  V1 O >1 (; DTM O >1; )
  FA1 O >1 (; FA2 M >1; )
  IT1 O 200000 (
    CRC O 1; QTY O 5; CUR O 1; IT3 O 5; TXI O 10; CTP O 25; PAM O 10; MEA O 40
    PID O 1000 (; MEA O 10; )
    PWK O 25; PKG O 25; PO4 O 1; ITD O 2; REF O >1; YNQ O 10; PER O 5; SDQ O 500; DTM O 10; CAD O >1; L7 O >1; SR O 1
    SAC O 25 (; TXI O 10; )
    SLN O 1000 (; DTM O 1; REF O >1; PID O 1000; SAC O 25; TC2 O 2; TXI O 10; )
    N1 O 200 (; N2 O 2; N3 O 2; N4 O 1; REF O 12; PER O 3; DMG O 1; )
    LM O 10 (; LQ M 100; )
    V1 O >1; FA1 O >1 (; FA2 M >1; )
  )
  TDS M 1; TXI O 10; CAD O 1; AMT O >1
  SAC O 25 (; TXI O 10; )
  ISS O >1 (; PID O 1; )
  CTT O 1; SE O 1
`)

export type InvoiceLine = {
  readonly assignedId?: string
  readonly quantity: string
  readonly unit: string
  /** Decimal text for `per` units, one unless the basis says otherwise. */
  readonly price: string
  /** X12 639: HP a hundred, TP a thousand … */
  readonly priceBasis?: string
  readonly per?: number
  /** What was shipped, where another unit is invoiced: cases of goods that are sold by weight. */
  readonly shipped?: { readonly quantity: string; readonly unit: string }
  readonly productIds: readonly ProductId[]
  readonly description?: string
}

export type InvoiceCharge = {
  readonly kind: 'allowance' | 'charge'
  /** X12 1300: C310 discount, D240 freight … */
  readonly code: string
  readonly amountMinor: number
  readonly description?: string
}

export type InvoiceTax = {
  /** X12 963: ST state sales tax, LS state and local, VA value added, GS goods and services … */
  readonly type: string
  readonly amountMinor: number
  readonly percent?: string
}

export type InvoiceDocument = {
  readonly number: string
  readonly date: string
  readonly orderNumber: string
  readonly orderDate?: string
  readonly release?: string
  /** X12 640: DI debit, CR credit. */
  readonly type: 'DI' | 'CR'
  readonly currency: string
  readonly references: readonly Reference[]
  readonly parties: readonly DocumentParty[]
  readonly terms?: {
    readonly netDays: string
    readonly discountPercent?: string
    readonly discountDays?: string
  }
  readonly dates: readonly QualifiedDate[]
  readonly carrier?: { readonly scac: string; readonly tracking?: string }
  readonly lines: readonly InvoiceLine[]
  readonly charges: readonly InvoiceCharge[]
  readonly taxes: readonly InvoiceTax[]
  readonly totalMinor: number
}

/** The segments between ST and SE. Refuses a total that is not the sum of its parts. */
export function buildInvoice(invoice: InvoiceDocument): SegmentData[] {
  verifyTotal(invoice)
  const { number, date, orderDate, orderNumber, release, type, currency, terms, carrier } = invoice
  const amount = (minor: number): string => hundredths(minor, currency)
  const segments: SegmentData[] = [
    ['BIG', x12Date(date), number, orderDate && x12Date(orderDate), orderNumber, release, '', type],
    ['CUR', 'SE', currency],
    ...writeReferences(invoice.references),
    ...invoice.parties.flatMap(writeParty),
  ]
  if (terms) {
    const { discountPercent, discountDays, netDays } = terms
    segments.push(['ITD', discountPercent ? '08' : '05', '3', discountPercent, '', discountDays, '', netDays])
  }
  segments.push(...writeDates(invoice.dates))
  for (const line of invoice.lines) {
    const { assignedId, quantity, unit, price, priceBasis, shipped, productIds: ids, description } = line
    segments.push(['IT1', assignedId, quantity, unit, price, priceBasis, ...writeProductIds(ids)])
    if (shipped) segments.push(['QTY', SHIPPED, shipped.quantity, [shipped.unit]])
    if (description) segments.push(['PID', 'F', '', '', '', description])
  }
  segments.push(['TDS', amount(invoice.totalMinor)])
  for (const tax of invoice.taxes)
    segments.push(['TXI', tax.type, decimalText(tax.amountMinor, currency), tax.percent])
  if (carrier)
    segments.push([
      'CAD',
      '',
      '',
      '',
      carrier.scac,
      '',
      '',
      ...(carrier.tracking ? ['CN', carrier.tracking] : []),
    ])
  for (const { kind, code, amountMinor, description } of invoice.charges) {
    const indicator = kind === 'allowance' ? 'A' : 'C'
    const empty = Array.from({ length: 9 }, () => '')
    segments.push([
      'SAC',
      indicator,
      code,
      '',
      '',
      amount(amountMinor),
      ...(description ? [...empty, description] : []),
    ])
  }
  segments.push(['CTT', String(invoice.lines.length)])
  return segments
}

/** X12 673. */
const SHIPPED = '39'
/** X12 639, where the code itself says for how many a price is. */
const BASES: Readonly<Record<string, number>> = { HP: 100, TP: 1000 }

/** Lines are rounded one by one, as the invoice itself is. */
function verifyTotal({ number, lines, charges, taxes, currency, totalMinor }: InvoiceDocument): void {
  const digits = minorDigits(currency)
  let sum = new Decimal(0)
  for (const { quantity, price, per = 1 } of lines)
    sum = sum.plus(extensionMinor(quantity, price, per, digits))
  for (const charge of charges)
    sum = charge.kind === 'allowance' ? sum.minus(charge.amountMinor) : sum.plus(charge.amountMinor)
  for (const tax of taxes) sum = sum.plus(tax.amountMinor)
  if (sum.equals(totalMinor)) return
  throw new Refusal(
    'edi.invoice_total_mismatch',
    `invoice ${number} adds up to ${sum.toFixed()}, not ${totalMinor}`,
    {
      invoice: number,
      sumMinor: sum.toNumber(),
      totalMinor,
    },
  )
}

/** Minor units as N2: hundredths whatever the currency. */
function hundredths(minor: number, currency: string): string {
  const value = new Decimal(minor).times(new Decimal(10).pow(2 - minorDigits(currency)))
  if (value.isInteger()) return value.toFixed()
  throw new Refusal(
    'edi.amount_unrepresentable',
    `${minor} minor units of ${currency} are no whole hundredths`,
    {
      amountMinor: minor,
      currency,
    },
  )
}

const decimalText = (minor: number, currency: string): string =>
  new Decimal(minor).div(new Decimal(10).pow(minorDigits(currency))).toFixed()
const minorOf = (decimal: string, currency: string): number =>
  new Decimal(decimal || 0).times(new Decimal(10).pow(minorDigits(currency))).toNumber()

export function parseInvoice(root: Loop): InvoiceDocument {
  const big = first(root, 'BIG')
  const currency = element(first(root, 'CUR'), 2) || 'USD'
  const itd = first(root, 'ITD')
  const cad = first(root, 'CAD')
  const orderDate = optional(big, 3)
  return {
    number: element(big, 2),
    date: isoDate(element(big, 1)),
    orderNumber: element(big, 4),
    type: element(big, 7) === 'CR' ? 'CR' : 'DI',
    currency,
    ...present({
      orderDate: orderDate && isoDate(orderDate),
      release: optional(big, 5),
      terms: itd && {
        netDays: element(itd, 7),
        ...present({ discountPercent: optional(itd, 3), discountDays: optional(itd, 5) }),
      },
      carrier: cad && { scac: element(cad, 4), ...present({ tracking: optional(cad, 8) }) },
    }),
    references: references(root),
    parties: loopsOf(root, 'N1').map(party),
    dates: qualifiedDates(root),
    lines: loopsOf(root, 'IT1').map(parseLine),
    charges: loopsOf(root, 'SAC').map((loop) => parseCharge(loop, currency)),
    taxes: all(root, 'TXI').map((txi) => ({
      type: element(txi, 1),
      amountMinor: minorOf(element(txi, 2), currency),
      ...present({ percent: optional(txi, 3) }),
    })),
    totalMinor: minorOf(fromHundredths(element(first(root, 'TDS'), 1)), currency),
  }
}

function parseLine(loop: Loop): InvoiceLine {
  const it1 = first(loop, 'IT1')
  const pid = loopsOf(loop, 'PID')[0]
  const qty = all(loop, 'QTY').find((segment) => element(segment, 1) === SHIPPED)
  const priceBasis = optional(it1, 5)
  return {
    ...present({
      assignedId: optional(it1, 1),
      description: pid && optional(first(pid, 'PID'), 5),
      priceBasis,
      per: BASES[priceBasis ?? ''],
      shipped: qty && { quantity: element(qty, 2), unit: element(qty, 3) },
    }),
    quantity: element(it1, 2),
    unit: element(it1, 3),
    price: element(it1, 4),
    productIds: it1 ? productIds(it1, 6) : [],
  }
}

function parseCharge(loop: Loop, currency: string): InvoiceCharge {
  const sac = first(loop, 'SAC')
  return {
    kind: element(sac, 1) === 'A' ? 'allowance' : 'charge',
    code: element(sac, 2),
    amountMinor: minorOf(fromHundredths(element(sac, 5)), currency),
    ...present({ description: optional(sac, 15) }),
  }
}
