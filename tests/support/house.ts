/** The whole house against the landscape, on a database of its own: what flow and failure tests drive. */
import { createApp, type App } from '../../src/app.ts'
import { loadConfig } from '../../src/config.ts'
import type { ConfigInput } from '../../src/config-schema.ts'
import { carrierSystem, demoConfig } from '../../src/demo.ts'
import { type Landscape, type LandscapeOptions, startLandscape } from '#landscape/landscape.ts'
import { generateWorld } from '#landscape/world/generate.ts'
import type { Receipt } from '#landscape/world/world.ts'
import type { World } from '#landscape/world/world.ts'
import type { DiskRoom } from '#platform/disk-room.ts'
import { systemClock } from '#platform/clock.ts'
import type { Connections } from '#platform/database.ts'
import { openHttpClient } from '#platform/http-client.ts'
import { openConnections } from '#platform/postgres-connections.ts'
import { type Listening, openListening } from '#platform/postgres-listening.ts'
import { systemChance } from '#platform/ids.ts'
import { secretBox } from '#platform/secret-box.ts'
import { createLog } from '#platform/telemetry-log.ts'
import { createMetrics } from '#platform/telemetry-metrics.ts'
import { type TestDatabase, testDatabase } from './database.ts'

export type House = {
  readonly app: App
  readonly url: string
  readonly databaseUrl: string
  readonly landscape: Landscape
  /** What the house logged as warning or worse. */
  readonly complaints: string[]
  end(): Promise<void>
}

export type HouseOptions = {
  readonly landscape?: Partial<LandscapeOptions>
  readonly config?: Partial<ConfigInput>
  /** Of each company, beside what the demo says of it. */
  readonly company?: Partial<NonNullable<ConfigInput['companies']>[number]>
  /** A generated one for so many orders unless given. */
  readonly world?: World
  readonly plannedOrders?: number
  readonly policy?: Readonly<Record<string, unknown>>
  /** Another house, whose database and systems it shares. */
  readonly beside?: House
  /** It neither hears nor tells of word between processes. */
  readonly isDeaf?: boolean
  readonly disk?: DiskRoom
  /** The carrier of the landscape is one of its systems, and tells it of parcels. */
  readonly tracksParcels?: boolean
  /** Where labels are bought of that carrier, by location. */
  readonly labels?: Readonly<
    Record<string, NonNullable<NonNullable<ConfigInput['locations']>[number]['labels']>>
  >
  /** A clone of the template unless given. */
  readonly database?: TestDatabase
  /** Between it and its database. */
  readonly watch?: (connections: Connections) => Connections
  /** Whether facts in memory and answers are held against what they should be, which asks the database more; they are. */
  readonly checks?: boolean
}

const DEAF: Listening = { on: () => undefined, tell: () => undefined, end: async () => undefined }
const shared = ({ databaseUrl: url }: House): TestDatabase => ({ url, end: async () => undefined })

/** Of a house that is given none: as few items and customers as leave some of every kind, since each house reads all. */
export const ownWorld = (plannedOrders = 200): World =>
  generateWorld({ seed: 'test', today: '2026-11-02', plannedOrders, items: 120, customersPerCompany: 30 })

/** The days of worlds have passed; what is to come in them would all be late. */
const inTime = (receipt: Receipt): Receipt => ({ ...receipt, expectedOn: `2999-01-0${1 + receipt.day}` })

export async function openHouse(options: HouseOptions = {}): Promise<House> {
  const test = options.beside ? shared(options.beside) : (options.database ?? (await testDatabase()))
  const { plannedOrders, world: given = ownWorld(plannedOrders) } = options
  const world = { ...given, receipts: given.receipts.map(inTime) }
  const landscape =
    options.beside?.landscape ??
    (await startLandscape({ clock: systemClock, seed: 'test', world, ...options.landscape }))
  const complaints: string[] = []
  const log = createLog({
    level: 'warn',
    clock: systemClock,
    destination: { write: (line) => void complaints.push(line) },
  })
  const http = openHttpClient({ clock: systemClock })
  const rules = { ports: [443], trusted: ['127.0.0.1'] }
  const guarded = openHttpClient({ clock: systemClock, guard: { rules } })
  const pool = (plans: 'hot' | 'screen') =>
    openConnections({
      url: test.url,
      size: 6,
      statementTimeoutMs: 10_000,
      lockTimeoutMs: 5_000,
      idleInTransactionTimeoutMs: 20_000,
      plans,
      onError: (error) => void complaints.push(String(error)),
    })
  const [connections, screens] = [pool('hot'), pool('screen')]
  // On a busy machine word comes late, which a poll makes good: no complaint of the house.
  const onEvent = (): void => undefined
  const notices = options.isDeaf ? DEAF : openListening({ url: test.url, clock: systemClock, onEvent })
  const demo = demoConfig(landscape, options.policy)
  const config = loadConfig({
    environment: {},
    file: undefined,
    defaults: {
      ...demo,
      companies: demo.companies?.map((company) => ({ ...company, ...options.company })),
      ...(options.tracksParcels && {
        systems: { ...demo.systems, carrier: carrierSystem(landscape.carrier.url) },
      }),
      locations: demo.locations?.map((location) => {
        const labels = options.labels?.[location.code]
        return labels ? { ...location, labels } : location
      }),
      database: { url: test.url },
      ...options.config,
    },
  })
  const metrics = createMetrics({ process: false })
  const app = createApp(config, {
    connections: options.watch ? options.watch(connections) : connections,
    screens,
    notices,
    clock: systemClock,
    http,
    outward: { rules, http: guarded, box: secretBox('the key of every house of tests', systemChance) },
    log,
    metrics,
    openOnLoopback: true,
    checks: options.checks ?? true,
    ...(options.disk && { disk: options.disk }),
  })
  await app.worker.start()
  const { failures } = await app.sync(() => undefined)
  if (failures.length > 0) throw failures[0]
  const { url } = await app.server.listen({ host: '127.0.0.1', port: 0 })
  if (config.role !== 'worker')
    landscape.deliverTo({
      wms: `${url}/system/wms/v1/events`,
      shop: `${url}/system/shop/v1/orders`,
      ...(options.tracksParcels && { carrier: `${url}/system/carrier/v1/scans` }),
    })
  return {
    app,
    url,
    databaseUrl: test.url,
    landscape,
    complaints,
    async end() {
      await app.stop()
      if (!options.beside) await landscape.stop()
      await Promise.all([http.close(), guarded.close()])
      await Promise.all([connections.end(), screens.end(), notices.end()])
      await test.end()
    },
  }
}
