/** Doors in one process, work in another: what is left due is taken at word, or by poll, and ends as in one process. */
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { WorldOrder } from '#landscape/world/world.ts'
import { differences, EVERYTHING_ONCE, ourInvoices, theirInvoices } from '#tests/support/house-books.ts'
import { submit } from '#tests/support/house-doors.ts'
import { type Query, violationsAtRest } from '#tests/support/books-rules.ts'
import { atRest, openQuery } from '#tests/support/house-query.ts'
import { type House, openHouse } from '#tests/support/house.ts'

/** Longer than any test waits: what happens before is no poll's doing. */
const NO_POLL_MS = 60_000
const POLL_MS = 400

let worker: House
let doors: House
let query: Query
let disconnect: () => Promise<void>
let orders: Iterator<WorldOrder>
beforeAll(async () => {
  worker = await openHouse({ config: { role: 'worker', worker: { claimPollMs: NO_POLL_MS } } })
  doors = await openHouse({ beside: worker, config: { role: 'api' } })
  ;({ query, end: disconnect } = await openQuery(worker.databaseUrl))
  orders = worker.landscape.world
    .orders(200)
    .filter((one) => one.case === 'regular' && one.expected === 'ships_at_once')
    .values()
}, 60_000)
afterAll(async () => {
  await disconnect()
  await doors.end()
  await worker.end()
})

/** One order through the doors; answers its document. */
async function order(): Promise<number> {
  const next = orders.next().value as WorldOrder
  const { status, body } = await submit(doors.url, next, `arrival-${next.nth}`)
  expect(status).toBe(201)
  return Number(body.id!.slice('O-'.length))
}

const closed = (doc: number, timeout = 20_000): Promise<void> =>
  vi.waitFor(
    async () =>
      expect(
        await query(`select from orders.sales_order where id = $1 and closed_at is not null`, [doc]),
      ).toHaveLength(1),
    { timeout, interval: 20 },
  )

const statusOf = async (house: House, path: string): Promise<number> =>
  (await fetch(`${house.url}${path}`)).status

test('an order that doors take in is worked on at word, to its posted invoice, with no poll', async () => {
  await closed(await order())
  await atRest(query)
  expect(await differences(query, worker.landscape)).toEqual(EVERYTHING_ONCE)
  expect(theirInvoices(worker.landscape)).toEqual(await ourInvoices(query))
  expect(await violationsAtRest(query)).toEqual([])
  expect([doors.complaints, worker.complaints]).toEqual([[], []])
}, 40_000)

test('a worker serves nothing but probes and metrics, and doors everything', async () => {
  const paths = [
    '/livez',
    '/readyz',
    '/metrics',
    '/openapi.json',
    '/',
    '/process/order-to-cash/v1/orders?company=FOODS',
  ]
  const statuses = async (house: House): Promise<number[]> =>
    Promise.all(paths.map((path) => statusOf(house, path)))
  expect(await statuses(worker)).toEqual([200, 200, 200, 404, 404, 404])
  expect((await statuses(doors)).slice(0, 4)).toEqual([200, 200, 200, 200])
  expect(await (await fetch(`${doors.url}/readyz`)).json()).toEqual({
    status: 'ready',
    checks: [
      { name: 'database', ok: true },
      { name: 'master-data', ok: true },
      { name: 'stock', ok: true },
    ],
  })
})

test('a command given at the doors is carried out by the worker', async () => {
  const held = worker.landscape.world.orders(200).find((one) => one.expected === 'held_price')!
  const { body } = await submit(doors.url, held, 'to-be-cancelled')
  const answer = await fetch(`${doors.url}/process/order-to-cash/v1/orders/${body.id}:cancel`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': 'cancel-it' },
    body: JSON.stringify({ reason: 'ordered twice' }),
  })
  expect(answer.status).toBe(202)
  await closed(Number(body.id!.slice('O-'.length)))
}, 30_000)

test('while no worker lives doors take in, own nothing and call nobody; who comes finds all of it', async () => {
  const alone = await openHouse({ config: { role: 'worker' } })
  const open = await openHouse({ beside: alone, config: { role: 'api' } })
  const books = await openQuery(alone.databaseUrl)
  await alone.app.worker.stop()
  const one = alone.landscape.world
    .orders(100)
    .find((candidate) => candidate.case === 'regular' && candidate.expected === 'ships_at_once')!
  expect((await submit(open.url, one, 'alone')).status).toBe(201)
  expect(await books.query(`select owner, due_at <= now() as due from desk.document`)).toEqual([
    { owner: null, due: true },
  ])
  expect(await books.query(`select from effects.intent`)).toEqual([])
  const heir = await openHouse({ beside: alone, config: { role: 'worker' } })
  await vi.waitFor(async () => expect(await ourInvoices(books.query)).toHaveLength(1), { timeout: 20_000 })
  await atRest(books.query)
  expect(theirInvoices(alone.landscape)).toEqual(await ourInvoices(books.query))
  await books.end()
  for (const house of [heir, open, alone]) await house.end()
}, 60_000)

test('with word cut off the worker finds everything by its polls', async () => {
  const polling = await openHouse({
    isDeaf: true,
    config: { role: 'worker', worker: { claimPollMs: POLL_MS } },
  })
  const mute = await openHouse({ beside: polling, isDeaf: true, config: { role: 'api' } })
  const books = await openQuery(polling.databaseUrl)
  const some = polling.landscape.world
    .orders(100)
    .filter((one) => one.case === 'regular' && one.expected === 'ships_at_once')
    .slice(0, 10)
  await Promise.all(some.map((one) => submit(mute.url, one, `arrival-${one.nth}`)))
  await vi.waitFor(async () => expect(await ourInvoices(books.query)).toHaveLength(some.length), {
    timeout: 20_000,
  })
  await atRest(books.query)
  expect(await differences(books.query, polling.landscape)).toEqual(EVERYTHING_ONCE)
  await books.end()
  for (const house of [mute, polling]) await house.end()
}, 60_000)
