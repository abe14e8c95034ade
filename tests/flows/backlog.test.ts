/** A process of doors alone does not accept more than the workers can bear. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createBacklog } from '#platform/backlog.ts'
import { countBacklog } from '#platform/desk.ts'
import { fakeClock } from '#tests/support/clock.ts'
import { openHouse, type House } from '#tests/support/house.ts'
import type { WorldOrder } from '#landscape/world/world.ts'
import { submit } from '#tests/support/house-doors.ts'
import { documentOfShop, tellByShop } from '#tests/support/shop-calls.ts'
import { type Query } from '#tests/support/books-rules.ts'
import { openQuery } from '#tests/support/house-query.ts'
import { toOrderRequest } from '../../src/demo.ts'

const MAX = 20
const WAIT = { timeout: 10_000 }

let worker: House
let doors: House
let query: Query
let disconnect: () => Promise<void>
beforeAll(async () => {
  worker = await openHouse({ plannedOrders: 60 })
  doors = await openHouse({ beside: worker, config: { role: 'api', worker: { backlogMax: MAX } } })
  ;({ query, end: disconnect } = await openQuery(worker.databaseUrl))
}, 60_000)
afterAll(async () => {
  await disconnect()
  await doors.end()
  await worker.end()
})

/** Work that no program here knows how to do, so that it stays due. */
const pile = (count: number, owner: number | null = null) =>
  query(
    `insert into desk.document (doc, process, company, owner)
     select 9000000 + n, 'elsewhere', 'NWF', $2::bigint from generate_series(1, $1::int) n`,
    [count, owner],
  )
const workedOff = () => query(`delete from desk.document where process = 'elsewhere'`)

async function reserve(order: WorldOrder) {
  const { company, lines } = toOrderRequest(order)
  const asked = lines.map(({ line, sku, quantity, unit }) => ({ line, sku, quantity, unit }))
  const response = await fetch(`${doors.url}/process/available-to-promise/v1/reservations`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': 'cart' },
    body: JSON.stringify({ company, channel: 'portal', reference: 'cart', kind: 'soft', lines: asked }),
  })
  return { status: response.status, ...((await response.json()) as object) }
}

/** It tells of it itself, but to nobody. */
function anOrderOfShop() {
  const { shop, world } = worker.landscape
  shop.deliverTo(`${doors.url}/nowhere`)
  const regular = world.orders(60).find((one) => one.company === 'NWF' && one.case === 'regular')
  return documentOfShop(shop, shop.place(regular!).id)
}

test('orders are refused while more is due than may be, and taken again when it is worked off', async () => {
  await worker.app.stop()
  const orders = worker.landscape.world
    .orders(60)
    .filter((one) => one.case === 'regular' && one.expected === 'ships_at_once')
  let tried = 0
  const status = async () => {
    tried++
    return (await submit(doors.url, orders[0]!, `try-${tried}`)).status
  }
  expect(await status()).toBe(201)
  await pile(MAX)
  await expect.poll(status, WAIT).toBe(429)
  const { body } = await submit(doors.url, orders[1]!, 'full')
  expect(body).toMatchObject({ code: 'work.backlog_full', retryAfterMs: 5_000 })
  const full = { status: 429, code: 'work.backlog_full' }
  expect(await reserve(orders[0]!)).toMatchObject(full)
  const placed = anOrderOfShop()
  expect(await tellByShop(doors.url, 'orders/create', placed)).toMatchObject(full)
  const cancelled = { ...placed, cancelled_at: placed.updated_at }
  expect(await tellByShop(doors.url, 'orders/cancelled', cancelled)).toMatchObject({ status: 200 })
  await workedOff()
  await expect.poll(status, WAIT).toBe(200)
  expect(await tellByShop(doors.url, 'orders/create', placed)).toMatchObject({ status: 200 })
  expect(await reserve(orders[0]!)).toMatchObject({ status: 201 })
}, 30_000)

test('the figure is read once a second however many ask, and what is owned or not yet due is no backlog', async () => {
  await workedOff()
  await pile(MAX + 1, 1)
  const clock = fakeClock()
  let read = 0
  const counting = {
    query: async <Row>(): Promise<Row[]> => {
      read++
      return [{ due: MAX + 1 }] as Row[]
    },
  }
  expect(await countBacklog(doors.app.database, 1_000)).toBeLessThanOrEqual(2)
  const backlog = createBacklog({ queries: counting, clock, max: MAX })
  const isFull = () => {
    try {
      backlog.assertRoom()
      return false
    } catch {
      return true
    }
  }
  expect(isFull()).toBe(false)
  await clock.settle()
  expect(Array.from({ length: 500 }, isFull)).toEqual(Array(500).fill(true))
  expect(read).toBe(1)
  await clock.advance(1_000)
  isFull()
  expect(read).toBe(2)
  await clock.advance(60_000)
  // the figure is from before a pause
  expect(isFull()).toBe(false)
})
