/**
 * The first stock of an item at a place: an order that is being accepted while it comes gets it, whichever is committed
 * first, and two who book there at once book as one after the other.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Transaction } from '#platform/database.ts'
import { units } from '#platform/quantity.ts'
import { fillableOrders, lockPositionsOf, move, type StockChange } from '#domains/inventory/operations.ts'
import { openBalances } from '#domains/inventory/operations/opening.ts'
import { beginToWait } from '#domains/inventory/store/first-stock.ts'
import { openWholesaler, type Placed, type Wholesaler } from './wholesaler.ts'

const STOCKED = '33101'
const NEW = Array.from({ length: 9 }, (_, nth) => `3311${nth}`)
const WITHIN = { timeout: 10_000 }
const LOCATION = 'DC1'

let house: Wholesaler
beforeAll(async () => {
  house = await openWholesaler(
    [{ number: STOCKED, stock: { [LOCATION]: 5 } }, ...NEW.map((number) => ({ number, stock: {} }))],
    [{ number: '500001' }],
  )
}, 60_000)
afterAll(() => house.end())

const itemIdOf = async (sku: string) => {
  const [row] = await house.query<{ id: number }>('select id from items.item where sku = $1', [sku])
  return row!.id
}
const waitingFor = async (lock: string) => {
  const rows = await house.query('select from pg_locks where not granted and locktype = $1', [lock])
  return rows.length
}
const placesOf = (itemId: number) =>
  house.query(`select location from inventory.position where item_id = $1 and lot = ''`, [itemId])

const allocated = ({ doc }: Placed) => {
  const given = `select from log.event where key = $1 and type = 'order.allocated'`
  return expect.poll(() => house.query(given, [doc]), WITHIN).toHaveLength(1)
}

/** A transaction that has done `work` and is committed when it is told to. */
async function underWay(work: (tx: Transaction) => unknown): Promise<() => Promise<unknown>> {
  const [done, leave] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const ended = house.app.database.transaction(async (tx) => {
    await work(tx)
    done.resolve()
    await leave.promise
  })
  await done.promise
  return () => (leave.resolve(), ended)
}

const movementOf = (itemId: number, quantity: number): StockChange => ({
  company: 'NWF',
  itemId,
  location: LOCATION,
  lot: '',
  from: 'supplier',
  to: 'available',
  quantity: units(quantity),
  reason: 'receipt',
  source: 'wms',
  sourceKey: `R-${itemId}`,
  at: new Date(),
})
const comes = (itemId: number, quantity: number) => (tx: Transaction) =>
  move(tx, [movementOf(itemId, quantity)])

test('stock that comes and is committed after the order has looked for it', async () => {
  const sku = NEW[0]!
  const itemId = await itemIdOf(sku)
  expect(await placesOf(itemId)).toEqual([])
  const places = [{ itemId: await itemIdOf(STOCKED), location: LOCATION }]
  const release = await underWay((tx) => lockPositionsOf(tx, places))
  // of the other item it waits too, so that nothing else ever wakes it
  const lines: [string, number][] = [
    [STOCKED, 99],
    [sku, 3],
  ]
  const ordering = house.order({ shippingRule: 'line-complete', lines })
  await expect.poll(() => waitingFor('transactionid'), WITHIN).toBeGreaterThan(0)
  house.count(LOCATION, sku, 10)
  await expect.poll(() => placesOf(itemId), WITHIN).toEqual([{ location: LOCATION }])
  await release()
  await allocated(await ordering)
})

const opens = (itemId: number, quantity: number) => (tx: Transaction) =>
  openBalances(tx, [
    {
      company: 'NWF',
      itemId,
      location: LOCATION,
      lot: '',
      available: units(quantity),
      qualityHold: 0,
      damaged: 0,
      source: 'erp',
      sourceKey: `O-${itemId}`,
      at: new Date(),
    },
  ])

describe.each([
  { how: 'has come', first: comes, waits: NEW[1]!, waited: NEW[2]! },
  { how: 'an ERP opens', first: opens, waits: NEW[3]!, waited: NEW[4]! },
])('stock that $how', ({ first, waits, waited }) => {
  test('and is not committed yet goes to the order that begins to wait meanwhile', async () => {
    const commit = await underWay(first(await itemIdOf(waits), 10))
    const ordering = house.order({ lines: [[waits, 3]] })
    await expect.poll(() => waitingFor('advisory'), WITHIN).toBe(1)
    await commit()
    await allocated(await ordering)
  })

  test('comes behind the orders that began to wait before, and whoever brings it sees them', async () => {
    const itemId = await itemIdOf(waited)
    const commit = await underWay((tx) => {
      beginToWait(tx, [itemId])
      // what is sent is done when what is asked behind it is answered
      return fillableOrders(tx, [itemId])
    })
    const bringing = house.app.database.transaction(async (tx) => {
      await first(itemId, 10)(tx)
      return fillableOrders(tx, [itemId])
    })
    await expect.poll(() => waitingFor('advisory'), WITHIN).toBe(1)
    await commit()
    expect(await bringing).toEqual([])
  })
})

const leaves = (itemId: number, quantity: number) => (tx: Transaction) =>
  move(tx, [{ ...movementOf(itemId, quantity), from: 'available', to: 'adjustment', reason: 'count' }])
const onHand = (itemId: number) =>
  house.query(
    `select available::int, unreconciled::int from inventory.position where item_id = $1 and lot = ''`,
    [itemId],
  )

test.each([
  { first: comes, second: comes, sku: NEW[5]!, what: 'comes twice is there in all', there: 14 },
  { first: comes, second: leaves, sku: NEW[6]!, what: 'comes and leaves is gone from what came', there: 6 },
  { first: opens, second: comes, sku: NEW[7]!, what: 'an ERP opens and comes is there in all', there: 14 },
  { first: comes, second: opens, sku: NEW[8]!, what: 'came is not opened again', there: 10 },
])('of two first bookings of a place at once, what $what', async ({ first, second, sku, there }) => {
  const itemId = await itemIdOf(sku)
  const commit = await underWay(first(itemId, 10))
  const other = house.app.database.transaction<unknown>(second(itemId, 4))
  await expect.poll(() => waitingFor('transactionid'), WITHIN).toBe(1)
  await commit()
  await other
  expect(await onHand(itemId)).toEqual([{ available: there, unreconciled: 0 }])
})
