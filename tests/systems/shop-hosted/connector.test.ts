/** The shop connector against the simulated shop: told of orders by webhook, telling what became of them. */
import { createHmac } from 'node:crypto'
import { beforeAll, expect, test } from 'vitest'
import {
  acknowledge,
  notifyShipment,
  type OrderAcknowledgement,
  type ShipNotice,
} from '#capabilities/channel.ts'
import { systemClock } from '#platform/clock.ts'
import { Refusal } from '#platform/faults.ts'
import { units } from '#platform/quantity.ts'
import { createHostedShopConnector, type HostedShopConnector } from '#systems/shop-hosted/connector.ts'
import { HostedShopSettings } from '#systems/shop-hosted/settings.ts'
import { effectOf, fresh, ground, lookUp, send, world, sendAfterLease } from '../landscape.ts'

const it = ground()
let shop: HostedShopConnector

const settingsOf = (baseUrl: string, credentials: Record<string, string> = {}) => ({
  baseUrl,
  credentials: {
    foodsToken: 'foods-token',
    foodsSecret: 'foods-secret',
    industrialToken: 'industrial-token',
    industrialSecret: 'industrial-secret',
    ...credentials,
  },
  options: {
    shops: [
      {
        company: 'NWF',
        domain: 'northway-foods.shop.example',
        tokenCredential: 'foodsToken',
        secretCredential: 'foodsSecret',
      },
      {
        company: 'NWI',
        domain: 'northway-industrial.shop.example',
        tokenCredential: 'industrialToken',
        secretCredential: 'industrialSecret',
      },
    ],
  },
})

const connect = (credentials: Record<string, string> = {}): HostedShopConnector =>
  createHostedShopConnector({
    instance: 'shop',
    settings: settingsOf(it.landscape.shop.url, credentials),
    http: it.http,
    clock: systemClock,
  })

beforeAll(() => void (shop = connect()))

const worldOrder = world.orders(100).find((order) => order.door === 'shop' && order.case === 'regular')!
const place = () => it.landscape.shop.place(worldOrder)
type Placed = ReturnType<typeof place>
const truthOf = (id: number) => it.landscape.shop.truth().orders.find((order) => order.id === id)!

const cases = ({ id, sku }: Placed['line_items'][number], count: number) => {
  const counted = { quantity: units(count), unit: 'CA' }
  return { line: String(id), sku, ...counted, asOrdered: counted }
}

function noticeOf(order: Placed, overrides: Partial<ShipNotice> = {}) {
  const shipment = fresh('S')
  const [first] = order.line_items
  const lines = [cases(first!, 1)]
  return effectOf(shipment, {
    company: worldOrder.company,
    shipment,
    order: 'O-1',
    customer: worldOrder.customer,
    customerOrder: worldOrder.poNumber,
    externalId: String(order.id),
    shippedAt: new Date('2026-11-22T12:00:00Z'),
    carrier: 'SWIFT',
    location: 'DC1',
    packages: [{ tracking: 'SW1', lines }],
    ...overrides,
  } satisfies ShipNotice)
}

function acknowledgementOf(order: Placed, overrides: Partial<OrderAcknowledgement> = {}) {
  return effectOf('O-1', {
    company: worldOrder.company,
    order: 'O-1',
    customer: worldOrder.customer,
    customerOrder: worldOrder.poNumber,
    externalId: String(order.id),
    currency: worldOrder.currency,
    outcome: 'accepted',
    turn: 1,
    lines: [],
    ...overrides,
  } satisfies OrderAcknowledgement)
}

test('a shipment becomes one fulfillment of the order', async () => {
  const order = place()
  const notice = noticeOf(order)
  const outcome = await send(shop, notifyShipment, notice)
  const [fulfillment] = truthOf(order.id).fulfillments
  expect(outcome).toEqual({ kind: 'confirmed', answer: { reference: String(fulfillment!.id) } })
  expect(fulfillment).toMatchObject({ external_id: notice.businessKey, tracking_info: { number: 'SW1' } })
})

