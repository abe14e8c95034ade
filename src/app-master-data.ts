/** Loads what ERPs own and what warehouses sold by themselves, and keeps the doors shut until it is there. */
import { oldestFigures } from '#domains/customers/operations.ts'
import type { Clock } from '#platform/clock.ts'
import type { Database, Queries } from '#platform/database.ts'
import { Outage } from '#platform/faults.ts'
import { readingsProgress } from '#platform/readings.ts'
import type { Life, Worker } from '#platform/worker.ts'
import type { Bound } from './app-systems.ts'
import { erpOrders, warehouseSellers } from './app-erp-orders.ts'
import { erpStock } from './app-erp-stock.ts'
import { politeCounter, politeReader } from './app-polite.ts'
import type { Config } from './config-schema.ts'
import { recountOpen } from './processes/credit.ts'
import type { CountPorts } from './processes/reconciliation-given.ts'
import { openOrdersOf } from './processes/master-data-resources.ts'
import { readResources, syncMasterData, type SyncProgress } from './processes/master-data-sync.ts'

type Sources = Pick<Bound, 'readers' | 'counters'>

/** Without copies of master data every order would be refused for good; so nobody decides before they are there. */
export function masterDataGate(config: Config, { readers, counters }: Sources, queries: Queries) {
  let isOpen = false
  const read = config.companies.filter(({ erp }) => readers.has(erp))
  const erps = read.map(({ code, erp }) => ({ company: code, source: erp }))
  const last = [...erps, ...warehouseSellers(config, counters)].map((one) => ({
    ...one,
    resource: 'open-orders',
  }))
  return {
    /** Opens when every company and what its warehouses sold was read once, by whichever process; answers whether it is open. */
    async openIfKnown(): Promise<boolean> {
      if (isOpen) return true
      const readings = await readingsProgress(queries, last)
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
  readonly bound: Sources
  readonly database: Database
  readonly clock: Clock
  /** Whose life takes the turns: none in a process that only opens doors. */
  readonly worker: Worker
  readonly processPorts: CountPorts
}

/**
 * Reads customers, items, prices, opening stock, open orders and purchase orders of the companies whose turn it is and
 * that no other process reads, side by side, then what their warehouses sold by themselves. One system that cannot be
 * read keeps no other from being read.
 */
export function masterDataSync(
  config: Config,
  wires: Wires,
): (onProgress: (progress: SyncProgress) => void) => Promise<Reading> {
  const { gate, clock, worker } = wires
  const readings = [erpReadings(config, wires), warehouseReadings(config, wires)]
  return async (onProgress) => {
    await gate.openIfKnown()
    const { life } = worker
    const failures: unknown[] = []
    async function readInTurn(life: Life, { company, source, read }: SourceReading): Promise<void> {
      const turn = { company, source }
      if (!(await life.turns.take(turn))) return
      let againMs = AGAIN_MS
      try {
        await read(life, onProgress)
      } catch (error) {
        failures.push(error)
        againMs = againAfter(error, clock)
      }
      await life.turns.end(turn, againMs)
    }
    // A system that is slow keeps only those waiting that stand behind it.
    for (const abreast of life ? readings : [])
      await Promise.all(abreast.map((reading) => readInTurn(life!, reading)))
    return { known: await gate.openIfKnown(), failures }
  }
}

/** What is read of one system for one company. */
type SourceReading = {
  readonly company: string
  readonly source: string
  read(life: Life, onProgress: (progress: SyncProgress) => void): Promise<void>
}

function erpReadings(config: Config, { bound, database, clock, processPorts }: Wires): SourceReading[] {
  const aging = agingFigures(database, clock)
  const onStock = erpStock(config, processPorts)
  const onOpenOrders = erpOrders(config, processPorts)
  return config.companies.flatMap(({ code: company, erp: source, credit }): SourceReading[] => {
    const found = bound.readers.get(source)
    if (!found) return []
    async function read(life: Life, onProgress: (progress: SyncProgress) => void): Promise<void> {
      const reader = politeReader(found!, { system: source, gate: life.policies.gate(source), clock })
      const complete = await aging.are(company, credit.staleAfterHours * HOUR_MS)
      const sync = { reader, company, database, clock, complete, onProgress }
      await syncMasterData({ ...sync, recountOpen, onStock, onOpenOrders })
      if (complete) aging.readAnew(company)
    }
    return [{ company, source, read }]
  })
}

/** Behind the ERPs, from which the items come. */
function warehouseReadings(config: Config, wires: Wires): SourceReading[] {
  const { bound, database, clock, worker, processPorts } = wires
  const loading = erpOrders(config, processPorts)
  return warehouseSellers(config, bound.counters).map(({ company, source }) => {
    const reader = politeCounter(bound.counters.get(source)!, { worker, ports: { clock } })
    const orders = openOrdersOf((request) => reader.openOrders(company, request), loading)
    return {
      company,
      source,
      async read(_life, onProgress) {
        await readResources({ instance: source, company, database, clock, onProgress }, [orders])
      },
    }
  })
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
