/** The door of payments: money, the payer's credit and the registration's intent in one transaction for all that arrived. */
import { createDoor, type Door } from '#platform/batch.ts'
import { recordAudit } from '#platform/audit.ts'
import type { Transaction } from '#platform/database.ts'
import { closeExceptions } from '#platform/exceptions.ts'
import { Refusal } from '#platform/faults.ts'
import type { Claim, Replay } from '#platform/http.ts'
import { claim, type ClaimState, record, settle } from '#platform/http-idempotency.ts'
import type { Cause } from '#platform/log.ts'
import { formatAmount } from '#platform/money.ts'
import { isOutage } from '#platform/outage.ts'
import type { Docket, Process } from '#platform/process.ts'
import type {
  NewPayment,
  PaymentAnswer,
  PaymentRequest,
  ReceivedPayment,
  ShortPaid,
} from '#domains/billing/contract.ts'
import {
  type PaymentOutcome,
  readPayment,
  receivePayments,
  tellPayment,
  tellReversed,
} from '#domains/billing/operations.ts'
import { customerKey, type SellingCustomer } from '#domains/customers/contract.ts'
import { changeExposure, findCustomers } from '#domains/customers/operations.ts'
import { BATCHES_WAITING_MAX, type DoorPorts } from './doors.ts'
import { type PaymentFacts, paymentFacts } from './payment.ts'
import { keepWhatIsWaitedFor } from './payment-waits.ts'
import { invoiceNumber, paymentNumber, type ProcessPorts } from './ports.ts'

export const UNAPPLIED_CASH = 'billing.unapplied_cash'
export const SHORT_PAYMENT = 'billing.short_payment'

/** A payment with the key under which its client may repeat it. */
export type PaymentArrival = {
  readonly request: PaymentRequest
  readonly client: string
  readonly traceId: string
  readonly claim: Claim
}

export type PaymentReceipt =
  | { readonly kind: 'new' | 'known'; readonly answer: PaymentAnswer }
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  | { readonly kind: 'claimed'; readonly state: ClaimState }

type Received = NewPayment & { readonly customerNumber: string; readonly payerCurrency: string }

export function paymentDoor(door: DoorPorts, process: Process): Door<PaymentArrival, PaymentReceipt> {
  return createDoor<PaymentArrival, PaymentReceipt>({
    clock: door.clock,
    batchMax: door.batchMax,
    batchesWaitingMax: BATCHES_WAITING_MAX,
    bisects: (error) => !isOutage(error),
    async run(arrivals) {
      const runner = door.runner()
      await runner.room()
      const read = await readArrivals(door, arrivals)
      const cause = { source: 'api', actor: arrivals[0]!.client, traceId: arrivals[0]!.traceId }
      return runner.transaction(cause, async (tx, turn) => {
        const states = await claim(
          tx,
          arrivals.map((arrival) => arrival.claim),
        )
        const open = arrivals.filter((arrival) => states.get(arrival.claim)!.state === 'new')
        const receipts = await receive(tx, turn, { ports: door.ports, process, read, open, cause })
        record(
          tx,
          open.flatMap((arrival) => resultOf(arrival, receipts.get(arrival)!)),
        )
        return new Map(
          arrivals.map((arrival): [PaymentArrival, PaymentReceipt] => {
            const state = states.get(arrival.claim)!
            return [arrival, receipts.get(arrival) ?? { kind: 'claimed', state }]
          }),
        )
      })
    },
  })
}

/** What an HTTP caller is answered; refusals are thrown, each to its own caller. */
export function paymentAnswer(
  receipt: PaymentReceipt,
): { readonly kind: 'new' | 'known'; readonly answer: PaymentAnswer } | Replay {
  if (receipt.kind === 'refused') throw receipt.refusal
  return receipt.kind === 'claimed' ? settle(receipt.state)! : receipt
}

