/**
 * From a received payment to its registration by the ERP, and back where it was reversed. Cash that pays no invoice waits
 * for a person.
 */
import {
  type PaymentRegistration,
  type PaymentReversal,
  registerPayment,
  reversePayment,
} from '#capabilities/erp.ts'
import type { Transaction } from '#platform/database.ts'
import { type DeskRow, stepRowsOf } from '#platform/desk.ts'
import {
  type Answered,
  type Answers,
  call,
  type DocumentFacts,
  type Done,
  type Process,
  process,
  type RefusedCall,
} from '#platform/process.ts'
import { applicationsOf } from '#domains/billing/operations.ts'
import { recordRegistered, recordReversalRegistered } from '#domains/billing/operations/registrations.ts'
import { lockPayments, type PaymentHeader } from '#domains/billing/views.ts'
import { behindReversals, unregisteredBeside } from '#domains/billing/views/reversals.ts'
import { headersOf } from '#domains/orders/views.ts'
import { groupBy } from './order-facts.ts'
import { endWaits, tellWhoWaits } from './payment-waits.ts'
import { paymentNumber, type ProcessPorts } from './ports.ts'
import { endRefusals, leaveRefusals, refusalCause } from './refusals.ts'

export type PaymentFacts = DocumentFacts & {
  readonly payment: Omit<PaymentHeader, 'version'>
  /** The payer's number, from the orders it pays. */
  readonly customer: string
  readonly invoices: readonly { readonly number: string; readonly amountMinor: number }[]
  /** The ERP would not have it, and nobody has had it tried again. */
  readonly registrationRefused: boolean
  /** The ERP has no room for it before it has taken another one back. */
  readonly behindReversal: boolean
}

export function payment(ports: ProcessPorts): Process {
  return process<PaymentFacts>('payment', {
    kind: 'payment',
    rank: 5,
    facts: paymentFacts,
    steps: {
      [REGISTER]: {
        when: (facts) => isUnregistered(facts) && !waitsForReversal(facts),
        call: register(ports),
      },
      reverse: { when: owesReversal, call: reverse(ports) },
    },
    finished: (facts) => !isUnregistered(facts) && !owesReversal(facts),
  })
}

const REGISTER = 'register'

/**
 * The ERP applies cash to invoices; what is on account is told to it once it pays one. One that was reversed before the
 * answer came is registered all the same: only the answer tells whether the ERP has it.
 */
const isUnregistered = ({ payment, invoices, registrationRefused }: PaymentFacts): boolean =>
  payment.erpNumber === null &&
  invoices.length > 0 &&
  !payment.reversalRegistered &&
  !(payment.reversedAt && registrationRefused)

/** One that was reversed itself waits for nobody: others wait for it. */
const waitsForReversal = ({ payment, behindReversal }: PaymentFacts): boolean =>
  behindReversal && payment.reversedAt === null

/** Of what the ERP refused to register a part may be there. */
const owesReversal = ({ payment, invoices, registrationRefused }: PaymentFacts): boolean =>
  payment.reversedAt !== null &&
  !payment.reversalRegistered &&
  invoices.length > 0 &&
  (payment.erpNumber !== null || registrationRefused)

export async function paymentFacts(
  tx: Transaction,
  docs: readonly number[],
): Promise<ReadonlyMap<number, PaymentFacts>> {
  const [payments, applications, steps, waiting] = await Promise.all([
    lockPayments(tx, docs),
    applicationsOf(tx, docs),
    stepRowsOf(tx, docs),
    behindReversals(tx, docs),
  ])
  const refused = new Set(
    steps.flatMap(({ doc, step, state }) => (step === REGISTER && state === 'refused' ? [doc] : [])),
  )
  const behind = new Set(waiting.map(({ doc }) => doc))
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
        registrationRefused: refused.has(row.doc),
        behindReversal: behind.has(row.doc),
      }
      return [row.doc, facts]
    }),
  )
}

const REGISTRATION_REFUSED = 'billing.registration_refused'
const REVERSAL_REFUSED = 'billing.reversal_refused'

