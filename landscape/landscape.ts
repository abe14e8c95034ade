/** The whole landscape in one process: two ERPs, a WMS, a shop, a carrier and a tax engine around one world. */
import type { Clock } from '#platform/clock.ts'
import { startCarrier, type Carrier } from './carrier/server.ts'
import { startCloudErp, type CloudErp } from './cloud-erp/server.ts'
import type { Keep } from './kept.ts'
import { startLegacyErp, type LegacyErp } from './legacy-erp/server.ts'
import type { ServerOptions } from './server.ts'
import { DEFAULT_SHOPS, startShop, type ShopHandle } from './shop/server.ts'
import { startTax, type TaxHandle } from './tax/server.ts'
import { httpPost, type Post } from './webhooks.ts'
import { startWms, type Wms } from './wms/server.ts'
import type { WmsEvent, Package } from './wms/shapes.ts'
import type { Pace } from './wms/store.ts'
import { type World, worldAt } from './world/world.ts'

export type SystemName = 'legacyErp' | 'cloudErp' | 'wms' | 'shop' | 'carrier' | 'tax'

/** What each system knew, as data; of the same world and seed. */
export type LandscapeMemory = Readonly<Record<SystemName, unknown>>

export type LandscapeOptions = {
  clock: Clock
  /** What the ERPs go by, where that is another one. */
  erpClock?: Clock
  seed: string
  world: World
  /** Default 127.0.0.1. */
  host?: string
  /** A free one where none is given; `none` opens no sockets at all. */
  ports?: Partial<Record<SystemName, number>> | 'none'
  /** How many documents each store remembers. Default all. */
  keep?: Keep
  /** How fast the warehouse works. Default bench: 30 ms to the first pick, 20 more to the shipment. */
  pace?: 'bench' | 'demo' | Pace
  visibilityLagMs?: number | Partial<Record<SystemName, number>>
  /** Webhooks wait until there is an address; `deliverTo` gives it later. */
  webhooks?: Partial<Record<'wms' | 'shop' | 'carrier', string>>
  /** Events in one WMS webhook at most. Default 50. */
  webhookBatch?: number
  announcePicking?: boolean
  /** Sites that the WMS runs, where others have another. Default all. */
  depotSites?: readonly string[]
  /** Sites of the WMS that tell of picks and packages before they ship. Default none. */
  tellPicks?: readonly string[]
  /** Sites of the WMS that wait for labels of ours, and for how long. Default none. */
  waitForLabels?: Readonly<Record<string, number>>
  enforceCutOff?: boolean
  /** Shelves that never empty, for benches. */
  endlessStock?: boolean
  /** Dated receipts arrive by themselves after day × dayMs. Default 0: only when told to. */
  dayMs?: number
  /** Parcels of the WMS are handed to the carrier, who scans them every `scanEveryMs`. */
  trackShipments?: boolean
  scanEveryMs?: number
  exceptionShare?: number
  secrets?: { wms?: string; carrier?: string }
  /** What `remember` answered before the landscape was started again. */
  memory?: LandscapeMemory
  /** Sends webhooks; a simulation hands in its own. */
  post?: Post
}

export type Landscape = {
  world: World
  legacyErp: LegacyErp
  cloudErp: CloudErp
  wms: Wms
  shop: ShopHandle
  carrier: Carrier
  tax: TaxHandle
  deliverTo(targets: Partial<Record<'wms' | 'shop' | 'carrier', string>>): void
  /** All that the systems know, to be handed in at the next start. */
  remember(): LandscapeMemory
  stop(): Promise<void>
}

/** What the systems ask of their callers unless told otherwise. */
export const DEFAULT_CREDENTIALS = {
  legacyErp: { user: 'CROSSDOCK', password: 'secret' },
  cloudErp: { id: 'crossdock', secret: 'secret' },
  wms: { apiKey: 'secret', webhookSecret: 'wms-secret' },
  carrier: { user: 'crossdock', password: 'secret', webhookSecret: 'carrier-secret' },
  tax: { account: 'northway', license: 'secret' },
} as const

const PACES: Record<'bench' | 'demo', Pace> = {
  bench: { pickAfterMs: 30, shipAfterMs: 20 },
  demo: { pickAfterMs: 3_000, shipAfterMs: 5_000 },
}

const WEBHOOK_BATCH = 50
const ERPS: ReadonlySet<SystemName> = new Set(['legacyErp', 'cloudErp'])

