/** What a torture runs on: a durable PostgreSQL, the counterparts, a bad network between all, and programs of the house. */
import { execFile, fork } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { draw } from '#landscape/random.ts'
import type { World } from '#landscape/world/world.ts'
import { systemClock as clock } from '#platform/clock.ts'
import { startPostgres } from '#platform/postgres-server.ts'
import { createLog } from '#platform/telemetry-log.ts'
import { configFor, CONFIGURED, type Teller, TELLERS } from '#tests/simulation/counterparts.ts'
import { publishing } from '#tests/simulation/shop-levels.ts'
import type { ConfigInput } from '../../src/config-schema.ts'
import { undoable } from '../../bench/undoing.ts'
import type { Teller as OrderTeller } from './client.ts'
import { type AllBooks, openQuery } from './evidence.ts'
import { type FaultProxy, startFaultProxy } from './fault-proxy.ts'
import { Fleet } from './fleet.ts'
import type { LandscapeNews, LandscapeWish } from './landscape-process.ts'
import { ediIn, openPartners, type Partners } from './partners.ts'
import { worldOf } from './world.ts'
import { passableFolder } from '#tests/support/passable-folder.ts'

/** Quick enough for what a test can wait for, patient enough for all faults of a run. */
const POLICY = { timeoutMs: 2_500, retry: { maxMs: 3_000, maxAttempts: 100 } }
/** So that orders are also found which a shop could not tell us of yet. */
const SHOP_POLL_MS = 10_000
/** What a warehouse gives up to tell is asked for within the time in which all must drain. */
const SILENT_AFTER_MS = 30_000
const ROLES = {
  doors: 'api',
  everything: 'all',
  'first-worker': 'worker',
  'second-worker': 'worker',
} as const

export type Stage = {
  readonly world: World
  readonly fleet: Fleet
  readonly proxies: ReadonlyMap<string, FaultProxy>
  /** Of all doors together. */
  readonly door: string
  readonly databaseUrl: string
  readonly dataDirectory: string
  /** Deleted at the end unless it is told to stay. */
  readonly folder: string
  /** Into the log of the run. */
  note(text: string): void
  keepFolder(): void
  readonly environment: Readonly<Record<string, string>>
  tell(wish: LandscapeWish): void
  readonly shops: OrderTeller
  readonly partners: Partners
  books(): Promise<AllBooks>
  end(): Promise<void>
}

export async function openStage(seed: string, plannedOrders: number): Promise<Stage> {
  const folder = passableFolder('torture', tmpdir())
  const note = (name: string, text: string): void => {
    const at = clock.now().toISOString().slice(11, 23)
    appendFileSync(join(folder, 'programs.log'), text.replaceAll(/^(?=.)/gm, `${at} ${name} `))
  }
  const log = createLog({ level: 'error', clock, destination: { write: (line) => note('torture', line) } })
  let isKept = false
  const removeFolder = undoable(async () => {
    if (!isKept) rmSync(folder, { recursive: true, force: true })
  })
  const starting = startPostgres({ dataDirectory: join(folder, 'postgres'), clock, log })
  const stopServer = undoable(async () => (await starting).stop())
  const server = await starting
  const dataDirectory = await dataDirectoryOf(server.url)
  const world = worldOf({ seed, plannedOrders })
  const landscape = await startLandscape(seed, plannedOrders)
  const network = await openNetwork(seed, server.url, landscape.urls, () => fleet.doors)
  const partners = openPartners(world, join(folder, 'edi'))
  const configs = programs(network.config, folder, world)
  const environment = await compiled(join(folder, 'compiled'))
  const fleet = new Fleet({ configs, environment, onLog: note })
  const stopFleet = undoable(() => fleet.stop())
  landscape.tell({ kind: 'deliver', doors: network.webhooks })
  return {
    world,
    fleet,
    folder,
    dataDirectory,
    proxies: network.proxies,
    door: network.door,
    databaseUrl: server.url,
    environment: { DATABASE_URL: server.url, CROSSDOCK__AUDIT__HEADS_DIRECTORY: join(folder, 'audit') },
    tell: landscape.tell,
    shops: landscape.shops,
    partners,
    books: () => readBooks(landscape.urls, world),
    note: (text) => note('torture', `${text}\n`),
    keepFolder() {
      isKept = true
    },
    async end() {
      await stopFleet()
      partners.end()
      await landscape.end()
      await Promise.all([...network.proxies.values()].map((proxy) => proxy.end()))
      await stopServer()
      await removeFolder()
    },
  }
}

/** Compiles the house once, so that a start costs half a second of a processor, and not one and a half each time. */
async function compiled(directory: string): Promise<{ NODE_COMPILE_CACHE: string }> {
  const environment = { NODE_COMPILE_CACHE: directory }
  const load = `await import(${JSON.stringify(new URL('../../src/main.ts', import.meta.url))})`
  await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', load], {
    env: { ...process.env, ...environment },
  })
  return environment
}

