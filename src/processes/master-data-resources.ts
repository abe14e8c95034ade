/** The kinds of master data that an ERP is read for, in the order in which one needs the other. */
import type {
  ErpPrice,
  ErpReader,
  OpenOrderLine,
  Page,
  PageRequest,
  PurchaseOrderLine,
  StockOnHand,
} from '#capabilities/erp.ts'
import { itemKey, type SellingItem } from '#domains/items/contract.ts'
import { type RecountOpen, upsertCustomers } from '#domains/customers/operations.ts'
import { findItems, upsertItems } from '#domains/items/operations.ts'
import { recordKey, retirePrices, upsertPrices } from '#domains/pricing/operations.ts'
import type { GivenSupply } from '#domains/supply/contract.ts'
import { recordKey as supplyKey, upsertSupply } from '#domains/supply/operations.ts'
import type { Loaded, Reading } from '#platform/copies.ts'
import type { Database, Transaction } from '#platform/database.ts'
import { convertQuantity, formatQuantity, type Quantity } from '#platform/quantity.ts'
import type { KeptRejection } from '#platform/readings.ts'

export type ResourceName = 'customers' | 'items' | 'prices' | 'stock' | 'open-orders' | 'supply'

export type LoadedBatch = Omit<Loaded, 'rejected'> & { readonly rejected: readonly KeptRejection[] }

export type Resource<T = unknown> = {
  readonly name: ResourceName
  read(request: PageRequest): Promise<Page<T>>
  /** How people find the record in the ERP; a bad record may not have one. */
  key(record: T): unknown
  load(tx: Transaction, reading: Reading, records: readonly T[]): Promise<LoadedBatch>
  /** Ends what a complete reading, begun at that time, did not name any more; answers how many. */
  retire?(database: Database, reading: Reading): Promise<number>
}

/** Stock on hand of an item that we know. */
export type StockRecord = StockOnHand & { readonly itemId: number }

/** Takes what an ERP has on hand. Must give the same result when the same reading is loaded again. */
export type LoadStock = (
  tx: Transaction,
  reading: Reading,
  records: readonly StockRecord[],
) => Promise<Loaded>

/** A line that is open elsewhere, of an item that we know; `wanted` and `shipped` in base units. */
export type OpenOrderRecord = Omit<OpenOrderLine, 'open' | 'unit'> & {
  readonly itemId: number
  readonly wanted: Quantity
}

/** Takes what another system has open. Must give the same result when the same reading is loaded again. */
export type LoadOpenOrders = {
  readonly load: (tx: Transaction, reading: Reading, records: readonly OpenOrderRecord[]) => Promise<Loaded>
  readonly retire: (database: Database, reading: Reading) => Promise<number>
}

export type ResourceOptions = {
  readonly recountOpen?: RecountOpen | undefined
  /** Stock is read only when somebody takes it. */
  readonly onStock?: LoadStock | undefined
  /** As are open orders. */
  readonly onOpenOrders?: LoadOpenOrders | undefined
}

export function resourcesOf(
  reader: ErpReader,
  { recountOpen, onStock, onOpenOrders }: ResourceOptions,
): Resource[] {
  const resources = [
    resource({
      name: 'customers',
      read: (request) => reader.customers(request),
      key: (customer) => customer.number,
      load: (tx, reading, records) => upsertCustomers(tx, reading, records, recountOpen),
    }),
    resource({
      name: 'items',
      read: (request) => reader.items(request),
      key: (item) => item.sku,
      load: upsertItems,
    }),
    resource({
      name: 'prices',
      read: (request) => reader.prices(request),
      key: recordKey,
      load: loadPrices,
      retire: retirePrices,
    }),
  ]
  const supply = resource({
    name: 'supply',
    read: (request) => reader.supply(request),
    key: supplyKey,
    load: loadSupply,
  })
  if (!onStock) return [...resources, supply]
  const stock = resource({
    name: 'stock',
    read: (request) => reader.stock(request),
    key: stockKey,
    load: (tx, reading, records) => loadStock(tx, reading, { records, onStock }),
  })
  const openOrders = onOpenOrders ? [openOrdersOf((request) => reader.openOrders(request), onOpenOrders)] : []
  // What has left is missed by the count before its claim ends, so that it is promised to nobody in between. What is to
  // come may be read behind the open doors.
  return [...resources, stock, ...openOrders, supply]
}

export const openOrdersOf = (
  read: (request: PageRequest) => Promise<Page<OpenOrderLine>>,
  { load, retire }: LoadOpenOrders,
): Resource =>
  resource({
    name: 'open-orders',
    read,
    key: openOrderKey,
    load: (tx, reading, records) => loadOpenOrders(tx, reading, { records, load }),
    retire,
  })

const openOrderKey = ({ number, line }: OpenOrderLine): string => `${number} · ${line}`

/** Pages and batches of a resource never leave it, so nobody outside needs to know what its records are. */
const resource = <T>(of: Resource<T>): Resource => of

const stockKey = ({ sku, location, lot }: StockOnHand): string =>
  lot ? `${sku} · ${location} · ${lot}` : `${sku} · ${location}`

