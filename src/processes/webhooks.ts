/** The doors that outside systems call: each proves itself by signature, and is filed before it is answered. */
import { z } from 'zod'
import type { WarehouseMessage } from '#capabilities/wms.ts'
import { Refusal } from '#platform/faults.ts'
import { type Route, route } from '#platform/http.ts'
import { INBOUND_REFUSALS, type InboundDoor } from '#platform/inbound.ts'
import type { Heard, Told } from './inbound.ts'

const Accepted = z.object({
  messages: z.array(z.object({ messageId: z.string(), outcome: z.string() })),
})

/** `POST /system/{system}/v1/events` for every warehouse. */
export function webhookRoutes(
  warehouses: ReadonlyMap<string, InboundDoor<WarehouseMessage>>,
  hear: (told: Told) => Promise<Heard>,
): Route[] {
  return [
    route({
      method: 'POST',
      path: '/system/:system/v1/events',
      operationId: 'receiveSystemEvents',
      summary: 'Receive events of a warehouse',
      description: 'Signed as the connector of the system demands. Each event is filed once, however often it is sent.',
      scope: 'public',
      rateClass: 'webhooks',
      bodyLimitBytes: 4 * 1024 * 1024,
      params: z.object({ system: z.string().min(1).max(40) }),
      consumes: 'bytes',
      idempotent: 'none',
      answers: { 200: { description: 'Every event is filed; what became of each', body: Accepted } },
      refusals: [...Object.keys(INBOUND_REFUSALS), 'inbound.system_unknown'],
      async handler({ params, headers, bytes, trace }) {
        const door = warehouses.get(params.system)
        if (!door) throw new Refusal('inbound.system_unknown', `no system is called ${params.system}`)
        const { traceId } = trace
        const told = door.read(headers, bytes).map((inbound) => ({ door, inbound, traceId }))
        const outcomes = await Promise.all(told.map((one) => hear(one)))
        const messages = told.map(({ inbound }, place) => ({ messageId: inbound.messageId, outcome: outcomes[place]! }))
        return { status: 200, body: { messages } }
      },
    }),
  ]
}