/** The number that the ERP gave. */
const numbered = <Answer extends { readonly number?: string | undefined }>({
  facts,
  answers: [first],
}: Answered<PaymentFacts, Answer>) => ({
  doc: facts.doc,
  company: facts.company,
  number: first!.answer.number as Answer['number'],
  effectKey: first!.effectKey,
})

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
      await recordRegistered(tx, answered.map(numbered), cause)
      await endRefusals(tx, answered, REGISTRATION_REFUSED)
      return lookAll(answered)
    },
    /** Of one that was reversed meanwhile nothing has to be mended; it is looked at once the refusal is written. */
    async refused(tx, refused) {
      const [reversed, standing] = [
        refused.filter(({ facts }) => facts.payment.reversedAt !== null),
        refused.filter(({ facts }) => facts.payment.reversedAt === null),
      ]
      await openRefusals(tx, ports, standing, {
        code: REGISTRATION_REFUSED,
        title: 'The ERP refuses to register payments',
      })
      return new Map<RefusedCall<PaymentFacts>, Done<PaymentFacts>>([
        ...standing.map((work) => [work, 'look'] as const),
        ...reversed.map(
          (work) => [work, { facts: 'look', wakes: [paymentRow(work.facts.payment)] }] as const,
        ),
      ])
    },
  })

const reverse = (ports: ProcessPorts) =>
  call<PaymentFacts, PaymentReversal, { readonly number?: string | undefined }>({
    operation: reversePayment,
    businessKey: ({ doc }) => paymentNumber(doc),
    request: ({ doc, company, payment: { erpNumber, reversedAt, reversalReason }, invoices }) => ({
      company,
      document: paymentNumber(doc),
      reason: reversalReason!,
      reversedAt: reversedAt!,
      registered: erpNumber !== null,
      invoices,
    }),
    async confirmed(tx, answered, cause) {
      await recordReversalRegistered(tx, answered.map(numbered), cause)
      await endRefusals(tx, answered, REVERSAL_REFUSED)
      await leaveRefusals(
        tx,
        answered.filter(({ facts }) => facts.registrationRefused),
        REGISTRATION_REFUSED,
      )
      await endWaits(
        tx,
        answered.map(({ facts }) => facts),
      )
      return lookAndWakeBeside(tx, answered)
    },
    async refused(tx, refused) {
      await openRefusals(tx, ports, refused, {
        code: REVERSAL_REFUSED,
        title: 'The ERP refuses to take payments back',
      })
      await tellWhoWaits(
        tx,
        ports,
        refused.map(({ facts }) => facts),
      )
      return lookAll(refused)
    },
  })

async function openRefusals(
  tx: Transaction,
  ports: ProcessPorts,
  refused: readonly RefusedCall<PaymentFacts>[],
  { code, title }: { readonly code: string; readonly title: string },
): Promise<void> {
  await ports.openExceptions(
    tx,
    refused.map(({ facts: { doc, company, payment: row }, refusals: [first] }) => ({
      company,
      cause: refusalCause(code, first!),
      code,
      title: `${title}: ${first!.message}`,
      suggestedAction: `Mend the cause in ${first!.system}, then have them tried again.`,
      affects: { doc, kind: 'payment', value: { amountMinor: row.amountMinor, currency: row.currency } },
    })),
  )
}

/** A payment at the desk. */
export const paymentRow = ({
  doc,
  company,
  customerId,
}: Pick<PaymentHeader, 'doc' | 'company' | 'customerId'>): DeskRow => ({
  doc,
  process: 'payment',
  company,
  priority: 1,
  share: customerId,
})

/** What pays the same invoices may have waited for this. */
async function lookAndWakeBeside<W extends { readonly facts: PaymentFacts }>(
  tx: Transaction,
  works: readonly W[],
): Promise<Answers<W, PaymentFacts>> {
  const beside = groupBy(
    await unregisteredBeside(
      tx,
      works.map(({ facts }) => facts.doc),
    ),
    (row) => row.beside,
  )
  return new Map(
    works.map((work): [W, Done<PaymentFacts>] => [
      work,
      { facts: 'look', wakes: beside(work.facts.doc).map(paymentRow) },
    ]),
  )
}

const lookAll = <W>(works: readonly W[]): Answers<W, PaymentFacts> =>
  new Map(works.map((work): [W, Done<PaymentFacts>] => [work, 'look']))
