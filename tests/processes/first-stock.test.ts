/** An order that is being accepted while the first stock of its item comes to a place gets it, whichever is committed first. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Transaction } from '#platform/database.ts'
import { units } from '#platform/quantity.ts'
import { fillableOrders, lockPositionsOf, move } from '#domains/inventory/operations.ts'
import { beginToWait } from '#domains/inventory/store/first-stock.ts'
import { openWholesaler, type Placed, type Wholesaler } from './wholesaler.ts'

const STOCKED = '33101'
const NEW = ['33102', '33103', '33104']
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

const comes = (itemId: number, quantity: number) => (tx: Transaction) =>
  move(tx, [
    {
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
    },
  ])

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

test('stock that has come and is not committed yet', async () => {
  const sku = NEW[1]!
  const commit = await underWay(comes(await itemIdOf(sku), 10))
  const ordering = house.order({ lines: [[sku, 3]] })
  await expect.poll(() => waitingFor('advisory'), WITHIN).toBe(1)
  await commit()
  await allocated(await ordering)
})

test('who brings it sees the orders that began to wait before', async () => {
  const itemId = await itemIdOf(NEW[2]!)
  const commit = await underWay((tx) => beginToWait(tx, [itemId]))
  const bringing = house.app.database.transaction(async (tx) => {
    await comes(itemId, 10)(tx)
    return fillableOrders(tx, [itemId])
  })
  await expect.poll(() => waitingFor('advisory'), WITHIN).toBe(1)
  await commit()
  expect(await bringing).toEqual([])
})
