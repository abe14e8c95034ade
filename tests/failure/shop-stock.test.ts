/** A shop that is away, slow, forgetful or wrong ends with the figures that the availability door answers. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { tellAllAgain } from '#domains/inventory/operations/untold.ts'
import { openWholesaler, type Wholesaler } from '#tests/processes/wholesaler.ts'

const [SKU, OTHER, STRANGER] = ['44001', '44002', '44003'] as const
const SKUS = [SKU, OTHER, STRANGER]
const WITHIN = { timeout: 20_000, interval: 20 }
const AUDIENCE = { shop: 'shop', company: 'NWF', channel: 'shop' }
const POLICY = {
  timeoutMs: 400,
  retry: { baseMs: 20, maxMs: 200 },
  breaker: { minCalls: 6, windowMs: 1_000, openMs: 200 },
}

let house: Wholesaler
beforeAll(async () => {
  house = await openWholesaler(
    SKUS.map((number) => ({ number, stock: { DC1: 400, DC2: 25 } })),
    [{ number: '500001' }],
    {
      policy: POLICY,
      config: {
        publishing: { channels: ['shop'], shops: [{ system: 'shop', company: 'NWF', channel: 'shop' }] },
      },
    },
  )
  house.landscape.shop.sells('NWF', `${STRANGER}-EA`, false)
  house.landscape.shop.sells('NWF', `${STRANGER}-CA`, false)
  house.app.keepUp()
}, 60_000)
afterEach(() => house.landscape.shop.faults.clear())
afterAll(() => house.end())

const shop = () => house.landscape.shop
const shown = (sku: string, unit = 'EA'): number | undefined =>
  shop().truth().levels[`northway-foods.shop.example/main/${sku}-${unit}`]
const calls = () => shop().received.requests('setInventory')
const waiting = async () => (await house.query('select item_id from inventory.untold')).length
const known = (open: readonly { cause: string }[]) => open.map(({ cause }) => cause)

async function promised(sku: string): Promise<number> {
  const asked = { company: 'NWF', channel: 'shop', maxAgeMs: 0, items: [{ sku }] }
  const reply = await house.send('POST', '/process/available-to-promise/v1/availability:query', {
    body: asked,
  })
  return Number((reply.body['items'] as { available: string }[])[0]!.available)
}

async function reserve(sku: string, quantity = 1): Promise<void> {
  const reply = await house.send('POST', '/process/available-to-promise/v1/reservations', {
    body: {
      company: 'NWF',
      channel: 'portal',
      reference: 'cart',
      kind: 'firm',
      lines: [{ line: '1', sku, quantity: String(quantity), unit: 'EA' }],
    },
  })
  expect(reply.status).toBe(201)
}

const shownAsPromised = async (...skus: readonly string[]) => {
  const figures = new Map(await Promise.all(skus.map(async (sku) => [sku, await promised(sku)] as const)))
  await expect.poll(() => skus.map((sku) => shown(sku)), WITHIN).toEqual([...figures.values()])
}

test('at first a shop is told of every item, in each unit in which it sells it', async () => {
  await shownAsPromised(SKU, OTHER)
  expect(shown(SKU, 'CA')).toBe(Math.floor((await promised(SKU)) / 12))
})

test('a change is shown by the shop within two seconds', async () => {
  const latenciesMs: number[] = []
  for (let n = 0; n < 5; n++) {
    const startedMs = performance.now()
    await reserve(SKU)
    await shownAsPromised(SKU)
    latenciesMs.push(performance.now() - startedMs)
  }
  expect(latenciesMs.toSorted((a, b) => a - b)[2]).toBeLessThan(2_000)
})

test('an item that the shop does not have is one exception, and is told once it is listed', async () => {
  await expect
    .poll(async () => known(await house.openExceptions('inventory.shop_refused')), WITHIN)
    .toEqual(['inventory.shop_refused:shop:not_found'])
  shop().sells('NWF', `${STRANGER}-EA`, true)
  await reserve(STRANGER)
  await shownAsPromised(STRANGER)
  await expect.poll(() => house.openExceptions('inventory.shop_refused'), WITHIN).toEqual([])
  expect(await waiting()).toBe(0)
})

test('while a shop is away one figure an item waits, and afterwards it shows the last', async () => {
  shop().faults.set({ kind: 'outage', mode: 'refused' })
  for (let n = 0; n < 8; n++) await Promise.all([reserve(SKU), reserve(OTHER)])
  await expect.poll(waiting, WITHIN).toBe(2)
  shop().faults.clear()
  await shownAsPromised(SKU, OTHER)
  await expect.poll(waiting, WITHIN).toBe(0)
})

test('a shop that is to be left alone is not called, and is told the last figure after that', async () => {
  const gate = house.app.worker.life!.policies.gate('shop')
  gate.pause(600_000, 'somebody works there')
  const before = calls()
  await reserve(SKU, 2)
  await expect.poll(waiting, WITHIN).toBe(1)
  await reserve(SKU, 3)
  expect(calls()).toBe(before)
  gate.resume()
  await reserve(OTHER)
  await shownAsPromised(OTHER)
})

test('answers that are lost, late calls and calls that overtake each other end in our figures', async () => {
  const lateMs = 900
  shop().faults.set([
    { kind: 'latency', operation: 'setInventory', ms: 0, jitterMs: lateMs, share: 0.5 },
    { kind: 'no-answer', operation: 'setInventory', share: 0.3 },
    { kind: 'wrong-body', body: 'truncated', operation: 'setInventory', share: 0.2 },
    { kind: 'server-error', status: 500, operation: 'setInventory', share: 0.2 },
    { kind: 'item-failure', operation: 'setInventory', share: 0.2 },
  ])
  for (let n = 0; n < 12; n++) {
    const before = calls()
    await reserve(SKUS[n % 3]!)
    await expect.poll(calls, WITHIN).toBeGreaterThan(before)
  }
  shop().faults.clear()
  const calmMs = performance.now() + lateMs
  await expect.poll(() => performance.now() > calmMs, WITHIN).toBe(true)
  await shownAsPromised(...SKUS)
  await expect.poll(waiting, WITHIN).toBe(0)
})

test('what a shop has lost, and what somebody has changed there, is put right by telling it everything', async () => {
  shop().loseLevels()
  await fetch(`${shop().url}/admin/api/2026-10/inventory_levels/set.json`, {
    method: 'POST',
    headers: { 'x-shop-access-token': 'foods-token' },
    body: JSON.stringify({ location_id: 'main', inventory_item_id: `${SKU}-EA`, available: 9_999 }),
  })
  expect([shown(SKU), shown(OTHER)]).toEqual([9_999, undefined])
  const count = await house.app.database.transaction((tx) => tellAllAgain(tx, AUDIENCE, new Date()))
  expect(count).toBe(3)
  await shownAsPromised(...SKUS)
})

test('a figure that the shop says is older than its own is read anew and told after it', async () => {
  await fetch(`${shop().url}/admin/api/2026-10/inventory_levels/set.json`, {
    method: 'POST',
    headers: { 'x-shop-access-token': 'foods-token' },
    body: JSON.stringify({
      location_id: 'main',
      inventory_item_id: `${SKU}-EA`,
      available: 1,
      as_of: '2999-01-01T00:00:00Z',
    }),
  })
  await reserve(SKU)
  await shownAsPromised(SKU)
  await expect.poll(waiting, WITHIN).toBe(0)
})
