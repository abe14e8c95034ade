/** What a torture runs on: a durable PostgreSQL, the counterparts, a bad network between all, and programs of the house. */
import { execFile, fork } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { LandscapeUrls } from '#landscape/main.ts'
import { draw } from '#landscape/random.ts'
import type { World } from '#landscape/world/world.ts'
import { systemClock as clock } from '#platform/clock.ts'
import { startPostgres } from '#platform/postgres-server.ts'
import { createLog } from '#platform/telemetry-log.ts'
import type { Books } from '#tests/support/house-books.ts'
import type { ConfigInput } from '../../src/config-schema.ts'
import { demoConfig } from '../../src/demo.ts'
import { undoable } from '../../bench/undoing.ts'
import { openQuery } from './evidence.ts'
import { type FaultProxy, startFaultProxy } from './fault-proxy.ts'
import { Fleet } from './fleet.ts'
import type { LandscapeWish } from './landscape-process.ts'
import { worldOf } from './world.ts'
import { passableFolder } from '#tests/support/passable-folder.ts'

/** Quick enough for what a test can wait for, patient enough for all faults of a run. */
const POLICY = { timeoutMs: 2_500, retry: { maxMs: 3_000, maxAttempts: 100 } }
const ROLES = {
  doors: 'api',
  everything: 'all',
  'first-worker': 'worker',
  'second-worker': 'worker',
} as const
const COUNTERPARTS = ['legacyErp', 'cloudErp', 'wms', 'tax'] as const

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
  books(): Promise<Books>
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
  const configs = programs(network.config, folder, world)
  const environment = await compiled(join(folder, 'compiled'))
  const fleet = new Fleet({ configs, environment, onLog: note })
  const stopFleet = undoable(() => fleet.stop())
  landscape.tell({ kind: 'deliver', wms: `${network.door}/system/wms/v1/events` })
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
    books: () => readBooks(landscape.urls, world),
    note: (text) => note('torture', `${text}\n`),
    keepFolder() {
      isKept = true
    },
    async end() {
      await stopFleet()
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

type LandscapeProcess = {
  readonly urls: LandscapeUrls
  tell(wish: LandscapeWish): void
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
  const [urls] = (await once(child, 'message')) as [LandscapeUrls]
  return { urls, tell: (wish) => void child.send(wish), end }
}

type NetworkOfRun = {
  readonly proxies: ReadonlyMap<string, FaultProxy>
  readonly door: string
  readonly config: { readonly database: string; readonly systems: LandscapeUrls }
}

/** A proxy before the database, one before each counterpart, one before our doors, which it takes in turns. */
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
  for (const system of COUNTERPARTS) {
    const port = Number(new URL(urls[system]).port)
    systems[system] = await open(system, () => port)
  }
  let turn = 0
  const door = await open('doors', () => doors()[turn++ % Math.max(1, doors().length)])
  return { proxies, door, config: { database: database.href, systems: systems as LandscapeUrls } }
}

function programs(
  { database, systems }: NetworkOfRun['config'],
  folder: string,
  world: World,
): Record<string, Partial<ConfigInput>> {
  const at = Object.fromEntries(Object.entries(systems).map(([name, url]) => [name, { url }]))
  const demo = demoConfig({ ...(at as Record<keyof LandscapeUrls, { url: string }>), world }, POLICY)
  return Object.fromEntries(
    Object.entries(ROLES).map(([name, role]) => [
      name,
      {
        ...demo,
        role,
        http: { port: 0 },
        database: { url: database, poolSize: 8 },
        audit: { headsDirectory: join(folder, 'audit') },
      },
    ]),
  )
}

async function readBooks(urls: LandscapeUrls, world: World): Promise<Books> {
  const read = async (system: (typeof COUNTERPARTS)[number]): Promise<unknown> =>
    (await fetch(`${urls[system]}/_truth`)).json()
  const truths = await Promise.all(COUNTERPARTS.map(async (system) => [system, await read(system)] as const))
  const books = truths.map(([system, truth]) => [system, { truth: () => truth }])
  return { world, ...Object.fromEntries(books) } as Books
}
