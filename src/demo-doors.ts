/** The doors of the house as the demo's customers use them. */
import { join } from 'node:path'
import { openWorld } from '#landscape/world/source.ts'
import type { World, WorldOrder } from '#landscape/world/world.ts'
import type { Clock } from '#platform/clock.ts'
import { openHttpClient } from '#platform/http-client.ts'
import { demoGuides, dropFile, partnerOf, toInterchange } from './demo-edi.ts'
import type { DemoLandscape, WorldSource } from './demo-landscape.ts'
import { apiDoor, type DoorAnswer, type Doors, readPosition, writePosition } from './demo-orders.ts'
import { landscapeFolder } from './demo-world.ts'
import type { House } from './main.ts'

/** As each customer orders: by our API, in the shop, or with a file in the inbox. */
export function everyDoor(
  { url, config }: House,
  landscape: DemoLandscape,
  ports: Parameters<typeof apiDoor>[1],
): Doors {
  const guides = new Map(demoGuides(landscape.systems.world).map((guide) => [guide.partner, guide]))
  return {
    api: apiDoor(url, ports),
    async shop({ nth }) {
      landscape.place([nth])
      return undefined
    },
    async edi(order) {
      const guide = guides.get(partnerOf({ number: order.customer }))
      if (!guide) throw new Error(`customer ${order.customer} has no partner guide`)
      dropFile(config.edi.inboxDirectory, `${order.poNumber}-${order.nth}.edi`, toInterchange(order, guide))
      return undefined
    },
  }
}

export type SentOrder = { readonly order: WorldOrder; readonly answer: DoorAnswer | undefined }

export type DemoDoors = {
  /** The world's next orders; fewer when it has no more. */
  take(count: number): Promise<readonly WorldOrder[]>
  send(orders: readonly WorldOrder[]): Promise<readonly SentOrder[]>
  close(): Promise<void>
}

export type OrderTaker = {
  readonly world: World
  readonly doors: Doors
  readonly file: string
  readonly from: number
  readonly close: () => Promise<void>
}

const AT_ONCE = 16

export function orderTaker({ world, doors, file, from, close }: OrderTaker): DemoDoors {
  return {
    async take(count) {
      const next = await readPosition(file, from)
      const orders = world.orders(count, next)
      await writePosition(file, next + orders.length)
      return orders
    },
    async send(orders) {
      const sent: SentOrder[] = []
      for (let at = 0; at < orders.length; at += AT_ONCE) {
        const some = orders.slice(at, at + AT_ONCE)
        sent.push(
          ...(await Promise.all(
            some.map(async (order) => ({ order, answer: await doors[order.door](order) })),
          )),
        )
      }
      return sent
    },
    close,
  }
}

/** Beside a running program, which drives the beginning of the stream itself: far behind it. */
const BESIDE = 1_000_000

/** Sends everything by API, since shop and partners belong to the running program. */
export async function openDemoDoors(options: {
  readonly url: string
  readonly source: WorldSource
  readonly dataFolder: string
  readonly clock: Clock
}): Promise<DemoDoors> {
  const { url, source, dataFolder, clock } = options
  const http = openHttpClient({ clock })
  const signal = new AbortController().signal
  const api = apiDoor(url, { http, clock, key: 'beside', signal })
  return orderTaker({
    world: await openWorld(source),
    doors: { api, shop: api, edi: api },
    file: join(landscapeFolder(dataFolder), 'beside.orders.json'),
    from: BESIDE,
    close: () => http.close(),
  })
}
