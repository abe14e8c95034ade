/** Orders of a test's own, captured as a door would capture them. */
import { capture, type CapturedOrder } from '#domains/orders/operations.ts'
import type { NewHold, NewLine } from '#domains/orders/store.ts'
import { units } from '#platform/quantity.ts'
import type { OpenDatabase } from '#tests/support/open-database.ts'

export const COMPANY = 'NWF'
export const CAUSE = { source: 'test', actor: 'test' }

let docs = 0
/** A document number that no other test of the file uses. */
export const newDoc = (): number => ++docs

export async function newCustomer(db: OpenDatabase, number: string): Promise<number> {
  const [row] = await db.run<{ id: number }>(
    `insert into customers.customer (company, number, name, status, currency, terms_days, price_list, default_ship_to, source, as_of)
     values ($1, $2, 'Harbor Diner', 'active', 'USD', 30, 'wholesale', 'MAIN', 'test', now()) returning id`,
    [COMPANY, number],
  )
  return row!.id
}

export const line = (overrides: Partial<NewLine> = {}): NewLine => ({
  n: 1,
  customerLine: '10',
  itemId: 1,
  sku: 'OLV-1',
  baseUnit: 'EA',
  taxClass: 'food',
  quantity: units(2),
  unit: 'CA',
  numerator: 12,
  denominator: 1,
  priceMinor: 2_490,
  priceUnit: 'CA',
  netMinor: 4_980,
  requestedDate: null,
  minimumShelfLifeDays: null,
  rejection: null,
  ordered: units(24),
  reserved: units(24),
  backordered: 0,
  cancelled: 0,
  ...overrides,
})

export const hold = (doc: number, overrides: Partial<NewHold> = {}): NewHold => ({
  id: newDoc(),
  doc,
  company: COMPANY,
  type: 'credit',
  reason: 'over the limit',
  blocks: ['postToErp', 'release'],
  raisedBy: 'accept',
  owner: 'credit',
  expiresAt: null,
  ...overrides,
})

export function order(customerId: number, overrides: Partial<CapturedOrder> = {}): CapturedOrder {
  const doc = overrides.doc ?? newDoc()
  return {
    doc,
    company: COMPANY,
    customerId,
    customer: 'C-1',
    termsDays: 30,
    taxId: null,
    taxExempt: false,
    channel: 'api',
    sender: 'portal',
    externalId: null,
    customerOrder: `PO-${doc}`,
    orderDate: '2026-03-02',
    requestedDate: null,
    currency: 'USD',
    shipToCode: 'MAIN',
    shipTo: null,
    shippingRule: 'ship-available',
    note: null,
    totalMinor: 4_980,
    exposureMinor: 4_980,
    traceId: null,
    outcome: 'accepted',
    lines: [line()],
    holds: [],
    ...overrides,
  }
}

export const write = (db: OpenDatabase, ...orders: readonly CapturedOrder[]) =>
  db.database.transaction(async (tx) => capture(tx, orders, CAUSE))

export type Told = { readonly type: string; readonly version: number; readonly data: Record<string, unknown> }

/** The events of a document, in the order of its versions. */
export const toldOf = (db: OpenDatabase, doc: number): Promise<Told[]> =>
  db.run<Told>(
    'select type, key_version as version, data from log.event where key = $1 order by key_version',
    [doc],
  )
