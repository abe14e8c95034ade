/** Loads what the ERPs own, and keeps the doors shut until it is there. */
import { openBalances } from '#domains/inventory/opening.ts'
import type { Clock } from '#platform/clock.ts'
import type { Database, Queries } from '#platform/database.ts'
import { Outage } from '#platform/faults.ts'
import { readingProgress } from '#platform/readings.ts'
import type { Bound } from './app-systems.ts'
import type { Config } from './config-schema.ts'
import { recountOpen } from './processes/credit.ts'
import { type LoadStock } from './processes/master-data-resources.ts'
import { syncMasterData, type SyncProgress } from './processes/master-data-sync.ts'

/** Without copies of master data every order would be refused for good; so nobody decides before they are there. */
export function masterDataGate(config: Config, queries: Queries) {
  let isOpen = false
  const last = config.companies.map(({ code, erp }) => ({ company: code, source: erp, resource: 'stock' }))
  return {
    open: () => void (isOpen = true),
    async openIfKnown() {
      const readings = await Promise.all(last.map((source) => readingProgress(queries, source)))
      isOpen ||= readings.every(({ since }) => since !== null)
    },
    check() {
      if (!isOpen) throw new Outage('crossdock', 'master data is being loaded; ask again in a few seconds')
    },
  }
}

export type MasterDataGate = ReturnType<typeof masterDataGate>

/** Stock as the ERP counts it when the house first opens; afterwards our own movements count. */
const openStock: LoadStock = async (tx, { company, source, asOf: at }, records) => {
  const sourceKey = `opening/${at.toISOString()}`
  const inserted = await openBalances(
    tx,
    records.map(({ sku: _, lot = '', ...stock }) => ({ ...stock, lot, company, source, sourceKey, at })),
  )
  return { inserted, updated: 0, unchanged: records.length - inserted, superseded: 0, rejected: [] }
}

/** Loads customers, items, prices and opening stock of every company; the doors open with the last of them. */
export function masterDataSync(
  config: Config,
  wires: { gate: MasterDataGate; readers: Bound['readers']; database: Database; clock: Clock },
): (onProgress: (progress: SyncProgress) => void) => Promise<void> {
  const { gate, readers, database, clock } = wires
  return async (onProgress) => {
    await gate.openIfKnown()
    for (const { code: company, erp } of config.companies) {
      const reader = readers.get(erp)
      if (reader)
        await syncMasterData({
          reader,
          company,
          database,
          clock,
          onProgress,
          recountOpen,
          onStock: openStock,
        })
    }
    gate.open()
  }
}
