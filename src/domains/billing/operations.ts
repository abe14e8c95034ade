/** The verbs of billing. Each takes the transaction and a list; each change is told as an event of its document. */
import { hash } from 'node:crypto'
import type { Transaction } from '#platform/database.ts'
import { Refusal } from '#platform/faults.ts'
import { appendEvents, type Cause } from '#platform/log.ts'
import type {
  InvoiceHeader,
  NewInvoice,
  NewPayment,
  PaymentApplication,
  ReceivedPayment,
  ShortPaid,
} from './contract.ts'
import { answerPayment, answerReversed, applyPayment, openOf, paymentOf, stateAfterPayment } from './rules.ts'
import {
  deletePayments,
  insertInvoices,
  insertPayments,
  type LockedInvoice,
  lockPayable,
  type PaymentKey,
  type Posted,
  selectApplications,
  selectPayable,
  selectPayments,
  type Taxed,
  updatePaid,
  updatePosted,
  updateSent,
  updateTaxed,
  writeApplications,
} from './store.ts'

export type InvoiceKey = { readonly doc: number; readonly company: string; readonly orderId: number }
export type Versions = ReadonlyMap<number, number>

function tell(
  tx: Transaction,
  type: string,
  rows: readonly (InvoiceKey & { readonly version: number; readonly data: object })[],
  cause: Cause,
): void {
  appendEvents(
    tx,
    rows.map(({ doc, company, orderId, version, data }) => ({
      type,
      key: doc,
      keyVersion: version,
      company,
      correlationId: orderId,
      data,
    })),
    cause,
  )
}

const versionsOf = (rows: readonly { doc: number; version: number }[]): Versions =>
  new Map(rows.map((row) => [row.doc, row.version]))

/** Draws invoices from shipments: one line for each billable shipment line. */
export function draftInvoices(tx: Transaction, invoices: readonly NewInvoice[], cause: Cause): void {
  if (invoices.length === 0) return
  insertInvoices(tx, invoices)
  tell(
    tx,
    'invoice.drafted',
    invoices.map((row) => ({
      ...row,
      version: 1,
      data: {
        shipment: row.shipmentId,
        netMinor: row.netMinor,
        currency: row.currency,
        lines: row.lines.length,
      },
    })),
    cause,
  )
}

/** Keeps what the tax system determined, with its evidence. */
export async function recordTax(
  tx: Transaction,
  rows: readonly (InvoiceKey & Taxed)[],
  cause: Cause,
): Promise<Versions> {
  const versions = versionsOf(await updateTaxed(tx, rows))
  tell(
    tx,
    'invoice.taxed',
    rows.map((row) => ({
      ...row,
      version: versions.get(row.doc)!,
      data: { taxMinor: row.taxMinor, evidence: row.evidence, jurisdiction: row.jurisdiction },
    })),
    cause,
  )
  return versions
}

/** The ERP has posted these under its legal numbers; from now on what they say never changes. */
export async function recordPosted(
  tx: Transaction,
  rows: readonly (InvoiceKey & Posted & { readonly effectKey: string })[],
  cause: Cause,
): Promise<Versions> {
  const versions = versionsOf(await updatePosted(tx, rows))
  tell(
    tx,
    'invoice.posted',
    rows.map((row) => ({
      ...row,
      version: versions.get(row.doc)!,
      data: { number: row.number, taxMinor: row.taxMinor, effectKey: row.effectKey },
    })),
    cause,
  )
  return versions
}

/** The channel has these invoices. Answers version and state by document. */
export async function recordSent(
  tx: Transaction,
  rows: readonly (InvoiceKey & { readonly reference: string | undefined })[],
  cause: Cause,
): Promise<ReadonlyMap<number, { readonly version: number; readonly state: InvoiceHeader['state'] }>> {
  const docs = rows.map((row) => row.doc).toSorted((a, b) => a - b)
  const changed = new Map((await updateSent(tx, docs)).map((row) => [row.doc, row]))
  tell(
    tx,
    'invoice.sent',
    rows.map((row) => ({
      ...row,
      version: changed.get(row.doc)!.version,
      data: row.reference ? { reference: row.reference } : {},
    })),
    cause,
  )
  return changed
}

