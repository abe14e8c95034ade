/** The HTTP doors of billing. What spans domains is handed in by app.ts. */
import { z } from 'zod'
import { Refusal } from '#platform/faults.ts'
import { type Claim, type Replay, type Route, route } from '#platform/http.ts'
import { numberRefusals } from '#platform/number-refusals.ts'
import {
  billingRefusals,
  PaymentAnswer,
  PaymentRequest,
  ReversalAnswer,
  ReversalRequest,
} from './contract.ts'

export type BillingVerbs = {
  readonly receivePayment: (payment: {
    request: PaymentRequest
    client: string
    traceId: string
    claim: Claim
  }) => Promise<{ readonly kind: 'new' | 'known'; readonly answer: PaymentAnswer } | Replay>
  readonly reversePayment: (reversal: {
    id: string
    request: ReversalRequest
    client: string
    partner: string | undefined
    traceId: string
    claim: Claim
  }) => Promise<{ readonly status: 200; readonly body: ReversalAnswer } | Replay>
}

const BASE = '/process/order-to-cash/v1'
const REVERSAL_REFUSALS = [
  'billing.payment_unknown',
  'billing.payment_reversed',
  'billing.reversal_partial',
] as const
const RECEIPT_REFUSALS = Object.keys(billingRefusals).filter(
  (code) => !(REVERSAL_REFUSALS as readonly string[]).includes(code),
)

export const billingRoutes = (verbs: BillingVerbs): Route[] => [receivePayment(verbs), reversePayment(verbs)]

const receivePayment = (verbs: BillingVerbs): Route =>
  route({
    method: 'POST',
    path: `${BASE}/payments`,
    operationId: 'payments.receive',
    summary: 'Report a payment',
    description:
      'Applies it to the invoices it names, or to the oldest open ones, and has the ERP register it. The same reference ' +
      'under a new key is answered with what became of it, and status 200.',
    scope: 'process.payments:write',
    rateClass: 'commands',
    bodyLimitBytes: 128 * 1024,
    body: PaymentRequest,
    idempotent: true,
    answers: {
      201: {
        description: 'The payment was received and applied as far as invoices are open',
        body: PaymentAnswer,
      },
      200: { description: 'This payment was received already', body: PaymentAnswer },
    },
    refusals: [...RECEIPT_REFUSALS, ...Object.keys(numberRefusals), 'work.door_full'],
    example: { body: EXAMPLE },
    async handler({ body, principal, trace, idempotency }) {
      if (principal.partner !== undefined && principal.partner !== body.customer) {
        throw new Refusal(
          'billing.customer_unknown',
          'You can report your own payments only.',
          {},
          '/customer',
        )
      }
      const { client } = principal
      const given = { request: body, client, traceId: trace.traceId, claim: idempotency }
      const result = await verbs.receivePayment(given)
      if ('replayed' in result) return result
      return { status: result.kind === 'new' ? 201 : 200, body: result.answer }
    },
  })

const PaymentId = z.object({
  paymentId: z.string().min(1).max(40).describe('Our number of the payment').meta({ example: 'P-1000050' }),
})

const reversePayment = (verbs: BillingVerbs): Route =>
  route({
    method: 'POST',
    path: `${BASE}/payments/:paymentId:reverse`,
    operationId: 'payments.reverse',
    summary: 'Reverse a payment',
    description:
      'Takes back a payment that bounced or was booked wrongly, whole and once. What it paid is open again and counts ' +
      "against the payer's credit; the ERP takes back what it registered. An order that is closed stays closed.",
    scope: 'process.payments:write',
    rateClass: 'commands',
    bodyLimitBytes: 4 * 1024,
    params: PaymentId,
    body: ReversalRequest,
    idempotent: true,
    answers: { 200: { description: 'The payment is taken back', body: ReversalAnswer } },
    refusals: [...REVERSAL_REFUSALS, 'money.malformed'],
    example: { params: { paymentId: 'P-1000050' }, body: REVERSAL_EXAMPLE, answer: REVERSED_EXAMPLE },
    handler: ({ params, body, principal, trace, idempotency }) =>
      verbs.reversePayment({
        id: params.paymentId,
        request: body,
        client: principal.client,
        partner: principal.partner,
        traceId: trace.traceId,
        claim: idempotency,
      }),
  })

const EXAMPLE = {
  company: 'NWF',
  customer: '100123',
  reference: 'WIRE-2026-11-21-0042',
  currency: 'USD',
  amount: '1284.60',
  invoices: [{ number: '90000017', amount: '1284.60' }],
} satisfies z.input<typeof PaymentRequest>

const REVERSAL_EXAMPLE = {
  company: 'NWF',
  reason: 'Returned by the bank: insufficient funds',
} satisfies z.input<typeof ReversalRequest>

const REVERSED_EXAMPLE = {
  id: 'P-1000050',
  state: 'reversed',
  amount: '1284.60',
  reason: 'Returned by the bank: insufficient funds',
  invoices: [
    {
      invoice: 'I-1000042',
      number: '90000017',
      amount: '1284.60',
      open: '1284.60',
      invoiceState: 'sent',
    },
  ],
} satisfies ReversalAnswer
