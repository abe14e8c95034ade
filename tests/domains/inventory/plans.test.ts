/** Statements of inventory that somebody waits for, on tables that were analyzed while they were empty. */
import { expect, test } from 'vitest'
import {
  giveBack,
  fillableOrders,
  handOver,
  leaveQueue,
  lockUnclaimedStock,
  move,
  releaseOrders,
  reserve,
  ship,
  takeBack,
  unreconciledAt,
} from '#domains/inventory/operations.ts'
import { readWaiting, sourcedBy } from '#domains/inventory/operations/queue.ts'
import { profilesInForce } from '#domains/inventory/operations/sourcing.ts'
import { decisionsOfOrders } from '#domains/inventory/views/sourcing.ts'
import { AT, change, COMPANY, newItem, NORTH } from '#tests/domains/inventory/stock.ts'
import { openTestDatabase } from '#tests/support/open-database.ts'

test('every statement of inventory goes by index', async () => {
  const db = await openTestDatabase()
  try {
    await db.run('analyze')
    const itemId = newItem()
    const claim = { doc: 1, line: 1, company: COMPANY, channel: 'api', itemId }
    await db.database.transaction(async (tx) => {
      await move(tx, [change(itemId, { quantity: 10, lot: 'L1' })])
      await lockUnclaimedStock(tx, [itemId], [NORTH])
      reserve(tx, [
        { ...claim, allocations: [{ location: NORTH, quantity: 5 }], backordered: 0, waited: true },
        { ...claim, doc: 2, allocations: [], backordered: 5, waited: false },
      ])
      await fillableOrders(tx, [itemId])
      await readWaiting(tx, [claim], [NORTH])
      await sourcedBy(tx, [1])
      await profilesInForce(tx, [COMPANY])
      await decisionsOfOrders(tx, [1, 2], 'all')
      leaveQueue(tx, [{ ...claim, doc: 2 }])
      handOver(tx, [{ doc: 1, location: NORTH }])
      takeBack(tx, [{ ...claim, location: NORTH, quantity: 5 }])
      await giveBack(tx, [{ ...claim, location: NORTH, quantity: 2 }])
      await releaseOrders(tx, [1])
      const departure = { ...claim, location: NORTH, lot: '', quantity: 1, claimEnds: 0, short: 0 }
      await unreconciledAt(tx, [departure])
      await ship(tx, [{ ...departure, source: 'wms', sourceKey: 'S-1', at: AT }])
    })
    const ours = [...db.statements()].filter(([name]) => name.startsWith('inventory.'))
    expect(ours.length).toBeGreaterThanOrEqual(24)
    const reads = await Promise.all(
      ours.map(async ([name, each]) => [name, await db.fullReads(each)] as const),
    )
    expect(reads.filter(([, found]) => found.length > 0)).toEqual([])
  } finally {
    await db.end()
  }
})
