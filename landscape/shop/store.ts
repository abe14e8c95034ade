/** What the hosted shop keeps: orders of its two shops, their fulfillments, the levels it was told. */
import { type Fields, text } from '../fields.ts'
import type { Clock } from '#platform/clock.ts'
import { kept, type Keep, type Kept, refill } from '../kept.ts'
import type { World, WorldOrder } from '../world/world.ts'
import { ShopLevels } from './levels.ts'
import { shopOrder, type Fulfillment, type Shop, type ShopOrder, ShopRefusal } from './shapes.ts'

/** What the shop knows when its program ends. */
export type ShopMemory = {
  orders: [string, StoredOrder][]
  levels: ReturnType<ShopLevels['remember']>
  last: { order: number; line: number; fulfillment: number }
}

export type StoredOrder = { shop: Shop; order: ShopOrder; fulfillments: Fulfillment[] }

const FIRST_ORDER = 5_518_239_001

export class ShopStore {
  readonly orders: Kept<StoredOrder>
  readonly levels: ShopLevels
  private readonly clock: Clock
  private readonly customers: Map<string, World['customers'][number]>
  private readonly titles: Map<string, string>
  private lastOrder = FIRST_ORDER - 1
  private lastLine = 9_000
  private lastFulfillment = 3_000

  constructor(world: World, clock: Clock, keep: Keep) {
    this.clock = clock
    this.orders = kept(keep)
    this.levels = new ShopLevels(world, clock)
    this.customers = new Map(world.customers.map((customer) => [customer.number, customer]))
    this.titles = new Map(world.items.map((item) => [item.number, item.name]))
  }

  place(shop: Shop, order: WorldOrder): StoredOrder {
    const id = ++this.lastOrder
    const firstLineId = this.lastLine + 1
    this.lastLine += order.lines.length
    const customer = this.customers.get(order.customer)
    const at = this.clock.now().toISOString()
    const stored = {
      shop,
      order: shopOrder(order, { id, firstLineId, at, customer, titles: this.titles }),
      fulfillments: [],
    }
    this.orders.set(String(id), stored)
    return stored
  }

  remember(): ShopMemory {
    const last = { order: this.lastOrder, line: this.lastLine, fulfillment: this.lastFulfillment }
    return { orders: [...this.orders.entries()], levels: this.levels.remember(), last }
  }

  recall({ orders, levels, last }: ShopMemory): void {
    refill(this.orders, orders)
    this.levels.recall(levels)
    this.lastOrder = last.order
    this.lastLine = last.line
    this.lastFulfillment = last.fulfillment
  }

  read(shop: Shop, id: string): StoredOrder {
    const stored = this.orders.get(id)
    if (!stored || stored.shop.domain !== shop.domain) throw new ShopRefusal(404, 'Not Found')
    return stored
  }

  list(shop: Shop, sinceId: number, updatedMin: string | null): ShopOrder[] {
    const orders: ShopOrder[] = []
    for (const { shop: owner, order } of this.orders.values()) {
      if (owner.domain !== shop.domain || order.id <= sinceId) continue
      if (updatedMin === null || Date.parse(order.updated_at) >= Date.parse(updatedMin)) orders.push(order)
    }
    return orders
  }

  fulfill(stored: StoredOrder, asked: Fields): Fulfillment {
    const { order } = stored
    if (order.cancelled_at !== null) throw new ShopRefusal(422, { base: ['order is cancelled'] })
    const parts = Array.isArray(asked['line_items'])
      ? (asked['line_items'] as { id: number; quantity: number }[])
      : []
    if (parts.length === 0) throw new ShopRefusal(422, { line_items: ["can't be blank"] })
    const lines = parts.map((part) => {
      const line = order.line_items.find((one) => one.id === part.id)
      if (!line || !(part.quantity > 0) || part.quantity > line.fulfillable_quantity) {
        throw new ShopRefusal(422, { line_items: [`${part.id}: more than is left to fulfill`] })
      }
      return { line, quantity: part.quantity }
    })
    for (const { line, quantity } of lines) line.fulfillable_quantity -= quantity
    const open = order.line_items.some((line) => line.fulfillable_quantity > 0)
    order.fulfillment_status = open ? 'partial' : 'fulfilled'
    order.updated_at = this.clock.now().toISOString()
    const fulfillment: Fulfillment = {
      id: ++this.lastFulfillment,
      order_id: order.id,
      status: 'success',
      external_id: text(asked['external_id']),
      created_at: order.updated_at,
      tracking_info: (asked['tracking_info'] ?? {}) as Fields,
      line_items: parts.map(({ id, quantity }) => ({ id, quantity })),
    }
    stored.fulfillments.push(fulfillment)
    return fulfillment
  }

  cancel(stored: StoredOrder): ShopOrder {
    const { order } = stored
    if (order.fulfillment_status !== null) throw new ShopRefusal(422, { base: ['order is fulfilled'] })
    order.cancelled_at ??= this.clock.now().toISOString()
    order.updated_at = order.cancelled_at
    return order
  }

  annotate(stored: StoredOrder, asked: Fields): ShopOrder {
    const { order } = stored
    if (typeof asked['note'] === 'string') order.note = asked['note']
    if (typeof asked['tags'] === 'string') order.tags = asked['tags']
    order.updated_at = this.clock.now().toISOString()
    return order
  }
}