async function dataDirectoryOf(url: string): Promise<string> {
  const { query, end } = await openQuery(url)
  const [row] = await query<{ data_directory: string }>('show data_directory')
  await end()
  return row!.data_directory
}

type LandscapeUrls = Readonly<Record<keyof typeof CONFIGURED, string>>

type LandscapeProcess = {
  readonly urls: LandscapeUrls
  tell(wish: LandscapeWish): void
  readonly shops: OrderTeller
  end(): Promise<void>
}

async function startLandscape(seed: string, plannedOrders: number): Promise<LandscapeProcess> {
  const child = fork(
    new URL('./landscape-process.ts', import.meta.url),
    [JSON.stringify({ seed, plannedOrders })],
    {
      execArgv: [],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    },
  )
  const end = undoable(async () => void child.kill('SIGKILL'))
  const [ready] = (await once(child, 'message')) as [Extract<LandscapeNews, { kind: 'ready' }>]
  const tell = (wish: LandscapeWish): void => void child.send(wish)
  const shops: OrderTeller = {
    place: (nth) => tell({ kind: 'place', nth }),
    onTold: (hear) =>
      void child.on('message', (news: LandscapeNews) => news.kind === 'told' && hear(news.entry)),
  }
  return { urls: ready.urls, tell, shops, end }
}

type NetworkOfRun = {
  readonly proxies: ReadonlyMap<string, FaultProxy>
  readonly door: string
  /** Where each counterpart tells us. */
  readonly webhooks: Readonly<Record<Teller, string>>
  readonly config: { readonly database: string; readonly systems: LandscapeUrls }
}

/** A proxy before the database, one before each counterpart, and before our doors one for clients and one for each that tells us, who take the doors in turns. */
async function openNetwork(
  seed: string,
  databaseUrl: string,
  urls: LandscapeUrls,
  doors: () => readonly number[],
): Promise<NetworkOfRun> {
  const proxies = new Map<string, FaultProxy>()
  const open = async (name: string, target: () => number | undefined): Promise<string> => {
    let draws = 0
    const proxy = await startFaultProxy({ target, random: () => draw(seed, `jitter/${name}`, draws++) })
    proxies.set(name, proxy)
    return `http://127.0.0.1:${proxy.port}`
  }
  const database = new URL(databaseUrl)
  const databasePort = Number(database.port)
  database.port = new URL(await open('database', () => databasePort)).port
  database.search = ''
  const systems: Record<string, string> = { ...urls }
  for (const [system, url] of Object.entries(urls)) {
    const port = Number(new URL(url).port)
    systems[system] = await open(system, () => port)
  }
  let turn = 0
  const nextDoor = (): number | undefined => doors()[turn++ % Math.max(1, doors().length)]
  const door = await open('doors', nextDoor)
  const webhooks: Partial<Record<Teller, string>> = {}
  for (const teller of TELLERS) webhooks[teller] = await open(`webhooks of ${teller}`, nextDoor)
  const config = { database: database.href, systems: systems as LandscapeUrls }
  return { proxies, door, webhooks: webhooks as Record<Teller, string>, config }
}

function programs(
  { database, systems }: NetworkOfRun['config'],
  folder: string,
  world: World,
): Record<string, Partial<ConfigInput>> {
  const at = Object.fromEntries(Object.entries(systems).map(([name, url]) => [name, { url }]))
  const carrier = { url: '' }
  const addresses = { ...(at as Record<keyof LandscapeUrls, { url: string }>), carrier, world }
  const configured = configFor(addresses, POLICY)
  return Object.fromEntries(
    Object.entries(ROLES).map(([name, role]) => [
      name,
      {
        ...configured,
        publishing,
        inbox: { shopPollMs: SHOP_POLL_MS, silentAfterMs: SILENT_AFTER_MS },
        edi: ediIn(join(folder, 'edi')),
        role,
        http: { port: 0 },
        database: { url: database, poolSize: 8 },
        audit: { headsDirectory: join(folder, 'audit') },
      },
    ]),
  )
}

async function readBooks(urls: LandscapeUrls, world: World): Promise<AllBooks> {
  const read = async (url: string): Promise<unknown> => (await fetch(`${url}/_truth`)).json()
  const truths = await Promise.all(
    Object.entries(urls).map(async ([system, url]) => [system, await read(url)] as const),
  )
  const books = Object.fromEntries(truths.map(([system, truth]) => [system, { truth: () => truth }]))
  return {
    world,
    ...books,
    otherWarehouses: { [CONFIGURED.eastWms]: books['eastWms'] },
  } as unknown as AllBooks
}
