/** What those who wait can expect, kept by one process for all, and the doors to look at it. */
import { waitingRoutes } from '#domains/inventory/routes/waiting.ts'
import type { Clock } from '#platform/clock.ts'
import type { Database } from '#platform/database.ts'
import type { OpenExceptions } from '#platform/exceptions.ts'
import type { Route } from '#platform/http.ts'
import type { Pages } from '#platform/http-cursor.ts'
import type { Job } from '#platform/schedule.ts'
import type { Worker } from '#platform/worker.ts'
import { inTurn } from './app-turns.ts'
import type { Config } from './config-schema.ts'
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

export function promiseWatch(wires: WatchWires): Job {
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

export const waitingDoors = (
  {
    screens: queries,
    ports: { clock },
  }: { readonly screens: Database; readonly ports: { readonly clock: Clock } },
  pages: Pages,
  companies: readonly string[],
): Route[] =>
  waitingRoutes({
    pages,
    companies: () => companies,
    read: (asked) => waitingOf(queries, clock, asked),
  })
