/** Starts the house in order, stops it in reverse: database, migrations, counterparts, work, master data, doors. */
import { type App, createApp, hasKeys } from './app.ts'
import { type ConfigSources, loadConfig } from './config.ts'
import type { Config, ConfigInput } from './config-schema.ts'
import { assertSafeToListen } from './platform/access.ts'
import { openAuditHeads } from './platform/audit-heads.ts'
import { certificateEnd } from './platform/http-certificates.ts'
import type { Clock } from './platform/clock.ts'
import { diskRoom } from './platform/disk-room.ts'
import { type Ending, endInReverse } from './platform/endings.ts'
import { openHttpClient } from './platform/http-client.ts'
import { systemChance } from './platform/ids.ts'
import { nameOfLog } from './platform/log-name.ts'
import { migrate } from './platform/migrations.ts'
import { createDatabase } from './platform/database.ts'
import { type ConnectionPool, openConnections } from './platform/postgres-connections.ts'
import { openListening } from './platform/postgres-listening.ts'
import { openPostgres } from './platform/postgres-server.ts'
import { openSecretBox } from './platform/secret-box.ts'
import type { Log } from './platform/telemetry-log.ts'
import { createMetrics } from './platform/telemetry-metrics.ts'

/** Systems that live and die with the program: those of the demo. */
export type Counterparts = {
  /** Beneath the configuration: companies, systems, locations. */
  readonly defaults: Partial<ConfigInput>
  /** The house listens: webhooks may come. */
  listening(url: string): void
  stop(): Promise<void>
}

export type HouseOptions = {
  readonly sources: ConfigSources
  readonly clock: Clock
  readonly log: Log
  /** Starts what the house needs beside it; `name` is this database's own, for what must not outlive it. */
  readonly counterparts?: (config: Config, name: string) => Promise<Counterparts>
  /** What the house is doing while it starts, for the person who waits. */
  readonly onProgress?: (what: string) => void
}

export type House = {
  readonly app: App
  readonly config: Config
  readonly url: string
  /** Resolves when master data is there and every door is open. */
  readonly ready: Promise<void>
  /** Ends in order, what was begun last first; again it is the same ending. Answers what is left behind and goes on. */
  stop(): Promise<readonly string[]>
  /** Ends the database server at once and leaves the rest to the next start; for who cannot wait. */
  abandon(): Promise<void>
}

const HANDSHAKE_MS = 10_000
const POOL_SCREENS = 4
/** How often it is looked whether an ERP is to be read: while the first reading is awaited, and afterwards. */
const FIRST_READING_MS = 1_000
const READINGS_MS = 15_000

