/** The hosted shop: tells what became of an order, what was shipped and what can be promised; its orders come by webhook. */
import type { z } from 'zod'
import type { ChannelMessage } from '#capabilities/channel-messages.ts'
import {
  acknowledge,
  notifyShipment,
  type OrderAcknowledgement,
  setStock,
  type ShipNotice,
} from '#capabilities/channel.ts'
import {
  bind,
  type CallContext,
  confirmed,
  type Found,
  legible,
  type Outcome,
  retry,
  unknown,
} from '#platform/connector-binding.ts'
import type { Connector, ConnectorOptions, Effect } from '#platform/connector.ts'
import { Refusal } from '#platform/faults.ts'
import { fieldsOf } from '#platform/fields.ts'
import type { InboundDoor } from '#platform/inbound.ts'
import { openShopApi, type OrderPlace, type ShopApi } from './api.ts'
import { hostedShopDoor } from './inbound.ts'
import { annotated, toFulfillment, toLevels } from './map.ts'
import { ordersSince } from './orders.ts'
import { HostedShopSettings, type ShopAccount } from './settings.ts'
import { setLevels } from './stock.ts'
import { fulfillmentOf, fulfillmentsOf, type ShopFulfillment } from './wire.ts'

export type HostedShopConnector = Connector & { readonly inbound: InboundDoor<ChannelMessage> }

export type HostedShopOptions = ConnectorOptions<z.input<typeof HostedShopSettings>>

type Told = { readonly reference?: string }
/** An order of one shop, and what is said about it. */
type About<Content> = OrderPlace & { readonly content: Content }

export function createHostedShopConnector(options: HostedShopOptions): HostedShopConnector {
  const settings = HostedShopSettings.parse(options.settings)
  const api = openShopApi({ ...options, settings })

  function shopOf(company: string): ShopAccount {
    const shop = settings.shops.find((one) => one.company === company)
    if (shop) return shop
    throw new Refusal('connector.code_unmapped', `No shop of ${company} is configured.`)
  }

  function about<Content>(company: string, externalId: string | undefined, content: Content): About<Content> {
    shopOf(company)
    if (externalId === undefined || !/^\d{1,20}$/.test(externalId)) {
      throw new Refusal('connector.reference_missing', 'The order did not come from the shop.')
    }
    return { company, orderId: externalId, content }
  }

  return {
    instance: options.instance,
    operations: {
      ...bind(acknowledge, {
        batchMax: 1,
        // Note and tags are set as a whole; saying it again changes nothing.
        recovery: 'key',
        translate: (told) => about(told.company, told.externalId, told),
        send: (ready, context) => eachOf(ready, ({ body }) => annotate(api, body, context)),
      }),
      ...bind(notifyShipment, {
        batchMax: 1,
        recovery: 'lookup',
        translate: (notice) => about(notice.company, notice.externalId, toFulfillment(notice)),
        send: (ready, context) => eachOf(ready, ({ body }) => fulfill(api, body, context)),
        lookUp: (asked, context) =>
          eachOf(asked, ({ request }) =>
            findFulfillment(api, about(request.company, request.externalId, request), context),
          ),
      }),
      ...bind(setStock, {
        batchMax: 50,
        // A figure carries its time, so that saying it again changes nothing and never undoes a later one.
        recovery: 'key',
        translate: (level) => ({
          company: level.company,
          levels: toLevels(level, shopOf(level.company).stockLocation),
        }),
        send: (ready, context) => setLevels(api, ready, context),
      }),
    },
    inbound: {
      ...hostedShopDoor(options.instance, settings),
      changedSince: (since) => ordersSince({ instance: options.instance, api, shops: settings.shops }, since),
    },
  }
}

async function annotate(
  api: ShopApi,
  order: About<OrderAcknowledgement>,
  context: CallContext,
): Promise<Outcome<Told>> {
  const before = await api.call('GET', order, { path: '', context })
  const unread = api.failureOf(before)
  // Nothing but a question was sent, so nothing can have happened.
  if (unread) return unread.kind === 'unknown' ? retry(unread.reason) : unread
  const known = fieldsOf(fieldsOf(before.json())['order'], 'order')
  const body = { order: annotated(known, order.content) }
  const response = await api.call('PUT', order, { path: '', body, context })
  const failed = api.failureOf(response)
  if (failed) return failed
  const answer: unknown = response.json()
  return legible(() => {
    const { tags } = fieldsOf(fieldsOf(answer)['order'], 'order')
    return tags === body.order.tags
      ? confirmed({ reference: order.orderId })
      : unknown('the tags are not ours')
  })
}

async function fulfill(
  api: ShopApi,
  order: About<ShopFulfillment>,
  context: CallContext,
): Promise<Outcome<Told>> {
  const body = { fulfillment: order.content }
  const response = await api.call('POST', order, { path: '/fulfillments', body, context })
  const failed = api.failureOf(response)
  if (failed) return failed
  const answer: unknown = response.json()
  return legible(() => {
    const { id, externalId } = fulfillmentOf(fieldsOf(fieldsOf(answer)['fulfillment'], 'fulfillment'))
    if (externalId !== order.content.external_id) return unknown('the fulfillment is of another shipment')
    return confirmed({ reference: String(id) })
  })
}

async function findFulfillment(
  api: ShopApi,
  order: About<ShipNotice>,
  context: CallContext,
): Promise<Found<Told>> {
  const response = await api.call('GET', order, { path: '/fulfillments', context })
  const failed = api.failureOf(response)
  if (failed) return failed.kind === 'refused' ? unknown(failed.message) : failed
  const answer: unknown = response.json()
  const found = fulfillmentsOf(answer).find(({ externalId }) => externalId === order.content.shipment)
  return found ? confirmed({ reference: String(found.id) }) : { kind: 'absent' }
}

async function eachOf<Item extends { readonly effect: Effect }, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<Map<Effect, Result>> {
  const results = new Map<Effect, Result>()
  for (const item of items) results.set(item.effect, await work(item))
  return results
}
