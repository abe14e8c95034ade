/** The doors that outside systems call: each proves itself by signature, and is filed before it is answered. */
import { z } from 'zod'
import type { TrackingMessage } from '#capabilities/carrier.ts'
import type { ChannelMessage } from '#capabilities/channel-messages.ts'
import type { WarehouseMessage } from '#capabilities/wms.ts'
import { Refusal } from '#platform/faults.ts'
import { type Route, route } from '#platform/http.ts'
import { backlogRefusals } from '#platform/backlog.ts'
import { INBOUND_REFUSALS, type InboundDoor, type InboundMessage } from '#platform/inbound.ts'
import type { ChannelTold } from './channel-words.ts'
import type { Told } from './inbound.ts'
import type { Heard } from './message-filing.ts'
import type { ScanTold } from './tracking.ts'

const Accepted = z.object({
  messages: z.array(z.object({ messageId: z.string(), outcome: z.string() })),
})

/** Sees each message before it is heard. */
export type Notice = (system: string, inbound: InboundMessage<unknown>) => void

/** Who hears what a system tells. */
export type Ear<Told> = {
  /** Refuses what cannot be heard in time, before anything of it is kept. */
  assertRoom(told: readonly Told[]): void
  hear(told: Told): Promise<Heard>
}

type Feed<Message> = {
  readonly path: string
  readonly operationId: string
  readonly summary: string
  readonly description: string
  readonly doors: ReadonlyMap<string, InboundDoor<Message>>
  readonly notice: Notice
  readonly ear: Ear<{
    door: InboundDoor<Message>
    inbound: InboundMessage<Message>
    traceId: string
  }>
}

const SystemName = z.object({ system: z.string().min(1).max(40) })

function feed<Message>({ doors, notice, ear, ...about }: Feed<Message>): Route {
  return route({
    ...about,
    method: 'POST',
    scope: 'public',
    rateClass: 'webhooks',
    bodyLimitBytes: 4 * 1024 * 1024,
    params: SystemName,
    consumes: 'bytes',
    idempotent: 'none',
    answers: { 200: { description: 'Every message is filed; what became of each', body: Accepted } },
    refusals: [INBOUND_REFUSALS, backlogRefusals].flatMap(Object.keys),
    async handler({ params, headers, bytes, trace }) {
      const door = doors.get(params.system)
      if (!door) throw new Refusal('inbound.system_unknown', `no system is called ${params.system}`)
      const { traceId } = trace
      const told = door.read(headers, bytes).map((inbound) => ({ door, inbound, traceId }))
      ear.assertRoom(told)
      for (const { inbound } of told) notice(door.instance, inbound)
      const outcomes = await Promise.all(told.map((one) => ear.hear(one)))
      const messages = told.map(({ inbound }, place) => ({
        messageId: inbound.messageId,
        outcome: outcomes[place]!,
      }))
      return { status: 200, body: { messages } }
    },
  })
}

/** `POST /system/{system}/v1/events` for every warehouse. */
export const webhookRoutes = (
  doors: ReadonlyMap<string, InboundDoor<WarehouseMessage>>,
  ear: Ear<Told>,
  notice: Notice,
): Route[] => [
  feed<WarehouseMessage>({
    path: '/system/:system/v1/events',
    operationId: 'receiveSystemEvents',
    summary: 'Receive events of a warehouse',
    description:
      'Signed as the connector of the system demands. Each event is filed once, however often it is sent.',
    doors,
    notice,
    ear,
  }),
]

/** `POST /system/{system}/v1/orders` for every shop. */
export const shopRoutes = (
  doors: ReadonlyMap<string, InboundDoor<ChannelMessage>>,
  ear: Ear<ChannelTold>,
  notice: Notice,
): Route[] => [
  feed<ChannelMessage>({
    path: '/system/:system/v1/orders',
    operationId: 'receiveShopOrders',
    summary: 'Receive orders of a shop',
    description:
      'Signed as the connector of the shop demands. An order is captured once, however often it is told; one that is taken back is cancelled.',
    doors,
    notice,
    ear,
  }),
]

/** `POST /system/{system}/v1/scans` for every carrier. */
export const carrierRoutes = (
  doors: ReadonlyMap<string, InboundDoor<TrackingMessage>>,
  ear: Ear<ScanTold>,
  notice: Notice,
): Route[] => [
  feed<TrackingMessage>({
    path: '/system/:system/v1/scans',
    operationId: 'receiveCarrierScans',
    summary: 'Receive scans of a carrier',
    description:
      'Signed as the connector of the carrier demands. A scan is booked once, however often it is told; one that is older than what is known of its parcel changes nothing, and one of a parcel that no shipment has yet waits.',
    doors,
    notice,
    ear,
  }),
]
