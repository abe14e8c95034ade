/** PostgreSQL stopped at once, as a crash or a power cut stops it: it comes back by itself, and what was acknowledged is there. */
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type Landscape, startLandscape } from '#landscape/landscape.ts'
import { generateWorld } from '#landscape/world/generate.ts'
import type { WorldOrder } from '#landscape/world/world.ts'
import { systemClock as clock } from '#platform/clock.ts'
import { findPostgres } from '#platform/postgres-server.ts'
import { createLog } from '#platform/telemetry-log.ts'
import { demoConfig } from '../../src/demo.ts'
import { differences, EVERYTHING_ONCE, ourInvoices, theirInvoices } from '#tests/support/house-books.ts'
import { type Answer, inParallel, submitUntilAnswered } from '#tests/support/house-doors.ts'
import { type Query, violationsAtRest } from '#tests/support/books-rules.ts'
import { migratedFolder } from '#tests/support/database.ts'
import { atRest, openQuery } from '#tests/support/house-query.ts'
import { type Program, startProgram } from '#tests/support/program.ts'
import { passableFolder } from '#tests/support/passable-folder.ts'

const COUNT = 600
const STOPS = 3

const world = generateWorld({ seed: 'stopped', today: '2026-11-02', plannedOrders: 1_000 })
const orders = world
  .orders(1_000)
  .filter((one) => one.case === 'regular' && one.expected === 'ships_at_once')
  .slice(0, COUNT)
const folder = passableFolder('stopped')
const dataDirectory = join(folder, 'postgres')
const log = createLog({ level: 'error', clock, destination: process.stderr })

let landscape: Landscape
let program: Program
beforeAll(async () => {
  landscape = await startLandscape({ clock, seed: 'stopped', world })
  await migratedFolder(dataDirectory)
  program = await startProgram({ ...demoConfig(landscape), database: { dataDirectory }, http: { port: 0 } })
  landscape.deliverTo({ wms: `${program.url}/system/wms/v1/events` })
}, 240_000)
afterAll(async () => {
  await program?.stop()
  await landscape?.stop()
  rmSync(folder, { recursive: true, force: true })
})

test(`stopped immediately ${STOPS} times in the middle of ${COUNT} orders, it loses nothing that was acknowledged`, async () => {
  const answers = new Map<number, Answer>()
  const sending = inParallel(orders, 16, async (order: WorldOrder) => {
    answers.set(order.nth, await submitUntilAnswered(program.url, order))
  })
  for (let stop = 1; stop <= STOPS; stop++) {
    await vi.waitFor(() => expect(answers.size).toBeGreaterThan((stop * COUNT) / (STOPS + 1)), {
      timeout: 60_000,
      interval: 1,
    })
    await withQuery(async (query) => {
      const stopped = await postmasterPid(query)
      process.kill(stopped, 'SIGQUIT')
      await vi.waitFor(
        () => withQuery(async (again) => expect(await postmasterPid(again)).not.toBe(stopped)),
        { timeout: 30_000, interval: 50 },
      )
    })
  }
  await sending
  await withQuery(async (query) => {
    await atRest(query)
    const rows = await query<{ number: string }>(
      `select 'O-' || id as number from orders.sales_order where closed_at is not null`,
    )
    expect(inOrder(rows.map(({ number }) => number))).toEqual(
      inOrder([...answers.values()].map(({ body }) => body.id!)),
    )
    expect(await differences(query, landscape)).toEqual(EVERYTHING_ONCE)
    expect(theirInvoices(landscape)).toEqual(await ourInvoices(query))
    expect(await violationsAtRest(query)).toEqual([])
  })
}, 240_000)

const inOrder = (numbers: readonly string[]): string[] => numbers.toSorted((a, b) => (a < b ? -1 : 1))

/** On a connection of its own, since the server takes connections with it. */
async function withQuery<T>(work: (query: Query) => Promise<T>): Promise<T> {
  const url = await findPostgres({ dataDirectory, clock, log })
  if (url === undefined) throw new Error('PostgreSQL is not running')
  const { query, end } = await openQuery(url)
  return work(query).finally(end)
}

async function postmasterPid(query: Query): Promise<number> {
  const [row] = await query<{ data_directory: string }>('show data_directory')
  return Number.parseInt(readFileSync(join(row!.data_directory, 'postmaster.pid'), 'utf8'), 10)
}
