/** Channels that are told what can be promised to them, by one process for all. */
import { silentOf, sourceStates } from '#domains/inventory/views/freshness.ts'
import type { Database } from '#platform/database.ts'
import type { Job } from '#platform/schedule.ts'
import type { Worker } from '#platform/worker.ts'
import { inTurn } from './app-turns.ts'
import type { Bound } from './app-systems.ts'
import type { Config } from './config-schema.ts'
import { carefully } from './processes/careful-reading.ts'
import type { ProcessPorts } from './processes/ports.ts'
import { advisePartners } from './processes/partner-availability.ts'
import { Publisher } from './processes/publishing.ts'
import { stockInDatabase } from './processes/stock-in-memory.ts'

type Wires = {
  readonly config: Config
  readonly database: Database
  readonly screens: Database
  readonly worker: Worker
  readonly processPorts: ProcessPorts
  readonly bound: Bound
}

const ROUND_MS = 400
const MINUTE_MS = 60_000
const ADVICE_LOOK_MS = 5_000

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
    ...advices(wires),
  ]
}

/** A process without EDI leaves the files to one that has it. */
function advices(wires: Wires): Job[] {
  const { config, database, processPorts, bound } = wires
  const { edi } = bound
  const partners = config.publishing.partners.map(({ minutes, ...partner }) => ({
    ...partner,
    everyMs: minutes * MINUTE_MS,
  }))
  if (!edi || partners.length === 0) return []
  const ports = {
    database,
    clock: processPorts.clock,
    leave: (partner: string, advice: Parameters<typeof edi.tellAvailability>[1]) =>
      edi.tellAvailability(partner, advice),
  }
  return [
    {
      name: 'inventory advices to partners',
      everyMs: ADVICE_LOOK_MS,
      run: inTurn(wires, 'advices', 0, () => advisePartners(ports, partners)),
    },
  ]
}
