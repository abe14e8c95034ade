/** Scans of parcels that no shipment had: booked as soon as one has, told to a person when none comes. */
import type { Clock } from '#platform/clock.ts'
import type { Queries, Transaction } from '#platform/database.ts'
import type { Runner } from '#platform/runner.ts'
import type { EarlyScan, ParcelScan } from '#domains/shipments/contract/tracking.ts'
import {
  awaitEarlyScans,
  dueEarlyScans,
  endEarlyScans,
  longestWaiting,
} from '#domains/shipments/operations/tracking.ts'
import type { ProcessPorts } from './ports.ts'
import { trackParcels } from './tracking.ts'
import { closeUnclaimed, openUnclaimed } from './tracking-trouble.ts'

export type EarlyScansPorts = {
  readonly clock: Clock
  readonly queries: Queries
  readonly runner: () => Runner
  readonly ports: ProcessPorts
}

const PORTION = 500
const UNCLAIMED_AFTER_MS = 86_400_000
/** An example is enough to ask the carrier about. */
const TOLD_MOST = 10

/** One look at those that are due. A full portion is followed by another, since all that is taken is due no more. */
export async function takeDueScans({ clock, queries, runner, ports }: EarlyScansPorts): Promise<void> {
  for (;;) {
    const due = await dueEarlyScans(queries, clock.now(), PORTION)
    for (const [source, scans] of Map.groupBy(due, (scan) => scan.source))
      await runner().transaction({ source, actor: source }, (tx) => takeScans(tx, ports, source, scans))
    if (due.length < PORTION) return
  }
}

async function takeScans(
  tx: Transaction,
  ports: ProcessPorts,
  source: string,
  scans: readonly EarlyScan[],
): Promise<void> {
  const now = ports.clock.now()
  // Another process may book the same ones at this time, which changes nothing.
  const { early } = await trackParcels(tx, ports, scans, { source, actor: source })
  const waiting = new Set<ParcelScan>(early)
  const isOld = ({ toldAt }: EarlyScan): boolean => now.getTime() - toldAt.getTime() >= UNCLAIMED_AFTER_MS
  const [old, booked] = [
    scans.filter((scan) => waiting.has(scan) && isOld(scan)),
    scans.filter((scan) => !waiting.has(scan)),
  ]
  endEarlyScans(tx, source, idsOf(booked))
  awaitEarlyScans(tx, source, idsOf(early), now)
  const tracking = [...new Set(old.map((scan) => scan.tracking))].slice(0, TOLD_MOST)
  if (old.length > 0) await openUnclaimed(tx, ports, { source, tracking })
  else if (booked.some(isOld)) await closeWhereNoneIsOld(tx, source, now)
}

const idsOf = (scans: readonly ParcelScan[]): string[] => scans.map(({ messageId }) => messageId)

async function closeWhereNoneIsOld(tx: Transaction, source: string, now: Date): Promise<void> {
  const since = await longestWaiting(tx, source)
  if (!since || now.getTime() - since.getTime() < UNCLAIMED_AFTER_MS) await closeUnclaimed(tx, source)
}
