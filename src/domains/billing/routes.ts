/** The HTTP door of billing. What spans domains is handed in by app.ts. */
import type { z } from 'zod'
import { Refusal } from '#platform/faults.ts'
import { type Claim, type Replay, type Route, route } from '#platform/http.ts'
import { numberRefusals } from '#platform/number-refusals.ts'
import { billingRefusals, PaymentAnswer, PaymentRequest } from './contract.ts'

export type BillingVerbs = {
  readonly receivePayment: (payment: {
    request: PaymentRequest
    client: string
    traceId: string
    claim: Claim
  }) => Promise<{ readonly kind: 'new' | 'known'; readonly answer: PaymentAnswer } | Replay>
}

export function billingRoutes(verbs: BillingVerbs): Route[] {
  return [
    route({
      method: 'POST',
      path: '/process/order-to-cash/v1/payments',
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
      refusals: [...Object.keys(billingRefusals), ...Object.keys(numberRefusals)],
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
    }),
  ]
}

const EXAMPLE = {
  company: 'NWF',
  customer: '100123',
  reference: 'WIRE-2026-11-21-0042',
  currency: 'USD',
  amount: '1284.60',
  invoices: [{ number: '90000017', amount: '1284.60' }],
} satisfies z.input<typeof PaymentRequest>
