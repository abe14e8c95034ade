/** The hosted shop's API and its webhooks: orders out, fulfillments and levels in. */
import type { FaultBoard } from '../faults.ts'
import { type Fields, parsed } from '../fields.ts'
import { createHmac } from 'node:crypto'
import {
  json,
  startSystem,
  systemTools,
  type Call,
  type Operation,
  type Reply,
  type ServerOptions,
  type SystemHandle,
} from '../server.ts'
import { webhooks, type Post, type Undelivered, type Webhooks, type WebhookTruth } from '../webhooks.ts'
import type { World, WorldOrder } from '../world/world.ts'
import { type Fulfillment, type Shop, type ShopOrder, ShopRefusal } from './shapes.ts'
import { type ShopMemory, ShopStore, type StoredOrder } from './store.ts'

export const SHOP = 'shop'
const ROOT = '/admin/api/2026-10'
const PAGE = 50
const LARGEST_PAGE = 250
const NOT_FOUND = { errors: 'Not Found' }

export const DEFAULT_SHOPS: Shop[] = [
  { company: 'NWF', domain: 'northway-foods.shop.example', token: 'foods-token', secret: 'foods-secret' },
  {
    company: 'NWI',
    domain: 'northway-industrial.shop.example',
    token: 'industrial-token',
    secret: 'industrial-secret',
  },
]

export type ShopOptions = ServerOptions & { shops: Shop[]; webhookUrl: string | undefined; post: Post }

export type ShopTruth = {
  orders: (ShopOrder & { shop: string; fulfillments: Fulfillment[] })[]
  levels: Record<string, number>
  webhooks: WebhookTruth
}

export type ShopHandle = SystemHandle<ShopTruth> & {
  deliverTo(url: string): void
  /** A buyer places an order: the shop numbers it and tells by webhook. */
  place(order: WorldOrder): ShopOrder
  /** The buyer cancels in the shop. */
  cancel(id: number): void
  /** What waits for its next attempt at us is told now. */
  redeliver(): void
  /** Somebody lists the sku of a company in its shop, or takes it out. */
  sells(company: string, sku: string, isSold: boolean): void
  /** The shop forgets every level, as after a restored backup. */
  loseLevels(): void
}

function attempt(work: () => Reply): Reply {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof ShopRefusal)) throw error
    return json(error.status, { errors: error.errors })
  }
}

type Verb = {
  name: string
  run: (store: ShopStore, shop: Shop, about: About) => Reply
}
/** `fails`: what a bad moment strikes. */
type About = { id: string; call: Call; fields: Fields; fails: (key: string) => boolean }
type Route = { method: string; path: RegExp; verb: Verb }

function listOrders(store: ShopStore, shop: Shop, call: Call): Reply {
  const asked = new URLSearchParams(call.query)
  const limit = Math.min(Number(asked.get('limit') ?? PAGE) || PAGE, LARGEST_PAGE)
  const all = store.list(shop, Number(asked.get('since_id') ?? 0), asked.get('updated_at_min'))
  const orders = all.slice(0, limit)
  const last = orders.at(-1)
  if (all.length <= limit || !last) return json(200, { orders })
  asked.set('since_id', String(last.id))
  return json(200, { orders }, { link: `<${ROOT}/orders.json?${asked.toString()}>; rel="next"` })
}

const route = (method: string, path: RegExp, name: string, run: Verb['run']): Route => ({
  method,
  path,
  verb: { name, run },
})

const ROUTES: Route[] = [
  route('GET', /^\/orders\.json$/, 'orders', (store, shop, { call }) => listOrders(store, shop, call)),
  route('GET', /^\/orders\/(\d+)\.json$/, 'readOrder', (store, shop, { id }) =>
    json(200, { order: store.read(shop, id).order }),
  ),
  route('PUT', /^\/orders\/(\d+)\.json$/, 'note', (store, shop, { id, fields }) =>
    json(200, { order: store.annotate(store.read(shop, id), (fields['order'] ?? {}) as Fields) }),
  ),
  route('POST', /^\/orders\/(\d+)\/cancel\.json$/, 'cancelOrder', (store, shop, { id }) =>
    json(200, { order: store.cancel(store.read(shop, id)) }),
  ),
  route('GET', /^\/orders\/(\d+)\/fulfillments\.json$/, 'fulfillments', (store, shop, { id }) =>
    json(200, { fulfillments: store.read(shop, id).fulfillments }),
  ),
  route('POST', /^\/orders\/(\d+)\/fulfillments\.json$/, 'fulfill', (store, shop, { id, fields }) =>
    json(201, { fulfillment: store.fulfill(store.read(shop, id), (fields['fulfillment'] ?? {}) as Fields) }),
  ),
  route('POST', /^\/inventory_levels\/set\.json$/, 'setInventory', (store, shop, { fields, fails }) =>
    json(200, { inventory_levels: store.levels.set(shop, fields, fails) }),
  ),
]

