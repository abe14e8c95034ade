/** A shop that begins to send a field which its connector never recorded: its orders are taken, and somebody is told. */
import { createHmac } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { listExceptions } from '#platform/exceptions-views.ts'
import { type House, openHouse } from '#tests/support/house.ts'

let house: House
beforeAll(async () => {
  house = await openHouse()
  house.app.keepUp()
}, 60_000)
afterAll(() => house.end())

const drifts = () => listExceptions(house.app.database, { code: 'inbound.payload_drift' })

async function tell(order: object): Promise<string | undefined> {
  const body = JSON.stringify(order)
  const response = await fetch(`${house.url}/system/shop/v1/orders`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-shop-topic': 'orders/create',
      'x-shop-domain': 'northway-foods.shop.example',
      'x-shop-webhook-id': 'drifted',
      'x-shop-hmac-sha256': createHmac('sha256', 'foods-secret').update(body).digest('base64'),
    },
    body,
  })
  return ((await response.json()) as { messages: { outcome: string }[] }).messages[0]?.outcome
}

test('a new field of a webhook is a warning with an owner and a figure, and no failure', async () => {
  const order = house.landscape.world
    .orders(200)
    .find((one) => one.door === 'shop' && one.company === 'NWF' && one.expected === 'ships_at_once')!
  house.landscape.shop.faults.set({ kind: 'webhook-drop' })
  const placed = house.landscape.shop.place(order)
  const { shop: _, fulfillments: __, ...document } = { ...placed, shop: '', fulfillments: [] }
  expect(await tell({ ...document, gift_wrap: { color: 'red' } })).toBe('applied')
  await expect.poll(drifts, { timeout: 15_000 }).toMatchObject([
    {
      owner: 'integration',
      severity: 'low',
      title: 'shop sends orders/create with a new field, "gift_wrap" (object)',
      facts: { source: 'shop', type: 'orders/create', path: 'gift_wrap', messageId: 'drifted' },
    },
  ])
  const metrics = await (await fetch(`${house.url}/metrics`)).text()
  expect(metrics).toContain('contract_violations_total{system="shop",type="orders/create"} 1')
  expect(house.complaints.join('')).toContain('a new field')
}, 30_000)
