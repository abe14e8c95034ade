/** What the simulated systems tell is what their connectors have recorded: no variant of it is a drift. */
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { driftOf, shapeOf } from '#platform/inbox-drift.ts'
import { depotDoor } from '#systems/wms-depot/inbound.ts'
import { DepotSettings } from '#systems/wms-depot/settings.ts'
import { hostedShopDoor } from '#systems/shop-hosted/inbound.ts'
import { HostedShopSettings } from '#systems/shop-hosted/settings.ts'
import { fakeClock } from '#tests/support/clock.ts'
import { ground, world } from './landscape.ts'
import { sample } from './samples.ts'

const it = ground({ pace: { pickAfterMs: 1, shipAfterMs: 1 }, announcePicking: true, tellPicks: ['DC1'] })
const orders = world.orders(100)
const UNITS: Readonly<Record<string, string>> = { CA: 'CS', PL: 'PLT', BG: 'BAG' }

const depot = depotDoor(
  'wms',
  DepotSettings.parse({ baseUrl: 'http://x.example', credentials: { apiKey: 'k', webhookSecret: 's' } }),
  fakeClock(),
)
const shop = hostedShopDoor(
  'shop',
  HostedShopSettings.parse({
    baseUrl: 'http://x.example',
    credentials: { t: 't', s: 's' },
    options: { shops: [{ company: 'NWF', domain: 'x', tokenCredential: 't', secretCredential: 's' }] },
  }),
)

type Told = { readonly type: string; readonly payload: unknown }

function driftsOf(samples: Readonly<Record<string, readonly unknown[]>>, told: readonly Told[]): string[] {
  const shapes = new Map(Object.entries(samples).map(([type, bodies]) => [type, shapeOf(bodies)]))
  const found = told.flatMap(({ type, payload }) => {
    const shape = shapes.get(type)
    return shape
      ? driftOf(shape, payload).map(({ path, kind }) => `${type}: ${path} ${kind}`)
      : [`${type}: not recorded`]
  })
  return [...new Set(found)]
}

describe('a warehouse', () => {
  const events = () => it.landscape.wms.truth().events
  beforeAll(async () => {
    const { wms } = it.landscape
    wms.faults.set([
      { kind: 'short-pick', share: 0.3 },
      { kind: 'split-shipment', share: 0.3 },
    ])
    for (const [nth, order] of orders.entries()) {
      const lines = order.lines.map(({ line, item, quantity, unit }) => ({
        line_no: line,
        sku: item,
        qty: quantity,
        uom: UNITS[unit] ?? unit,
      }))
      await it.http.request({
        method: 'POST',
        url: `${wms.url}/api/outbound_orders`,
        headers: { 'x-api-key': 'secret', 'content-type': 'application/json' },
        body: JSON.stringify({
          external_ref: `F-${nth}`,
          owner: order.company,
          site: 'DC1',
          ship_to: {},
          lines,
        }),
        timeoutMs: 5_000,
      })
    }
    wms.receiveAll()
    const { site, owner, sku, lot } = wms.truth().stock.find((row) => row.lot !== '')!
    for (const reason of ['COUNT', 'DAMAGE', 'HOLD', 'RELEASE'] as const)
      wms.adjust({ site, owner, sku, lot, delta: -1, reason })
    const { baseUnit: unit } = world.items.find((one) => one.number === sku && one.company === owner)!
    wms.own.ship(
      wms.own.key({
        owner,
        site,
        customer: 'Portal',
        lines: [{ item: sku, quantity: 1, unit }],
      }),
    )
    const isOver = (status: string): boolean => status === 'SHIPPED' || status === 'SHORT'
    await vi.waitFor(
      () => {
        if (!wms.truth().orders.every(({ status }) => isOver(status))) throw new Error('still picking')
      },
      { timeout: 10_000 },
    )
  }, 20_000)

  test('tells nothing that is not recorded', () => {
    const told = events().map((payload) => ({ type: payload.type, payload }))
    expect(new Set(told.map(({ type }) => type))).toEqual(new Set(Object.keys(depot.samples)))
    expect(driftsOf(depot.samples, told)).toEqual([])
  })
})

test('a shop tells nothing that is not recorded', () => {
  const told = orders.map((order) => {
    const {
      shop: _,
      fulfillments: __,
      ...payload
    } = { ...it.landscape.shop.place(order) } as Record<string, unknown>
    return { type: 'orders/create', payload }
  })
  expect(driftsOf(shop.samples, told)).toEqual([])
})

test('a shop answers nothing about levels that is not recorded', async () => {
  const { shop: system } = it.landscape
  system.faults.set({ kind: 'item-failure', operation: 'setInventory', times: 1 })
  const set = async (...levels: readonly (readonly [sku: string, available: number, asOf: string])[]) => {
    const reply = await it.http.request({
      method: 'POST',
      url: `${system.url}/admin/api/2026-10/inventory_levels/set.json`,
      headers: { 'x-shop-access-token': 'foods-token', 'content-type': 'application/json' },
      body: JSON.stringify({
        inventory_levels: levels.map(([sku, available, asOf]) => ({
          inventory_item_id: sku,
          location_id: 'main',
          available,
          as_of: asOf,
        })),
      }),
      timeoutMs: 5_000,
    })
    return reply.json()
  }
  const { number, units } = world.items.find(({ company }) => company === 'NWF')!
  const sku = `${number}-${units[0]!.unit}`
  const told = [
    await set([sku, 1, '2026-03-02T09:00:00Z'], ['NOBODY-KNOWS', 1, '2026-03-02T09:00:00Z']),
    await set([sku, 2, '2026-03-02T10:00:00Z']),
    await set([sku, 3, '2026-03-02T09:30:00Z']),
  ]
  const recorded = { levels: [sample('shop-hosted/inventory-levels-set')] }
  expect(
    driftsOf(
      recorded,
      told.map((payload) => ({ type: 'levels', payload })),
    ),
  ).toEqual([])
  expect(JSON.stringify(told)).toMatch(/"failed".*"not_found".*"set".*"stale"/)
})
