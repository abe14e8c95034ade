/** Levels of stock at the simulated shop: many in a call, the latest figure stands, and each item has its own answer. */
import { beforeAll, beforeEach, expect, test } from 'vitest'
import { setStock, type StockLevel } from '#capabilities/channel.ts'
import { systemClock } from '#platform/clock.ts'
import { units } from '#platform/quantity.ts'
import { createHostedShopConnector, type HostedShopConnector } from '#systems/shop-hosted/connector.ts'
import { toLevels } from '#systems/shop-hosted/map.ts'
import { effectOf, ground, itemOf, send, sendAfterLease, sendAll, world } from '../landscape.ts'

const it = ground()
const FOODS = 'northway-foods.shop.example'
const item = itemOf('NWF')
const SKU = `${item.number}-EA`
let shop: HostedShopConnector
let minute = 0

beforeAll(() => {
  const named = { NWF: 'foods', NWI: 'industrial' }
  shop = createHostedShopConnector({
    instance: 'shop',
    settings: {
      baseUrl: it.landscape.shop.url,
      credentials: { foods: 'foods-token', industrial: 'industrial-token', secret: 'x' },
      options: {
        shops: Object.entries(named).map(([company, name]) => ({
          company,
          domain: `northway-${name}.shop.example`,
          tokenCredential: name,
          secretCredential: 'secret',
        })),
      },
    },
    http: it.http,
    clock: systemClock,
  })
})
beforeEach(() => void (minute += 10))

const at = (minutes = 0): Date => new Date(Date.UTC(2026, 2, 2, 9, minute + minutes))
const level = (count: number, asOf: Date, more: Partial<StockLevel> = {}) =>
  effectOf(item.number, {
    company: 'NWF',
    sku: item.number,
    asOf,
    levels: [{ unit: 'EA', quantity: units(count) }],
    ...more,
  } satisfies StockLevel)
const levels = () => it.landscape.shop.truth().levels
const shown = (sku = SKU) => levels()[`${FOODS}/main/${sku}`]

test('the shop shows what it is told, in each unit that it sells', async () => {
  const told = level(25, at(), {
    levels: [
      { unit: 'EA', quantity: units(25) },
      { unit: item.salesUnit, quantity: units(2) },
      { unit: 'MTK', quantity: units(9) },
    ],
  })
  expect(await send(shop, setStock, told)).toEqual({ kind: 'confirmed', answer: {} })
  expect([shown(), shown(`${item.number}-${item.salesUnit}`)]).toEqual([25, 2])
})

test('an older figure that comes late does not undo a newer one, and says that there is one', async () => {
  await send(shop, setStock, level(4, at(2)))
  expect(await send(shop, setStock, level(9, at(1)))).toEqual({
    kind: 'confirmed',
    answer: { newer: at(2) },
  })
  expect(shown()).toBe(4)
})

test.each([
  ['no answer', { kind: 'no-answer' }],
  ['a page of a proxy', { kind: 'wrong-body', body: 'html' }],
  ['half a body', { kind: 'wrong-body', body: 'truncated' }],
] as const)('%s after the effect is unknown, and saying it again changes nothing', async (_, fault) => {
  it.landscape.shop.faults.set({ ...fault, operation: 'setInventory', times: 1 })
  expect(await send(shop, setStock, level(6, at()))).toMatchObject({ kind: 'unknown' })
  expect(shown()).toBe(6)
  expect(await send(shop, setStock, level(6, at()))).toEqual({ kind: 'confirmed', answer: {} })
  expect(shown()).toBe(6)
})

test('many items of both shops travel in a call for each shop, and each has its own answer', async () => {
  const told = world.items
    .filter(({ baseUnit }) => baseUnit === 'EA')
    .slice(0, 49)
    .map(({ company, number }) =>
      effectOf(number, {
        company,
        sku: number,
        asOf: at(),
        levels: [{ unit: 'EA', quantity: units(3) }],
      } satisfies StockLevel),
    )
  const unknown = level(1, at(), { sku: 'NOBODY-KNOWS' })
  const before = it.landscape.shop.received.requests('setInventory')
  const outcomes = await sendAll(shop, setStock, [...told, unknown])
  expect(it.landscape.shop.received.requests('setInventory') - before).toBe(2)
  expect(outcomes.pop()).toEqual({
    kind: 'refused',
    code: 'not_found',
    message: 'The shop has no item NOBODY-KNOWS.',
  })
  expect(new Set(outcomes.map(({ kind }) => kind))).toEqual(new Set(['confirmed']))
})

test('an item with which the shop has a bad moment is told again, and its neighbours are not', async () => {
  const other = itemOf('NWF', ({ number }) => number !== item.number)
  it.landscape.shop.faults.set({ kind: 'item-failure', operation: 'setInventory', times: 1 })
  const outcomes = await sendAll(shop, setStock, [level(8, at()), level(8, at(), { sku: other.number })])
  expect(outcomes.map(({ kind }) => kind)).toEqual(['retry', 'confirmed'])
})

test('what the shop cannot be told is never sent', async () => {
  expect(await send(shop, setStock, level(1, at(), { company: 'ACME' }))).toMatchObject({
    kind: 'refused',
    code: 'connector.code_unmapped',
  })
  const strange = level(1, at(), { levels: [{ unit: 'MTK', quantity: units(1) }] })
  expect(await send(shop, setStock, strange)).toMatchObject({
    kind: 'refused',
    code: 'connector.code_unmapped',
  })
})

test('a rate limit says when to come back, and a lease that ends keeps the call at home', async () => {
  it.landscape.shop.faults.set({ kind: 'rate-limit', perSecond: 0.001, burst: 0, retryAfterSeconds: 30 })
  expect(await send(shop, setStock, level(1, at()))).toMatchObject({ kind: 'retry', throttled: true })
  it.landscape.shop.faults.clear()
  expect(await sendAfterLease(shop, setStock, level(1, at()))).toBe('not asked: withdrawn')
})

test('a shop shows whole units and never less than none', () => {
  const told = (count: number) => ({
    company: 'NWF',
    sku: '10012',
    asOf: at(),
    levels: [{ unit: 'EA', quantity: units(count) }],
  })
  expect(toLevels(told(2.75), 'main').map(({ available }) => available)).toEqual([2])
  expect(toLevels(told(-3), 'main').map(({ available }) => available)).toEqual([0])
})
