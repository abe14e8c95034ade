/** The HTTP door of orders. What spans domains is handed in by app.ts. */
import type { z } from 'zod'
import { type Claim, type Request, type Replay, type Route, route } from '#platform/http.ts'
import { OrderAnswer, orderRefusals, OrderRequest } from './contract.ts'

export type OrderVerbs = {
  readonly submit: (order: {
    request: OrderRequest
    client: string
    traceId: string
    claim: Claim
  }) => Promise<
    | { readonly kind: 'new'; readonly answer: OrderAnswer }
    | { readonly kind: 'known'; readonly answer: OrderAnswer }
    | Replay
  >
}

const BASE = '/process/order-to-cash/v1'

export function orderRoutes(verbs: OrderVerbs): Route[] {
  return [
    route({
      method: 'POST',
      path: `${BASE}/orders`,
      operationId: 'submitOrder',
      summary: 'Submit an order',
      description:
        'Validates, prices, checks credit and reserves stock at once. The answer says what became of each line. The same ' +
        'business document under a new key is answered with the order it already made, and status 200.',
      scope: 'process.orders:write',
      rateClass: 'orders',
      bodyLimitBytes: 512 * 1024,
      body: OrderRequest,
      idempotent: true,
      answers: {
        201: {
          description: 'The order was accepted, perhaps with holds or backordered lines',
          body: OrderAnswer,
        },
        200: { description: 'This business document is an order already', body: OrderAnswer },
      },
      refusals: Object.keys(orderRefusals),
      example: { body: EXAMPLE },
      async handler({ body, principal, trace, idempotency }: Request<unknown, unknown, OrderRequest, Claim>) {
        const result = await verbs.submit({
          request: body,
          client: principal.client,
          traceId: trace.traceId,
          claim: idempotency,
        })
        if ('replayed' in result) return result
        return { status: result.kind === 'new' ? 201 : 200, body: result.answer }
      },
    }),
  ]
}

const EXAMPLE = {
  company: 'NWF',
  customer: '100123',
  customerOrder: 'PO-88123',
  lines: [{ line: '1', sku: '10012', quantity: '4', unit: 'CA' }],
} satisfies z.input<typeof OrderRequest>
