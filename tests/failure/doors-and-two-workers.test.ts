/** Doors in one program, work in two others: nothing is lost or done twice when a worker is killed in the middle. */
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type Landscape, startLandscape } from '#landscape/landscape.ts'
import { generateWorld } from '#landscape/world/generate.ts'
import type { ConfigInput } from '../../src/config-schema.ts'
import { verifyHeads } from '#platform/audit-heads.ts'
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

const ORDERS = 300
const CALLERS = 16

const world = generateWorld({ seed: 'roles', today: '2026-11-02', plannedOrders: 1_000 })
const orders = world
  .orders(1_000)
  .filter((one) => one.case === 'regular' && one.expected === 'ships_at_once')
  .slice(0, ORDERS)
const folder = passableFolder('roles')
const log = createLog({ level: 'error', clock, destination: process.stderr })

let server: PostgresServer
let landscape: Landscape
let doors: Program
let workers: Program[] = []
let query: Query
let disconnect: () => Promise<void>
beforeAll(async () => {
  const dataDirectory = join(folder, 'postgres')
  await migratedFolder(dataDirectory)
  server = await startPostgres({ dataDirectory, clock, log })
  ;({ query, end: disconnect } = await openQuery(server.url))
  landscape = await startLandscape({ clock, seed: 'roles', world })
  const config = (role: ConfigInput['role'], name: string): Partial<ConfigInput> => ({
    ...demoConfig(landscape),
    role,
    database: { url: server.url },
    http: { port: 0 },
    audit: { headsDirectory: join(folder, name) },
  })
  const all = [config('api', 'doors'), config('worker', 'one'), config('worker', 'two')].map(startProgram)
  ;[doors, ...workers] = (await Promise.all(all)) as [Program, ...Program[]]
  landscape.deliverTo({ wms: `${doors.url}/system/wms/v1/events` })
}, 240_000)
afterAll(async () => {
  await Promise.all([doors, ...workers].map((program) => program?.stop()))
  await landscape?.stop()
  await disconnect?.()
  await server?.stop()
  rmSync(folder, { recursive: true, force: true })
})

test('orders taken in by one program end as posted invoices of two others, although one of those is killed', async () => {
  const [killed, heir] = workers as [Program, Program]
  const bringing = inParallel(orders, CALLERS, async (order) => {
    await submitUntilAnswered(doors.url, order)
  })
  await vi.waitFor(async () => expect(await count('billing.invoice')).toBeGreaterThan(ORDERS / 10), {
    timeout: 30_000,
    interval: 5,
  })
  expect(await count('desk.node where not dead')).toBe(2)
  await killed.kill()
  expect(await count('orders.sales_order where closed_at is not null')).toBeLessThan(ORDERS)
  await bringing
  await atRest(query)
  expect(await count('orders.sales_order where closed_at is not null')).toBe(ORDERS)
  expect(await differences(query, landscape)).toEqual(EVERYTHING_ONCE)
  expect(theirInvoices(landscape)).toEqual(await ourInvoices(query))
  expect(await violationsAtRest(query)).toEqual([])
  expect(heir.complaints.filter((line) => !line.includes('took over'))).toEqual([])
  expect(doors.complaints).toEqual([])
}, 240_000)

test('a worker that stops in order signs the end of the audit trail; doors sign nothing', async () => {
  await workers[1]!.stop()
  const headsDirectory = join(folder, 'two')
  const { heads, faults } = await verifyHeads({ headsDirectory, formerKeys: [] })
  const [newest] = await query<{ number: number }>(`select max(number) as number from audit.seal`)
  expect([heads.at(-1)!.number, faults]).toEqual([newest!.number, []])
  expect(existsSync(join(folder, 'doors'))).toBe(false)
}, 240_000)

async function count(from: string): Promise<number> {
  const [row] = await query<{ count: number }>(`select count(*) as count from ${from}`)
  return row!.count
}
