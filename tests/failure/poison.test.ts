/** A document on which work always fails is parked alone, with an owner, and delays nobody. */
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { WorldOrder } from '#landscape/world/world.ts'
import { replayParked } from '#platform/parking-replay.ts'
import { openHouse, type House } from '#tests/support/house.ts'
import { differences, EVERYTHING_ONCE } from '#tests/support/house-books.ts'
import { inParallel, submit } from '#tests/support/house-doors.ts'
import { type Query, violationsAtRest } from '#tests/support/books-rules.ts'
import { atRest, openQuery } from '#tests/support/house-query.ts'

const COUNT = 120
const WAIT = { timeout: 30_000, interval: 20 }

let house: House
let query: Query
let disconnect: () => Promise<void>
let healthy: WorldOrder[]
let held: WorldOrder
let poisoned: number
beforeAll(async () => {
  house = await openHouse({ plannedOrders: 300, config: { worker: { claimPollMs: 50 } } })
  ;({ query, end: disconnect } = await openQuery(house.databaseUrl))
  const orders = house.landscape.world.orders(300)
  healthy = orders.filter((one) => one.case === 'regular' && one.expected === 'ships_at_once').slice(0, COUNT)
  held = orders.find((one) => one.expected === 'held_price')!
}, 60_000)
afterAll(async () => {
  await disconnect()
  await house.end()
})

test('one poisoned order is parked alone while its neighbours close', async () => {
  const { body } = await submit(house.url, held, 'poisoned')
  poisoned = Number(body.id!.slice(2))
  const [hold] = await query<{ id: number }>(`select id from orders.hold where order_id = $1`, [poisoned])
  // as no code of ours would write it: claims of lines that the order does not have
  await query(`update inventory.reservation set line = line + 90 where doc = $1`, [poisoned])
  const released = await fetch(
    `${house.url}/process/order-to-cash/v1/orders/${body.id}/holds/H-${hold!.id}:release`,
    {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': 'release-poisoned' },
      body: JSON.stringify({ reason: 'the price is right' }),
    },
  )
  expect(released.status).toBeLessThan(300)

  await inParallel(healthy, 16, async (order) => {
    expect(await submit(house.url, order, `arrival-${order.nth}`)).toMatchObject({ status: 201 })
  })
  await vi.waitFor(async () => expect(await closedCount()).toBe(COUNT), WAIT)
  await vi.waitFor(
    async () => expect(await parked()).toMatchObject([{ kind: 'document', key: String(poisoned) }]),
    WAIT,
  )
  expect(await query(`select doc from desk.document where failures > 0`)).toEqual([{ doc: poisoned }])
  expect(await exceptions()).toEqual([{ code: 'work.document_parked', owner: 'integration', due: true }])
}, 60_000)

test('mended and replayed it ends like the others, and nothing of it is done twice', async () => {
  await query(`update inventory.reservation set line = line - 90 where doc = $1`, [poisoned])
  const [item] = await parked()
  const decision = { actor: 'test', reason: 'the claims are mended' }
  expect((await replayParked(house.app.database, [item!.id], decision)).get(item!.id)).toMatchObject({
    state: 'replaying',
  })
  await vi.waitFor(async () => expect(await closedCount()).toBe(COUNT + 1), WAIT)
  await atRest(query)
  expect(await differences(query, house.landscape)).toEqual(EVERYTHING_ONCE)
  expect(await violationsAtRest(query)).toEqual([])
  expect(await exceptions()).toEqual([])
}, 60_000)

const parked = () =>
  query<{ id: number; kind: string; key: string }>(
    `select id, kind, key from parking.item where state = 'parked'`,
  )

const exceptions = () =>
  query<{ code: string; owner: string; due: boolean }>(
    `select e.code, e.owner, e.due_at > now() as due from exceptions.exception e
     join exceptions.affected a on a.exception = e.id and a.cleared_at is null where e.closed_at is null and a.doc = $1`,
    [poisoned],
  )

async function closedCount(): Promise<number> {
  const [row] = await query<{ count: number }>(
    `select count(*) as count from orders.sales_order where closed_at is not null`,
  )
  return row!.count
}