const resultOf = (arrival: PaymentArrival, receipt: PaymentReceipt) =>
  receipt.kind === 'new' ? [{ ...arrival.claim, status: 201, body: receipt.answer }] : []

/** Payers are looked up and documents numbered before the transaction begins. */
async function readArrivals(
  { queries, ports }: DoorPorts,
  arrivals: readonly PaymentArrival[],
): Promise<ReadonlyMap<PaymentArrival, Received | Refusal>> {
  const keys = arrivals.map(({ request: { company, customer } }) => ({ company, number: customer }))
  const [payers, ids] = await Promise.all([
    findCustomers(queries, keys),
    ports.ids.documents(arrivals.length),
  ])
  return new Map(
    arrivals.map((arrival, place) => [
      arrival,
      readArrival(arrival, ids[place]!, { payers, now: ports.clock.now() }),
    ]),
  )
}

function readArrival(
  { request, client }: PaymentArrival,
  doc: number,
  { payers, now }: { payers: ReadonlyMap<string, SellingCustomer>; now: Date },
): Received | Refusal {
  const payer = payers.get(customerKey(request.company, request.customer))
  if (!payer) {
    const message = `${request.company} has no customer ${request.customer}`
    return new Refusal('billing.customer_unknown', message, {}, '/customer')
  }
  try {
    const read = readPayment(request, { doc, customerId: payer.id, sender: client, receivedAt: now })
    return { ...read, customerNumber: payer.number, payerCurrency: payer.currency }
  } catch (error) {
    if (error instanceof Refusal) return error
    throw error
  }
}

type Receiving = {
  readonly ports: ProcessPorts
  readonly process: Process
  readonly read: ReadonlyMap<PaymentArrival, Received | Refusal>
  readonly open: readonly PaymentArrival[]
  readonly cause: Cause
}

async function receive(
  tx: Transaction,
  turn: Docket,
  { ports, process, read, open, cause }: Receiving,
): Promise<ReadonlyMap<PaymentArrival, PaymentReceipt>> {
  const payments = open.flatMap((arrival) => {
    const payment = read.get(arrival)!
    return payment instanceof Refusal ? [] : [payment]
  })
  const outcomes = await receivePayments(tx, payments, cause)
  const taken = payments.flatMap((payment) => {
    const outcome = outcomes.get(payment)!
    return outcome.kind === 'received' ? [{ payment, received: outcome.payment, short: outcome.short }] : []
  })
  const begun = await factsOf(tx, ports, taken)
  // credit is counted in the customer's currency; cash in another one waits on account
  const counted = taken.filter(({ payment: { currency, payerCurrency } }) => currency === payerCurrency)
  changeExposure(
    tx,
    counted.map(({ payment: { customerId, amountMinor } }) => ({ customerId, amountMinor: -amountMinor })),
  )
  await openUnapplied(tx, ports, taken)
  await openDeductions(tx, ports, taken)
  auditReceipts(tx, taken, cause)
  turn.begin(begun.map((facts) => ({ process, facts, priority: 1, share: facts.payment.customerId })))
  await wakePaid(turn, taken)
  return new Map(open.map((arrival) => [arrival, receiptOf(read.get(arrival)!, outcomes)]))
}

type Taken = {
  readonly payment: Received
  readonly received: ReceivedPayment
  readonly short: readonly ShortPaid[]
}

/** With which facts each payment's own process begins. What it waits for is locked before any credit account. */
async function factsOf(
  tx: Transaction,
  ports: ProcessPorts,
  taken: readonly Taken[],
): Promise<PaymentFacts[]> {
  if (taken.length === 0) return []
  const docs = taken.map(({ payment }) => payment.doc).toSorted((a, b) => a - b)
  const read = async () => [...(await paymentFacts(tx, docs)).values()]
  const facts = await read()
  const behind = facts.filter(({ behindReversal }) => behindReversal)
  if (behind.length === 0) return facts
  await keepWhatIsWaitedFor(tx, ports, behind)
  // some of it may have come to its end while its lock was waited for
  return read()
}

