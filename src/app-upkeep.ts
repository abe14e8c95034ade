/** What the house does by itself so that it stays small, whole and visible: partitions, retention, seals, gauges. */
import { ensureLedgerPartitions } from '#domains/inventory/operations.ts'
import { ensureAuditPartitions } from '#platform/audit.ts'
import { sealEntries } from '#platform/audit-seals.ts'
import type { Clock } from '#platform/clock.ts'
import type { Database } from '#platform/database.ts'
import { purge as purgeIdempotency } from '#platform/http-idempotency.ts'
import { purgeMessages } from '#platform/inbox-upkeep.ts'
import { ensureLogPartitions } from '#platform/log.ts'
import { parkingDepth } from '#platform/parking-views.ts'
import { type Job, schedule } from '#platform/schedule.ts'
import type { Log } from '#platform/telemetry-log.ts'
import type { declareHouseMetrics } from '#platform/telemetry-metrics.ts'
import type { Worker } from '#platform/worker.ts'
import { describeError } from './app-systems.ts'

export type UpkeepWires = {
  readonly database: Database
  readonly screens: Database
  readonly worker: Worker
  readonly clock: Clock
  readonly log: Log
  readonly metrics: ReturnType<typeof declareHouseMetrics>
}

const SECOND_MS = 1_000
const HOUR_MS = 3_600_000

/** Starts upkeep; the answer ends it. */
export function keepUp(wires: UpkeepWires): () => Promise<void> {
  return schedule(jobsOf(wires), wires.clock, (name, error) => {
    wires.log.warn(`upkeep failed: ${name}`, { error: describeError(error) })
  })
}

function jobsOf({ database, screens, worker, clock, metrics }: UpkeepWires): Job[] {
  return [
    { name: 'event log partitions', everyMs: 24 * HOUR_MS, run: () => ensureLogPartitions(database) },
    { name: 'ledger partitions', everyMs: 24 * HOUR_MS, run: () => ensureLedgerPartitions(database) },
    { name: 'audit partitions', everyMs: 24 * HOUR_MS, run: () => ensureAuditPartitions(database) },
    { name: 'audit seals', everyMs: SECOND_MS, run: () => sealEntries(database) },
    { name: 'messages past retention', everyMs: 24 * HOUR_MS, run: () => purgeMessages(database) },
    { name: 'idempotency keys past retention', everyMs: HOUR_MS, run: () => purgeKeys(database) },
    { name: 'parked work', everyMs: 15 * SECOND_MS, run: () => measureParked(screens, clock, metrics) },
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

async function purgeKeys(database: Database): Promise<void> {
  while ((await purgeIdempotency(database)) > 0);
}

async function measureParked(
  screens: Database,
  clock: Clock,
  metrics: UpkeepWires['metrics'],
): Promise<void> {
  for (const [kind, rows] of Map.groupBy(await parkingDepth(screens), (row) => row.kind)) {
    const oldestMs = Math.min(...rows.map((row) => row.oldestAt.getTime()))
    metrics.parkedDepth.set(
      { kind },
      rows.reduce((sum, row) => sum + row.count, 0),
    )
    metrics.parkedOldestSeconds.set({ kind }, (clock.now().getTime() - oldestMs) / SECOND_MS)
  }
}
