/** The demo around the house: its counterparts before it starts, its orders when it is ready. */
import { dirname, join } from 'node:path'
import type { Clock } from '#platform/clock.ts'
import { openHttpClient } from '#platform/http-client.ts'
import type { Log } from '#platform/telemetry-log.ts'
import type { Config } from './config-schema.ts'
import { carrierSystem, demoConfig, type DemoSystems } from './demo.ts'
import { countFirst } from './demo-counts.ts'
import { type DemoDoors, everyDoor, orderTaker } from './demo-doors.ts'
import { writeDemoGuides } from './demo-edi.ts'
import { type DemoLandscape, startDemoLandscape, type WorldSource } from './demo-landscape.ts'
import { driveOrders } from './demo-orders.ts'
import { landscapeFolder, worldFor } from './demo-world.ts'
import type { Counterparts, House } from './main.ts'

export type DemoHouse = {
  readonly counterparts: (config: Config, name: string) => Promise<Counterparts>
  /** The world it trades in, once the counterparts have started. */
  world(): WorldSource | undefined
  /** The configuration that it brought along, likewise. */
  defaults(): Counterparts['defaults'] | undefined
  /** Has the warehouse of a new world count, so that its lots are known before anybody orders. */
  count(house: House, signal: AbortSignal): Promise<void>
  /** Orders flow from now on. */
  drive(house: House, signal: AbortSignal): void
  /** Waits until nothing is being sent any more. */
  rest(): Promise<void>
  /** For orders that somebody sends by the piece. */
  doors(house: House): DemoDoors
}

/** The landscape listens above the port of the house, where these are free. */
const PORTS = { legacyErp: 1, cloudErp: 2, wms: 3, shop: 4, carrier: 5, tax: 6 } as const
/** Dated receipts: a day of the world passes in so long. */
const DAY_MS = 60_000
/** A parcel is delivered about a minute after it left; some have trouble on their way. */
const SCANS = { everyMs: 12_000, exceptionShare: 0.05 }
/** One site tells of picks and packages; the others, as many do, of shipments alone. */
const TELL_PICKS = ['DC1']

export function startDemo({ clock, log }: { clock: Clock; log: Log }): DemoHouse {
  let landscape: DemoLandscape | undefined
  let defaults: Counterparts['defaults'] | undefined
  let files = { position: '', key: '' }
  let driving: Promise<void> = Promise.resolve()
  return {
    async counterparts(config, name) {
      const folder = landscapeFolder(dirname(config.database.dataDirectory))
      files = { position: join(folder, `${name}.orders.json`), key: name }
      landscape = await startDemoLandscape(
        {
          file: join(folder, `${name}.memory`),
          world: await worldFor(folder, config, clock),
          ports: portsAbove(config.http.port),
          pace: 'demo',
          tellPicks: TELL_PICKS,
          dayMs: DAY_MS,
          scans: SCANS,
        },
        log,
      )
      const { deliverTo, stop, systems } = landscape
      const partnersDirectory = join(dirname(config.database.dataDirectory), 'edi', 'partners')
      writeDemoGuides(systems.world, partnersDirectory)
      defaults = { ...withCarrier(systems), edi: { enabled: true, partnersDirectory } }
      return {
        defaults,
        listening: (url) => deliverTo(doorsAt(url)),
        stop,
      }
    },
    world: () => landscape?.source,
    defaults: () => defaults,
    count: (house, signal) => countNew(landscape!, house, { clock, signal }),
    drive(house, signal) {
      driving = countAndDrive(house, landscape!, { clock, log, signal, files })
    },
    rest: () => driving,
    doors(house) {
      const http = openHttpClient({ clock })
      const signal = new AbortController().signal
      return orderTaker({
        world: landscape!.systems.world,
        doors: everyDoor(house, landscape!, { http, clock, key: files.key, signal }),
        file: files.position,
        from: 0,
        close: () => http.close(),
      })
    },
  }
}

type Driving = {
  readonly clock: Clock
  readonly log: Log
  readonly signal: AbortSignal
  readonly files: { readonly position: string; readonly key: string }
}

async function countNew(
  { remembered, systems }: DemoLandscape,
  { url }: House,
  { clock, signal }: Pick<Driving, 'clock' | 'signal'>,
): Promise<void> {
  if (remembered) return
  const http = openHttpClient({ clock })
  await countFirst(url, systems.world, { http, clock, signal }).finally(() => http.close())
}

async function countAndDrive(house: House, landscape: DemoLandscape, driving: Driving): Promise<void> {
  const { clock, log, signal, files } = driving
  await countNew(landscape, house, driving).catch((error: unknown) =>
    log.warn('the lots of the demo are not known yet', { error }),
  )
  const http = openHttpClient({ clock })
  await driveOrders({
    world: landscape.systems.world,
    doors: everyDoor(house, landscape, { http, clock, key: files.key, signal }),
    perMinute: house.config.demo.ordersPerMinute,
    file: files.position,
    clock,
    log,
    signal,
  })
    .catch((error: unknown) => log.error('the demo drives no more orders', { error }))
    .finally(() => http.close())
}

const portsAbove = (port: number) =>
  Object.fromEntries(
    Object.entries(PORTS).map(([name, offset]) => [name, port === 0 ? 0 : port + 10 + offset]),
  )

function withCarrier(systems: DemoSystems) {
  const demo = demoConfig(systems)
  return { ...demo, systems: { ...demo.systems, carrier: carrierSystem(systems.carrier.url) } }
}

/** Where its systems tell the house what happens. */
const doorsAt = (url: string) => ({
  wms: `${url}/system/wms/v1/events`,
  shop: `${url}/system/shop/v1/orders`,
  carrier: `${url}/system/carrier/v1/scans`,
})
