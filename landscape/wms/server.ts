/** The WMS's API and its webhooks: outbound orders, stock snapshots, signed batches of events. */
import { type Fields, parsed, text } from '../fields.ts'
import { createHmac } from 'node:crypto'
import { pageOf } from '../erp/pages.ts'
import type { FaultBoard } from '../faults.ts'
import { inAnotherOrder } from '../random.ts'
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
import { webhooks, type Post, type WebhookTruth } from '../webhooks.ts'
import type { World } from '../world/world.ts'
import type { Adjustment } from './adjustments.ts'
import { type EventsMemory, type EventStream, eventStream } from './events.ts'
import { labelling } from './labels.ts'
import { type OwnOrder, OwnOrders } from './own-orders.ts'
import { WmsRefusal } from './refusal.ts'
import { inboundRows, siteRows, unitsOf } from './rows.ts'
import { STATUS, type OutboundOrder, type WmsEvent } from './shapes.ts'
import type { Shelf } from './stock.ts'
import { Warehouse, type WarehouseMemory, type Known, type Pace } from './store.ts'

export const WMS = 'wms'
const BATCH = 50
const PAGE = 500
const LARGEST_PAGE = 2_000
const ORDERS = '/api/outbound_orders'

export type WmsOptions = ServerOptions & {
  pace: Pace
  apiKey: string
  webhookSecret: string
  webhookUrl: string | undefined
  webhookBatch: number
  announcePicking: boolean
  tellPicks: readonly string[]
  waitForLabels?: Readonly<Record<string, number>>
  enforceCutOff: boolean
  endlessStock: boolean
  /** Receipts of the world arrive by themselves, so long after the start for each day. 0: only when told to. */
  dayMs: number
  packagesAfter?: number
  post: Post
  /** Called for each event beside the webhook: the carrier's manifest. */
  onEvent: (event: WmsEvent) => void
}

export type WmsTruth = {
  orders: OutboundOrder[]
  events: WmsEvent[]
  stock: { site: string; owner: string; sku: string; lot: string; status: string; qty: number }[]
  sequence: number
  webhooks: WebhookTruth
}

type WmsMemory = { warehouse: WarehouseMemory; stream: EventsMemory; own?: OwnOrder[] }

export type Wms = SystemHandle<WmsTruth> & {
  deliverTo(url: string): void
  /** All that has not come yet of it, or as much of that. */
  receive(asnId: string, part?: number): void
  /** All dated receipts that have not arrived yet arrive now. */
  receiveAll(): void
  /** All orders that are accepted are picked now. */
  pickAll(): void
  adjust(adjustment: Adjustment): void
  /** It lies on the shelf from now on, and nothing is told of it. */
  put: Warehouse['shelves']['put']
  /** Packs an order anew that waits for labels. */
  repack(reference: string): void
  /** Orders that do not come from us. */
  own: OwnOrders
  /** What lies on the shelves, unit by unit, of items whose units have serials. */
  units(): Shelf[]
  /** What waits for its next attempt at us is told now. */
  redeliver(): void
}

const publicOrder = ({
  seenFromMs: _,
  events: __,
  parts: ___,
  packing: ____,
  ...order
}: Known): OutboundOrder => order
const briefly = ({ wms_order_id, status, external_ref }: OutboundOrder): Fields => ({
  external_ref,
  wms_order_id,
  status,
})

function refusal(error: unknown): { status: number; body: Fields } {
  if (!(error instanceof WmsRefusal)) throw error
  const { status, code, field, order } = error
  const detail = { code, message: code.toLowerCase().replaceAll('_', ' '), ...(field ? { field } : {}) }
  return { status, body: { error: detail, ...(order ? { order: publicOrder(order as Known) } : {}) } }
}

function attempt(work: () => Reply): Reply {
  try {
    return work()
  } catch (error) {
    const { status, body } = refusal(error)
    return json(status, body)
  }
}

type Bulk = { warehouse: Warehouse; faults: FaultBoard; seed: string }

function releaseMany({ warehouse, faults, seed }: Bulk, given: readonly Fields[]): Reply {
  const accepted: Known[] = []
  const results = given.map((fields): Fields => {
    const reference = text(fields['external_ref'])
    if (!faults.quiet && faults.strike('item-failure', 'releaseOrders', reference)) {
      return { external_ref: reference, code: 503, error: { code: 'BUSY', message: 'send again' } }
    }
    try {
      const order = warehouse.accept(fields)
      accepted.push(order)
      return { ...briefly(order), code: 201 }
    } catch (error) {
      const { status, body } = refusal(error)
      const order = body['order'] as OutboundOrder | undefined
      return { external_ref: reference, ...(order ? briefly(order) : {}), code: status, error: body['error'] }
    }
  })
  warehouse.plan(accepted)
  return json(207, { results: inAnotherOrder(seed, String(given[0]?.['external_ref']), results) })
}

const invalid = (field: string): Reply =>
  json(422, { error: { code: 'VALIDATION', message: 'invalid', field } })

