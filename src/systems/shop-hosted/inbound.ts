/** The webhook door of the hosted shop: an order is placed, or taken back. */
import type { ChannelMessage } from '#capabilities/channel-messages.ts'
import { Refusal } from '#platform/faults.ts'
import { type Fields, fieldsOf, instant, integer, Unexpected } from '#platform/fields.ts'
import { parseStrictJson } from '#platform/http-json.ts'
import {
  type InboundDoor,
  type InboundMessage,
  type Named,
  proveSignature,
  readAgain,
  splitting,
  understood,
} from '#platform/inbound.ts'
import { toOrderPlaced, toOrderWithdrawn } from './map.ts'
import cancelled from './samples/orders-cancelled.json' with { type: 'json' }
import created from './samples/orders-create.json' with { type: 'json' }
import type { HostedShopSettings, ShopAccount } from './settings.ts'

const SAMPLES = { 'orders/create': [created], 'orders/cancelled': [cancelled] }

export function hostedShopDoor(instance: string, { shops }: HostedShopSettings): InboundDoor<ChannelMessage> {
  const byDomain = new Map(shops.map((shop) => [shop.domain, shop]))

  function senderOf(domain: string | undefined): ShopAccount {
    const shop = byDomain.get(domain ?? '')
    if (!shop) throw new Refusal('inbound.sender_unknown', `No shop "${domain ?? ''}" is configured.`)
    return shop
  }

  return {
    instance,
    // An order that was taken back before it came is over when it comes.
    order: { 'orders/create': { by: 'taken' }, 'orders/cancelled': { by: 'taken' } },
    samples: SAMPLES,
    read(headers, rawBody) {
      const shop = senderOf(headers['x-shop-domain'])
      const signature = headers['x-shop-hmac-sha256']
      if (signature === undefined) {
        throw new Refusal('inbound.signature_missing', 'X-Shop-Hmac-Sha256 must carry the signature.')
      }
      proveSignature({ signed: rawBody, signature, algorithm: 'sha256', encoding: 'base64' }, [shop.secret])
      const order = splitting(() => fieldsOf(parseStrictJson(rawBody)))
      const named = {
        messageId: headers['x-shop-webhook-id'],
        type: headers['x-shop-topic'] ?? 'unreadable',
        company: shop.company,
        body: rawBody.toString('utf8'),
      }
      return [readOrder(named, order)]
    },
    restore: (filed) =>
      readAgain(filed, (order) => readOrder({ ...filed, company: filed.company ?? '' }, order)),
  }
}

type Told = Named & { readonly company: string }

/** `happenedAt`: the field that says when what is told happened. */
export const readOrder = (
  told: Told,
  value: unknown,
  happenedAt: 'updated_at' | 'created_at' | 'cancelled_at' = 'updated_at',
): InboundMessage<ChannelMessage> =>
  understood(told, () => {
    const order = fieldsOf(value)
    return {
      stream: `order/${integer(order, 'id')}`,
      takenAt: instant(order, happenedAt),
      message: toMessage(told.type, order, told.company),
    }
  })

function toMessage(topic: string, order: Fields, company: string): ChannelMessage {
  if (topic === 'orders/create') return toOrderPlaced(order, company)
  if (topic === 'orders/cancelled') return toOrderWithdrawn(order, company)
  throw new Unexpected(`"${topic}" is no known topic`)
}
