/** Loads what the ERPs own, and keeps the doors shut until it is there. */
import { oldestFigures } from '#domains/customers/operations.ts'
import type { Clock } from '#platform/clock.ts'
import type { Database, Queries } from '#platform/database.ts'
import { Outage } from '#platform/faults.ts'
import { endTurn, takeTurn } from '#platform/reading-turns.ts'
import { readingProgress } from '#platform/readings.ts'
import type { Worker } from '#platform/worker.ts'
import type { Bound } from './app-systems.ts'
import { erpOrders } from './app-erp-orders.ts'
import { erpStock } from './app-erp-stock.ts'
import { politeReader } from './app-polite.ts'
import type { Config } from './config-schema.ts'
import { recountOpen } from './processes/credit.ts'
import type { FeedPorts } from './processes/stock-feed.ts'
import { syncMasterData, type SyncProgress } from './processes/master-data-sync.ts'

/** Without copies of master data every order would be refused for good; so nobody decides before they are there. */
export function masterDataGate(config: Config, readers: Bound['readers'], queries: Queries) {
  let isOpen = false
  const read = config.companies.filter(({ erp }) => readers.has(erp))
  const last = read.map(({ code, erp }) => ({ company: code, source: erp, resource: 'open-orders' }))
  return {
    /** Opens when every company was read once, by whichever process; answers whether it is open. */
    async openIfKnown(): Promise<boolean> {
      if (isOpen) return true
      const readings = await Promise.all(last.map((source) => readingProgress(queries, source)))
      return (isOpen = readings.every(({ since }) => since !== null))
    },
    check() {
      if (!isOpen) throw new Outage('crossdock', 'master data is being loaded; ask again in a few seconds')
    },
  }
}

export type MasterDataGate = ReturnType<typeof masterDataGate>

const HOUR_MS = 3_600_000
const AGAIN_MS = 5 * 60_000
const RETRY_MS = 5_000

export type Reading = {
  /** Every company was read once, by whichever process. */
  readonly known: boolean
  /** Why ERPs could not be read. */
  readonly failures: readonly unknown[]
}

type Wires = {
  readonly gate: MasterDataGate
  readonly readers: Bound['readers']
  readonly database: Database
  readonly clock: Clock
  /** Whose life takes the turns: none in a process that only opens doors. */
  readonly worker: Worker
  readonly processPorts: FeedPorts
}

/**
 * Reads customers, items, prices, opening stock, open orders and purchase orders of each company whose turn it is and that no other
 * process reads. One that cannot be read keeps no other from being read.
 */
export function masterDataSync(
  config: Config,
  { gate, readers, database, clock, worker, processPorts }: Wires,
): (onProgress: (progress: SyncProgress) => void) => Promise<Reading> {
  const aging = agingFigures(database, clock)
  const onStock = erpStock(config, processPorts)
  const onOpenOrders = erpOrders(config, processPorts)
  return async (onProgress) => {
    await gate.openIfKnown()
    const { life } = worker
    const failures: unknown[] = []
    for (const { code: company, erp: source, credit } of life ? config.companies : []) {
      const found = readers.get(source)
      const turn = { company, source, holder: life!.epoch }
      if (!found || !(await takeTurn(database, turn))) continue
      const reader = politeReader(found, { system: source, gate: life!.policies.gate(source), clock })
      const complete = await aging.are(company, credit.staleAfterHours * HOUR_MS)
      const sync = {
        reader,
        company,
        database,
        clock,
        complete,
        onProgress,
        recountOpen,
        onStock,
        onOpenOrders,
      }
      const failed = await syncMasterData(sync).then(
        () => undefined,
        (error: unknown) => ({ error }),
      )
      await endTurn(database, turn, failed ? againAfter(failed.error, clock) : AGAIN_MS)
      if (failed) failures.push(failed.error)
      else if (complete) aging.readAnew(company)
    }
    return { known: await gate.openIfKnown(), failures }
  }
}

/** Soon, or when the system opens again, but not later than it would be read anyway. */
function againAfter(error: unknown, clock: Clock): number {
  const closedMs =
    error instanceof Outage && error.retryAt ? error.retryAt.getTime() - clock.now().getTime() : 0
  return Math.min(AGAIN_MS, Math.max(RETRY_MS, closedMs))
}

/**
 * An ERP does not tell by itself that what a customer owes is still true, so before its figures are too old to decide
 * on, everything is read anew. Once in that time: a customer that the ERP no longer has stays old for ever.
 */
function agingFigures(database: Database, clock: Clock) {
  const readAnewMs = new Map<string, number>()
  return {
    async are(company: string, staleAfterMs: number): Promise<boolean> {
      const isOld = (atMs: number): boolean => clock.now().getTime() - atMs > staleAfterMs / 2
      const oldest = await oldestFigures(database, company)
      return oldest !== undefined && isOld(oldest.getTime()) && isOld(readAnewMs.get(company) ?? 0)
    },
    readAnew: (company: string) => void readAnewMs.set(company, clock.now().getTime()),
  }
}
