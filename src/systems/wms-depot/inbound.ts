/** The webhook door of the Depot WMS: proves the signature and makes messages of the events. */
import type { WarehouseMessage } from '#capabilities/wms.ts'
import type { Clock } from '#platform/clock.ts'
import { Refusal } from '#platform/faults.ts'
import { type Fields, fieldsOf, filledText, instant, integer, list, optionalText } from '#platform/fields.ts'
import { parseStrictJson } from '#platform/http-json.ts'
import {
  type InboundDoor,
  type InboundHeaders,
  type InboundMessage,
  proveSignature,
  readAgain,
  splitting,
  understood,
} from '#platform/inbound.ts'
import { toMessage } from './map.ts'
import type { DepotSettings } from './settings.ts'
import byLot from './samples/events-by-lot.json' with { type: 'json' }
import others from './samples/events-other-orders.json' with { type: 'json' }
import picks from './samples/events-picks.json' with { type: 'json' }
import toLabel from './samples/events-to-label.json' with { type: 'json' }
import recorded from './samples/events.json' with { type: 'json' }
import { signatureOf } from './wire.ts'

const SECOND_MS = 1_000
const SAMPLES: readonly { readonly type: string }[] = [
  ...recorded.events,
  ...byLot.events,
  ...picks.events,
  ...others.events,
  ...toLabel.events,
]
const SAMPLES_BY_TYPE = Object.fromEntries(Map.groupBy(SAMPLES, ({ type }) => type))

export function depotDoor(
  instance: string,
  settings: DepotSettings,
  clock: Clock,
): InboundDoor<WarehouseMessage> {
  const { webhookSecret, previousWebhookSecret } = settings.credentials
  const secrets =
    previousWebhookSecret === undefined ? [webhookSecret] : [webhookSecret, previousWebhookSecret]

  function prove(headers: InboundHeaders, rawBody: Buffer): void {
    const signature = signatureOf(headers['x-depot-signature'])
    if (!signature) {
      throw new Refusal('inbound.signature_missing', 'X-Depot-Signature must be "t=<seconds>,v1=<hex>".')
    }
    const prefix = Buffer.from(`${signature.atSeconds}.`)
    const signed = Buffer.concat([prefix, rawBody])
    proveSignature({ signed, signature: signature.signature, algorithm: 'sha256', encoding: 'hex' }, secrets)
    const ageMs = Math.abs(clock.now().getTime() - signature.atSeconds * SECOND_MS)
    if (ageMs > settings.options.signatureToleranceSeconds * SECOND_MS) {
      throw new Refusal(
        'inbound.signature_expired',
        `The signature is ${Math.round(ageMs / SECOND_MS)} s off.`,
      )
    }
  }

  return {
    instance,
    // `final` says that nothing more of an order follows, so an order's events count in their order. Stock is put
    // in the order of its own numbers where it is booked.
    order: {
      'shipment.confirmed': { by: 'item', first: 1 },
      'order.short': { by: 'item', first: 1 },
      'order.picking_started': { by: 'item', first: 1 },
      'order.picked': { by: 'item', first: 1 },
      'order.packed': { by: 'item', first: 1 },
    },
    samples: SAMPLES_BY_TYPE,
    read(headers, rawBody) {
      prove(headers, rawBody)
      const events = splitting(() => list(fieldsOf(parseStrictJson(rawBody)), 'events'))
      return events.map(readEvent)
    },
    restore: (filed) => readAgain(filed, readEvent),
    streamOf: streamOfOrder,
  }
}

export const streamOfOrder = (reference: string): string => `fulfillment/${reference}`

export function readEvent(value: unknown): InboundMessage<WarehouseMessage> {
  const body = JSON.stringify(value)
  const event = (typeof value === 'object' && value !== null ? value : {}) as Fields
  const { event_id: id, type } = event
  const named = {
    messageId: typeof id === 'string' && id !== '' ? id : undefined,
    type: typeof type === 'string' ? type : 'unreadable',
    body,
  }
  return understood(named, () => {
    const message = toMessage(fieldsOf(value))
    const taken = { company: optionalText(event, 'owner'), takenAt: instant(event, 'occurred_at'), message }
    if (message.type === 'stock-moved') return { ...taken, sequence: message.mark }
    const stream = streamOfOrder(filledText(event, 'external_ref'))
    return { ...taken, stream, sequence: integer(event, 'order_sequence') }
  })
}
