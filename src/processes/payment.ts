/** From a received payment to its registration by the ERP. Cash that pays no invoice waits for a person. */
import { registerPayment, type PaymentRegistration } from '#capabilities/erp.ts'
import type { Transaction } from '#platform/database.ts'
import {
  type Answers,
  call,
  type DocumentFacts,
  type Done,
  type Process,
  process,
} from '#platform/process.ts'
import { applicationsOf, recordRegistered } from '#domains/billing/operations.ts'
import { lockPayments, type PaymentHeader } from '#domains/billing/views.ts'
import { headersOf } from '#domains/orders/views.ts'
import { groupBy } from './order-facts.ts'
import { paymentNumber, type ProcessPorts } from './ports.ts'
import { endRefusals, refusalCause } from './refusals.ts'

export type PaymentFacts = DocumentFacts & {
  readonly payment: Omit<PaymentHeader, 'version'>
  /** The payer's number, from the orders it pays. */
  readonly customer: string
  readonly invoices: readonly { readonly number: string; readonly amountMinor: number }[]
}

export function payment(ports: ProcessPorts): Process {
  return process<PaymentFacts>('payment', {
    kind: 'payment',
    rank: 5,
    facts: paymentFacts,
    steps: { register: { when: owesRegistration, call: register(ports) } },
    finished: (facts) => !owesRegistration(facts),
  })
}

/** The ERP applies cash to invoices; what is on account is told to it once it pays one. */
const owesRegistration = ({ payment: { erpNumber }, invoices }: PaymentFacts): boolean =>
  erpNumber === null && invoices.length > 0

export async function paymentFacts(
  tx: Transaction,
  docs: readonly number[],
): Promise<ReadonlyMap<number, PaymentFacts>> {
  const [payments, applications] = await Promise.all([lockPayments(tx, docs), applicationsOf(tx, docs)])
  const orders = [...new Set(applications.map((row) => row.orderId))].toSorted((a, b) => a - b)
  const customerOf = new Map((await headersOf(tx, orders)).map((order) => [order.doc, order.customer]))
  const paidBy = groupBy(applications, (row) => row.payment)
  return new Map(
    payments.map(({ version, ...row }) => {
      const paid = paidBy(row.doc)
      const facts: PaymentFacts = {
        doc: row.doc,
        company: row.company,
        correlationId: row.doc,
        version,
        payment: row,
        customer: customerOf.get(paid[0]?.orderId ?? 0) ?? '',
        invoices: paid.map(({ number, amountMinor }) => ({ number, amountMinor })),
      }
      return [row.doc, facts]
    }),
  )
}

const REFUSED = 'billing.registration_refused'

const register = (ports: ProcessPorts) =>
  call<PaymentFacts, PaymentRegistration, { readonly number: string }>({
    operation: registerPayment,
    businessKey: ({ doc }) => paymentNumber(doc),
    request: ({ doc, company, customer, payment: { currency, amountMinor, receivedAt }, invoices }) => ({
      company,
      document: paymentNumber(doc),
      customer,
      currency,
      amountMinor,
      receivedAt,
      invoices,
    }),
    async confirmed(tx, answered, cause) {
      const rows = answered.map(({ facts, answers: [first] }) => ({
        doc: facts.doc,
        company: facts.company,
        number: first!.answer.number,
        effectKey: first!.effectKey,
      }))
      await recordRegistered(tx, rows, cause)
      await endRefusals(tx, answered, REFUSED)
      return lookAll(answered)
    },
    async refused(tx, refused) {
      await ports.openExceptions(
        tx,
        refused.map(({ facts: { doc, company, payment: row }, refusals: [first] }) => ({
          company,
          cause: refusalCause(REFUSED, first!),
          code: REFUSED,
          title: `The ERP refuses to register payments: ${first!.message}`,
          suggestedAction: `Mend the cause in ${first!.system}, then have them tried again.`,
          affects: { doc, kind: 'payment', value: { amountMinor: row.amountMinor, currency: row.currency } },
        })),
      )
      return new Map(refused.map((work) => [work, { facts: work.facts }]))
    },
  })

const lookAll = <W>(works: readonly W[]): Answers<W, PaymentFacts> =>
  new Map(works.map((work): [W, Done<PaymentFacts>] => [work, 'look']))