test.each([
  ['no answer', { kind: 'no-answer' }],
  ['a page of a proxy', { kind: 'wrong-body', body: 'html' }],
  ['half a body', { kind: 'wrong-body', body: 'truncated' }],
] as const)('%s after the effect is unknown, and the look-up finds the fulfillment', async (_, fault) => {
  const order = place()
  const notice = noticeOf(order)
  expect(await lookUp(shop, notifyShipment, notice)).toEqual({ kind: 'absent' })
  it.landscape.shop.faults.set({ ...fault, operation: 'fulfill', times: 1 })
  expect(await send(shop, notifyShipment, notice)).toMatchObject({ kind: 'unknown' })
  const [fulfillment, ...more] = truthOf(order.id).fulfillments
  expect(await lookUp(shop, notifyShipment, notice)).toEqual({
    kind: 'confirmed',
    answer: { reference: String(fulfillment!.id) },
  })
  expect(more).toEqual([])
})

test('more than is left to fulfill is refused in the words of the shop', async () => {
  const order = place()
  const [first] = order.line_items
  const lines = [cases(first!, 10_000)]
  expect(await send(shop, notifyShipment, noticeOf(order, { packages: [{ lines }] }))).toEqual({
    kind: 'refused',
    code: '422',
    message: `line_items: ${first!.id}: more than is left to fulfill`,
  })
})

test('an acknowledgement is said again without harm', async () => {
  const order = place()
  const told = acknowledgementOf(order)
  it.landscape.shop.faults.set({ kind: 'no-answer', operation: 'note', times: 1 })
  expect(await send(shop, acknowledge, told)).toMatchObject({ kind: 'unknown' })
  expect(await send(shop, acknowledge, told)).toEqual({
    kind: 'confirmed',
    answer: { reference: String(order.id) },
  })
  expect(truthOf(order.id)).toMatchObject({ tags: 'order-accepted', note: 'O-1: accepted' })
})

test('an acknowledgement that could not read the order has changed nothing', async () => {
  const order = place()
  it.landscape.shop.faults.set({ kind: 'server-error', status: 500, operation: 'readOrder', times: 1 })
  expect(await send(shop, acknowledge, acknowledgementOf(order))).toMatchObject({ kind: 'retry' })
})

test('after an error without a promise everything is possible', async () => {
  it.landscape.shop.faults.set({ kind: 'server-error', status: 500, operation: 'fulfill', times: 1 })
  expect(await send(shop, notifyShipment, noticeOf(place()))).toMatchObject({ kind: 'unknown' })
})

test('a rate limit says when to come back', async () => {
  it.landscape.shop.faults.set({
    kind: 'rate-limit',
    perSecond: 0.001,
    burst: 0,
    retryAfterSeconds: 30,
    retryAfterAs: 'date',
  })
  expect(await send(shop, notifyShipment, noticeOf(place()))).toMatchObject({
    kind: 'retry',
    at: expect.any(Date),
  })
})

test('what did not come from the shop cannot be told to it', async () => {
  const order = place()
  const homeless = noticeOf(order, { externalId: undefined })
  expect(await send(shop, notifyShipment, homeless)).toMatchObject({
    kind: 'refused',
    code: 'connector.reference_missing',
  })
  const foreign = acknowledgementOf(order, { company: 'ACME' })
  expect(await send(shop, acknowledge, foreign)).toMatchObject({
    kind: 'refused',
    code: 'connector.code_unmapped',
  })
})

test('an order that the shop does not have is refused', async () => {
  const nothing = acknowledgementOf(place(), { externalId: '1' })
  expect(await send(shop, acknowledge, nothing)).toEqual({
    kind: 'refused',
    code: '404',
    message: 'Not Found',
  })
})