/** What became of a payment: taken now, taken before under the same natural key and perhaps back again, or refused. */
export type PaymentOutcome =
  | { readonly kind: 'received'; readonly payment: ReceivedPayment; readonly short: readonly ShortPaid[] }
  | { readonly kind: 'known' | 'reversed'; readonly payment: ReceivedPayment }
  | { readonly kind: 'refused'; readonly refusal: Refusal }

/**
 * Takes payments and applies each to the invoices it names, or to the payer's oldest open ones. The invoices' rows,
 * locked in the order of keys, keep two payments of one invoice apart. Answers each payment by itself: a repeated one
 * as the first time, one with other content under the same reference is refused. The payer's credit is the caller's.
 */
export async function receivePayments(
  tx: Transaction,
  payments: readonly NewPayment[],
  cause: Cause,
): Promise<ReadonlyMap<NewPayment, PaymentOutcome>> {
  const outcomes = new Map<NewPayment, PaymentOutcome>()
  if (payments.length === 0) return outcomes
  const claimed = await insertPayments(
    tx,
    payments.map((payment) => ({ ...payment, contentHash: contentHash(payment) })).toSorted(byNaturalKey),
  )
  const fresh = payments.filter((payment) => claimed.has(payment.doc))
  const taken = new Taken(await lockLedger(tx, fresh))
  for (const payment of fresh) outcomes.set(payment, taken.take(payment))
  taken.write(tx, cause)
  const repeated = payments.filter((payment) => !claimed.has(payment.doc))
  await answerKnown(tx, repeated, outcomes)
  const refused = fresh.filter((payment) => outcomes.get(payment)!.kind === 'refused')
  deletePayments(
    tx,
    refused.map((payment) => payment.doc),
  )
  return outcomes
}

const nameOf = ({ company, sender, reference }: PaymentKey): string =>
  [company, sender, reference].join('\u001f')

function byNaturalKey(a: PaymentKey, b: PaymentKey): number {
  const [left, right] = [nameOf(a), nameOf(b)]
  if (left === right) return 0
  return left < right ? -1 : 1
}

/** When it was received is left out, since a caller may leave it to us. */
const contentHash = ({ customerId, currency, amountMinor, named }: NewPayment): Buffer =>
  hash(
    'sha256',
    JSON.stringify([
      customerId,
      currency,
      amountMinor,
      named?.map((row) => [row.number, row.amountMinor]) ?? null,
    ]),
    'buffer',
  )

async function lockLedger(
  tx: Transaction,
  payments: readonly NewPayment[],
): Promise<Map<number, LockedInvoice>> {
  const docs = (await selectPayable(tx, payments)).toSorted((a, b) => a - b)
  if (docs.length === 0) return new Map()
  tx.locking('document', docs)
  return new Map((await lockPayable(tx, docs)).map((row) => [row.doc, row]))
}

