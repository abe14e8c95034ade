/** Stock of a test's own: receiving, looking at positions, and what the claims on them add up to. */
import { move, type StockChange } from '#domains/inventory/operations.ts'
import type { Quantity } from '#platform/quantity.ts'
import type { OpenDatabase } from '#tests/support/open-database.ts'

export const COMPANY = 'NWF'
export const NORTH = 'north'
export const SOUTH = 'south'
export const AT = new Date('2026-03-02T09:00:00Z')

let items = 0
/** An item that no other test of the file moves. */
export const newItem = (): number => ++items

export const change = (itemId: number, overrides: Partial<StockChange> = {}): StockChange => ({
  company: COMPANY,
  itemId,
  location: NORTH,
  lot: '',
  from: 'supplier',
  to: 'available',
  quantity: 0,
  reason: 'receipt',
  source: 'wms-test',
  sourceKey: 'M-1',
  at: AT,
  ...overrides,
})

export const book = (db: OpenDatabase, ...changes: readonly StockChange[]) =>
  db.database.transaction((tx) => move(tx, changes))

export const receive = (db: OpenDatabase, itemId: number, quantity: Quantity, location = NORTH) =>
  book(db, change(itemId, { quantity, location }))

export type PositionView = {
  readonly location: string
  readonly lot: string
  readonly available: Quantity
  readonly reserved: Quantity
  readonly quality_hold: Quantity
  readonly quarantine: Quantity
  readonly damaged: Quantity
  readonly blocked: Quantity
  readonly in_transit: Quantity
  readonly unreconciled: Quantity
}

export const positionsOf = (db: OpenDatabase, itemId: number, owner = 'own'): Promise<PositionView[]> =>
  db.run<PositionView>(
    `select location, lot, available, reserved, quality_hold, quarantine, damaged, blocked, in_transit, unreconciled
     from inventory.position where item_id = $1 and owner = $2 order by location, lot collate "C"`,
    [itemId, owner],
  )

export async function positionOf(db: OpenDatabase, itemId: number, location = NORTH, lot = '') {
  return (await positionsOf(db, itemId)).find((row) => row.location === location && row.lot === lot)
}

/** By location: what positions call reserved, and what orders, open fulfillment lines, channels and other systems claim. */
export async function claimsOn(db: OpenDatabase, itemId: number) {
  return db.run<{ location: string; reserved: Quantity; claimed: Quantity }>(
    `select p.location, p.reserved,
       coalesce((select sum(quantity) from inventory.reservation r where r.item_id = p.item_id and r.location = p.location), 0)
       + coalesce((select sum(l.quantity - l.shipped - l.short) from shipments.fulfillment_line l
           join shipments.fulfillment f on f.id = l.fulfillment_id
           where l.item_id = p.item_id and f.location = p.location), 0)
       + coalesce((select sum(quantity) from inventory.channel_claim c
           where c.item_id = p.item_id and c.location = p.location), 0)
       + coalesce((select sum(claimed) from inventory.external_reservation e
           where e.item_id = p.item_id and e.location = p.location), 0) as claimed
     from inventory.position p where p.item_id = $1 and p.lot = '' order by p.location`,
    [itemId],
  )
}
