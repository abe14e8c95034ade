/** What every scenario stands on: a durable PostgreSQL of its own, the counterparts, Crossdock, and how it is measured. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import type { ConfigInput } from '../src/config-schema.ts'
import { systemClock } from '#platform/clock.ts'
import { migrate } from '#platform/migrations.ts'
import { startPostgres } from '#platform/postgres-server.ts'
import { createLog } from '#platform/telemetry-log.ts'
import type { World } from '#landscape/world/world.ts'
import { type Part, postgresCpuSeconds, startPart } from './processes.ts'
import { benchWorld, SITE } from './world.ts'

export type Mode = 'batch' | 'single'

export type Stage = {
  readonly world: World
  readonly client: Client
  readonly databaseUrl: string
  readonly url: string
  readonly app: Part
  readonly landscape: Part
  /** Runs `work` and answers what it used, by process. */
  measure<T>(work: () => Promise<T>): Promise<{ result: T; used: Used }>
  end(): Promise<void>
}

export type Used = {
  readonly seconds: number
  readonly transactions: number
  readonly walBytes: number
  readonly cpuSeconds: { readonly postgres: number | undefined; readonly app: number; readonly counterparts: number; readonly driver: number }
}

const quiet = createLog({ level: 'error', clock: systemClock, destination: { write: (line) => void process.stderr.write(line) } })

/** A durable cluster in a temporary folder, deleted afterwards. */
export async function openCluster(): Promise<{ url: string; postmaster: number; end(): Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), 'crossdock-bench-'))
  const options = { dataDirectory: join(folder, 'postgres'), clock: systemClock, log: quiet }
  let server = await startPostgres(options)
  if (process.env['BENCH_PROFILE']) {
    await countStatements(server.url)
    await server.stop()
    server = await startPostgres(options)
  }
  await migrate(server.url)
  const client = new Client({ connectionString: server.url })
  await client.connect()
  const { rows } = await client.query<{ folder: string }>(`select setting as folder from pg_settings where name = 'data_directory'`)
  await client.end()
  const postmaster = Number(readFileSync(join(rows[0]!.folder, 'postmaster.pid'), 'utf8').split('\n')[0])
  return {
    url: process.env['BENCH_TCP'] ? server.url.split('?')[0]! : server.url,
    postmaster,
    async end() {
      await server.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Makes the server count its statements from its next start on. */
async function countStatements(url: string): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  await client.query(`alter system set shared_preload_libraries = 'pg_stat_statements'`)
  await client.query('create extension pg_stat_statements')
  await client.end()
}

export async function openStage(mode: Mode, worker: Partial<ConfigInput['worker'] & object> = {}): Promise<Stage> {
  const cluster = await openCluster()
  const world = benchWorld()
  const landscape = await startPart('./landscape-process.ts')
  const app = await startPart('./app-process.ts', {
    url: cluster.url,
    config: benchConfig(landscape.ready.urls!, mode, worker),
  })
  const url = app.ready.url!
  landscape.tell({ kind: 'deliver to', url: `${url}/system/wms/v1/events` })
  const client = new Client({ connectionString: cluster.url })
  await client.connect()
  await client.query('analyze')
  await client.query('checkpoint')

  async function counters(): Promise<{ transactions: number; wal: number }> {
    await client.query('select pg_stat_force_next_flush()')
    await sleep(1_100)
    const { rows } = await client.query<{ commits: string; wal: string }>(
      `select xact_commit as commits, pg_current_wal_lsn() - '0/0' as wal from pg_stat_database where datname = current_database()`,
    )
    return { transactions: Number(rows[0]!.commits), wal: Number(rows[0]!.wal) }
  }

  async function cpu() {
    const [appUsage, landscapeUsage] = await Promise.all([app.usage(), landscape.usage()])
    const seconds = ({ user, system }: NodeJS.CpuUsage): number => (user + system) / 1e6
    return {
      postgres: postgresCpuSeconds(cluster.postmaster),
      app: seconds(appUsage.cpu),
      counterparts: seconds(landscapeUsage.cpu),
      driver: seconds(process.cpuUsage()),
    }
  }

  return {
    world,
    client,
    databaseUrl: cluster.url,
    url,
    app,
    landscape,
    async measure(work) {
      const [before, cpuBefore] = [await counters(), await cpu()]
      const startedMs = performance.now()
      const result = await work()
      const seconds = (performance.now() - startedMs) / 1000
      const [cpuAfter, after] = [await cpu(), await counters()]
      const postgres = cpuAfter.postgres === undefined ? undefined : cpuAfter.postgres - (cpuBefore.postgres ?? 0)
      return {
        result,
        used: {
          seconds,
          transactions: after.transactions - before.transactions,
          walBytes: after.wal - before.wal,
          cpuSeconds: {
            postgres,
            app: cpuAfter.app - cpuBefore.app,
            counterparts: cpuAfter.counterparts - cpuBefore.counterparts,
            driver: cpuAfter.driver - cpuBefore.driver,
          },
        },
      }
    },
    async end() {
      await client.end()
      await app.stop()
      landscape.kill()
      await cluster.end()
    },
  }
}

/** Waits until every accepted order is invoiced and posted; answers how many are. */
export async function drained(client: Client, expected: number): Promise<number> {
  for (let idle = 0, last = -1; ; ) {
    const { rows } = await client.query<{ posted: string }>(`select count(*) as posted from billing.invoice where posted_at is not null`)
    const posted = Number(rows[0]!.posted)
    if (posted >= expected) return posted
    idle = posted === last ? idle + 1 : 0
    if (idle > 300) throw new Error(`only ${posted} of ${expected} orders are posted, and nothing moves any more`)
    last = posted
    await sleep(100)
  }
}

function benchConfig(urls: Record<string, string>, mode: Mode, worker: object): Partial<ConfigInput> {
  const batchMax = mode === 'batch' ? 50 : 1
  const policy = { concurrencyPerProcess: mode === 'batch' ? 4 : 32, batchMax }
  return {
    companies: [
      { code: 'NWF', name: 'Northway Foods', currency: 'USD', country: 'US', timeZone: 'America/New_York', erp: 'erp-foods' },
      { code: 'NWI', name: 'Northway Industrial', currency: 'EUR', country: 'DE', timeZone: 'Europe/Berlin', erp: 'erp-industrial' },
    ],
    locations: [{ code: SITE, type: 'warehouse', wms: 'wms', timeZone: 'America/New_York' }],
    systems: {
      'erp-foods': {
        connector: 'erp-legacy',
        baseUrl: urls['legacyErp']!,
        credentials: { user: 'CROSSDOCK', password: 'secret' },
        options: { batchMax },
        policy,
      },
      'erp-industrial': {
        connector: 'erp-cloud',
        baseUrl: urls['cloudErp']!,
        credentials: { clientId: 'crossdock', clientSecret: 'secret' },
        options: { company: 'NWI', batchMax },
        policy,
      },
      wms: {
        connector: 'wms-depot',
        baseUrl: urls['wms']!,
        credentials: { apiKey: 'secret', webhookSecret: 'wms-secret' },
        options: { batchMax },
        policy,
      },
    },
    worker,
  }
}