test('wrong credentials refuse no document, and missing ones no start', async () => {
  const wrong = connect({ foodsToken: 'wrong', industrialToken: 'wrong' })
  expect(await send(wrong, notifyShipment, noticeOf(place()))).toMatchObject({ kind: 'retry' })
  const { baseUrl, options } = settingsOf('http://127.0.0.1:1')
  const parsed = HostedShopSettings.safeParse({ baseUrl, options, credentials: {} })
  expect(parsed.error?.issues[0]?.message).toBe('there is no credential "foodsToken"')
})

function headersOf(
  body: string,
  { secret = 'foods-secret', domain = 'northway-foods.shop.example', topic = 'orders/create' } = {},
) {
  return {
    'x-shop-topic': topic,
    'x-shop-domain': domain,
    'x-shop-webhook-id': 'NWF-00000001',
    'x-shop-hmac-sha256': createHmac('sha256', secret).update(body).digest('base64'),
  }
}

const foods = world
  .orders(200)
  .find((order) => order.door === 'shop' && order.company === 'NWF' && order.case === 'regular')!
const bodyOf = (): string => JSON.stringify(it.landscape.shop.place(foods))

const codeOf = (work: () => unknown): string => {
  try {
    work()
  } catch (error) {
    if (error instanceof Refusal) return error.code
    throw error
  }
  return 'none'
}

test('a webhook of one shop becomes an order of its company, and can be read again', () => {
  const body = bodyOf()
  const [message] = shop.inbound.read(headersOf(body), Buffer.from(body))
  expect(message).toMatchObject({ messageId: 'NWF-00000001', type: 'orders/create', company: 'NWF' })
  expect(message!.message).toMatchObject({ type: 'order-placed', order: { customer: foods.customer } })
  expect(shop.inbound.restore(message!)).toEqual(message)
})

test('every order that the generator lets a shop place is understood', () => {
  for (const order of world.orders(200).filter((one) => one.door === 'shop')) {
    const body = JSON.stringify(it.landscape.shop.place(order))
    const foodsShop = order.company === 'NWF'
    const sender = foodsShop
      ? {}
      : { secret: 'industrial-secret', domain: 'northway-industrial.shop.example' }
    const [message] = shop.inbound.read(headersOf(body, sender), Buffer.from(body))
    expect(message!.unreadable).toBeUndefined()
  }
})

test.each([
  ["another shop's secret", { secret: 'industrial-secret' }, 'inbound.signature_invalid'],
  ['a shop that is not ours', { domain: 'evil.example' }, 'inbound.sender_unknown'],
])('a webhook with %s is refused', (_, how, code) => {
  const body = bodyOf()
  expect(codeOf(() => shop.inbound.read(headersOf(body, how), Buffer.from(body)))).toBe(code)
})

test('a webhook without a signature is refused', () => {
  const body = bodyOf()
  const { 'x-shop-hmac-sha256': _signature, ...unsigned } = headersOf(body)
  expect(codeOf(() => shop.inbound.read(unsigned, Buffer.from(body)))).toBe('inbound.signature_missing')
})

test('a topic that nobody knows and a body that is no order are kept apart', () => {
  const body = bodyOf()
  const [unknown] = shop.inbound.read(headersOf(body, { topic: 'orders/paid' }), Buffer.from(body))
  expect(unknown).toMatchObject({ messageId: 'NWF-00000001', type: 'orders/paid', body })
  expect(unknown!.unreadable?.code).toBe('inbound.message_unreadable')
  const [empty] = shop.inbound.read(headersOf('{}'), Buffer.from('{}'))
  expect(empty!.unreadable?.code).toBe('inbound.message_unreadable')
})

test('a call that is still to be sent when the lease ends stays at home', async () => {
  const order = place()
  const late = noticeOf(order)
  expect(await sendAfterLease(shop, notifyShipment, late)).toBe('not asked: withdrawn')
  expect(truthOf(order.id).fulfillments).toEqual([])
})
