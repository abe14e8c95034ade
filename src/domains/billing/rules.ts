/** How a payment is read, spread over invoices and answered; pure. */
import { Refusal } from '#platform/faults.ts'
import { formatAmount, parseAmount } from '#platform/money.ts'
import type {
  InvoiceState,
  NamedInvoice,
  NewPayment,
  PaymentAnswer,
  PaymentRequest,
  PaymentReversal,
  PaymentState,
  ReceivedPayment,
  ReversalAnswer,
  ReversedPayment,
} from './contract.ts'

/** A posted invoice of the payer as it stands. */
export type PayableInvoice = {
  readonly doc: number
  readonly number: string
  readonly currency: string
  readonly state: InvoiceState
  readonly dueDate: string
  readonly totalMinor: number
  readonly paidMinor: number
}

export type Application = { readonly invoice: number; readonly amountMinor: number }

const PAYABLE: ReadonlySet<InvoiceState> = new Set(['posted', 'sent', 'partially_paid', 'disputed'])

/** What may still be paid on an invoice; nothing on one that is written off or void. */
export const openOf = ({ state, totalMinor, paidMinor }: Omit<PayableInvoice, 'doc'>): number =>
  PAYABLE.has(state) ? totalMinor - paidMinor : 0

/** A dispute outlives a part payment, since it is about what is still open. */
export function stateAfterPayment(state: InvoiceState, openMinor: number): InvoiceState {
  if (openMinor === 0) return 'paid'
  return state === 'disputed' ? state : 'partially_paid'
}

/** An invoice without a payment that is taken back. What somebody decided about it beside payments stands. */
export function stateAfterReversal(
  state: InvoiceState,
  { paidMinor, sent }: { readonly paidMinor: number; readonly sent: boolean },
): InvoiceState {
  if (state !== 'paid' && state !== 'partially_paid') return state
  if (paidMinor > 0) return 'partially_paid'
  return sent ? 'sent' : 'posted'
}

type Reversible = {
  readonly company: string
  readonly customerId: number
  readonly currency: string
  readonly amountMinor: number
  readonly reversed: boolean
}

/** The payment that may be taken back as it is asked, or a `Refusal`. Somebody else's is as good as none. */
export function checkReversal<Payment extends Reversible>(
  { company, payer, amount }: Pick<PaymentReversal, 'company' | 'payer' | 'amount'>,
  payment: Payment | undefined,
): Payment {
  if (payment?.company !== company || (payer !== undefined && payer !== payment.customerId))
    throw new Refusal('billing.payment_unknown', `${company} has no such payment`)
  if (payment.reversed) throw new Refusal('billing.payment_reversed', 'the payment was reversed before')
  const { amountMinor, currency } = payment
  if (amount !== undefined && parseAmount(amount, currency) !== amountMinor) {
    const whole = formatAmount(amountMinor, currency)
    const message = `the payment is of ${whole} ${currency}, and no part of it can be reversed`
    throw new Refusal('billing.reversal_partial', message, { amount: whole }, '/amount')
  }
  return payment
}

type Paying = Pick<NewPayment, 'amountMinor' | 'currency' | 'named'>

/**
 * What a payment pays of the payer's posted invoices: exactly what it names, else the oldest by due date and number,
 * leaving out disputed ones. What is left stays on account. Refuses names that are unknown, overpaid or too many.
 */
export function applyPayment(payment: Paying, invoices: readonly PayableInvoice[]): readonly Application[] {
  return payment.named ? applyNamed(payment, payment.named, invoices) : applyOldest(payment, invoices)
}

function applyOldest({ amountMinor, currency }: Paying, invoices: readonly PayableInvoice[]): Application[] {
  const applications: Application[] = []
  let left = amountMinor
  for (const invoice of invoices.toSorted(byAge)) {
    if (invoice.currency !== currency || invoice.state === 'disputed') continue
    const paid = Math.min(left, openOf(invoice))
    if (paid > 0) applications.push({ invoice: invoice.doc, amountMinor: paid })
    left -= paid
  }
  return applications
}

function byAge(a: PayableInvoice, b: PayableInvoice): number {
  if (a.dueDate !== b.dueDate) return a.dueDate < b.dueDate ? -1 : 1
  if (a.number !== b.number) return a.number < b.number ? -1 : 1
  return a.doc - b.doc
}