function releases(bulk: Bulk, call: Call): Operation | undefined {
  const fields = parsed(call.body)
  if (call.path === ORDERS) {
    const one = (): Reply => {
      if (!fields) return invalid('')
      return attempt(() => {
        const order = bulk.warehouse.accept(fields)
        bulk.warehouse.plan([order])
        return json(201, publicOrder(order))
      })
    }
    return { name: 'releaseOrder', keys: fields ? [String(fields['external_ref'])] : [], run: one }
  }
  if (call.path === `${ORDERS}/bulk`) {
    const orders = Array.isArray(fields?.['orders']) ? (fields['orders'] as Fields[]) : undefined
    const run = (): Reply =>
      orders && orders.length <= BATCH ? releaseMany(bulk, orders) : invalid('orders')
    return { name: 'releaseOrders', keys: orders?.map((one) => String(one['external_ref'])) ?? [], run }
  }
  const labels = labelling(call, (packing) =>
    attempt(() => (bulk.warehouse.label(packing, fields ?? {}), json(200, { packing_id: packing }))),
  )
  if (labels) return labels
  const id = /^\/api\/outbound_orders\/([^/]+)\/cancel$/.exec(call.path)?.[1]
  if (id === undefined) return undefined
  return {
    name: 'cancelOrder',
    keys: [id],
    run: () => attempt(() => json(200, publicOrder(bulk.warehouse.cancel(id)))),
  }
}

function snapshot(warehouse: Warehouse, world: World, asked: URLSearchParams, takenAt: string): Reply {
  const limit = Math.min(Number(asked.get('limit') ?? PAGE) || PAGE, LARGEST_PAGE)
  const page = pageOf(stockRows(warehouse, asked), Number(asked.get('cursor') ?? 0), limit)
  const units = unitsOf(world)
  const rows = page.rows.map((shelf) => ({
    site: shelf.site,
    owner: shelf.owner,
    sku: shelf.sku,
    lot: shelf.lot,
    expires_on: shelf.expiresOn || null,
    status: shelf.status === 'picked' ? 'PICKED' : STATUS[shelf.status],
    qty: shelf.quantity,
    uom: units.get(shelf.sku) ?? 'EA',
    stock_sequence: warehouse.shelves.lastTold(shelf),
  }))
  const next = page.next === undefined ? null : String(page.next)
  return json(200, { sequence: warehouse.lastSequence(), taken_at: takenAt, rows, next_cursor: next })
}

type StockRow = Omit<Shelf, 'status'> & { status: Shelf['status'] | 'picked' }

/** Shelves, then what is picked of them and has not left. */
function stockRows(warehouse: Warehouse, asked: URLSearchParams): StockRow[] {
  const [site, owner] = [asked.get('site'), asked.get('owner')]
  const picked = warehouse
    .picked()
    .filter((row) => (site === null || row.site === site) && (owner === null || row.owner === owner))
  return [
    ...warehouse.shelves.rows(site, owner),
    ...picked.map((row): StockRow => ({ ...row, expiresOn: '', status: 'picked' })),
  ]
}

function reads(warehouse: Warehouse, world: World, call: Call, now: () => Date): Operation | undefined {
  const asked = new URLSearchParams(call.query)
  const references = (asked.get('external_ref') ?? '').split(',').filter((one) => one !== '')
  if (call.path === ORDERS) {
    const run = (): Reply =>
      references.length > BATCH
        ? invalid('external_ref')
        : json(200, { orders: warehouse.find(references).map(publicOrder) })
    return { name: 'findOrders', keys: references, run }
  }
  if (call.path === '/api/inventory/snapshot') {
    return { name: 'stock', keys: [], run: () => snapshot(warehouse, world, asked, now().toISOString()) }
  }
  if (call.path === '/api/inbound') {
    return {
      name: 'inbound',
      keys: [],
      run: () => json(200, { rows: inboundRows(warehouse, world, asked.get('owner')) }),
    }
  }
  if (call.path === '/api/sites')
    return { name: 'sites', keys: [], run: () => json(200, { rows: siteRows(world) }) }
  const id = /^\/api\/outbound_orders\/([^/]+)$/.exec(call.path)?.[1]
  if (id === undefined) return undefined
  const run = (): Reply => {
    const order = warehouse.read(id)
    return order
      ? json(200, publicOrder(order))
      : json(404, { error: { code: 'NOT_FOUND', message: 'not found' } })
  }
  return { name: 'readOrder', keys: [id], run }
}

/** Orders of an owner that were not sent with the key that asks. */
function othersOf(own: OwnOrders, call: Call): Operation | undefined {
  const asked = new URLSearchParams(call.query)
  return call.path === ORDERS && asked.get('origin') === 'other' ? own.list(asked) : undefined
}

