/** The program killed with -9 in the middle of its work, again and again: nothing is lost and nothing is done twice. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type Landscape, startLandscape } from '#landscape/landscape.ts'
import { draw } from '#landscape/random.ts'
import { expectations } from '#landscape/world/expectations.ts'
import { generateWorld } from '#landscape/world/generate.ts'
import type { WorldOrder } from '#landscape/world/world.ts'
import { systemClock as clock } from '#platform/clock.ts'
import { findPostgres } from '#platform/postgres-server.ts'
import { createLog } from '#platform/telemetry-log.ts'
import { demoConfig } from '../../src/demo.ts'
import {
  differences,
  EVERYTHING_ONCE,
  ourInvoices,
  ourStock,
  theirInvoices,
  theirStock,
} from '#tests/support/house-books.ts'
import { type Answer, inParallel, submitUntilAnswered } from '#tests/support/house-doors.ts'
import { countOf, outcomesOf } from '#tests/support/house-outcomes.ts'
import { type Query, violations, violationsAtRest } from '#tests/support/books-rules.ts'
import { migratedFolder } from '#tests/support/database.ts'
import { atRest, openQuery } from '#tests/support/house-query.ts'
import { type Program, startProgram, steadyPort } from '#tests/support/program.ts'
import { passableFolder } from '#tests/support/passable-folder.ts'

const COUNT = 2_000
const KILLS = 10
const SEED = 'killed'
const CALLERS = 24
/** Slow machines are slow; what a restart takes on this one is printed. */
const FIRST_PROGRESS_MOST_MS = 60_000

const world = generateWorld({ seed: SEED, today: '2026-11-02', plannedOrders: COUNT })
const orders = world.orders(COUNT).map((order): WorldOrder => ({ ...order, door: 'api' }))
const folder = passableFolder('killed')
const dataDirectory = join(folder, 'postgres')
const log = createLog({ level: 'error', clock, destination: process.stderr })

let landscape: Landscape
let program: Program
let url: string
let query: Query
let disconnect: () => Promise<void>
const start = async (port: number): Promise<Program> =>
  startProgram({ ...demoConfig(landscape), database: { dataDirectory }, http: { port } })

beforeAll(async () => {
  landscape = await startLandscape({ clock, seed: SEED, world })
  const port = await steadyPort()
  url = `http://127.0.0.1:${port}`
  landscape.deliverTo({ wms: `${url}/system/wms/v1/events` })
  await migratedFolder(dataDirectory)
  program = await start(port)
  const opened = await openQuery((await findPostgres({ dataDirectory, clock, log }))!)
  query = opened.query
  disconnect = opened.end
}, 600_000)

afterAll(async () => {
  await disconnect?.()
  await program?.stop()
  await landscape?.stop()
  rmSync(folder, { recursive: true, force: true })
})

test(`killed ${KILLS} times in the middle of ${COUNT} orders it loses none, and repeats nothing`, async () => {
  const answers = new Map<number, Answer>()
  const restartsMs: number[] = []
  let orphans = 0
  const [first, again] = [
    orders.filter(({ repeats }) => repeats === undefined),
    orders.filter(({ repeats }) => repeats !== undefined),
  ]
  const send = (some: readonly WorldOrder[]): Promise<void> =>
    inParallel(
      some,
      CALLERS,
      async (order) => void answers.set(order.nth, await submitUntilAnswered(url, order)),
    )

  const sending = send(first)
  for (const moment of moments()) {
    await vi.waitUntil(() => progress(answers) > moment, { timeout: 60_000, interval: 5 })
    await program.kill()
    orphans += await ownedDocuments(query)
    const before = await lastEvent(query)
    const startedMs = performance.now()
    const starting = start(Number(new URL(url).port)).then((started) => (program = started))
    await vi.waitUntil(async () => (await lastEvent(query)) > before, {
      timeout: FIRST_PROGRESS_MOST_MS,
      interval: 50,
    })
    restartsMs.push(Math.round(performance.now() - startedMs))
    await starting
    expect(await violations(query)).toEqual([])
  }
  await sending
  await send(again)
  // A message that met a dead program several times is told again after minutes; nobody has to wait for that here.
  landscape.wms.redeliver()
  await atRest(query)
  landscape.wms.receiveAll()
  await vi.waitFor(
    async () => expect(await query(`select doc from inventory.backorder limit 5`)).toEqual([]),
    { timeout: 60_000, interval: 50 },
  )
  await atRest(query)

  expect(orphans).toBeGreaterThan(KILLS)
  console.info(`first progress after a restart, in ms: ${restartsMs.join(', ')}`)
  expect(Math.max(...restartsMs)).toBeLessThan(FIRST_PROGRESS_MOST_MS)
  const { outcomes } = expectations(world, COUNT)
  const awaited = Object.fromEntries(Object.entries(outcomes).filter(([, count]) => count > 0))
  expect(countOf((await outcomesOf(query, orders, answers)).values())).toEqual(awaited)
  expect(await differences(query, landscape)).toEqual(EVERYTHING_ONCE)
  expect(theirInvoices(landscape)).toEqual(await ourInvoices(query))
  expect(await ourStock(query)).toEqual(theirStock(landscape))
  expect(await violationsAtRest(query)).toEqual([])
}, 600_000)

/** How far the work is: what was answered, and what the systems were asked. */
function progress(answers: ReadonlyMap<number, Answer>): number {
  const asked = [landscape.legacyErp, landscape.cloudErp, landscape.wms].map(({ received }) =>
    ['createOrder', 'createOrders', 'postInvoice', 'postInvoices', 'releaseOrder', 'releaseOrders'].reduce(
      (sum, each) => sum + received.items(each),
      0,
    ),
  )
  return asked.reduce((sum, items) => sum + items, answers.size)
}

/** When to kill, in units of progress: drawn over the time in which orders still come. */
function moments(): number[] {
  const each = (COUNT * 3) / KILLS
  return Array.from({ length: KILLS }, (_, nth) => Math.floor((nth + draw(SEED, 'kill', nth)) * each))
}

/** What a killed program leaves in the middle of its work. */
async function ownedDocuments(query: Query): Promise<number> {
  const [row] = await query<{ count: number }>(
    `select count(*) as count from desk.document where owner is not null`,
  )
  return row!.count
}

async function lastEvent(query: Query): Promise<number> {
  const [row] = await query<{ position: number }>(
    `select coalesce(max(position), 0) as position from log.event`,
  )
  return row!.position
}
