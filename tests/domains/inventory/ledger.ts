/** What the movements of an item add up to, beside what its positions say. */
import { expect } from 'vitest'
import { type Bucket, STATUSES } from '#domains/inventory/contract.ts'
import type { Quantity } from '#platform/quantity.ts'
import type { OpenDatabase } from '#tests/support/open-database.ts'
import { positionsOf, type PositionView } from './stock.ts'

export const INSIDE = [...STATUSES, 'in_transit', 'unreconciled'] as const

export const net = (row: PositionView): Quantity => INSIDE.reduce((sum, bucket) => sum + row[bucket], 0)

/** By location and lot, what is in each bucket. */
export async function ledgerOf(db: OpenDatabase, itemId: number, owner = 'own') {
  return db.run<{ location: string; lot: string; bucket: Bucket; quantity: Quantity }>(
    `select location, lot, bucket, sum(quantity) as quantity from (
       select location, lot, to_bucket as bucket, quantity from inventory.movement where item_id = $1 and owner = $2
       union all select location, lot, from_bucket, -quantity from inventory.movement where item_id = $1 and owner = $2) m
     group by location, lot, bucket`,
    [itemId, owner],
  )
}

/** The positions are what the movements make of them: the whole bucket by bucket, each lot in sum. */
export async function booksAgree(db: OpenDatabase, itemId: number, owner = 'own'): Promise<void> {
  const [positions, ledger] = await Promise.all([positionsOf(db, itemId, owner), ledgerOf(db, itemId, owner)])
  const sum = (rows: typeof ledger): Quantity => rows.reduce((all, row) => all + row.quantity, 0)
  for (const row of positions) {
    const here = ledger.filter((entry) => entry.location === row.location)
    if (row.lot === '') {
      const booked = INSIDE.map((bucket) => sum(here.filter((entry) => entry.bucket === bucket)))
      expect(INSIDE.map((bucket) => row[bucket])).toEqual(booked)
    } else {
      const ofLot = here.filter(
        (entry) => entry.lot === row.lot && INSIDE.includes(entry.bucket as 'available'),
      )
      expect(net(row)).toBe(sum(ofLot))
    }
  }
  const places = new Set(positions.map((row) => row.location))
  expect(ledger.filter((row) => !places.has(row.location))).toEqual([])
}