/** Prices of items that we do not have are kept: the item may come, or be corrected, while its price does not change. */
async function loadPrices(
  tx: Transaction,
  reading: Reading,
  prices: readonly ErpPrice[],
): Promise<LoadedBatch> {
  const { known, unknown } = await withItems(tx, reading, prices)
  const given = known.map(({ record, item }) => ({ ...record, itemId: item.id }))
  const loaded = await upsertPrices(tx, reading, given)
  const rejected = unknown.map((price) => ({
    key: recordKey(price),
    code: 'pricing.item_unknown',
    reason: `${reading.company} has no item ${price.sku}`,
    record: price,
  }))
  return { ...loaded, rejected: [...loaded.rejected, ...rejected] }
}

const onHand = ({ available, qualityHold, damaged }: StockOnHand): Quantity =>
  available + qualityHold + damaged

type StockBatch = { readonly records: readonly StockOnHand[]; readonly onStock: LoadStock }

async function loadStock(
  tx: Transaction,
  reading: Reading,
  { records, onStock }: StockBatch,
): Promise<LoadedBatch> {
  const { known, unknown } = await withItems(tx, reading, records)
  const loaded = await onStock(
    tx,
    reading,
    known.map(({ record, item }) => ({ ...record, itemId: item.id })),
  )
  const rejected = unknown.map((stock) => ({
    key: stockKey(stock),
    code: 'items.unknown',
    reason: `${formatQuantity(onHand(stock))} on hand of ${stock.sku}, which ${reading.company} does not have`,
  }))
  return { ...loaded, rejected: [...loaded.rejected, ...rejected] }
}

/** Lines whose item or unit we do not have are kept: it may come while the line does not change. */
async function loadSupply(
  tx: Transaction,
  reading: Reading,
  lines: readonly PurchaseOrderLine[],
): Promise<LoadedBatch> {
  const { known, unknown } = await withItems(tx, reading, lines)
  const given: GivenSupply[] = []
  const rejected: KeptRejection[] = unknown.map((line) => ({
    key: supplyKey(line),
    code: 'supply.item_unknown',
    reason: `${reading.company} has no item ${line.sku}`,
    record: line,
  }))
  for (const { record, item } of known) {
    const line = inBaseUnit(record, item)
    if ('code' in line) rejected.push({ ...line, key: supplyKey(record), record })
    else given.push(line)
  }
  const loaded = await upsertSupply(tx, reading, given)
  return { ...loaded, rejected: [...loaded.rejected, ...rejected] }
}

function inBaseUnit(
  { unit, ...line }: PurchaseOrderLine,
  item: SellingItem,
): GivenSupply | Pick<KeptRejection, 'code' | 'reason'> {
  const factor = item.units.get(unit)
  if (!factor) return { code: 'supply.unit_unknown', reason: `${item.sku} has no unit ${unit}` }
  const [ordered, received, cancelled] = [line.ordered, line.received, line.cancelled].map((quantity) =>
    convertQuantity(quantity, factor),
  )
  if (ordered === undefined || received === undefined || cancelled === undefined) {
    const reason = `${formatQuantity(line.ordered)} ${unit} of ${item.sku} does not convert to ${item.baseUnit}`
    return { code: 'supply.quantity_not_exact', reason }
  }
  return { ...line, itemId: item.id, ordered, received, cancelled }
}

type OpenOrderBatch = Pick<LoadOpenOrders, 'load'> & { readonly records: readonly OpenOrderLine[] }

/** Lines whose item or unit we do not have are kept: it may come while the line does not change. */
async function loadOpenOrders(
  tx: Transaction,
  reading: Reading,
  { records, load }: OpenOrderBatch,
): Promise<LoadedBatch> {
  const { known, unknown } = await withItems(tx, reading, records)
  const given: OpenOrderRecord[] = []
  const rejected: KeptRejection[] = unknown.map((line) => ({
    key: openOrderKey(line),
    code: 'items.unknown',
    reason: `${reading.company} has no item ${line.sku}`,
    record: line,
  }))
  for (const { record, item } of known) {
    const { open, shipped: gone = 0, unit, ...line } = record
    const factor = item.units.get(unit)
    const [wanted, shipped] = [open, gone].map((quantity) => factor && convertQuantity(quantity, factor))
    if (wanted !== undefined && shipped !== undefined)
      given.push({ ...line, itemId: item.id, wanted, shipped })
    else {
      const reason = `${formatQuantity(open + gone)} ${unit} of ${item.sku} does not convert to ${item.baseUnit}`
      const code = factor ? 'items.quantity_not_exact' : 'items.unit_unknown'
      rejected.push({ key: openOrderKey(record), code, reason, record })
    }
  }
  const loaded = await load(tx, reading, given)
  return { ...loaded, rejected: [...loaded.rejected, ...rejected] }
}

async function withItems<T extends { readonly sku: string }>(
  tx: Transaction,
  { company }: Reading,
  records: readonly T[],
): Promise<{ known: { record: T; item: SellingItem }[]; unknown: T[] }> {
  const skus = [...new Set(records.map(({ sku }) => sku))]
  const items = await findItems(
    tx,
    skus.map((sku) => ({ company, sku })),
  )
  const known: { record: T; item: SellingItem }[] = []
  const unknown: T[] = []
  for (const record of records) {
    const item = items.get(itemKey(company, record.sku))
    if (item) known.push({ record, item })
    else unknown.push(record)
  }
  return { known, unknown }
}
