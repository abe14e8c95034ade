/** Payments that bounced or were booked wrongly are taken back: what they paid is open again. */
import type { Transaction } from '#platform/database.ts'
import { Refusal } from '#platform/faults.ts'
import { appendEvents, type Cause } from '#platform/log.ts'
import type { PaymentReversal, ReversedPayment } from '../contract.ts'
import { answerReversal, checkReversal, openOf, stateAfterReversal } from '../rules.ts'
import { type LockedInvoice, lockPayable, selectApplications, updatePaid } from '../store.ts'
import { type LockedPayment, lockReversible, updateReversed } from '../store/reversals.ts'

export type ReversalOutcome =
  | { readonly kind: 'reversed'; readonly payment: ReversedPayment }
  | { readonly kind: 'refused'; readonly refusal: Refusal }

/**
 * Takes payments back, each whole and once, or refuses it and changes nothing of it. Invoices are locked before
 * payments. The payer's credit is the caller's, and so is whoever must tell the ERP.
 */
export async function reversePayments(
  tx: Transaction,
  reversals: readonly PaymentReversal[],
  cause: Cause,
): Promise<ReadonlyMap<PaymentReversal, ReversalOutcome>> {
  const docs = sorted(reversals.map(({ doc }) => doc))
  // what a payment paid never changes, so its invoices are known without its lock
  const applications = await selectApplications(tx, docs)
  const invoices = sorted(applications.map(({ invoice }) => invoice))
  tx.locking('document', invoices)
  const ledger = new Map((await lockPayable(tx, invoices)).map((row) => [row.doc, row]))
  tx.locking('document', docs)
  const payments = new Map((await lockReversible(tx, docs)).map((row) => [row.doc, row]))
  const paid = Map.groupBy(applications, (row) => row.payment)
  const back = new TakenBack(ledger)
  const outcomes = new Map<PaymentReversal, ReversalOutcome>()
  for (const reversal of reversals) {
    try {
      const payment = checkReversal(reversal, payments.get(reversal.doc))
      payments.set(payment.doc, { ...payment, reversed: true })
      outcomes.set(reversal, {
        kind: 'reversed',
        payment: back.take(payment, reversal.reason, paid.get(payment.doc) ?? []),
      })
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      outcomes.set(reversal, { kind: 'refused', refusal: error })
    }
  }
  back.write(tx, cause)
  return outcomes
}

const sorted = (docs: readonly number[]): number[] => [...new Set(docs)].toSorted((a, b) => a - b)

type Applied = { readonly invoice: number; readonly amountMinor: number }

type Reopened = {
  readonly payment: number
  readonly reason: string
  readonly amountMinor: number
  readonly invoice: LockedInvoice
}

/** The reversals of one list, each seeing what those before it have opened again. */
class TakenBack {
  readonly #ledger: Map<number, LockedInvoice>
  readonly #payments: (ReversedPayment & { readonly version: number })[] = []
  readonly #told: Reopened[] = []

  constructor(ledger: Map<number, LockedInvoice>) {
    this.#ledger = ledger
  }

  take(payment: LockedPayment, reason: string, applied: readonly Applied[]): ReversedPayment {
    const { reversed: _, version, ...rest } = payment
    const invoices = applied.map(({ invoice: doc, amountMinor }) => {
      const invoice = this.#open(doc, amountMinor)
      this.#told.push({ payment: payment.doc, reason, amountMinor, invoice })
      const { number, state, paidMinor } = invoice
      return { invoice: doc, number, amountMinor, openMinor: openOf(invoice), paidMinor, invoiceState: state }
    })
    const taken = { ...rest, reason, invoices }
    this.#payments.push({ ...taken, version: version + 1 })
    return taken
  }

  #open(doc: number, amountMinor: number): LockedInvoice {
    const before = this.#ledger.get(doc)!
    const paidMinor = before.paidMinor - amountMinor
    const state = stateAfterReversal(before.state, { paidMinor, sent: before.sent })
    const invoice = { ...before, state, paidMinor, version: before.version + 1 }
    this.#ledger.set(doc, invoice)
    return invoice
  }

  write(tx: Transaction, cause: Cause): void {
    if (this.#payments.length === 0) return
    updatePaid(
      tx,
      sorted(this.#told.map(({ invoice }) => invoice.doc)).map((doc) => this.#ledger.get(doc)!),
    )
    updateReversed(tx, this.#payments)
    appendEvents(tx, this.#payments.map(reversedEvent), cause)
    appendEvents(tx, this.#told.map(reopenedEvent), cause)
  }
}

const reopenedEvent = ({ payment, reason, amountMinor, invoice }: Reopened) => ({
  type: 'invoice.payment_reversed',
  key: invoice.doc,
  keyVersion: invoice.version,
  company: invoice.company,
  correlationId: invoice.orderId,
  data: { payment, amountMinor, openMinor: openOf(invoice), reason },
})

const reversedEvent = (payment: ReversedPayment & { readonly version: number }) => ({
  type: 'payment.reversed',
  key: payment.doc,
  keyVersion: payment.version,
  company: payment.company,
  correlationId: payment.doc,
  data: {
    customer: payment.customerId,
    reference: payment.reference,
    amountMinor: payment.amountMinor,
    currency: payment.currency,
    reason: payment.reason,
    invoices: payment.invoices.map(({ invoice, amountMinor }) => ({ invoice, amountMinor })),
  },
})

/** What a caller is told of a payment that was taken back. */
export const tellReversal = answerReversal
