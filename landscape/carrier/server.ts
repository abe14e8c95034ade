/** The carrier's API and its tracking webhooks. */
import { type Fields, parsed, text } from '../fields.ts'
import { createHmac } from 'node:crypto'
import type { Clock } from '#platform/clock.ts'
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
import { webhooks, type Post, type Undelivered, type WebhookTruth } from '../webhooks.ts'
import type { CarrierShipment, Scan, Tracked } from './shapes.ts'
import { type CarrierMemory, CarrierRefusal, CarrierStore } from './store.ts'

export const CARRIER = 'carrier'

export type CarrierOptions = ServerOptions & {
  credentials: { user: string; password: string }
  webhookSecret: string
  webhookUrl: string | undefined
  /** The pause between two scans of a parcel; 0: parcels are scanned only when told to. */
  scanEveryMs: number
  exceptionShare: number
  post: Post
}

export type CarrierTruth = { shipments: CarrierShipment[]; parcels: Tracked[]; webhooks: WebhookTruth }

type Memory = { store: CarrierMemory; events: number; undelivered: Undelivered[] }

export type Carrier = SystemHandle<CarrierTruth> & {
  deliverTo(url: string): void
  /** What a warehouse hands over, under a label that was sold or its own. */
  manifest(trackingNumber: string, reference: string, shipTo: Fields): void
  /** The next scan of one parcel, at once. */
  scan(trackingNumber: string): void
  /** What waits for its next attempt at us is told now. */
  redeliver(): void
}

function attempt(work: () => Reply): Reply {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof CarrierRefusal)) throw error
    return json(error.status, { code: error.code, title: error.code.toLowerCase(), detail: error.message })
  }
}

function found(store: CarrierStore, call: Call): Operation | undefined {
  const [, , room, id] = call.path.split('/')
  if (room === 'shipments' && call.method === 'POST' && id === undefined) {
    const fields = parsed(call.body) ?? {}
    const run = (): Reply => {
      const { first, shipment } = store.label(fields)
      return json(first ? 201 : 200, shipment)
    }
    return { name: 'createLabel', keys: [text(fields['reference'])], run }
  }
  if (room === 'shipments' && call.method === 'GET') {
    const reference = new URLSearchParams(call.query).get('reference') ?? ''
    return {
      name: 'findShipments',
      keys: [reference],
      run: () => json(200, { shipments: store.find(reference) }),
    }
  }
  if (id === undefined) return undefined
  if (room === 'shipments' && call.method === 'DELETE') {
    return { name: 'voidLabel', keys: [id], run: () => json(200, store.void(id)) }
  }
  if (room !== 'tracking' || call.method !== 'GET') return undefined
  const run = (): Reply => {
    const { tracking_number, reference, scans } = store.track(id)
    return json(200, { tracking_number, reference, status: scans.at(-1)?.status ?? null, events: scans })
  }
  return { name: 'track', keys: [id], run }
}

const CODE: Record<number, string> = { 404: 'NOT_FOUND', 429: 'TOO_MANY_REQUESTS' }

/** Parcels travel by themselves when a pace is given. */
function road(store: CarrierStore, clock: Clock, scanEveryMs: number) {
  const timers = new Set<() => void>()
  function travel(tracked: Tracked): void {
    if (scanEveryMs <= 0) return
    const cancel = clock.after(scanEveryMs, () => {
      timers.delete(cancel)
      if (store.scan(tracked)) travel(tracked)
    })
    timers.add(cancel)
  }
  return { travel, stop: () => timers.forEach((cancel) => cancel()) }
}

export async function startCarrier(options: CarrierOptions): Promise<Carrier> {
  const { clock, seed, credentials } = options
  const tools = systemTools(options, CARRIER)
  const hooks = webhooks({
    clock,
    seed: `${seed}/carrier`,
    faults: tools.faults,
    post: options.post,
    url: options.webhookUrl,
  })
  const memory = options.memory as Memory | undefined
  let events = memory?.events ?? 0

  function deliver({ id, topic, body }: Undelivered): void {
    const hmac = createHmac('sha256', options.webhookSecret).update(body).digest('hex')
    hooks.send({ id, topic, body, sign: () => ({ 'x-swift-signature': `sha256=${hmac}` }) })
  }

  function tell(tracked: Tracked, scan: Scan): void {
    const id = `TE${String(++events).padStart(8, '0')}`
    const { tracking_number, reference } = tracked
    const body = JSON.stringify({ id, type: 'tracking.updated', tracking_number, reference, ...scan })
    deliver({ id, topic: 'tracking', body })
  }
  const store = new CarrierStore({ ...options, tell })

  const { travel, stop: stopTravelling } = road(store, clock, options.scanEveryMs)
  if (memory) {
    store.recall(memory.store)
    memory.undelivered.forEach(deliver)
    for (const parcel of memory.store.tracked)
      if (!parcel.isAwaited && parcel.scans.at(-1)?.status !== 'DLV') travel(parcel)
  }
  const expected = `Basic ${Buffer.from(`${credentials.user}:${credentials.password}`).toString('base64')}`

  function operation(call: Call): Operation | undefined {
    if (!call.path.startsWith('/v3/')) return undefined
    const one = found(store, call)
    if (!one) return undefined
    if (call.headers['authorization'] === expected) return { ...one, run: () => attempt(one.run) }
    return { ...one, run: () => json(401, { code: 'UNAUTHENTICATED', title: 'unauthenticated', detail: '' }) }
  }

  const trouble = (status: number, detail: string): Reply =>
    json(status, { code: CODE[status] ?? 'UNAVAILABLE', title: 'trouble', detail })
  const truth = (): CarrierTruth => ({
    shipments: store.shipments(),
    parcels: store.parcels(),
    webhooks: hooks.truth(),
  })
  const remember = (): Memory => ({ store: store.remember(), events, undelivered: hooks.undelivered() })
  const handle = await startSystem({ system: CARRIER, operation, trouble, truth, remember }, tools, options)
  return {
    ...handle,
    deliverTo: hooks.deliverTo,
    manifest(trackingNumber, reference, shipTo) {
      const tracked = store.manifest(trackingNumber, reference, shipTo)
      if (tracked) travel(tracked)
    },
    redeliver: hooks.redeliver,
    scan: (trackingNumber) => void store.scan(store.track(trackingNumber)),
    async stop() {
      stopTravelling()
      hooks.stop()
      await handle.stop()
    },
  }
}
