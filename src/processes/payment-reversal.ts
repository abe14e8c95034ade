/** A payment is taken back: money, the payer's credit and the reversal's intent in one transaction, once per key. */
import { recordAudit } from '#platform/audit.ts'
import type { Transaction } from '#platform/database.ts'
import { closeExceptions, openExceptionsOf } from '#platform/exceptions.ts'
import { Refusal } from '#platform/faults.ts'
import type { Claim, Replay } from '#platform/http.ts'
import { claim, record, settle } from '#platform/http-idempotency.ts'
import type { Cause } from '#platform/log.ts'
import type { Runner } from '#platform/runner.ts'
import type {
  PaymentReversal,
  ReversalAnswer,
  ReversalRequest,
  ReversedPayment,
} from '#domains/billing/contract.ts'
import { recordReversalRegistered } from '#domains/billing/operations/registrations.ts'
import { reversePayments, tellReversal } from '#domains/billing/operations/reversals.ts'
import { unregisteredBeside } from '#domains/billing/views/reversals.ts'
import { customerKey } from '#domains/customers/contract.ts'
import { changeExposure, creditStandings, findCustomers } from '#domains/customers/operations.ts'
import { SHORT_PAYMENT, UNAPPLIED_CASH } from './payment-door.ts'
import { isTold, leaveWaits } from './payment-waits.ts'
import { paymentRow } from './payment.ts'
import { invoiceNumber, parseNumber, paymentNumber } from './ports.ts'

export type ReversalCommand = {
  /** Our number of the payment, as the caller wrote it. */
  readonly id: string
  readonly request: ReversalRequest
  readonly client: string
  /** Takes back its own payments only. */
  readonly partner: string | undefined
  readonly traceId: string
  readonly claim: Claim
}

type Given = { readonly status: 200; readonly body: ReversalAnswer }

export function reversePayment(runner: Runner, command: ReversalCommand): Promise<Given | Replay> {
  const { client, traceId } = command
  const cause = { source: 'api', actor: client, traceId }
  return runner.transaction(cause, async (tx, turn) => {
    const states = await claim(tx, [command.claim])
    const earlier = settle(states.get(command.claim)!)
    if (earlier) return earlier
    const reversal = await readReversal(tx, command)
    const outcome = (await reversePayments(tx, [reversal], cause)).get(reversal)!
    if (outcome.kind === 'refused') throw outcome.refusal
    const { payment } = outcome
    const beside = await endUntold(tx, payment, cause)
    await owesAgain(tx, payment)
    await closeQuestions(tx, payment)
    audit(tx, payment, command)
    const { company, customerId, invoices } = payment
    turn.wakeAfterwards([
      paymentRow(payment),
      ...beside.map(paymentRow),
      ...invoices.map(({ invoice }) => ({
        doc: invoice,
        process: 'invoice',
        company,
        priority: 1,
        share: customerId,
      })),
    ])
    const body = tellReversal(payment, { payment: paymentNumber, invoice: invoiceNumber })
    const given = { status: 200, body } as const
    record(tx, [{ ...command.claim, ...given }])
    return given
  })
}

async function readReversal(
  tx: Transaction,
  { id, request: { company, reason, amount }, partner }: ReversalCommand,
): Promise<PaymentReversal> {
  const doc = parseNumber(id, 'P')
  const payer = partner === undefined ? undefined : await customerId(tx, company, partner)
  if (doc === undefined || payer === null) {
    throw new Refusal('billing.payment_unknown', `${company} has no payment ${id}`)
  }
  return { doc, company, payer, reason, amount }
}

async function customerId(tx: Transaction, company: string, number: string): Promise<number | null> {
  const found = await findCustomers(tx, [{ company, number }])
  return found.get(customerKey(company, number))?.id ?? null
}

/** An ERP that never heard of it has nothing to take back; answers who may have waited for its place. */
async function endUntold(tx: Transaction, payment: ReversedPayment, cause: Cause) {
  const { doc, company, invoices } = payment
  if (invoices.length === 0 || (await isTold(tx, doc))) return []
  await recordReversalRegistered(tx, [{ doc, company, number: undefined }], cause)
  await leaveWaits(tx, payment)
  return unregisteredBeside(tx, [doc])
}

/** As it was received, so it is taken back: credit is counted in the customer's currency alone. */
async function owesAgain(
  tx: Transaction,
  { customerId, currency, amountMinor }: ReversedPayment,
): Promise<void> {
  const standings = await creditStandings(tx, [customerId])
  if (standings.get(customerId)?.currency === currency) changeExposure(tx, [{ customerId, amountMinor }])
}

/** Cash that is gone needs no purpose, and of an invoice that nobody has paid nothing was kept back. */
async function closeQuestions(tx: Transaction, { doc, invoices }: ReversedPayment): Promise<void> {
  const unpaid = invoices.flatMap(({ invoice, paidMinor }) => (paidMinor === 0 ? [invoice] : []))
  const open = await openExceptionsOf(tx, [doc, ...unpaid])
  const gone = [...open].flatMap(([on, exceptions]) =>
    exceptions.flatMap(({ company, cause, code }) =>
      code === UNAPPLIED_CASH || code === SHORT_PAYMENT ? [{ company, cause, doc: on }] : [],
    ),
  )
  await closeExceptions(tx, gone, 'the payment was reversed')
}

function audit(
  tx: Transaction,
  { doc, company, reference, amountMinor, currency, reason, invoices }: ReversedPayment,
  { client, traceId }: ReversalCommand,
): void {
  recordAudit(tx, [
    {
      actor: client,
      action: 'billing.reverse_payment',
      company,
      kind: 'payment',
      doc,
      reason,
      before: { appliedMinor: invoices.reduce((sum, row) => sum + row.amountMinor, 0) },
      after: { reference, amountMinor, currency, state: 'reversed', appliedMinor: 0 },
      traceId,
    },
  ])
}
