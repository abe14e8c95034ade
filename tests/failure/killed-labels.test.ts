/** A program that is killed while a carrier has sold labels and not answered: its successor pays none of them again. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Landscape, startLandscape } from '#landscape/landscape.ts'
import { generateWorld } from '#landscape/world/generate.ts'
import { systemClock as clock } from '#platform/clock.ts'
import { type PostgresServer, startPostgres } from '#platform/postgres-server.ts'
import { createLog } from '#platform/telemetry-log.ts'
import type { ConfigInput } from '../../src/config-schema.ts'
import { carrierSystem, demoConfig } from '../../src/demo.ts'
import { inParallel, submitUntilAnswered } from '#tests/support/house-doors.ts'
import { type Query, violationsAtRest } from '#tests/support/books-rules.ts'
import { migratedFolder } from '#tests/support/database.ts'
import { atRest, openQuery } from '#tests/support/house-query.ts'
import { type Program, startProgram } from '#tests/support/program.ts'
import { passableFolder } from '#tests/support/passable-folder.ts'

const ORDERS = 30
const PATIENCE_MS = 4_000
const WITHIN = { timeout: 60_000 }
const SHIP_FROM = {
  name: 'Northway',
  lines: ['1 Dock Rd'],
  city: 'Newark',
  postalCode: '07101',
  country: 'US',
}

const world = generateWorld({ seed: 'labels', today: '2026-11-02', plannedOrders: 300 })
const orders = world
  .orders(300)
  .filter((one) => one.case === 'regular' && one.expected === 'ships_at_once')
  .slice(0, ORDERS)
const folder = passableFolder('labels')
const log = createLog({ level: 'error', clock, destination: process.stderr })

let server: PostgresServer
let landscape: Landscape
let program: Program
let query: Query
let disconnect: () => Promise<void>

function configOf(): Partial<ConfigInput> {
  const demo = demoConfig(landscape)
  return {
    ...demo,
    database: { url: server.url },
    http: { port: 0 },
    systems: { ...demo.systems, carrier: carrierSystem(landscape.carrier.url) },
    locations: demo.locations?.map((location) =>
      location.wms === undefined
        ? location
        : { ...location, labels: { carrier: 'carrier', shipFrom: SHIP_FROM } },
    ),
  }
}

async function start(): Promise<Program> {
  const started = await startProgram(configOf())
  landscape.deliverTo({ wms: `${started.url}/system/wms/v1/events` })
  return started
}

beforeAll(async () => {
  const dataDirectory = join(folder, 'postgres')
  await migratedFolder(dataDirectory)
  server = await startPostgres({ dataDirectory, clock, log })
  ;({ query, end: disconnect } = await openQuery(server.url))
  const waitForLabels = Object.fromEntries(world.sites.map(({ code }) => [code, PATIENCE_MS]))
  landscape = await startLandscape({ clock, seed: 'labels', world, waitForLabels })
  program = await start()
}, 240_000)
afterAll(async () => {
  await program?.stop()
  await landscape?.stop()
  await disconnect?.()
  await server?.stop()
  rmSync(folder, { recursive: true, force: true })
})

test('each label that was sold and not answered is known to the next program, paid once, and used or void', async () => {
  const { carrier } = landscape
  carrier.faults.set({ kind: 'no-answer', mode: 'hang', hangMs: 60_000, operation: 'createLabel' })
  await inParallel(orders, 8, async (order) => void (await submitUntilAnswered(program.url, order)))
  await expect.poll(() => carrier.truth().shipments.length, WITHIN).toBeGreaterThan(0)
  await program.kill()
  carrier.faults.clear()
  program = await start()
  landscape.wms.redeliver()
  const open = `select 1 from shipments.packing where state not in ('used', 'void')`
  // What is told to be packed only after its warehouse has lost patience needs no label any more.
  await atRest(query)
  await expect.poll(async () => (await query(open)).length, WITHIN).toBe(0)
  const ours = await query<{ label: string; state: string; charge: number; reference: string }>(
    `select label, state, charge_minor::int as charge, 'F-' || fulfillment_id || '/' || number as reference
     from shipments.packing`,
  )
  expect(ours.length).toBeGreaterThan(0)
  const told = ours.map(({ label, state, charge, reference }) => ({ label, reference, charge, state }))
  const theirs = carrier.truth().shipments.map(({ shipment_id: label, reference, charge, status }) => ({
    label,
    reference,
    charge: Math.round(Number(charge.amount) * 100),
    state: status === 'VOIDED' ? 'void' : 'used',
  }))
  const byLabel = (a: { label: string }, b: { label: string }) => a.label.localeCompare(b.label)
  expect(theirs.toSorted(byLabel)).toEqual(told.toSorted(byLabel))
  expect(await violationsAtRest(query)).toEqual([])
}, 180_000)