function keysOf(id: string, fields: Fields): string[] {
  const fulfillment = fields['fulfillment'] as Fields | undefined
  if (typeof fulfillment?.['external_id'] === 'string') return [fulfillment['external_id']]
  const levels = fields['inventory_levels']
  if (Array.isArray(levels)) return (levels as Fields[]).map((level) => String(level['inventory_item_id']))
  return id === '' ? [] : [id]
}

const failing =
  (faults: FaultBoard, operation: string) =>
  (key: string): boolean =>
    !faults.quiet && faults.strike('item-failure', operation, key) !== undefined

type TellerMemory = { deliveries: number; undelivered: Undelivered[] }
type Memory = { store: ShopMemory; teller: TellerMemory }

/** Tells the shop's subscriber of an order, signed with that shop's secret. */
function teller(hooks: Webhooks, shops: readonly Shop[], memory?: TellerMemory) {
  let deliveries = memory?.deliveries ?? 0

  function deliver(shop: Shop, { id, topic, body }: Undelivered): void {
    const hmac = createHmac('sha256', shop.secret).update(body).digest('base64')
    const sign = (now: Date): Record<string, string> => ({
      'x-shop-topic': topic,
      'x-shop-domain': shop.domain,
      'x-shop-webhook-id': id,
      'x-shop-triggered-at': now.toISOString(),
      'x-shop-hmac-sha256': hmac,
    })
    hooks.send({ id, topic, body, sign })
  }

  for (const delivery of memory?.undelivered ?? []) {
    const shop = shops.find(({ company }) => delivery.id.startsWith(`${company}-`))
    if (shop) deliver(shop, delivery)
  }
  return {
    tell(topic: string, { shop, order }: StoredOrder): void {
      const id = `${shop.company}-${String(++deliveries).padStart(8, '0')}`
      deliver(shop, { id, topic, body: JSON.stringify(order) })
    },
    remember: (): TellerMemory => ({ deliveries, undelivered: hooks.undelivered() }),
  }
}

const truthOf = (store: ShopStore, hooks: Webhooks): ShopTruth => ({
  orders: [...store.orders.values()].map(({ shop, order, fulfillments }) => ({
    ...order,
    shop: shop.domain,
    fulfillments,
  })),
  levels: store.levels.truth(),
  webhooks: hooks.truth(),
})

/** What a call asks of which shop. */
function operations(
  store: ShopStore,
  shops: readonly Shop[],
  faults: FaultBoard,
): (call: Call) => Operation | undefined {
  return (call) => {
    if (!call.path.startsWith(ROOT)) return undefined
    const path = call.path.slice(ROOT.length)
    const shop = shops.find((one) => one.token === call.headers['x-shop-access-token'])
    for (const { method, path: pattern, verb } of ROUTES) {
      const match = method === call.method ? pattern.exec(path) : null
      if (!match) continue
      const id = match[1] ?? ''
      const fields = parsed(call.body) ?? {}
      const run = (): Reply =>
        shop
          ? attempt(() => verb.run(store, shop, { id, call, fields, fails: failing(faults, verb.name) }))
          : json(401, { errors: 'Invalid API key or access token' })
      return { name: verb.name, keys: keysOf(id, fields), run }
    }
    return undefined
  }
}

export async function startShop(world: World, options: ShopOptions): Promise<ShopHandle> {
  const { clock, seed, shops, name: system = SHOP } = options
  const tools = systemTools(options, system)
  const store = new ShopStore(world, clock, options.keep)
  const memory = options.memory as Memory | undefined
  if (memory) store.recall(memory.store)
  const hooks = webhooks({
    clock,
    seed: `${seed}/${system}`,
    faults: tools.faults,
    post: options.post,
    url: options.webhookUrl,
  })

  const operation = operations(store, shops, tools.faults)
  const { tell, remember: rememberDeliveries } = teller(hooks, shops, memory?.teller)
  const remember = (): Memory => ({ store: store.remember(), teller: rememberDeliveries() })

  function shopOf(company: string): Shop {
    const shop = shops.find((one) => one.company === company)
    if (!shop) throw new Error(`no shop of ${company}`)
    return shop
  }

  function place(order: WorldOrder): ShopOrder {
    const stored = store.place(shopOf(order.company), order)
    tell('orders/create', stored)
    return stored.order
  }

  const truth = (): ShopTruth => truthOf(store, hooks)
  const trouble = (status: number, detail: string): Reply =>
    status === 404
      ? json(404, NOT_FOUND)
      : json(status, { errors: detail }, { 'x-shop-api-call-limit': status === 429 ? '40/40' : '1/40' })
  const handle = await startSystem({ system, operation, trouble, truth, remember }, tools, options)
  return {
    ...handle,
    deliverTo: hooks.deliverTo,
    redeliver: hooks.redeliver,
    sells: (company, sku, isSold) => store.levels.sells(shopOf(company), sku, isSold),
    loseLevels: () => store.levels.lose(),
    place,
    cancel(id) {
      const stored = store.orders.get(String(id))
      if (!stored) throw new Error(`the shop has no order ${id}`)
      store.cancel(stored)
      tell('orders/cancelled', stored)
    },
    async stop() {
      hooks.stop()
      await handle.stop()
    },
  }
}
