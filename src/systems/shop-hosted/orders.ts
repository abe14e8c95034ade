/** What the shops' lists of orders know: orders that were placed or cancelled, whatever their webhooks told. */
import type { ChannelMessage } from '#capabilities/channel-messages.ts'
import { readable } from '#platform/connector-binding.ts'
import { Outage } from '#platform/faults.ts'
import { type Fields, fieldsOf, listOf } from '#platform/fields.ts'
import type { InboundMessage } from '#platform/inbound.ts'
import type { ShopApi } from './api.ts'
import { readOrder } from './inbound.ts'
import type { ShopAccount } from './settings.ts'

export type OrderLists = {
  readonly instance: string
  readonly api: ShopApi
  readonly shops: readonly ShopAccount[]
}

const ORDERS_PER_CALL = 250

/** Shop by shop; an order that has only changed since is left out. */
export async function* ordersSince(
  { instance, api, shops }: OrderLists,
  since: Date,
): AsyncGenerator<InboundMessage<ChannelMessage>[]> {
  const first = new URLSearchParams({
    limit: String(ORDERS_PER_CALL),
    updated_at_min: since.toISOString(),
  })
  for (const { company } of shops) {
    let query: string | undefined = first.toString()
    while (query !== undefined) {
      const { orders, next } = await pageOf({ instance, api }, company, query)
      yield orders.flatMap((order) => whatHappened(order, company, since))
      if (next === query) throw new Outage(instance, `the page after ${query} is that page again`)
      query = next
    }
  }
}

async function pageOf(
  { instance, api }: Omit<OrderLists, 'shops'>,
  company: string,
  query: string,
): Promise<{ orders: Fields[]; next: string | undefined }> {
  const response = await api.list(company, query)
  if (response.status !== 200)
    throw new Outage(instance, `the orders of ${company} were answered with ${response.status}`)
  const answer: unknown = response.json()
  return {
    orders: readable(instance, () => listOf(fieldsOf(answer), 'orders', (order) => order)),
    next: /<[^>?]*\?([^>]+)>; *rel="?next"?/.exec(response.headers['link'] ?? '')?.[1],
  }
}

/** The list gives no names to what it tells, so the order's own number and time name it, the same at every look. */
function whatHappened(order: Fields, company: string, since: Date): InboundMessage<ChannelMessage>[] {
  const { id, cancelled_at: cancelledAt, created_at: createdAt, updated_at: updatedAt } = order
  const isCancelled = typeof cancelledAt === 'string' && cancelledAt !== ''
  if (Date.parse(String(isCancelled ? cancelledAt : createdAt)) < since.getTime()) return []
  const type = isCancelled ? 'orders/cancelled' : 'orders/create'
  const isNamed = typeof id === 'number' && typeof updatedAt === 'string'
  const named = {
    messageId: isNamed ? `list/${id}/${type}/${updatedAt}` : undefined,
    type,
    company,
    body: JSON.stringify(order),
  }
  return [readOrder(named, order, isCancelled ? 'cancelled_at' : 'created_at')]
}