function applyNamed(
  payment: Paying,
  named: readonly NamedInvoice[],
  invoices: readonly PayableInvoice[],
): Application[] {
  const byNumber = new Map(invoices.map((invoice) => [invoice.number, invoice]))
  const applied = new Map<number, number>()
  let left = payment.amountMinor
  for (const [place, { number, amountMinor }] of named.entries()) {
    const invoice = namedInvoice(payment, { number, place }, byNumber)
    const before = applied.get(invoice.doc) ?? 0
    const openMinor = openOf(invoice) - before
    if (amountMinor > openMinor) {
      const open = formatAmount(openMinor, payment.currency)
      const message = `invoice ${number} is open for ${open} ${payment.currency}`
      throw new Refusal('billing.invoice_overpaid', message, { open }, `/invoices/${place}/amount`)
    }
    if (amountMinor > left) {
      const message = `the invoices add up to more than ${formatAmount(payment.amountMinor, payment.currency)}`
      throw new Refusal('billing.applications_exceed_payment', message, {}, `/invoices/${place}/amount`)
    }
    applied.set(invoice.doc, before + amountMinor)
    left -= amountMinor
  }
  return [...applied].map(([invoice, amountMinor]) => ({ invoice, amountMinor }))
}

function namedInvoice(
  { currency }: Paying,
  { number, place }: { number: string; place: number },
  byNumber: ReadonlyMap<string, PayableInvoice>,
): PayableInvoice {
  const invoice = byNumber.get(number)
  const pointer = `/invoices/${place}/number`
  if (!invoice) {
    throw new Refusal('billing.invoice_unknown', `the payer has no posted invoice ${number}`, {}, pointer)
  }
  if (invoice.currency !== currency) {
    const message = `invoice ${number} is in ${invoice.currency}, the payment in ${currency}`
    throw new Refusal('billing.currency_differs', message, {}, pointer)
  }
  return invoice
}

export function stateOfPayment({ amountMinor, appliedMinor }: ReceivedPayment): PaymentState {
  if (appliedMinor === 0) return 'unapplied'
  return appliedMinor === amountMinor ? 'applied' : 'partially_applied'
}

type Received = Pick<NewPayment, 'doc' | 'customerId' | 'sender' | 'receivedAt'>

/** A request as a payment; `receivedAt` counts where the request does not say when. */
export function paymentOf(request: PaymentRequest, received: Received): NewPayment {
  const { company, reference, currency } = request
  return {
    ...received,
    company,
    reference,
    currency,
    amountMinor: parseAmount(request.amount, currency),
    receivedAt: request.receivedAt === undefined ? received.receivedAt : new Date(request.receivedAt),
    named: request.invoices?.map(({ number, amount }) => ({
      number,
      amountMinor: parseAmount(amount, currency),
    })),
  }
}

/** How documents are numbered where people see them. */
export type DocumentNames = {
  readonly payment: (doc: number) => string
  readonly invoice: (doc: number) => string
}

export function answerPayment(payment: ReceivedPayment, names: DocumentNames): PaymentAnswer {
  const { currency, amountMinor, appliedMinor } = payment
  return {
    id: names.payment(payment.doc),
    state: stateOfPayment(payment),
    amount: formatAmount(amountMinor, currency),
    applied: formatAmount(appliedMinor, currency),
    unapplied: formatAmount(amountMinor - appliedMinor, currency),
    applications: payment.applications.map(({ invoice, number, amountMinor: applied, invoiceState }) => ({
      invoice: names.invoice(invoice),
      number,
      amount: formatAmount(applied, currency),
      invoiceState,
    })),
  }
}

/** Of a payment that was reversed since: nothing of it is applied, and nothing is on account. */
export function answerReversed(payment: ReceivedPayment, names: DocumentNames): PaymentAnswer {
  const { doc, currency, amountMinor } = payment
  const nothing = formatAmount(0, currency)
  return {
    id: names.payment(doc),
    state: 'reversed',
    amount: formatAmount(amountMinor, currency),
    applied: nothing,
    unapplied: nothing,
    applications: [],
  }
}

export function answerReversal(payment: ReversedPayment, names: DocumentNames): ReversalAnswer {
  const { doc, currency, amountMinor, reason, invoices } = payment
  return {
    id: names.payment(doc),
    state: 'reversed',
    amount: formatAmount(amountMinor, currency),
    reason,
    invoices: invoices.map(({ invoice, number, amountMinor: paid, openMinor, invoiceState }) => ({
      invoice: names.invoice(invoice),
      number,
      amount: formatAmount(paid, currency),
      open: formatAmount(openMinor, currency),
      invoiceState,
    })),
  }
}
