/** What those who wait can expect, kept by one process for all, and the doors to look at it. */
import type {
  BackorderRules,
  BackorderChange,
  BackorderRun,
} from '#domains/inventory/contract/backorder-runs.ts'
import type { WaitingItem, WaitingQueue } from '#domains/inventory/contract/waiting.ts'
import { backorderRunRoutes } from '#domains/inventory/routes/backorder-runs.ts'
import { waitingRoutes } from '#domains/inventory/routes/waiting.ts'
import { companiesOfWaiting, locationsOfWaited } from '#domains/inventory/views/waiting.ts'
import { backorderRunOf, changesOfRun } from '#domains/inventory/views/backorder-runs.ts'
import { type Clock, systemClock } from '#platform/clock.ts'
import type { Database } from '#platform/database.ts'
import { Refusal } from '#platform/faults.ts'
import type { OpenExceptions } from '#platform/exceptions.ts'
import type { Route } from '#platform/http.ts'
import type { Pages } from '#platform/http-cursor.ts'
import type { Job } from '#platform/schedule.ts'
import type { Worker } from '#platform/worker.ts'
import { freshnessOf } from './app-freshness.ts'
import { inTurn } from './app-turns.ts'
import type { Config } from './config-schema.ts'
import { commandBackorderRun, planned, started, workOnRuns } from './processes/backorder-runs.ts'
import { Care } from './processes/care.ts'
import { orderNumber, type ProcessPorts } from './processes/ports.ts'
import { watchPromises } from './processes/promise-watch.ts'
import { waitingOf } from './processes/waiting.ts'

type WatchWires = {
  readonly config: Config
  readonly database: Database
  readonly worker: Worker
  readonly ports: { readonly clock: Clock }
  readonly openExceptions: OpenExceptions
}

const LOOK_MS = 15_000

/** What is done for those who wait, by one process for all. */
export const waitingJobs = (wires: WatchWires & RunWires): Job[] => [
  promiseWatch(wires),
  backorderRuns(wires),
]

function promiseWatch(wires: WatchWires): Job {
  const { config, database, worker, ports, openExceptions } = wires
  const companies = config.companies.map(({ code, timeZone }) => {
    const places = config.locations.filter((place) => (place.company ?? code) === code)
    return { code, timeZone, locations: places.map((place) => place.code) }
  })
  const watch = { database, clock: ports.clock, companies, openExceptions, runner: () => worker.runner() }
  return {
    name: 'what those who wait are promised',
    everyMs: LOOK_MS,
    run: inTurn(wires, 'promises', LOOK_MS / 2, () => watchPromises(watch)),
  }
}

const RUN_MS = 1_000

type RunWires = Pick<WatchWires, 'database' | 'worker'> & { readonly processPorts: ProcessPorts }

/** Does what people started, item by item, by one process for all. */
function backorderRuns(wires: RunWires): Job {
  const { worker, processPorts: ports } = wires
  return {
    name: 'backorder runs',
    everyMs: RUN_MS,
    run: inTurn(wires, 'backorder-runs', 0, async () => {
      while (await workOnRuns({ runner: worker.runner(), ports }));
    }),
  }
}

type DoorWires = {
  readonly screens: Database
  readonly worker: Worker
  readonly processPorts: ProcessPorts
  readonly ports: { readonly clock: Clock }
}

export const waitingDoors = (
  { screens: queries, worker, processPorts, ports: { clock } }: DoorWires,
  pages: Pages,
  companies: readonly string[],
): Route[] => [
  ...waitingRoutes({
    pages,
    companies: () => companies,
    read: (asked) => waitingOf(queries, clock, asked),
  }),
  ...backorderRunRoutes({
    queries,
    pages,
    companies: () => companies,
    orderNumber,
    command: (command) =>
      commandBackorderRun(queries, { runner: worker.runner(), ports: processPorts }, command),
  }),
]

// For who works beside the running program ------------------------------------------------------------------------------

export const companiesWaiting = companiesOfWaiting

const ITEMS_READ = 10_000

/** The first of those who wait. */
export async function waitingBeside(
  database: Database,
  { company, queue, limit }: { company: string; queue: WaitingQueue | undefined; limit: number },
): Promise<WaitingItem[]> {
  const asked = { company, queue, after: 0, items: ITEMS_READ }
  return (await waitingOf(database, systemClock, asked)).items.slice(0, limit)
}

type PlanAsked = {
  readonly company: string
  readonly items: string[] | undefined
  readonly locations: string[] | undefined
  readonly rules: BackorderRules
  readonly actor: string
}

/** Where no company is configured here, it sells from wherever what is waited for has been. */
export async function planBeside(
  config: Config,
  database: Database,
  { actor, ...asked }: PlanAsked,
): Promise<number> {
  const code = asked.company
  const places = config.locations.filter((place) => (place.company ?? code) === code)
  const locations =
    places.length > 0 ? places.map((place) => place.code) : await locationsOfWaited(database, code)
  const timeZone = config.companies.find((company) => company.code === code)?.timeZone ?? 'UTC'
  const care = new Care(freshnessOf(config), systemClock)
  const ports = { clock: systemClock, care, findCompany: () => ({ code, locations, timeZone }) }
  const act = await planned(database, ports, { request: { dryRun: true, ...asked }, actor })
  return database.transaction(act)
}

export async function startBeside(
  database: Database,
  { actor, ...asked }: { run: number; reason: string; actor: string },
): Promise<void> {
  await database.transaction(started({ dryRun: false, ...asked }, { actor }))
}

export async function runBeside(
  database: Database,
  id: number,
  limit: number,
): Promise<{ run: BackorderRun; changes: BackorderChange[] }> {
  const run = await backorderRunOf(database, id)
  if (!run) throw new Refusal('inventory.backorder_run_unknown', `no run has the number ${id}`)
  const rows = await changesOfRun(database, id, { after: 0, limit, orderNumber })
  return { run, changes: rows.map(({ change }) => change) }
}