/** The payments of one list, each seeing what those before it have paid. */
class Taken {
  readonly #ledger: Map<number, LockedInvoice>
  readonly #received: { readonly payment: NewPayment; readonly received: ReceivedPayment }[] = []
  readonly #told: {
    readonly payment: number
    readonly amountMinor: number
    readonly invoice: LockedInvoice
  }[] = []

  constructor(ledger: Map<number, LockedInvoice>) {
    this.#ledger = ledger
  }

  take(payment: NewPayment): PaymentOutcome {
    const { doc, company, customerId, currency, amountMinor } = payment
    const theirs = [...this.#ledger.values()].filter(
      (row) => row.company === company && row.customerId === customerId,
    )
    try {
      const applied = applyPayment(payment, theirs)
      const applications = applied.map((row) => this.#pay(doc, row)).toSorted((a, b) => a.invoice - b.invoice)
      const appliedMinor = applied.reduce((sum, row) => sum + row.amountMinor, 0)
      const received = { doc, currency, amountMinor, appliedMinor, applications }
      this.#received.push({ payment, received })
      return { kind: 'received', payment: received, short: payment.named ? this.#shortOf(applications) : [] }
    } catch (error) {
      if (error instanceof Refusal) return { kind: 'refused', refusal: error }
      throw error
    }
  }

  #shortOf(applications: readonly PaymentApplication[]): ShortPaid[] {
    return applications.flatMap(({ invoice, number }) => {
      const openMinor = openOf(this.#ledger.get(invoice)!)
      return openMinor > 0 ? [{ invoice, number, openMinor }] : []
    })
  }

  #pay(
    payment: number,
    { invoice: doc, amountMinor }: { invoice: number; amountMinor: number },
  ): PaymentApplication {
    const before = this.#ledger.get(doc)!
    const state = stateAfterPayment(before.state, openOf(before) - amountMinor)
    const invoice = {
      ...before,
      state,
      paidMinor: before.paidMinor + amountMinor,
      version: before.version + 1,
    }
    this.#ledger.set(doc, invoice)
    this.#told.push({ payment, amountMinor, invoice })
    return {
      invoice: doc,
      orderId: invoice.orderId,
      number: invoice.number,
      amountMinor,
      invoiceState: state,
    }
  }

  write(tx: Transaction, cause: Cause): void {
    if (this.#received.length === 0) return
    const paid = [...new Set(this.#told.map(({ invoice }) => invoice.doc))].map((doc) =>
      this.#ledger.get(doc)!,
    )
    updatePaid(
      tx,
      paid.toSorted((a, b) => a.doc - b.doc),
    )
    writeApplications(
      tx,
      this.#received.map(({ received }) => received),
    )
    appendEvents(tx, this.#received.map(receivedEvent), cause)
    for (const type of ['invoice.partially_paid', 'invoice.paid'] as const) {
      tell(
        tx,
        type,
        this.#told
          .filter(({ invoice }) => (invoice.state === 'paid') === (type === 'invoice.paid'))
          .map(({ payment, amountMinor, invoice }) => ({
            ...invoice,
            data: { payment, amountMinor, openMinor: invoice.totalMinor - invoice.paidMinor },
          })),
        cause,
      )
    }
  }
}

const receivedEvent = ({ payment, received }: { payment: NewPayment; received: ReceivedPayment }) => ({
  type: 'payment.received',
  key: payment.doc,
  keyVersion: 1,
  company: payment.company,
  correlationId: payment.doc,
  data: {
    customer: payment.customerId,
    reference: payment.reference,
    amountMinor: payment.amountMinor,
    appliedMinor: received.appliedMinor,
    currency: payment.currency,
    invoices: received.applications.map(({ invoice, amountMinor }) => ({ invoice, amountMinor })),
  },
})

/** Repetitions are answered as the first was, also where the first stands in the same list. */
async function answerKnown(
  tx: Transaction,
  repeated: readonly NewPayment[],
  outcomes: Map<NewPayment, PaymentOutcome>,
): Promise<void> {
  if (repeated.length === 0) return
  const stored = await selectPayments(tx, repeated)
  const applications = Map.groupBy(
    await selectApplications(
      tx,
      stored.map((row) => row.doc),
    ),
    (row) => row.payment,
  )
  const firsts = new Map(stored.map((row) => [nameOf(row), row]))
  const inThisList = new Map([...outcomes].map(([payment, outcome]) => [payment.doc, outcome]))
  for (const payment of repeated) {
    const stands = firsts.get(nameOf(payment))!
    const { doc, currency, amountMinor, appliedMinor, reversed, contentHash: before } = stands
    const first = inThisList.get(doc)
    if (!before.equals(contentHash(payment)))
      outcomes.set(payment, { kind: 'refused', refusal: otherContent(payment) })
    else if (first?.kind === 'refused') outcomes.set(payment, first)
    else {
      const applied = (applications.get(doc) ?? []).map(({ payment: _, ...rest }) => rest)
      const known = { doc, currency, amountMinor, appliedMinor, applications: applied }
      outcomes.set(payment, { kind: reversed ? 'reversed' : 'known', payment: known })
    }
  }
}

const otherContent = ({ reference, sender }: NewPayment): Refusal =>
  new Refusal(
    'billing.payment_repeated',
    `payment ${reference} of ${sender} was received with other content`,
    { reference },
    '/reference',
  )

/** A request of a door as a payment. */
export const readPayment = paymentOf

/** What a payer's system is told of a payment. */
export const tellPayment = answerPayment

/** What it is told of one that was taken back since. */
export const tellReversed = answerReversed

/** What payments paid, by payment and invoice. */
export const applicationsOf = selectApplications
