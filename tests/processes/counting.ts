/** Items of a company whose books are held against counts: the ports that it takes, and who was told of what. */
import { OLIVES } from '#tests/support/olives.ts'
import { exceptionsOf } from '../../src/app-rules.ts'
import { loadConfig } from '../../src/config.ts'
import type { CountedStock } from '#capabilities/stock.ts'
import { move } from '#domains/inventory/operations.ts'
import type { Tolerance } from '#domains/inventory/contract/reconciliations.ts'
import { upsertItems } from '#domains/items/operations.ts'
import { upsertPrices } from '#domains/pricing/operations.ts'
import { systemClock } from '#platform/clock.ts'
import { type ExceptionView, listExceptions } from '#platform/exceptions-views.ts'
import { units } from '#platform/quantity.ts'
import type { ReconcilePorts } from '../../src/processes/reconciliation.ts'
import { change, COMPANY, NORTH } from '#tests/domains/inventory/stock.ts'
import { openTestDatabase, type OpenDatabase } from '#tests/support/open-database.ts'

const ERP = { source: 'erp', company: COMPANY, asOf: new Date('2026-11-02T06:00:00Z') }

export type Counting = {
  readonly db: OpenDatabase
  readonly ids: ReadonlyMap<string, number>
  portsWith(tolerance: Tolerance | undefined): ReconcilePorts
  receive(figures: Readonly<Record<string, number>>, at?: Date): Promise<unknown>
  price(minor: Readonly<Record<string, number>>): Promise<unknown>
  told(): Promise<ExceptionView[]>
}

export async function openCounting(skus: readonly string[]): Promise<Counting> {
  const db = await openTestDatabase()
  const named = skus.map((sku) => ({ ...OLIVES, sku }))
  await db.database.transaction((tx) => upsertItems(tx, ERP, named))
  const rows = await db.run<{ id: number; sku: string }>('select id, sku from items.item')
  const ids = new Map(rows.map(({ id, sku }) => [sku, id]))
  const of = (sku: string) => ({ itemId: ids.get(sku)!, sku })
  return {
    db,
    ids,
    portsWith: (tolerance) => ({
      clock: systemClock,
      queries: db.database,
      company: () => ({ code: COMPANY, currency: 'USD', timeZone: 'UTC' }),
      countsStock: () => true,
      tolerance: () => tolerance,
      openExceptions: exceptionsOf(loadConfig({ environment: {}, file: undefined })),
      transaction: (_, work) =>
        db.database.transaction((tx) => work(tx, { wakeAfterwards: () => undefined })),
    }),
    receive(figures, at) {
      const moves = Object.entries(figures).map(([sku, quantity]) =>
        change(ids.get(sku)!, { quantity: units(quantity), ...(at && { at }) }),
      )
      return db.database.transaction((tx) => move(tx, moves))
    },
    price(minor) {
      const row = { list: 'wholesale', unit: 'EA', currency: 'USD', minQuantity: 0, validFrom: '2026-01-01' }
      const prices = Object.entries(minor).map(([sku, amountMinor]) => ({ ...row, ...of(sku), amountMinor }))
      return db.database.transaction((tx) => upsertPrices(tx, ERP, prices))
    },
    told: () => listExceptions(db.database, { code: 'inventory.books_differ' }),
  }
}

/** For sale, none of it on hold or damaged. */
export const counted = (sku: string, available: number, location = NORTH): CountedStock => ({
  sku,
  location,
  available: units(available),
  qualityHold: 0,
  damaged: 0,
})
