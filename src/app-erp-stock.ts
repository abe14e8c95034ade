/** What ERPs say is on hand: the opening balance of a place, and from then on a count where nobody else tells of it. */
import { holdFeeds } from '#domains/inventory/operations/feeds.ts'
import { openBalances } from '#domains/inventory/operations/opening.ts'
import { controlledItems } from '#domains/items/operations.ts'
import { wakeDocuments, type DeskRow } from '#platform/desk.ts'
import type { Config } from './config-schema.ts'
import type { LoadStock, StockRecord } from './processes/master-data-resources.ts'
import { trackSerials } from './processes/serials.ts'
import { type CountPorts, reconcileGiven, within } from './processes/reconciliation-given.ts'

/**
 * Where a warehouse system or a feed tells of a location, its facts count and the ERP's figure opens it only. Elsewhere
 * each figure that has changed is a count as of the reading, held against the books. Figures by lot open only: a page may
 * hold some lots of an item and not the others.
 */
export function erpStock(config: Config, ports: CountPorts): LoadStock {
  const told = new Set([
    ...config.locations.flatMap(({ code, wms }) => (wms === undefined ? [] : [code])),
    ...Object.values(config.feeds).flatMap(({ locations }) => locations),
  ])
  return async (tx, { company, source, asOf: at }, records) => {
    const sourceKey = `opening/${at.toISOString()}`
    const inserted = await openBalances(
      tx,
      records.map(({ sku: _, lot = '', ...stock }) => ({ ...stock, lot, company, source, sourceKey, at })),
    )
    const opened = [...new Set(records.map(({ itemId }) => itemId))]
    const controlled = await controlledItems(tx, opened)
    const sites = records.flatMap(({ itemId, location }) =>
      controlled.get(itemId)?.serials === true ? [{ company, itemId, location }] : [],
    )
    const counted = records.filter(({ location, lot }) => !told.has(location) && lot === undefined)
    await holdFeeds(
      tx,
      counted.map((record) => ({ ...record, company, source })),
    )
    await trackSerials(tx, ports, { told: [], sites })
    const woken: DeskRow[] = []
    const waking = { wakeAfterwards: (rows: readonly DeskRow[]) => void woken.push(...rows) }
    let updated = 0
    for (const [location, lines] of Map.groupBy(counted, (record: StockRecord) => record.location)) {
      const snapshot = { company, location, takenAt: at, scope: 'items' as const, lines }
      const held = await reconcileGiven(within(ports, tx, waking), { source, snapshot, askedAt: at })
      updated += held?.differences.filter(({ outcome }) => outcome === 'adjusted').length ?? 0
    }
    await wakeDocuments(tx, null, woken)
    return { inserted, updated, unchanged: records.length - inserted - updated, superseded: 0, rejected: [] }
  }
}
