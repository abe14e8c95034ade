/** Two programs side by side on one database: they share the work, and one takes over from another that hangs. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { Fault } from '#landscape/faults.ts'
import { type Landscape, startLandscape } from '#landscape/landscape.ts'
import { generateWorld } from '#landscape/world/generate.ts'
import type { WorldOrder } from '#landscape/world/world.ts'
import { systemClock as clock } from '#platform/clock.ts'
import { type PostgresServer, startPostgres } from '#platform/postgres-server.ts'
import { createLog } from '#platform/telemetry-log.ts'
import { demoConfig } from '../../src/demo.ts'
import { differences, EVERYTHING_ONCE, ourInvoices, theirInvoices } from '#tests/support/house-books.ts'
import { inParallel, submitUntilAnswered } from '#tests/support/house-doors.ts'
import { type Query, violationsAtRest } from '#tests/support/books-rules.ts'
import { migratedFolder } from '#tests/support/database.ts'
import { atRest, openQuery } from '#tests/support/house-query.ts'
import { type Program, startProgram } from '#tests/support/program.ts'
import { passableFolder } from '#tests/support/passable-folder.ts'

const TOGETHER = 300
const ALONE = 30

const world = generateWorld({ seed: 'two', today: '2026-11-02', plannedOrders: 1_000 })
const orders = world.orders(1_000).filter((one) => one.case === 'regular' && one.expected === 'ships_at_once')
const folder = passableFolder('two')
const log = createLog({ level: 'error', clock, destination: process.stderr })

let server: PostgresServer
let landscape: Landscape
let first: Program
let second: Program
let query: Query
let disconnect: () => Promise<void>
let sent = 0
beforeAll(async () => {
  const dataDirectory = join(folder, 'postgres')
  await migratedFolder(dataDirectory)
  server = await startPostgres({ dataDirectory, clock, log })
  ;({ query, end: disconnect } = await openQuery(server.url))
  landscape = await startLandscape({ clock, seed: 'two', world })
  const config = { ...demoConfig(landscape), database: { url: server.url }, http: { port: 0 } }
  first = await startProgram(config)
  second = await startProgram(config)
  landscape.deliverTo({ wms: `${second.url}/system/wms/v1/events` })
}, 240_000)
afterAll(async () => {
  first?.signal('SIGCONT')
  await Promise.all([first?.stop(), second?.stop()])
  await landscape?.stop()
  await disconnect?.()
  await server?.stop()
  rmSync(folder, { recursive: true, force: true })
})

const take = (count: number): WorldOrder[] => orders.slice(sent, (sent += count))

async function everythingAgrees(): Promise<void> {
  await atRest(query)
  expect(await query(`select id from orders.sales_order where closed_at is not null`)).toHaveLength(sent)
  expect(await differences(query, landscape)).toEqual(EVERYTHING_ONCE)
  expect(theirInvoices(landscape)).toEqual(await ourInvoices(query))
  expect(await violationsAtRest(query)).toEqual([])
}

test('two programs share the work of one database, and do each thing once', async () => {
  await inParallel(take(TOGETHER), 16, async (order) => {
    await submitUntilAnswered(order.nth % 2 === 0 ? first.url : second.url, order)
  })
  await everythingAgrees()
  for (const { url } of [first, second]) expect(await callsOf(url)).toBeGreaterThan(TOGETHER / 20)
}, 240_000)

test('documents of a program that hangs longer than its lease are taken over, and it can do nothing more in their name', async () => {
  const epoch = await oldestEpoch()
  const slow = ['createOrder', 'createOrders'].map((operation): Fault => ({
    kind: 'latency',
    operation,
    ms: 2_000,
  }))
  for (const { faults } of [landscape.legacyErp, landscape.cloudErp]) faults.set(slow)
  await inParallel(take(ALONE), ALONE, async (order) => void (await submitUntilAnswered(first.url, order)))
  first.signal('SIGSTOP')
  expect(await ownedBy(epoch)).toBeGreaterThan(0)
  for (const { faults } of [landscape.legacyErp, landscape.cloudErp]) faults.clear()

  await vi.waitFor(
    async () =>
      expect(await query(`select epoch from desk.node where dead and epoch = $1`, [epoch])).toHaveLength(1),
    { timeout: 30_000, interval: 100 },
  )
  expect(await ownedBy(epoch)).toBe(0)
  await everythingAgrees()

  // what it was about to write is refused, and it begins anew
  first.signal('SIGCONT')
  await vi.waitFor(
    async () => expect(await query(`select epoch from desk.node where not dead`)).toHaveLength(2),
    { timeout: 30_000, interval: 50 },
  )
  await inParallel(take(ALONE), ALONE, async (order) => void (await submitUntilAnswered(first.url, order)))
  await everythingAgrees()
}, 240_000)

/** How many calls a program made to other systems, by its own count. */
async function callsOf(url: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text()
  const counts = [...text.matchAll(/adapter_requests_total\{.*\} (\d+)$/gm)]
  return counts.reduce((sum, [, count]) => sum + Number(count), 0)
}

async function oldestEpoch(): Promise<number> {
  const [row] = await query<{ epoch: number }>(`select min(epoch) as epoch from desk.node where not dead`)
  return row!.epoch
}

async function ownedBy(epoch: number): Promise<number> {
  const [row] = await query<{ count: number }>(
    `select count(*) as count from desk.document where owner = $1`,
    [epoch],
  )
  return row!.count
}
