/** What changes of stock reaches the channels that asked for it, by webhook: soon, and the last figure alone. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openWholesaler, type Wholesaler } from '#tests/processes/wholesaler.ts'
import { openReceiver, type Receiver } from '#tests/routes/receiver.ts'

const SKU = '44001'
const OTHER = '44002'
const WITHIN = { timeout: 20_000 }

let house: Wholesaler
let receiver: Receiver
beforeAll(async () => {
  house = await openWholesaler(
    [SKU, OTHER].map((number) => ({ number, stock: { DC1: 100 } })),
    [{ number: '500001' }],
    { config: { publishing: { channels: ['shop', 'portal'] } } },
  )
  receiver = await openReceiver()
  const subscribed = await house.send('POST', '/experience/events/v1/subscriptions', {
    body: { name: 'Shop', url: receiver.url, types: ['availability.changed'], payload: 'full' },
  })
  if (subscribed.status !== 201) throw new Error(JSON.stringify(subscribed.body))
  house.app.keepUp()
}, 60_000)
afterAll(async () => {
  await house.end()
  await receiver.end()
})

type Told = { channel: string; sku: string; available: string; confidence: string }
const told = (sku: string, channel: string): Told[] =>
  receiver.received
    .map(({ body }) => (JSON.parse(body) as { data: Told }).data)
    .filter((one) => one.sku === sku && one.channel === channel)
const reserve = (quantity: number) =>
  house.send('POST', '/process/available-to-promise/v1/reservations', {
    body: {
      company: 'NWF',
      channel: 'portal',
      reference: 'cart',
      kind: 'firm',
      lines: [{ line: '1', sku: SKU, quantity: String(quantity), unit: 'EA' }],
    },
  })

test('at first a channel is told of every item', async () => {
  await expect.poll(() => [told(SKU, 'shop').length, told(OTHER, 'portal').length], WITHIN).toEqual([1, 1])
  expect(told(SKU, 'shop')).toMatchObject([{ available: '100', confidence: 'normal' }])
})

test('a channel is called with what can be promised to it, within two seconds', async () => {
  const latenciesMs: number[] = []
  for (let left = 99; left >= 95; left--) {
    const startedMs = performance.now()
    expect((await reserve(1)).status).toBe(201)
    await expect
      .poll(() => told(SKU, 'shop').at(-1)?.available, { ...WITHIN, interval: 20 })
      .toBe(String(left))
    latenciesMs.push(performance.now() - startedMs)
  }
  expect(latenciesMs.toSorted((a, b) => a - b)[2]).toBeLessThan(2_000)
  expect(told(OTHER, 'shop')).toHaveLength(1)
})

test('many changes at once are told as one, and the last figure is the one that stays', async () => {
  const before = told(SKU, 'shop').length
  const grants = await Promise.all(Array.from({ length: 30 }, () => reserve(1)))
  expect(grants.every(({ status }) => status === 201)).toBe(true)
  await expect.poll(() => told(SKU, 'shop').at(-1)?.available, WITHIN).toBe('65')
  expect(told(SKU, 'shop').length - before).toBeLessThan(15)
})

test('what is kept back for one channel is told to each as it counts for it', async () => {
  const allocation = { name: 'shop', kind: 'minimum', channels: ['shop'], quantity: '40' }
  await house.send('POST', '/process/inventory/v1/allocations:set', {
    body: {
      company: 'NWF',
      reason: 'test',
      places: [{ sku: OTHER, location: 'DC1', allocations: [allocation] }],
    },
  })
  await expect.poll(() => told(OTHER, 'portal').at(-1)?.available, WITHIN).toBe('60')
  expect(told(OTHER, 'shop')).toHaveLength(1)
})