export async function startHouse(options: HouseOptions): Promise<House> {
  const { clock, log, onProgress = () => undefined } = options
  const endings: Ending[] = []
  let stopped: Promise<readonly string[]> | undefined
  const stop = (): Promise<readonly string[]> => (stopped ??= endInReverse(endings, options))
  try {
    const bare = loadConfig(options.sources)
    onProgress('opening the database')
    const postgres = await openPostgres({ ...bare.database, clock, log })
    endings.push({ what: 'the database', end: () => postgres.stop() })
    const { applied } = await migrate(postgres.url)
    if (applied.length > 0) onProgress(`${applied.length} migrations applied`)
    // Sockets outlive their pool by a moment, in which the database may already stop.
    const broke = (error: Error): void => void (stopped ?? log.warn('a database connection broke', { error }))
    const pools = openPools(bare, postgres.url, broke)
    const endPools = () => Promise.all([pools.connections.end(), pools.screens.end()])
    endings.push({ what: 'the connections', end: endPools })

    const notices = openListening({
      url: postgres.url,
      clock,
      onEvent: (message, facts) => void (stopped ?? log.warn(message, facts)),
    })
    endings.push({ what: 'word from other processes', end: () => notices.end() })

    const screens = createDatabase(pools.screens, { clock, random: () => 0.5 })
    const counterparts = await options.counterparts?.(bare, await nameOfLog(screens))
    if (counterparts) endings.push({ what: 'the simulated systems', end: () => counterparts.stop() })
    const config = counterparts ? loadConfig({ ...options.sources, defaults: counterparts.defaults }) : bare
    const http = openHttpClient({ clock })
    endings.push({ what: 'calls to other systems', end: () => http.close() })
    const outward = await openOutward(config, clock)
    endings.push({ what: 'calls to subscribers', end: () => outward.http.close() })
    const credentials = config.access.jwt !== undefined || (await hasKeys(screens))
    assertSafeToListen(config.http.host, credentials)
    const app = createApp(config, {
      ...pools,
      notices,
      clock,
      http,
      certificateEnd: certificateEnd(HANDSHAKE_MS),
      disk: diskRoom({ clock, folders: writtenFolders(config) }),
      outward,
      log,
      metrics: createMetrics({ process: true }),
      ...(config.role === 'api' ? {} : { auditHeads: await openAuditHeads(config.audit, clock) }),
      openOnLoopback: !credentials,
    })

    endings.push({ what: 'the work', end: () => app.stop() })
    await app.worker.start()
    app.keepUp()
    const syncing = new AbortController()
    endings.push({ what: 'reading master data', end: async () => syncing.abort() })
    const { url } = await app.server.listen(config.http)
    counterparts?.listening(url)
    return {
      app,
      config,
      url,
      ready: keepMasterData(app, options, syncing.signal),
      stop,
      abandon: () => postgres.stop(),
    }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Addresses that subscribers name are called by a client of their own, which reaches the outside world alone. */
async function openOutward({ subscriptions }: Config, clock: Clock) {
  const { ports, trustedAddresses } = subscriptions
  const rules = { ports, trusted: trustedAddresses }
  const box = await openSecretBox(subscriptions, systemChance)
  return { rules, box, http: openHttpClient({ clock, guard: { rules } }) }
}

function openPools(
  { database }: Config,
  url: string,
  onError: (error: Error) => void,
): Record<'connections' | 'screens', ConnectionPool> {
  const pool = (plans: 'hot' | 'screen', size: number): ConnectionPool =>
    openConnections({
      ...database,
      url,
      size,
      plans,
      onError,
    })
  return {
    connections: pool('hot', database.poolSize),
    screens: pool('screen', Math.min(POOL_SCREENS, database.poolSize)),
  }
}

/** Of the embedded server, and of partners' files. */
const writtenFolders = ({ database, edi }: Config): string[] => [
  ...(database.url === undefined ? [database.dataDirectory] : []),
  ...(edi.enabled ? [edi.inboxDirectory, edi.outboxDirectory, edi.archiveDirectory] : []),
]

/**
 * Reads the ERPs, in turns with other processes, until the house stops. Resolves when all of them were read once, with
 * which partners are heard.
 */
function keepMasterData(
  app: App,
  { clock, log, onProgress = () => undefined }: HouseOptions,
  signal: AbortSignal,
): Promise<void> {
  const { promise: ready, resolve } = Promise.withResolvers<void>()
  const tell: Parameters<App['sync']>[0] = ({ company, resource, read }) =>
    onProgress(`${company}: ${read} ${resource} read`)

  async function readOn(): Promise<void> {
    let isReady = false
    while (!signal.aborted) {
      const { known, failures } = await app
        .sync(isReady ? () => undefined : tell)
        .catch((error: unknown) => ({ known: false, failures: [error] }))
      for (const error of failures) log.warn('master data cannot be read; trying again', { error })
      if (known && !isReady && !signal.aborted) {
        isReady = true
        app.edi?.watch()
        resolve()
      }
      await clock.sleep(isReady ? READINGS_MS : FIRST_READING_MS, signal)
    }
    resolve()
  }

  void readOn()
  return ready
}
