/** The shop: tells orders signed with the secret of their shop, and lets no line be fulfilled twice. */
import { createHmac } from 'node:crypto'
import { afterEach, describe, expect, it } from 'vitest'
import type { Landscape } from '#landscape/landscape.ts'
import { bench, call, type Sent } from './bench.ts'

let landscape: Landscape
let sent: Sent[]
afterEach(() => landscape.stop())

async function start(): Promise<void> {
  ;({ landscape, sent } = await bench())
}

const shop = (path: string, init: Parameters<typeof call>[1] = {}, token = 'foods-token') =>
  call(`${landscape.shop.url}/admin/api/2026-10${path}`, {
    ...init,
    headers: { 'x-shop-access-token': token },
  })
const placed = (count = 1) => {
  const orders = landscape.world
    .orders(100)
    .filter((order) => order.company === 'NWF' && order.door === 'shop')
  return orders.slice(0, count).map((order) => ({ order, shopOrder: landscape.shop.place(order) }))
}
const one = () => {
  const [first] = placed()
  if (!first) throw new Error('the world has no shop order')
  return first
}

describe('the shop', () => {
  it('tells an order by webhook, signed with the secret of its shop', async () => {
    await start()
    const { order, shopOrder } = one()
    const [delivery] = sent
    const hmac = createHmac('sha256', 'foods-secret')
      .update(delivery?.body ?? '')
      .digest('base64')
    expect(delivery?.headers).toMatchObject({
      'x-shop-topic': 'orders/create',
      'x-shop-domain': 'northway-foods.shop.example',
      'x-shop-hmac-sha256': hmac,
    })
    const [line] = order.lines
    expect(JSON.parse(delivery?.body ?? '')).toMatchObject({
      id: shopOrder.id,
      po_number: order.poNumber,
      customer: { external_id: order.customer },
      line_items: [
        { sku: `${line?.item}-${line?.unit}`, quantity: line?.quantity },
        ...order.lines.slice(1).map(() => ({})),
      ],
    })
  })

  it('shows a shop its own orders only, page by page', async () => {
    await start()
    placed(4)
    const first = await shop('/orders.json?limit=3')
    expect(first.json().orders).toHaveLength(3)
    const next = /<\/admin\/api\/2026-10([^>]+)>; rel="next"/.exec(first.headers.get('link') ?? '')?.[1]
    expect((await shop(next ?? '')).json().orders).toHaveLength(1)
    expect((await shop('/orders.json', {}, 'industrial-token')).json().orders).toEqual([])
    expect((await shop('/orders.json', {}, 'guess')).status).toBe(401)
  })

  it('takes fulfillments up to the ordered quantity, and shows them', async () => {
    await start()
    const { shopOrder } = one()
    const [line] = shopOrder.line_items
    const fulfill = () =>
      shop(`/orders/${shopOrder.id}/fulfillments.json`, {
        body: {
          fulfillment: {
            external_id: 'S-1',
            tracking_info: { number: 'SW1' },
            line_items: [{ id: line?.id, quantity: line?.quantity }],
          },
        },
      })
    expect((await fulfill()).status).toBe(201)
    expect((await fulfill()).status).toBe(422)
    expect((await shop(`/orders/${shopOrder.id}/fulfillments.json`)).json().fulfillments).toMatchObject([
      { external_id: 'S-1' },
    ])
    expect(landscape.shop.received.times('fulfill', 'S-1')).toBe(2)
  })

  it('sets levels absolutely, one or many, and the figure of the later time stands', async () => {
    await start()
    const { number, units } = landscape.world.items.find(({ company }) => company === 'NWF')!
    const sku = `${number}-${units[0]!.unit}`
    const level = (available: number, as_of?: string) => ({
      location_id: 'DC1',
      inventory_item_id: sku,
      available,
      as_of,
    })
    const set = async (...levels: object[]) => {
      const reply = await shop('/inventory_levels/set.json', { body: { inventory_levels: levels } })
      return reply.json().inventory_levels.map(({ status }: { status: string }) => status)
    }
    const shown = () => landscape.shop.truth().levels[`northway-foods.shop.example/DC1/${sku}`]
    expect(await set(level(7, '2026-03-02T09:00:00Z'))).toEqual(['set'])
    expect(await set(level(9, '2026-03-02T08:00:00Z'), level(8, '2026-03-02T09:00:00Z'))).toEqual([
      'stale',
      'stale',
    ])
    expect(shown()).toBe(7)
    await shop('/inventory_levels/set.json', { body: level(40) })
    expect(shown()).toBe(40)
    landscape.shop.sells('NWF', sku, false)
    expect(await set(level(1, '2999-03-02T09:00:00Z'))).toEqual(['not_found'])
    expect((await shop('/inventory_levels/set.json', { body: {} })).status).toBe(422)
  })

  it('lets a buyer cancel before fulfillment, and tells it', async () => {
    await start()
    const { shopOrder } = one()
    landscape.shop.cancel(shopOrder.id)
    expect(sent[1]?.headers['x-shop-topic']).toBe('orders/cancelled')
    const line_items = [{ id: shopOrder.line_items[0]?.id, quantity: 1 }]
    expect(
      (await shop(`/orders/${shopOrder.id}/fulfillments.json`, { body: { fulfillment: { line_items } } }))
        .status,
    ).toBe(422)
  })

  it('keeps notes and knows no strangers', async () => {
    await start()
    const { shopOrder } = one()
    const noted = await shop(`/orders/${shopOrder.id}.json`, {
      method: 'PUT',
      body: { order: { tags: 'held', note: 'credit' } },
    })
    expect(noted.json().order).toMatchObject({ tags: 'held', note: 'credit' })
    expect((await shop('/orders/1.json')).status).toBe(404)
  })
})
