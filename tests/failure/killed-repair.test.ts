/** The program killed with -9 in the middle of a rehearsal and of a job: both go on where they were, no item twice. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Landscape, startLandscape } from '#landscape/landscape.ts'
import { generateWorld } from '#landscape/world/generate.ts'
import { systemClock as clock } from '#platform/clock.ts'
import { findPostgres } from '#platform/postgres-server.ts'
import { createLog } from '#platform/telemetry-log.ts'
import { demoConfig } from '../../src/demo.ts'
import type { JobView, SelectionView } from '../../src/experiences/control-tower/repairs-contract.ts'
import type { Query } from '#tests/support/books-rules.ts'
import { migratedFolder } from '#tests/support/database.ts'
import { openQuery } from '#tests/support/house-query.ts'
import { type Program, startProgram, steadyPort } from '#tests/support/program.ts'
import { passableFolder } from '#tests/support/passable-folder.ts'

const COUNT = 150
const PER_SECOND = 25
const TOWER = '/experience/control-tower/v1'

const world = generateWorld({ seed: 'killed', today: '2026-11-02', plannedOrders: 20 })
const folder = passableFolder('killed-repair')
const dataDirectory = join(folder, 'postgres')
const log = createLog({ level: 'error', clock, destination: process.stderr })

let landscape: Landscape
let port: number
let program: Program
let query: Query
let disconnect: () => Promise<void>
const start = (): Promise<Program> =>
  startProgram({ ...demoConfig(landscape), database: { dataDirectory }, http: { port } })
beforeAll(async () => {
  landscape = await startLandscape({ clock, seed: 'killed', world })
  port = await steadyPort()
  await migratedFolder(dataDirectory)
  program = await start()
  ;({ query, end: disconnect } = await openQuery((await findPostgres({ dataDirectory, clock, log }))!))
}, 240_000)
afterAll(async () => {
  await disconnect?.()
  await program?.stop()
  await landscape?.stop()
  rmSync(folder, { recursive: true, force: true })
})

async function send<Answer>(path: string, body?: object): Promise<Answer> {
  const posted = body && {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': path },
    body: JSON.stringify(body),
  }
  const response = await fetch(`${program.url}${TOWER}${path}`, posted)
  return (await response.json()) as Answer
}

async function killAndStartAgain(): Promise<void> {
  await program.kill()
  program = await start()
}

const numberOf = async (column: 'rehearsed' | 'done'): Promise<number> =>
  (await query<{ n: number }>(`select ${column} as n from repair.job`))[0]!.n
const SOON = { timeout: 90_000, interval: 20 }

test('a job is rehearsed and worked off once for each item, however often its process is killed', async () => {
  await query(
    `insert into parking.item (kind, key, system, cause_code, cause_message, context)
     select 'message', 'nobody/' || n, 'nobody', 'test', 'test', jsonb_build_object('source', 'nobody', 'messageId', n::text)
     from generate_series(1, ${COUNT}) n`,
  )
  const { id } = await send<SelectionView>('/repair-selections', {
    action: 'discard',
    filter: { system: 'nobody' },
  })
  const read = () => send<SelectionView>(`/repair-selections/${id}`)
  await expect.poll(() => numberOf('rehearsed'), SOON).toBeGreaterThan(0)
  await killAndStartAgain()
  // nobody waits a minute for the lease of the dead
  await query(`update repair.job set leased_until = now() where leased_until is not null`)
  await expect.poll(async () => (await read()).state, SOON).toBe('ready')
  expect((await read()).rehearsal).toMatchObject({ done: COUNT, wouldChange: COUNT })

  const words = { name: 'nobody', reason: 'sent by mistake', perSecond: PER_SECOND }
  await send<JobView>('/repair-jobs', { selectionId: id, count: COUNT, ...words })
  for (const moment of [0, COUNT / 3]) {
    await expect.poll(() => numberOf('done'), SOON).toBeGreaterThan(moment)
    await killAndStartAgain()
  }
  const job = () => send<JobView>(`/repair-jobs/${id}`)
  await expect.poll(async () => (await job()).state, SOON).toBe('ended')
  expect(await job()).toMatchObject({ progress: { done: COUNT, failed: 0 } })
  const times = await query(
    `select count(*) as entries, count(distinct before->>'id') as items from audit.entry
     where action = 'parking.discarded' and reason = 'nobody: sent by mistake'`,
  )
  expect(times).toEqual([{ entries: COUNT, items: COUNT }])
}, 240_000)
