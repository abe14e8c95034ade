/** The documents of a company's books, in the words of neither ERP. */
import type { TaxLine } from './amounts.ts'

export type BookFault =
  | 'customer_unknown'
  | 'item_unknown'
  | 'unit_unknown'
  | 'item_discontinued'
  | 'quantity_invalid'
  | 'currency_mismatch'
  | 'order_unknown'
  | 'order_invoiced'
  | 'order_cancelled'
  | 'tax_mismatch'
  | 'over_invoiced'
  | 'net_mismatch'
  | 'invoice_unknown'
  | 'over_paid'
  | 'payment_unknown'
  | 'payment_reversed'

/** The books refuse; each ERP words it in its own way. `line` is the place in what was sent. */
export class BookRefusal extends Error {
  readonly fault: BookFault
  readonly line: number | undefined
  constructor(fault: BookFault, subject: string, line?: number) {
    super(subject)
    this.fault = fault
    this.line = line
  }
}

export type OrderLineIn = {
  line: string
  item: string
  /** Thousandths of the unit. */
  quantityMilli: number
  unit: string
  priceMinor: number
  priceUnit: string
}

/** ISO, empty where the order's own day counts. */
type Dated = { requestedOn: string }
/** From where it is served; absent where the order does not say. */
type Placed = { site?: string }
/** counter: sold over the counter, until the goods are taken away. */
export type OrderKind = 'order' | 'counter'

export type OrderIn = {
  reference: string
  customer: string
  customerReference: string
  currency: string
  /** A code of the customer's, or an address of the order's own as it is written on a label. */
  shipTo: string
  /** An order when absent. */
  kind?: OrderKind
  lines: (OrderLineIn & Dated & Placed)[]
}

export type BookOrderLine = OrderLineIn &
  Dated &
  Placed & { netMinor: number; invoicedMilli: number; cancelledMilli: number }

/** What is still wanted of a line in all. */
export type ClosingIn = Pick<OrderLineIn, 'line' | 'quantityMilli' | 'unit'>

/** Of a thousandth: what conversions between units may leave of a line. */
const SLIVER = 1e-6

/** What is neither invoiced nor cancelled of a line, in thousandths of its unit. */
export function openMilli(line: BookOrderLine): number {
  const open = line.quantityMilli - line.invoicedMilli - line.cancelledMilli
  return Math.abs(open) < SLIVER ? 0 : open
}

export const isMore = (a: number, b: number): boolean => a > b + SLIVER

export type BookOrder = Omit<OrderIn, 'lines'> & {
  number: string
  id: string
  version: number
  createdAt: string
  /** Since it was made; absent where it never changed. */
  changedAt?: string
  seenFromMs: number
  cancelled: boolean
  netMinor: number
  lines: BookOrderLine[]
}

export function changed(order: BookOrder, now: Date): void {
  order.version += 1
  order.changedAt = now.toISOString()
}

export type InvoiceLineIn = OrderLineIn & {
  orderLine: string
  weightGrams: number | undefined
  netMinor: number | undefined
}

export type InvoiceIn = {
  reference: string
  customer: string
  order: string | undefined
  date: string
  currency: string
  taxEvidence: string
  lines: InvoiceLineIn[]
  /** Undefined: the ERP taxes by its own table. */
  taxes: TaxLine[] | undefined
}

export type BookInvoice = Omit<InvoiceIn, 'lines' | 'taxes'> & {
  number: string
  posting: string
  id: string
  createdAt: string
  seenFromMs: number
  dueOn: string
  lines: (InvoiceLineIn & { netMinor: number })[]
  taxes: TaxLine[]
  netMinor: number
  taxMinor: number
  openMinor: number
}

export type PaymentIn = {
  reference: string
  customer: string
  invoice: string
  amountMinor: number
  currency: string
  date: string
}
export type BookPayment = PaymentIn & {
  number: string
  id: string
  createdAt: string
  seenFromMs: number
  invoiceOpenMinor: number
  reversal?: BookReversal
}

export type ReversalIn = { reference: string; reason: string; date: string }
/** The whole of a payment taken back: its invoice is open again. */
type BookReversal = ReversalIn & { number: string; seenFromMs: number }

export type Posting = {
  document: string
  account: 'receivables' | 'revenue' | 'tax' | 'bank'
  debitMinor: number
  creditMinor: number
}

export type BookTruth = {
  orders: BookOrder[]
  invoices: BookInvoice[]
  payments: BookPayment[]
  postings: Posting[]
}
