/** What every scenario stands on: a PostgreSQL of its own, the counterparts, Crossdock, and how they are measured. */
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import type { Pace } from '#landscape/wms/store.ts'
import type { World } from '#landscape/world/world.ts'
import { openCluster } from './cluster.ts'
import { benchConfig, type Mode } from './config.ts'
import { type AnswerTimesMs, type Part, postgresCpuSeconds, startPart } from './processes.ts'
import { undoable } from './undoing.ts'
import { benchWorld } from './world.ts'

export type CpuSeconds = {
  /** Null where the system does not tell. */
  readonly postgres: number | null
  readonly app: number
  readonly counterparts: number
  readonly driver: number
}

export type Used = {
  readonly seconds: number
  readonly transactions: number
  readonly walBytes: number
  readonly cpuSeconds: CpuSeconds
}

export type Play = { readonly mode: Mode; readonly pace?: Pace }

export type Stage = {
  readonly world: World
  readonly client: Client
  readonly databaseUrl: string
  readonly postgresVersion: string
  /** Ends the program that runs, if one does, and starts another on the same database. */
  play(play: Play): Promise<{ readonly url: string; readonly app: Part }>
  /** From now on the systems answer so late. */
  answerAfter(ms: AnswerTimesMs): void
  /** Runs `work` and answers what it used, by process. */
  measure<T>(work: () => Promise<T>): Promise<{ result: T; used: Used }>
  end(): Promise<void>
}

/** The warehouse's own time for an order: until the first pick, and until the shipment. */
export const WAREHOUSE_PACE: Pace = { pickAfterMs: 30, shipAfterMs: 20 }
/** Sessions report their counters once a second at most. */
const COUNTERS_LAG_MS = 1_100

/** Of a world with so many items; undefined: the whole one. */
export async function openStage(items?: number): Promise<Stage> {
  const cluster = await openCluster()
  const client = new Client({ connectionString: cluster.url })
  await client.connect()
  const endClient = undoable(() => client.end())
  const landscape = await startPart('./landscape-process.ts', { items })
  let app: Part | undefined

  async function play({ mode, pace = WAREHOUSE_PACE }: Play) {
    await app?.stop()
    app = await startPart('./app-process.ts', {
      url: cluster.url,
      config: benchConfig(landscape.ready.urls!, mode),
    })
    const url = app.ready.url!
    landscape.tell({ kind: 'deliver', to: `${url}/system/wms/v1/events`, pace })
    await client.query('analyze')
    await client.query('checkpoint')
    return { url, app }
  }

  async function counters(): Promise<{ transactions: number; wal: number }> {
    await client.query('select pg_stat_force_next_flush()')
    await sleep(COUNTERS_LAG_MS)
    const { rows } = await client.query<{ commits: string; wal: string }>(
      `select xact_commit as commits, pg_current_wal_lsn() - '0/0' as wal from pg_stat_database
       where datname = current_database()`,
    )
    return { transactions: Number(rows[0]!.commits), wal: Number(rows[0]!.wal) }
  }

  async function cpu(): Promise<CpuSeconds> {
    const [appUsage, landscapeUsage] = await Promise.all([app!.usage(), landscape.usage()])
    return {
      postgres: postgresCpuSeconds(cluster.postmaster) ?? null,
      app: seconds(appUsage.cpu),
      counterparts: seconds(landscapeUsage.cpu),
      driver: seconds(process.cpuUsage()),
    }
  }

  return {
    world: benchWorld(items),
    client,
    databaseUrl: cluster.url,
    postgresVersion: cluster.version,
    play,
    answerAfter: (ms) => landscape.tell({ kind: 'answer-after', ms }),
    async measure(work) {
      const [before, cpuBefore] = [await counters(), await cpu()]
      const startedMs = performance.now()
      const result = await work()
      const taken = (performance.now() - startedMs) / 1000
      const [cpuAfter, after] = [await cpu(), await counters()]
      const used = {
        seconds: taken,
        transactions: after.transactions - before.transactions,
        walBytes: after.wal - before.wal,
        cpuSeconds: difference(cpuAfter, cpuBefore),
      }
      return { result, used }
    },
    async end() {
      await app?.stop()
      await landscape.kill()
      await endClient()
      await cluster.end()
    },
  }
}

const seconds = ({ user, system }: NodeJS.CpuUsage): number => (user + system) / 1e6

const difference = (after: CpuSeconds, before: CpuSeconds): CpuSeconds => ({
  postgres: after.postgres === null ? null : after.postgres - (before.postgres ?? 0),
  app: after.app - before.app,
  counterparts: after.counterparts - before.counterparts,
  driver: after.driver - before.driver,
})

const STUCK_MS = 30_000
const LOOK_MS = 50

/** Waits until nothing is left to do for any document. */
export async function drained(client: Client): Promise<void> {
  await untilDesk(client, ({ open }) => open === 0)
}

/** Waits until so many documents sleep and none is being worked. */
export async function asleep(client: Client, documents: number): Promise<void> {
  await untilDesk(client, ({ sleeping, open }) => sleeping >= documents && sleeping === open)
}

type Desk = { readonly open: number; readonly sleeping: number }

async function untilDesk(client: Client, isReached: (desk: Desk) => boolean): Promise<void> {
  let [last, movedMs] = ['', performance.now()]
  for (;;) {
    const { rows } = await client.query<Desk>(
      `select count(*)::int as open, count(*) filter (where owner is null and due_at > now() + interval '1 minute')::int as sleeping
       from desk.document`,
    )
    const desk = rows[0]!
    if (isReached(desk)) return
    const now = JSON.stringify(desk)
    if (now !== last) [last, movedMs] = [now, performance.now()]
    if (performance.now() - movedMs > STUCK_MS) throw new Error(`nothing moves any more: ${now} documents`)
    await sleep(LOOK_MS)
  }
}
