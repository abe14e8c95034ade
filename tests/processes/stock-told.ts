/** Items of a company that systems tell of, and the telling, without a house around it. */
import { exceptionsOf } from '../../src/app-rules.ts'
import { loadConfig } from '../../src/config.ts'
import { itemKey } from '#domains/items/contract.ts'
import { findItems, upsertItems } from '#domains/items/operations.ts'
import type { GivenItem } from '#domains/items/contract.ts'
import { units } from '#platform/quantity.ts'
import { bookStock, type StockTold } from '#processes/stock-booking.ts'
import { trackSerials } from '#processes/serials.ts'
import { AT, COMPANY, NORTH } from '#tests/domains/inventory/stock.ts'
import type { OpenDatabase } from '#tests/support/open-database.ts'
import { OLIVES } from '#tests/support/olives.ts'

let items = 0
let messages = 0

export type KnownItem = { readonly sku: string; readonly itemId: number }

/** An item of its own. */
export async function knownItem(db: OpenDatabase, more: Partial<GivenItem> = {}): Promise<KnownItem> {
  const sku = `T${++items}`
  const item = {
    ...OLIVES,
    sku,
    units: [{ unit: 'CA', factor: { numerator: 12, denominator: 1 } }],
    ...more,
  } as const
  await db.database.transaction((tx) =>
    upsertItems(tx, { source: 'erp', company: COMPANY, asOf: AT }, [item]),
  )
  const found = await findItems(db.database, [{ company: COMPANY, sku }])
  return { sku, itemId: found.get(itemKey(COMPANY, sku))!.id }
}

/** As a warehouse tells it, in whole base units. */
export const told = (
  { sku }: KnownItem,
  reason: StockTold['reason'],
  quantity: number,
  more: Partial<StockTold> = {},
): StockTold => ({
  source: 'wms-test',
  sourceKey: `M-${++messages}`,
  company: COMPANY,
  location: NORTH,
  sku,
  reason,
  quantity: units(quantity),
  at: AT,
  ...more,
})

export const bookTold = (db: OpenDatabase, ...all: readonly StockTold[]) =>
  db.database.transaction((tx) => bookStock(tx, all))

export const openExceptions = exceptionsOf(loadConfig({ environment: {}, file: undefined }))

/** As a feed is taken: the quantities, then their units. */
export const hearUnits = (db: OpenDatabase, ...all: readonly StockTold[]) =>
  db.database.transaction(async (tx) => {
    const { serials } = await bookStock(tx, all)
    await trackSerials(tx, { openExceptions }, serials)
  })

export const unitsTold = (
  item: KnownItem,
  reason: StockTold['reason'],
  serials: readonly string[],
  more: Partial<StockTold> = {},
) => told(item, reason, serials.length, { serials, ...more })