/** The processes of the invoices that were paid see that they changed. */
async function wakePaid(turn: Docket, taken: readonly Taken[]): Promise<void> {
  const paid = new Map(
    taken.flatMap(({ payment: { company, customerId }, received }) =>
      received.applications.map(({ invoice }) => [
        invoice,
        { doc: invoice, process: 'invoice', company, priority: 1, share: customerId },
      ]),
    ),
  )
  if (paid.size > 0) await turn.wake([...paid.values()])
}

/** Cash that pays nothing is the payer's, and somebody has to find out what it is for. */
async function openUnapplied(tx: Transaction, ports: ProcessPorts, taken: readonly Taken[]): Promise<void> {
  const left = taken.filter(({ received }) => received.appliedMinor < received.amountMinor)
  await ports.openExceptions(
    tx,
    left.map(({ payment, received }) => ({
      company: payment.company,
      cause: `${UNAPPLIED_CASH}:${paymentNumber(payment.doc)}`,
      code: UNAPPLIED_CASH,
      title: `Customer ${payment.customerNumber} paid more than its open invoices`,
      suggestedAction: 'Ask the payer what it is for: apply it to an invoice in the ERP, or pay it back.',
      facts: { reference: payment.reference },
      affects: {
        doc: payment.doc,
        kind: 'payment',
        value: { amountMinor: received.amountMinor - received.appliedMinor, currency: received.currency },
      },
    })),
  )
}

/** A payer who keeps something back has a reason, which somebody has to find out; what is paid later ends the question. */
async function openDeductions(tx: Transaction, ports: ProcessPorts, taken: readonly Taken[]): Promise<void> {
  const causeOf = (invoice: number): string => `${SHORT_PAYMENT}:${invoiceNumber(invoice)}`
  await ports.openExceptions(
    tx,
    taken.flatMap(({ payment: { company, currency, customerNumber, reference }, short }) =>
      short.map(({ invoice, number, openMinor }) => ({
        company,
        cause: causeOf(invoice),
        code: SHORT_PAYMENT,
        title: `Customer ${customerNumber} paid ${formatAmount(openMinor, currency)} ${currency} too little on ${number}`,
        suggestedAction: 'Ask the payer why: credit what is justified in the ERP, ask for what is not.',
        facts: { reference, invoice: number },
        affects: { doc: invoice, kind: 'invoice', value: { amountMinor: openMinor, currency } },
      })),
    ),
  )
  const settled = taken.flatMap(({ payment: { company }, received }) =>
    received.applications.flatMap(({ invoice, invoiceState }) =>
      invoiceState === 'paid' ? [{ company, cause: causeOf(invoice), doc: invoice }] : [],
    ),
  )
  await closeExceptions(tx, settled, 'the rest was paid')
}

function auditReceipts(tx: Transaction, taken: readonly Taken[], cause: Cause): void {
  recordAudit(
    tx,
    taken.map(
      ({
        payment: { doc, company, sender, reference },
        received: { amountMinor, appliedMinor, currency },
      }) => ({
        actor: sender,
        action: 'billing.receive_payment',
        company,
        kind: 'payment',
        doc,
        after: { reference, amountMinor, appliedMinor, currency },
        traceId: cause.traceId,
      }),
    ),
  )
}

function receiptOf(
  payment: Received | Refusal,
  outcomes: ReadonlyMap<NewPayment, PaymentOutcome>,
): PaymentReceipt {
  if (payment instanceof Refusal) return { kind: 'refused', refusal: payment }
  const outcome = outcomes.get(payment)!
  if (outcome.kind === 'refused') return outcome
  const names = { payment: paymentNumber, invoice: invoiceNumber }
  if (outcome.kind === 'reversed') return { kind: 'known', answer: tellReversed(outcome.payment, names) }
  return { kind: outcome.kind === 'received' ? 'new' : 'known', answer: tellPayment(outcome.payment, names) }
}
