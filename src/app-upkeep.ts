/** What the house does by itself so that it stays small, whole and visible: partitions, retention, seals, gauges. */
import { ensureLedgerPartitions } from '#domains/inventory/operations.ts'
import { ensureAuditPartitions } from '#platform/audit.ts'
import { sealAll } from '#platform/audit-seals.ts'
import type { Clock } from '#platform/clock.ts'
import type { Database } from '#platform/database.ts'
import { countStuck } from '#platform/desk.ts'
import { purge as purgeIdempotency } from '#platform/http-idempotency.ts'
import { purgeMessages } from '#platform/inbox-upkeep.ts'
import { ensureLogPartitions } from '#platform/log.ts'
import { isBusy, isOutage } from '#platform/outage.ts'
import { endRecovered } from '#platform/parking-replay.ts'
import { parkingDepth } from '#platform/parking-views.ts'
import { type Job, schedule } from '#platform/schedule.ts'
import { watchSystems } from '#platform/systems-away.ts'
import { purgeTouches } from '#platform/touches.ts'
import type { declareHouseMetrics } from '#platform/telemetry-metrics.ts'
import type { Worker } from '#platform/worker.ts'
import { invariantJob } from './app-invariants.ts'
import type { AppPorts } from './app-ports.ts'
import { describeError } from './app-systems.ts'
import type { ProcessPorts } from './processes/ports.ts'
import { NO_COMPANY } from './processes/message-trouble.ts'
import { endExpired } from './processes/reservation-expiry.ts'

export type UpkeepWires = {
  readonly companies: readonly string[]
  readonly database: Database
  readonly screens: Database
  readonly worker: Worker
  readonly ports: Pick<AppPorts, 'clock' | 'log' | 'auditHeads'>
  readonly metrics: ReturnType<typeof declareHouseMetrics>
  readonly processPorts: Pick<ProcessPorts, 'openExceptions'>
  /** What other parts of the house have come round. */
  readonly jobs: readonly Job[]
}

const SECOND_MS = 1_000
const HOUR_MS = 3_600_000

/** Starts these jobs alone; the answer ends them. What fails by itself, and not since others are away, is a defect. */
export const comeRound = (jobs: readonly Job[], { clock, log }: Pick<AppPorts, 'clock' | 'log'>) =>
  schedule(jobs, clock, (name, error) => {
    const level = isOutage(error) || isBusy(error) ? 'warn' : 'error'
    log[level](`upkeep failed: ${name}`, { error: describeError(error) })
  })

/** Starts upkeep; the answer ends it, with what was done until then sealed and signed. */
export function keepUp(wires: UpkeepWires): () => Promise<void> {
  const end = comeRound(jobsOf(wires), wires.ports)
  return async () => {
    await end()
    await sealTheEnd(wires).catch((error: unknown) => {
      wires.ports.log.warn('the end of the audit trail is not signed', { error: describeError(error) })
    })
  }
}

async function sealTheEnd({ database, ports }: UpkeepWires): Promise<void> {
  await sealAll(database)
  await ports.auditHeads?.sign(database, 'at the end')
}

function jobsOf(wires: UpkeepWires): Job[] {
  const { companies, database, screens, worker, metrics, jobs } = wires
  const { clock, auditHeads } = wires.ports
  return [
    ...jobs,
    invariantJob(wires),
    {
      name: 'expired reservations',
      everyMs: SECOND_MS,
      run: () => endExpired(database, () => worker.runner()),
    },
    { name: 'event log partitions', everyMs: 24 * HOUR_MS, run: () => ensureLogPartitions(database) },
    { name: 'ledger partitions', everyMs: 24 * HOUR_MS, run: () => ensureLedgerPartitions(database) },
    { name: 'audit partitions', everyMs: 24 * HOUR_MS, run: () => ensureAuditPartitions(database) },
    { name: 'audit seals', everyMs: SECOND_MS, run: () => sealAll(database) },
    { name: 'audit heads', everyMs: 60 * SECOND_MS, run: async () => auditHeads?.sign(database) },
    { name: 'touches past retention', everyMs: 60 * SECOND_MS, run: () => purgeTouches(database) },
    { name: 'messages past retention', everyMs: 24 * HOUR_MS, run: () => purgeMessages(database) },
    { name: 'idempotency keys past retention', everyMs: HOUR_MS, run: () => purgeKeys(database) },
    { name: 'parked work that goes on', everyMs: 5 * SECOND_MS, run: () => endRecovered(database) },
    { name: 'parked work', everyMs: 15 * SECOND_MS, run: () => measureParked(screens, clock, metrics) },
    {
      name: 'stuck documents',
      everyMs: 15 * SECOND_MS,
      run: () => measureStuck(screens, companies, metrics),
    },
    { name: 'systems that are away', everyMs: 30 * SECOND_MS, run: () => watchAway(wires) },
    {
      name: 'circuits',
      everyMs: 5 * SECOND_MS,
      async run() {
        const states = { closed: 0, half_open: 1, open: 2 }
        for (const view of worker.life?.policies.view() ?? []) {
          metrics.circuitState.set({ system: view.instance }, states[view.breaker])
        }
      },
    },
  ]
}

/** Much longer than what breakers and retries get over by themselves. */
const AWAY_AFTER_MS = HOUR_MS / 4

async function watchAway({ database, worker, processPorts: { openExceptions } }: UpkeepWires): Promise<void> {
  if (!worker.life) return
  await watchSystems({ database, company: NO_COMPANY, openExceptions, afterMs: AWAY_AFTER_MS })
}

async function purgeKeys(database: Database): Promise<void> {
  while ((await purgeIdempotency(database)) > 0);
}

const KINDS = ['message', 'document', 'effect'] as const

/** Every kind each time, so that a gauge falls when its work is cleared. */
async function measureParked(
  screens: Database,
  clock: Clock,
  metrics: UpkeepWires['metrics'],
): Promise<void> {
  const rows = await parkingDepth(screens)
  for (const kind of KINDS) {
    const mine = rows.filter((row) => row.kind === kind)
    const depth = mine.reduce((sum, row) => sum + row.count, 0)
    const nowMs = clock.now().getTime()
    const oldestMs = Math.min(nowMs, ...mine.map((row) => row.oldestAt.getTime()))
    metrics.parkedDepth.set({ kind }, depth)
    metrics.parkedOldestSeconds.set({ kind }, (nowMs - oldestMs) / SECOND_MS)
  }
}

async function measureStuck(
  screens: Database,
  companies: readonly string[],
  metrics: UpkeepWires['metrics'],
): Promise<void> {
  const stuck = await countStuck(screens)
  for (const company of companies) metrics.ordersStuck.set({ company }, stuck.get(company) ?? 0)
}
