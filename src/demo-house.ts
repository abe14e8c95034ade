/** The demo around the house: its counterparts before it starts, its orders when it is ready. */
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Clock } from '#platform/clock.ts'
import { openHttpClient } from '#platform/http-client.ts'
import type { Log } from '#platform/telemetry-log.ts'
import type { Config } from './config-schema.ts'
import { demoConfig } from './demo.ts'
import { demoGuides, dropFile, partnerOf, toInterchange, writeDemoGuides } from './demo-edi.ts'
import { type DemoLandscape, startDemoLandscape, type WorldSource } from './demo-landscape.ts'
import { apiDoor, type Doors, driveOrders } from './demo-orders.ts'
import type { Counterparts, House } from './main.ts'

export type DemoHouse = {
  readonly counterparts: (config: Config, name: string) => Promise<Counterparts>
  /** The world it trades in, once the counterparts have started. */
  world(): WorldSource | undefined
  /** Orders flow from now on. */
  drive(house: House, signal: AbortSignal): void
  /** Waits until nothing is being sent any more. */
  rest(): Promise<void>
}

/** The landscape listens above the port of the house, where these are free. */
const PORTS = { legacyErp: 1, cloudErp: 2, wms: 3, shop: 4, carrier: 5, tax: 6 } as const
const PLANNED_ORDERS = 50_000
/** Dated receipts: a day of the world passes in so long. */
const DAY_MS = 60_000

export function startDemo({ clock, log }: { clock: Clock; log: Log }): DemoHouse {
  let landscape: DemoLandscape | undefined
  let files = { position: '', key: '' }
  let driving: Promise<void> = Promise.resolve()
  return {
    async counterparts(config, name) {
      const folder = join(dirname(config.database.dataDirectory), 'landscape')
      files = { position: join(folder, `${name}.orders.json`), key: name }
      landscape = await startDemoLandscape(
        {
          file: join(folder, `${name}.memory`),
          world: await worldFor(folder, config, clock),
          ports: portsAbove(config.http.port),
          pace: 'demo',
          dayMs: DAY_MS,
        },
        log,
      )
      const { deliverTo, stop, systems } = landscape
      const partnersDirectory = join(dirname(config.database.dataDirectory), 'edi', 'partners')
      writeDemoGuides(systems.world, partnersDirectory)
      return {
        defaults: { ...demoConfig(systems), edi: { enabled: true, partnersDirectory } },
        listening: (url) =>
          deliverTo({ wms: `${url}/system/wms/v1/events`, shop: `${url}/system/shop/v1/orders` }),
        stop,
      }
    },
    world: () => landscape?.source,
    drive(house, signal) {
      const { world } = landscape!.systems
      const http = openHttpClient({ clock })
      driving = driveOrders({
        world,
        doors: doorsOf(house, landscape!, { http, clock, key: files.key, signal }),
        perMinute: house.config.demo.ordersPerMinute,
        file: files.position,
        clock,
        log,
        signal,
      })
        .catch((error: unknown) => log.error('the demo drives no more orders', { error }))
        .finally(() => http.close())
    },
    rest: () => driving,
  }
}

/** What `crossdock demo load` left there, or a world drawn from the seed with today as its business date. */
export async function worldFor(folder: string, config: Config, clock: Clock): Promise<WorldSource> {
  const loaded = await readFile(join(folder, 'world.json'), 'utf8').catch(() => undefined)
  const today = clock.now().toISOString().slice(0, 10)
  const drawn = { seed: `demo-${config.demo.seed}`, today, plannedOrders: PLANNED_ORDERS }
  return loaded === undefined ? drawn : { ...drawn, ...(JSON.parse(loaded) as Partial<WorldSource>) }
}

const portsAbove = (port: number) =>
  Object.fromEntries(
    Object.entries(PORTS).map(([name, offset]) => [name, port === 0 ? 0 : port + 10 + offset]),
  )

/** As each customer orders: by our API, in the shop, or with a file in the inbox. */
function doorsOf(
  { url, config }: House,
  landscape: DemoLandscape,
  ports: Parameters<typeof apiDoor>[1],
): Doors {
  const guides = new Map(demoGuides(landscape.systems.world).map((guide) => [guide.partner, guide]))
  const send = apiDoor(url, ports)
  return {
    api: async (order) => void (await send(order)),
    shop: async ({ nth }) => landscape.place([nth]),
    async edi(order) {
      const guide = guides.get(partnerOf({ number: order.customer }))
      if (!guide) throw new Error(`customer ${order.customer} has no partner guide`)
      dropFile(config.edi.inboxDirectory, `${order.poNumber}-${order.nth}.edi`, toInterchange(order, guide))
    },
  }
}
