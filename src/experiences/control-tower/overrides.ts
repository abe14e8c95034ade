/** The door to steps that are stuck: a person completes, skips or restarts one, or takes the order back. */
import { z } from 'zod'
import { Refusal } from '#platform/faults.ts'
import { type Replay, type Route, route } from '#platform/http.ts'
import type { OverrideCommand, OverrideGiven } from '#processes/override-door.ts'
import { overrideRefusals } from '#processes/override-refusals.ts'
import { parseNumber } from '#processes/ports.ts'
import { OverrideAnswer, overrideExample, OverrideRequest } from './overrides-contract.ts'

export type OverridePorts = {
  readonly override: (command: OverrideCommand) => Promise<OverrideGiven | Replay>
}

const OrderId = z.object({ id: z.string().min(1).max(80).meta({ example: 'O-1000017' }) })

export const overrideRoutes = ({ override }: OverridePorts): Route[] => [
  route({
    method: 'POST',
    path: '/experience/control-tower/v1/orders/:id:override',
    operationId: 'orders.override',
    summary: 'Decide on a step that is stuck',
    description:
      'The order goes on from it. A call that is open is not sent any more; what its system says of it later stands in ' +
      'place of what was entered, and where it differs somebody has to look. With `dryRun` nothing is changed.',
    scope: 'experience.overrides:write',
    rateClass: 'commands',
    bodyLimitBytes: 16 * 1024,
    params: OrderId,
    body: OverrideRequest,
    idempotent: true,
    answers: { 200: { description: 'What became of the step', body: OverrideAnswer } },
    refusals: [
      'orders.unknown',
      'orders.too_late_to_cancel',
      'money.malformed',
      ...Object.keys(overrideRefusals),
    ],
    example: { params: { id: 'O-1000017' }, body: overrideExample.request, answer: overrideExample.answer },
    handler({ params, body, principal, trace, idempotency }) {
      const order = parseNumber(params.id, 'O')
      // steps are the distributor's own; a partner sees none
      if (order === undefined || principal.partner !== undefined)
        throw new Refusal('orders.unknown', `no order is known as ${params.id}`)
      const { reason, dryRun, ...decided } = body
      return override({
        override: { ...decided, order },
        actor: principal.client,
        reason,
        traceId: trace.traceId,
        dryRun,
        claim: idempotency,
      })
    },
  }),
]
