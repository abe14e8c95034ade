/** The shops' lists of orders, against the simulated shop: what happened since then is told whole, and as a webhook would. */
import { beforeAll, expect, test } from 'vitest'
import type { ChannelMessage } from '#capabilities/channel-messages.ts'
import { systemClock } from '#platform/clock.ts'
import type { InboundMessage } from '#platform/inbound.ts'
import { createHostedShopConnector } from '#systems/shop-hosted/connector.ts'
import { ground, world } from '../landscape.ts'

const it = ground()
let inbound: ReturnType<typeof createHostedShopConnector>['inbound']
beforeAll(() => {
  const shopOf = (company: string, name: string) => ({
    company,
    domain: `${name}.shop.example`,
    tokenCredential: `${company}Token`,
    secretCredential: `${company}Secret`,
  })
  ;({ inbound } = createHostedShopConnector({
    instance: 'shop',
    settings: {
      baseUrl: it.landscape.shop.url,
      credentials: {
        NWFToken: 'foods-token',
        NWFSecret: 'foods-secret',
        NWIToken: 'industrial-token',
        NWISecret: 'industrial-secret',
      },
      options: { shops: [shopOf('NWF', 'northway-foods'), shopOf('NWI', 'northway-industrial')] },
    },
    http: it.http,
    clock: systemClock,
  }))
})

const orders = world.orders(100).filter((order) => order.case === 'regular')
const place = (company: 'NWF' | 'NWI') =>
  it.landscape.shop.place(orders.find((order) => order.company === company)!)

async function pagesSince(since: Date): Promise<InboundMessage<ChannelMessage>[][]> {
  const pages = []
  for await (const page of inbound.changedSince!(since)) pages.push([...page])
  return pages
}
const toldSince = async (since: Date) => (await pagesSince(since)).flat()
const calls = (): number => it.landscape.shop.received.requests('orders')

/** A moment that no order placed before it has. */
async function now(): Promise<Date> {
  await systemClock.sleep(2)
  return systemClock.now()
}

test('orders of all shops that were placed since then are told, each as its webhook would be', async () => {
  const since = await now()
  const [foods, industrial] = [place('NWF'), place('NWI')]
  const told = await toldSince(since)
  expect(told.map(({ type, company, stream, takenAt }) => [type, company, stream, takenAt])).toEqual([
    ['orders/create', 'NWF', `order/${foods.id}`, new Date(foods.created_at)],
    ['orders/create', 'NWI', `order/${industrial.id}`, new Date(industrial.created_at)],
  ])
  for (const one of told) {
    expect(one.message).toMatchObject({ type: 'order-placed', company: one.company })
    expect(await inbound.restore(one)).toMatchObject({ message: one.message, messageId: one.messageId })
  }
})

test('an order that is listed again is told under the same name', async () => {
  const since = await now()
  place('NWF')
  expect(await toldSince(since)).toEqual(await toldSince(since))
})

test('an older order that has only changed is left out, and one that was cancelled since is told as cancelled', async () => {
  const [changed, before, cancelled] = [place('NWF'), place('NWF'), place('NWF')]
  it.landscape.shop.cancel(before.id)
  const since = await now()
  for (const order of [changed, before])
    Object.assign(order, { note: 'please ring', updated_at: systemClock.now().toISOString() })
  it.landscape.shop.cancel(cancelled.id)
  expect(await toldSince(since)).toMatchObject([
    {
      type: 'orders/cancelled',
      stream: `order/${cancelled.id}`,
      takenAt: new Date(cancelled.cancelled_at!),
      message: { type: 'order-withdrawn', externalId: String(cancelled.id) },
    },
  ])
})

test('more orders than a page holds come page by page', async () => {
  const since = await now()
  const placed = Array.from({ length: 260 }, () => place('NWI').id)
  const before = calls()
  const pages = await pagesSince(since)
  expect(pages.map((page) => page.length)).toEqual([0, 250, 10])
  expect(calls() - before).toBe(3)
  expect(pages.flat().map(({ stream }) => stream)).toEqual(placed.map((id) => `order/${id}`))
})

test('an order that says nothing we understand is told as unreadable, with its neighbours', async () => {
  const since = await now()
  Object.assign(place('NWF'), { line_items: 'none' })
  place('NWF')
  const [broken, whole] = await toldSince(since)
  expect(broken?.unreadable).toMatchObject({ code: 'inbound.message_unreadable' })
  expect(whole?.message).toMatchObject({ type: 'order-placed' })
})

test.each([
  ['a page of a proxy', { kind: 'wrong-body', body: 'html' }],
  ['an error', { kind: 'server-error' }],
] as const)('%s instead of the list is an outage', async (_, fault) => {
  it.landscape.shop.faults.set({ ...fault, operation: 'orders', times: 1 })
  await expect(toldSince(new Date())).rejects.toMatchObject({
    name: expect.stringMatching(/Outage|Unanswered/),
  })
})
