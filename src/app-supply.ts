/** The watch over what suppliers owe, by one process for all. */
import type { Clock } from '#platform/clock.ts'
import type { Database } from '#platform/database.ts'
import type { OpenExceptions } from '#platform/exceptions.ts'
import type { Job } from '#platform/schedule.ts'
import type { Worker } from '#platform/worker.ts'
import { inTurn } from './app-turns.ts'
import type { Config } from './config-schema.ts'
import { watchSupply } from './processes/supply-watch.ts'

type WatchWires = {
  readonly config: Config
  readonly database: Database
  readonly worker: Worker
  readonly ports: { readonly clock: Clock }
  readonly openExceptions: OpenExceptions
}

const LOOK_MS = 15_000

export function supplyWatch(wires: WatchWires): Job {
  const { config, database, ports, openExceptions } = wires
  const companies = config.companies.map(({ code, timeZone }) => ({ code, timeZone }))
  const watch = { database, clock: ports.clock, companies, openExceptions }
  return {
    name: 'supply that is late or does not add up',
    everyMs: LOOK_MS,
    run: inTurn(wires, 'supply', LOOK_MS / 2, () => watchSupply(watch)),
  }
}
