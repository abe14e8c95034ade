/** The webhooks that the simulated systems really send, through the doors of their connectors. */
import { expect, test } from 'vitest'
import { requestFulfillment } from '#capabilities/wms.ts'
import { systemClock } from '#platform/clock.ts'
import type { InboundDoor } from '#platform/inbound.ts'
import { units } from '#platform/quantity.ts'
import { swiftDoor } from '#systems/carrier-swift/inbound.ts'
import { SwiftSettings } from '#systems/carrier-swift/settings.ts'
import { hostedShopDoor } from '#systems/shop-hosted/inbound.ts'
import { HostedShopSettings } from '#systems/shop-hosted/settings.ts'
import { createDepotConnector } from '#systems/wms-depot/connector.ts'
import { customerOf, effectOf, ground, itemOf, sendAll, world } from './landscape.ts'

type Call = { url: string; headers: Readonly<Record<string, string>>; body: string }
const calls: Call[] = []

const it = ground({
  trackShipments: true,
  scanEveryMs: 1,
  announcePicking: true,
  webhooks: { wms: 'wms', shop: 'shop', carrier: 'carrier' },
  post: (url, headers, body) => {
    calls.push({ url, headers, body })
    return Promise.resolve(200)
  },
})

const baseUrl = 'http://127.0.0.1:1'
const to = (url: string): Call[] => calls.filter((call) => call.url === url)
const read = <T>(door: InboundDoor<T>, url: string) =>
  to(url).flatMap(({ headers, body }) => door.read(headers, Buffer.from(body)))

test('twenty releases come back as twenty shipments whose parcels are delivered', async () => {
  const depot = createDepotConnector({
    instance: 'wms',
    settings: {
      baseUrl: it.landscape.wms.url,
      credentials: { apiKey: 'secret', webhookSecret: 'wms-secret' },
    },
    http: it.http,
    clock: systemClock,
    onUnreadable: () => undefined,
  })
  const item = itemOf('NWF')
  const numbers = Array.from({ length: 20 }, (_, at) => `F-${at}`)
  const releases = numbers.map((number) =>
    effectOf(number, {
      company: 'NWF',
      number,
      order: 'O-1',
      customerOrder: 'PO-1',
      location: item.sites[0]!,
      customer: customerOf('NWF').number,
      shipTo: { city: 'Boston' },
      lines: [{ line: 1, sku: item.number, quantity: units(2), unit: 'EA' }],
    }),
  )
  await sendAll(depot, requestFulfillment, releases)
  const carrierSettings = SwiftSettings.parse({
    baseUrl,
    credentials: { user: 'u', password: 'p', webhookSecret: 'carrier-secret' },
  })
  const scans = () => read(swiftDoor('carrier', carrierSettings), 'carrier')
  await expect
    .poll(() => scans().filter(({ message }) => message?.milestone === 'delivered').length, {
      timeout: 10_000,
    })
    .toBe(20)
  const messages = read(depot.inbound, 'wms')
  const shipped = messages.filter(({ message }) => message?.type === 'shipment-confirmed')
  expect(shipped.map(({ stream, sequence }) => [stream, sequence])).toEqual(
    numbers.map((number) => [`fulfillment/${number}`, 2]),
  )
  expect(to('wms').length).toBeLessThan(messages.length)
  expect([...messages, ...scans()].filter(({ unreadable }) => unreadable)).toEqual([])
})

test('orders of both shops, and their withdrawal, come in under their companies', () => {
  const accounts = [
    {
      company: 'NWF',
      domain: 'northway-foods.shop.example',
      tokenCredential: 't',
      secretCredential: 'foods',
    },
    {
      company: 'NWI',
      domain: 'northway-industrial.shop.example',
      tokenCredential: 't',
      secretCredential: 'industrial',
    },
  ]
  const settings = HostedShopSettings.parse({
    baseUrl,
    credentials: { t: 't', foods: 'foods-secret', industrial: 'industrial-secret' },
    options: { shops: accounts },
  })
  for (const company of ['NWF', 'NWI']) {
    const order = world.orders(100).find((one) => one.company === company)!
    it.landscape.shop.cancel(it.landscape.shop.place(order).id)
  }
  const messages = read(hostedShopDoor('shop', settings), 'shop')
  expect(messages.map(({ company, message }) => [company, message?.type])).toEqual([
    ['NWF', 'order-placed'],
    ['NWF', 'order-withdrawn'],
    ['NWI', 'order-placed'],
    ['NWI', 'order-withdrawn'],
  ])
})
