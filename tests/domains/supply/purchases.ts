/** Purchase orders of a test's own: loading lines, receiving, looking at what is open. */
import type { GivenSupply, SupplyReceipt } from '#domains/supply/contract.ts'
import { receiveSupply, upsertSupply } from '#domains/supply/operations.ts'
import { units } from '#platform/quantity.ts'
import type { OpenDatabase } from '#tests/support/open-database.ts'

export const COMPANY = 'NWF'
export const NORTH = 'north'
export const SOUTH = 'south'
export const MONDAY = new Date('2026-03-02T09:00:00Z')
export const TUESDAY = new Date('2026-03-03T09:00:00Z')

let orders = 0
let told = 0
/** A purchase order that no other test of the file touches. */
export const newOrder = (): string => `45${String(++orders).padStart(8, '0')}`
export const newItem = (): number => 1_000 + ++orders

export const line = (number: string, overrides: Partial<GivenSupply> = {}): GivenSupply => ({
  number,
  line: 10,
  supplier: 'V10001',
  itemId: 1,
  sku: 'S-1',
  location: NORTH,
  ordered: units(100),
  received: 0,
  cancelled: 0,
  expectedOn: '2026-03-06',
  changedAt: MONDAY,
  ...overrides,
})

export const receipt = (number: string, overrides: Partial<SupplyReceipt> = {}): SupplyReceipt => ({
  company: COMPANY,
  source: 'wms-test',
  sourceKey: `E-${++told}`,
  purchaseOrder: { number },
  itemId: 1,
  location: NORTH,
  quantity: units(10),
  at: MONDAY,
  ...overrides,
})

export const load = (db: OpenDatabase, given: readonly GivenSupply[], asOf = MONDAY) =>
  db.database.transaction((tx) => upsertSupply(tx, { company: COMPANY, source: 'erp-test', asOf }, given))

export const receive = (db: OpenDatabase, ...receipts: readonly SupplyReceipt[]) =>
  db.database.transaction((tx) => receiveSupply(tx, receipts))

export type Figures = { line: number; open: number; received: number; excess: number; carried: number }

/** In whole units, by line. */
export async function figuresOf(db: OpenDatabase, number: string): Promise<Figures[]> {
  const rows = await db.run<Figures>(
    `select line, open, received, excess, carried from supply.line where number = $1 order by line`,
    [number],
  )
  return rows.map((row) => ({
    line: row.line,
    open: row.open / units(1),
    received: row.received / units(1),
    excess: row.excess / units(1),
    carried: row.carried / units(1),
  }))
}
