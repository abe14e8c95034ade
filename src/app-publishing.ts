/** Channels that are told what can be promised to them, by one process for all. */
import { silentOf, sourceStates } from '#domains/inventory/views/freshness.ts'
import type { Database } from '#platform/database.ts'
import type { Job } from '#platform/schedule.ts'
import type { Worker } from '#platform/worker.ts'
import { inTurn } from './app-turns.ts'
import type { Config } from './config-schema.ts'
import { carefully } from './processes/careful-reading.ts'
import type { ProcessPorts } from './processes/ports.ts'
import { Publisher } from './processes/publishing.ts'
import { stockInDatabase } from './processes/stock-in-memory.ts'

type Wires = {
  readonly config: Config
  readonly database: Database
  readonly screens: Database
  readonly worker: Worker
  readonly processPorts: ProcessPorts
}

const ROUND_MS = 400

export function publishing(wires: Wires): Job[] {
  const { config, database, screens, processPorts } = wires
  const { clock, ids, freshness, company } = processPorts
  const { channels } = config.publishing
  if (channels.length === 0) return []
  const publisher = new Publisher({
    database,
    clock,
    ids,
    channels,
    locationsOf: (code) => company(code).locations,
    silent: async () =>
      silentOf(freshness, await sourceStates(screens))
        .map(({ source, flow }) => `${source} ${flow}`)
        .join(),
    read: carefully(stockInDatabase(screens, clock, freshness), clock),
  })
  return [
    {
      name: 'what channels are told can be promised',
      everyMs: ROUND_MS,
      run: inTurn(wires, 'publishing', 0, () => publisher.round()),
    },
  ]
}