/** What was told of orders, or of stock of an owner's items at a site, for those whom a webhook did not reach. */
function history(stream: EventStream, call: Call): Operation | undefined {
  if (call.path !== '/api/events') return undefined
  const asked = new URLSearchParams(call.query)
  const orders = namesIn(asked, 'external_ref')
  const skus = namesIn(asked, 'sku')
  const isAsked = (event: WmsEvent): boolean =>
    orders.has(text(event['external_ref'])) ||
    (skus.has(text(event['sku'])) &&
      event['site'] === asked.get('site') &&
      event['owner'] === asked.get('owner'))
  const run = (): Reply => {
    const long = [orders, skus].findIndex((names) => names.size > BATCH)
    return long < 0
      ? json(200, { events: stream.events().filter(isAsked) })
      : invalid(long === 0 ? 'external_ref' : 'sku')
  }
  return { name: 'events', keys: [...orders, ...skus], run }
}

const namesIn = (asked: URLSearchParams, name: string): Set<string> =>
  new Set((asked.get(name) ?? '').split(',').filter((one) => one !== ''))

const CODE: Record<number, string> = { 404: 'NOT_FOUND', 429: 'TOO_MANY_REQUESTS' }

const trouble = (status: number, detail: string): Reply =>
  json(status, { error: { code: CODE[status] ?? 'BUSY', message: detail } })

const signer =
  (secret: string) =>
  (body: string) =>
  (now: Date): Record<string, string> => {
    const t = Math.floor(now.getTime() / 1_000)
    const v1 = createHmac('sha256', secret).update(`${t}.${body}`).digest('hex')
    return { 'x-depot-signature': `t=${t},v1=${v1}` }
  }

const behindKey = (found: Operation, call: Call, apiKey: string): Operation =>
  call.headers['x-api-key'] === apiKey
    ? found
    : {
        ...found,
        run: () => json(401, { error: { code: 'UNAUTHORIZED', message: 'the API key is missing or wrong' } }),
      }

const shelfRow = ({ site, owner, sku, lot, status, quantity }: Shelf): WmsTruth['stock'][number] => ({
  site,
  owner,
  sku,
  lot,
  status: STATUS[status],
  qty: quantity,
})

function receiveDaily(warehouse: Warehouse, dayMs: number): void {
  for (const [asnId, receipt] of warehouse.inbound)
    warehouse.later(receipt.day * dayMs, () => warehouse.receive(asnId))
}

type Remembering = { own: OwnOrders; warehouse: Warehouse; stream: EventStream }

function recallAll({ own, warehouse, stream }: Remembering, memory: WmsMemory | undefined): void {
  if (!memory) return
  own.recall(memory.own ?? [])
  warehouse.recall(memory.warehouse)
  stream.recall(memory.stream)
}

export async function startWms(world: World, options: WmsOptions): Promise<Wms> {
  const { clock, seed, keep, name: system = WMS } = options
  const tools = systemTools(options, system)
  const hooks = webhooks({
    clock,
    seed: `${seed}/${system}`,
    faults: tools.faults,
    post: options.post,
    url: options.webhookUrl,
  })
  const stream = eventStream({
    clock,
    keep,
    batch: options.webhookBatch,
    sign: signer(options.webhookSecret),
    send: hooks.send,
    undelivered: hooks.undelivered,
  })
  const publish = (event: WmsEvent): void => {
    stream.publish(event)
    options.onEvent(event)
  }
  const warehouse = new Warehouse({ ...options, world, faults: tools.faults, publish })
  const own = new OwnOrders(world, warehouse, clock)
  recallAll({ own, warehouse, stream }, options.memory as WmsMemory | undefined)
  const bulk = { warehouse, faults: tools.faults, seed }
  if (options.dayMs > 0) receiveDaily(warehouse, options.dayMs)

  function operation(call: Call): Operation | undefined {
    const found =
      call.method === 'POST'
        ? releases(bulk, call)
        : (othersOf(own, call) ?? history(stream, call) ?? reads(warehouse, world, call, clock.now))
    return found && behindKey(found, call, options.apiKey)
  }

  const truth = (): WmsTruth => ({
    orders: warehouse.orders().map(publicOrder),
    events: stream.events(),
    stock: warehouse.shelves.rows(null, null).map(shelfRow),
    sequence: warehouse.lastSequence(),
    webhooks: hooks.truth(),
  })
  const remember = (): WmsMemory => ({
    warehouse: warehouse.remember(),
    stream: stream.remember(),
    own: own.remember(),
  })
  const handle = await startSystem({ system, operation, trouble, truth, remember }, tools, options)
  return {
    ...handle,
    deliverTo: hooks.deliverTo,
    receive: (asnId, part) => warehouse.receive(asnId, part),
    receiveAll: () => [...warehouse.inbound.keys()].forEach((asnId) => warehouse.receive(asnId)),
    pickAll: () => warehouse.startPicking([...warehouse.byId.values()]),
    adjust: (adjustment) => warehouse.adjust(adjustment),
    put: (place, goods) => warehouse.shelves.put(place, goods),
    repack: (reference) => warehouse.repack(reference),
    own,
    units: () => warehouse.shelves.rows(null, null).filter(({ serials }) => serials !== undefined),
    redeliver: hooks.redeliver,
    async stop() {
      warehouse.stop()
      hooks.stop()
      await handle.stop()
    },
  }
}