function serverOptions(options: LandscapeOptions, system: SystemName): ServerOptions {
  const { clock, erpClock = clock, seed, host = '127.0.0.1', ports } = options
  const { keep = 'all', visibilityLagMs = 0, memory } = options
  const lag = typeof visibilityLagMs === 'number' ? visibilityLagMs : (visibilityLagMs[system] ?? 0)
  return {
    clock: ERPS.has(system) ? erpClock : clock,
    seed,
    host,
    port: ports === 'none' ? undefined : (ports?.[system] ?? 0),
    keep,
    visibilityLagMs: lag,
    memory: memory?.[system],
  }
}

/** A confirmed shipment's parcels, as the warehouse's nightly manifest would tell the carrier. */
export function manifest(carrier: Pick<Carrier, 'manifest'>, world: World, event: WmsEvent): void {
  if (event.type !== 'shipment.confirmed') return
  const site = world.sites.find((one) => one.code === event['site'])
  for (const parcel of event['packages'] as Package[]) {
    carrier.manifest(parcel.tracking_number, parcel.sscc, { city: site?.city, country: site?.country })
  }
}

const rememberAll = (systems: Pick<Landscape, SystemName>): LandscapeMemory => ({
  legacyErp: systems.legacyErp.remember(),
  cloudErp: systems.cloudErp.remember(),
  wms: systems.wms.remember(),
  shop: systems.shop.remember(),
  carrier: systems.carrier.remember(),
  tax: systems.tax.remember(),
})

export async function startLandscape(options: LandscapeOptions): Promise<Landscape> {
  const { world, webhooks = {}, pace = 'bench' } = options
  const own = httpPost()
  const post = options.post ?? own.post
  const legacyErp = await startLegacyErp(
    world,
    serverOptions(options, 'legacyErp'),
    DEFAULT_CREDENTIALS.legacyErp,
  )
  const cloudErp = await startCloudErp(
    world,
    serverOptions(options, 'cloudErp'),
    DEFAULT_CREDENTIALS.cloudErp,
  )
  const tax = await startTax(serverOptions(options, 'tax'), DEFAULT_CREDENTIALS.tax)
  const shop = await startShop(world, {
    ...serverOptions(options, 'shop'),
    shops: DEFAULT_SHOPS,
    webhookUrl: webhooks.shop,
    post,
  })
  const carrier = await startCarrier({
    ...serverOptions(options, 'carrier'),
    credentials: DEFAULT_CREDENTIALS.carrier,
    webhookSecret: options.secrets?.carrier ?? DEFAULT_CREDENTIALS.carrier.webhookSecret,
    webhookUrl: webhooks.carrier,
    scanEveryMs: options.scanEveryMs ?? 0,
    exceptionShare: options.exceptionShare ?? 0,
    post,
  })
  const wms = await startWms(options.depotSites ? worldAt(world, options.depotSites) : world, {
    ...serverOptions(options, 'wms'),
    pace: typeof pace === 'string' ? PACES[pace] : pace,
    apiKey: DEFAULT_CREDENTIALS.wms.apiKey,
    webhookSecret: options.secrets?.wms ?? DEFAULT_CREDENTIALS.wms.webhookSecret,
    webhookUrl: webhooks.wms,
    webhookBatch: options.webhookBatch ?? WEBHOOK_BATCH,
    announcePicking: options.announcePicking ?? false,
    tellPicks: options.tellPicks ?? [],
    waitForLabels: options.waitForLabels ?? {},
    enforceCutOff: options.enforceCutOff ?? false,
    endlessStock: options.endlessStock ?? false,
    dayMs: options.dayMs ?? 0,
    post,
    onEvent: options.trackShipments ? (event) => manifest(carrier, world, event) : () => undefined,
  })
  return {
    world,
    legacyErp,
    cloudErp,
    wms,
    shop,
    carrier,
    tax,
    deliverTo(targets) {
      if (targets.wms !== undefined) wms.deliverTo(targets.wms)
      if (targets.shop !== undefined) shop.deliverTo(targets.shop)
      if (targets.carrier !== undefined) carrier.deliverTo(targets.carrier)
    },
    remember: () => rememberAll({ legacyErp, cloudErp, wms, shop, carrier, tax }),
    async stop() {
      await Promise.all([legacyErp, cloudErp, tax, shop, carrier, wms].map((system) => system.stop()))
      own.close()
    },
  }
}
