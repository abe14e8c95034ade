/** What the seeds of one lane share: a cluster, a world, a configuration, and the database as it is before the first order. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { carrierSystem } from '../../src/demo.ts'
import { writeDemoGuides } from '../../src/demo-edi.ts'
import { loadConfig } from '../../src/config.ts'
import type { Config } from '../../src/config-schema.ts'
import { generateWorld } from '#landscape/world/generate.ts'
import { factorOf, type Receipt, type Stock, type World } from '#landscape/world/world.ts'
import { EVERY_SCOPE } from '#platform/access.ts'
import { createKey } from '#platform/access-keys.ts'
import { type Migration, readMigrations } from '#platform/migrations.ts'
import { CONTROLLER_TOKEN } from './caller.ts'
import { queriesOf } from './checkers.ts'
import { type Cluster, joinCluster, openCluster } from './cluster.ts'
import { CONFIGURED, configFor, counterpartsOf } from './counterparts.ts'
import type { Role } from './day.ts'
import { faultScript } from './fault-script.ts'
import { withPerishables } from './life-people.ts'
import { withMachines } from './machine-people.ts'
import { MemoryFiles } from './memory-files.ts'
import { Network } from './network.ts'
import { NoticeBoard, startProgram } from './program.ts'
import { withKept } from './owner-people.ts'
import { EDI_FOLDERS } from './partners.ts'
import { type Actor, Scheduler } from './scheduler.ts'
import { schemaOf } from './schema.ts'
import { writeSupplierGuides } from './suppliers.ts'
import { DatabaseServer } from './sessions.ts'
import { BEGIN, virtualClock } from './virtual-clock.ts'
import { writeX12Guide } from './x12-warehouse.ts'

export const PLANNED_ORDERS = 60

export type Lane = {
  readonly cluster: Cluster
  readonly world: World
  readonly configs: Readonly<Record<Role, Config>>
  readonly migrations: readonly Migration[]
  /** What they make of an empty database. */
  readonly schema: readonly string[]
  end(): Promise<void>
}

/** Of these there is not enough for everybody who wants them, and more arrives during the day. */
const SHORT: ReadonlyMap<string, number> = new Map([
  ['10000', 300],
  ['10004', 400],
  ['20000', 2_000],
  ['20002', 500],
])

/** Of this one more arrives in its lots. */
const IN_LOTS = '10010'

/** Of every second item there is little at the first site, so that orders ship from others as well. */
const isScattered = ({ item, site, status }: Stock): boolean =>
  site === 'DC1' && status === 'available' && Number(item) % 2 === 1
/** So many of the units in which it is sold. */
const NEAR_UNITS = 2

function smallWorld(): World {
  const world = generateWorld({
    seed: 'simulation',
    today: BEGIN.toISOString().slice(0, 10),
    plannedOrders: PLANNED_ORDERS,
    items: 24,
    customersPerCompany: 8,
  })
  const isShort = ({ item, status }: Stock): boolean => status === 'available' && SHORT.has(item)
  const items = new Map(world.items.map((item) => [item.number, item]))
  const nearlyGone = ({ item: number }: Stock): number => {
    const item = items.get(number)!
    const { numerator, denominator } = factorOf(item, item.salesUnit)!
    return (NEAR_UNITS * numerator) / denominator
  }
  const quantityOf = (row: Stock): number =>
    isShort(row) ? SHORT.get(row.item)! : isScattered(row) ? nearlyGone(row) : row.quantity
  const stock = world.stock.map((row) => ({ ...row, quantity: quantityOf(row) }))
  const isInLots = ({ item, status }: Stock): boolean => status === 'available' && item === IN_LOTS
  return {
    ...withKept(withPerishables(withMachines(world))),
    stock,
    receipts: stock.filter((row) => isShort(row) || isInLots(row)).map(arrivalOf),
  }
}

const arrivalOf = ({ status: _, ...row }: Stock, nth: number): Receipt => ({
  ...row,
  id: `47${row.item}${nth}`,
  day: 1,
  expectedOn: BEGIN.toISOString().slice(0, 10),
})

export async function openLane(): Promise<Lane> {
  const [world, cluster] = [smallWorld(), await openCluster()]
  try {
    await readMasterData(cluster, world)
    await giveControllerKey(cluster)
    return await laneOn(cluster, world)
  } catch (error) {
    await cluster.end()
    throw error
  }
}

/** The key of who decides what others enter is the same in every lane. */
const CONTROLLERS = { token: () => CONTROLLER_TOKEN, random: () => 0, documents: async () => [] }

export const giveControllerKey = ({ side }: Cluster): Promise<string> =>
  createKey(queriesOf(side), CONTROLLERS, { client: 'controller', scopes: [EVERY_SCOPE] })

/** On a cluster that another process has opened and read the master data into. */
export const joinLane = async (url: string): Promise<Lane> => laneOn(await joinCluster(url), smallWorld())

async function laneOn(cluster: Cluster, world: World): Promise<Lane> {
  await cluster.keepBaseline()
  const guides = mkdtempSync(join(tmpdir(), 'crossdock-simulation-guides-'))
  writeDemoGuides(world, guides)
  writeSupplierGuides(guides)
  writeX12Guide(guides)
  const configs = {
    all: await configOf(world, 'all', guides),
    api: await configOf(world, 'api', guides),
    worker: await configOf(world, 'worker', guides),
  }
  async function end(): Promise<void> {
    rmSync(guides, { recursive: true, force: true })
    await cluster.end()
  }
  const migrations = await readMigrations()
  return { cluster, world, configs, migrations, schema: await schemaOf(cluster.side), end }
}

async function configOf(world: World, role: Role = 'all', guides?: string): Promise<Config> {
  const clock = virtualClock(new Scheduler({ seed: '', mode: 'sticky' }), OUTSIDE())
  const landscape = await counterpartsOf('config', world, { clock, post: async () => 0 })
  const quick = {
    worker: { claimPollMs: 2_000 },
    inbox: { silentAfterMs: 20_000, shopPollMs: 15_000, parcelSilentAfterMs: 20_000 },
    ...(guides ? { edi: { ...EDI_FOLDERS, partnersDirectory: guides, pollMs: 2_000 } } : {}),
  }
  const configured = configFor(landscape)
  const systems = { ...configured.systems, [CONFIGURED.carrier]: carrierSystem(landscape.carrier.url) }
  const defaults = { ...configured, systems, ...quick }
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
  const landscape = await counterpartsOf('baseline', world, { clock, post: network.post })
  const config = await configOf(world)
  const program = startProgram({
    name: 'baseline',
    seed: 'baseline',
    config,
    scheduler,
    database,
    http: (actor) => network.client(actor),
    notices: new NoticeBoard(scheduler),
    files: new MemoryFiles(scheduler),
    skewMs: () => 0,
    drowsy: 1,
    complain: (line) => process.stderr.write(`${line}\n`),
  })
  await scheduler.run(() => program.isOpen)
  let stopped = false
  void program.app.stop().then(() => (stopped = true))
  await scheduler.run(() => stopped)
  await database.shutDown()
  await landscape.stop()
}
