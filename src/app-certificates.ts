/** The look ahead at certificates of other systems, by one process for all. */
import type { Database } from '#platform/database.ts'
import type { OpenExceptions } from '#platform/exceptions.ts'
import { watchCertificates } from '#platform/certificates-watch.ts'
import type { Job } from '#platform/schedule.ts'
import type { Worker } from '#platform/worker.ts'
import type { AppPorts } from './app-ports.ts'
import { inTurn } from './app-turns.ts'
import type { Config } from './config-schema.ts'
import { NO_COMPANY } from './processes/message-trouble.ts'

type WatchWires = {
  readonly config: Config
  readonly database: Database
  readonly worker: Worker
  readonly ports: Pick<AppPorts, 'clock' | 'certificateEnd'>
  readonly openExceptions: OpenExceptions
}

const LOOK_MS = 3_600_000

export function certificateWatch(wires: WatchWires): Job[] {
  const { config, database, ports, openExceptions } = wires
  const { clock, certificateEnd: endOf } = ports
  if (!endOf) return []
  const systems = new Map(Object.entries(config.systems).map(([name, { baseUrl }]) => [name, baseUrl]))
  const watch = { database, clock, endOf, systems, company: NO_COMPANY, openExceptions }
  return [
    {
      name: 'certificates that are about to end',
      everyMs: LOOK_MS,
      run: inTurn(wires, 'certificates', LOOK_MS / 2, () => watchCertificates(watch)),
    },
  ]
}
