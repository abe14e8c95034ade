/** What the seeds of one lane share: a cluster, a world, a configuration, and the database as it is before the first order. */
import { demoConfig } from '../../src/demo.ts'
import { loadConfig } from '../../src/config.ts'
import type { Config } from '../../src/config-schema.ts'
import { startLandscape, type Landscape } from '#landscape/landscape.ts'
import { generateWorld } from '#landscape/world/generate.ts'
import type { Receipt, Stock, World } from '#landscape/world/world.ts'
import type { Post } from '#landscape/webhooks.ts'
import type { Clock } from '#platform/clock.ts'
import { type Cluster, joinCluster, openCluster } from './cluster.ts'
import type { Role } from './day.ts'
import { faultScript } from './fault-script.ts'
import { Network } from './network.ts'
import { NoticeBoard, startProgram } from './program.ts'
import { type Actor, Scheduler } from './scheduler.ts'
import { DatabaseServer } from './sessions.ts'
import { BEGIN, virtualClock } from './virtual-clock.ts'

export const PLANNED_ORDERS = 60

export type Lane = {
  readonly cluster: Cluster
  readonly world: World
  readonly configs: Readonly<Record<Role, Config>>
  end(): Promise<void>
}

/** The counterparts of a seed, each with its own truth, without sockets. */
export const landscapeOf = (
  seed: string,
  world: World,
  { clock, post }: { clock: Clock; post: Post },
): Promise<Landscape> =>
  startLandscape({
    clock,
    seed,
    world,
    ports: 'none',
    post,
    pace: { pickAfterMs: 200, shipAfterMs: 300 },
    tellPicks: ['DC1'],
  })

/** Of these there is not enough for everybody who wants them, and more arrives during the day. */
const SHORT: ReadonlyMap<string, number> = new Map([
  ['10000', 300],
  ['10004', 400],
  ['20000', 2_000],
  ['20002', 500],
])

function smallWorld(): World {
  const world = generateWorld({
    seed: 'simulation',
    today: BEGIN.toISOString().slice(0, 10),
    plannedOrders: PLANNED_ORDERS,
    items: 24,
    customersPerCompany: 8,
  })
  const isShort = ({ item, status }: Stock): boolean => status === 'available' && SHORT.has(item)
  const stock = world.stock.map((row) => (isShort(row) ? { ...row, quantity: SHORT.get(row.item)! } : row))
  return { ...world, stock, receipts: stock.filter(isShort).map(arrivalOf) }
}

const arrivalOf = ({ status: _, ...row }: Stock, nth: number): Receipt => ({
  ...row,
  id: `47${row.item}${nth}`,
  day: 1,
  expectedOn: BEGIN.toISOString().slice(0, 10),
})

export async function openLane(): Promise<Lane> {
  const [world, cluster] = [smallWorld(), await openCluster()]
  await readMasterData(cluster, world)
  return laneOn(cluster, world)
}

/** On a cluster that another process has opened and read the master data into. */
export const joinLane = async (url: string): Promise<Lane> => laneOn(await joinCluster(url), smallWorld())

async function laneOn(cluster: Cluster, world: World): Promise<Lane> {
  await cluster.keepBaseline()
  const configs = {
    all: await configOf(world),
    api: await configOf(world, 'api'),
    worker: await configOf(world, 'worker'),
  }
  return { cluster, world, configs, end: () => cluster.end() }
}

async function configOf(world: World, role: Role = 'all'): Promise<Config> {
  const clock = virtualClock(new Scheduler({ seed: '', mode: 'sticky' }), OUTSIDE())
  const landscape = await landscapeOf('config', world, { clock, post: async () => 0 })
  const quick = { worker: { claimPollMs: 2_000 }, inbox: { silentAfterMs: 20_000, shopPollMs: 15_000 } }
  const defaults = { ...demoConfig(landscape), ...quick }
  return { ...loadConfig({ environment: {}, file: undefined, defaults }), role }
}

const OUTSIDE = (): Actor => ({ name: 'outside', alive: true, stalledUntilMs: 0 })

/** Master data and opening stock come from the ERPs as at a first start, on a day without faults. */
async function readMasterData(cluster: Cluster, world: World): Promise<void> {
  const scheduler = new Scheduler({ seed: 'baseline', mode: 'sticky' })
  const outside = OUTSIDE()
  const clock = virtualClock(scheduler, outside)
  const database = new DatabaseServer(scheduler, cluster.backends, () => undefined)
  const network: Network = new Network(
    {
      scheduler,
      faults: faultScript({ seed: 'baseline', kinds: [] }),
      seed: 'baseline',
      landscape: () => landscape,
      doors: () => [],
      heard: () => undefined,
      countMessage: () => undefined,
    },
    outside,
  )
  const landscape = await landscapeOf('baseline', world, { clock, post: network.post })
  const config = await configOf(world)
  const program = startProgram({
    name: 'baseline',
    seed: 'baseline',
    config,
    scheduler,
    database,
    http: (actor) => network.client(actor),
    notices: new NoticeBoard(scheduler),
    skewMs: () => 0,
    drowsy: 1,
    complain: (line) => process.stderr.write(`${line}\n`),
  })
  await scheduler.run(() => program.isOpen)
  let stopped = false
  void program.app.stop().then(() => (stopped = true))
  await scheduler.run(() => stopped)
  await database.restart()
  await landscape.stop()
}
