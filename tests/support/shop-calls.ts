/** Webhooks as the shop of the foods company signs them. */
import { createHmac } from 'node:crypto'
import type { Landscape } from '#landscape/landscape.ts'

/** An order as the shop told of it when it was placed. */
export function documentOfShop({ truth }: Landscape['shop'], id: number) {
  const {
    shop: _,
    fulfillments: __,
    ...order
  } = structuredClone(truth().orders.find((one) => one.id === id)!)
  return { ...order, updated_at: order.created_at, cancelled_at: null as string | null }
}

export function callOfShop(topic: string, id: string, order: object) {
  const body = JSON.stringify(order)
  const headers = {
    'content-type': 'application/json',
    'x-shop-topic': topic,
    'x-shop-domain': 'northway-foods.shop.example',
    'x-shop-webhook-id': id,
    'x-shop-hmac-sha256': createHmac('sha256', 'foods-secret').update(body).digest('base64'),
  }
  return { path: '/system/shop/v1/orders', headers, body }
}

export async function tellByShop(url: string, topic: string, order: object) {
  const { path, headers, body } = callOfShop(topic, topic, order)
  const response = await fetch(`${url}${path}`, { method: 'POST', headers, body })
  const answer = (await response.json()) as { code?: string; messages?: { outcome: string }[] }
  return { status: response.status, ...answer }
}
