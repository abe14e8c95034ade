/** The verbs of supply: keep what purchase orders say, count what came of them. Each takes a transaction and a list. */
import { isDeepStrictEqual } from 'node:util'
import { checkRecords, type Loaded, type Reading } from '#platform/copies.ts'
import type { Transaction } from '#platform/database.ts'
import { type GivenSupply, type SupplyReceipt, SupplyRecord } from './contract.ts'
import { orderKey, shareOut } from './rules.ts'
import * as store from './store.ts'

/**
 * Takes lines as their ERP gives them. What changed earlier, or was read earlier at the same state, never overwrites
 * what is newer; loading the same reading again changes nothing. What warehouses received stays.
 */
export async function upsertSupply(
  tx: Transaction,
  reading: Reading,
  given: readonly GivenSupply[],
): Promise<Loaded> {
  const { records, repeated, rejected } = checkRecords(
    { schema: SupplyRecord, key: lineKey, label: recordKey, code: 'supply.record_invalid' },
    given,
  )
  const rows = new Map([...records].map(([key, record]) => [key, comparable(record)]))
  const held = await lockHeld(tx, reading.company, [...rows.values()])
  const { inserted, updated, unchanged, superseded } = compare(rows, held, reading.asOf)
  const changed = [...inserted, ...updated]
  const answers = changed.length > 0 ? await store.upsertRows(tx, reading, changed) : []
  const written = new Set(answers.map(lineKey))
  const count = (some: readonly store.SupplyRow[]) => some.filter((row) => written.has(lineKey(row))).length
  return {
    inserted: count(inserted),
    updated: count(updated),
    unchanged,
    superseded: superseded + repeated + changed.length - written.size,
    rejected,
  }
}

/** How people find the line in the ERP. */
export const recordKey = ({ number, line }: store.LineKey): string => `${number} · ${line}`

const LINE_DIGITS = 10
/** Sorts as orders are locked: by number, then by line. */
const lineKey = ({ number, line }: store.LineKey): string =>
  `${number}\0${String(line).padStart(LINE_DIGITS, '0')}`

const comparable = ({ expectedOn = 'infinity', ...record }: SupplyRecord): store.SupplyRow => ({
  ...record,
  expectedOn,
})

async function lockHeld(
  tx: Transaction,
  company: string,
  rows: readonly store.SupplyRow[],
): Promise<ReadonlyMap<string, store.HeldRow>> {
  if (rows.length === 0) return new Map()
  tx.locking('purchase order', [...new Set(rows.map(({ number }) => orderKey(company, number)))])
  const held = await store.selectHeld(tx, company, rows)
  return new Map(held.map((row) => [lineKey(row), row]))
}

function compare(
  rows: ReadonlyMap<string, store.SupplyRow>,
  held: ReadonlyMap<string, store.HeldRow>,
  asOf: Date,
) {
  const inserted: store.SupplyRow[] = []
  const updated: store.SupplyRow[] = []
  let [unchanged, superseded] = [0, 0]
  for (const [key, row] of rows) {
    const copy = held.get(key)
    if (!copy) inserted.push(row)
    else if (isNewer(copy, row, asOf)) superseded++
    else if (isDeepStrictEqual({ ...copy }, { ...row, asOf: copy.asOf })) unchanged++
    else updated.push(row)
  }
  return { inserted, updated, unchanged, superseded }
}

function isNewer(copy: store.HeldRow, row: store.SupplyRow, asOf: Date): boolean {
  const aheadMs = copy.changedAt.getTime() - row.changedAt.getTime()
  return aheadMs > 0 || (aheadMs === 0 && copy.asOf > asOf)
}

/**
 * Counts what warehouses received on the lines of its purchase orders, beside the movements that they are; each once,
 * and nothing is refused: more than was ordered, or of an order that nobody knows, is kept and told by `troublesOf`.
 */
export async function receiveSupply(tx: Transaction, receipts: readonly SupplyReceipt[]): Promise<void> {
  const named = receipts.flatMap(({ company, purchaseOrder }) =>
    purchaseOrder ? [{ company, number: purchaseOrder.number }] : [],
  )
  const lines = await lockOrders(tx, named)
  store.insertReceipts(tx, shareOut(receipts, lines), { late: false })
}

/** Counts receipts that came before their purchase order was read; answers of how many orders, at most `limit`. */
export async function placeReceipts(tx: Transaction, limit: number): Promise<number> {
  const orders = await store.selectPlaceable(tx, limit)
  if (orders.length === 0) return 0
  const lines = await lockOrders(tx, orders)
  const receipts = await store.deleteUnplaced(tx, orders)
  store.insertReceipts(tx, shareOut(receipts, lines), { late: true })
  return orders.length
}

async function lockOrders(tx: Transaction, named: readonly store.OrderKey[]) {
  if (named.length === 0) return []
  const orders = new Map(named.map((order) => [orderKey(order.company, order.number), order]))
  const keys = [...orders.keys()].toSorted()
  tx.locking('purchase order', keys)
  return store.selectOrders(
    tx,
    keys.map((key) => orders.get(key)!),
  )
}
