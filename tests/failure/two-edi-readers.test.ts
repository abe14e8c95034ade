/** Two programs that watch one EDI inbox: each file is one's, and what one took before it was killed the other reads. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type Landscape, startLandscape } from '#landscape/landscape.ts'
import { generateWorld } from '#landscape/world/generate.ts'
import type { WorldOrder } from '#landscape/world/world.ts'
import { systemClock as clock } from '#platform/clock.ts'
import { type PostgresServer, startPostgres } from '#platform/postgres-server.ts'
import { createLog } from '#platform/telemetry-log.ts'
import { demoConfig } from '../../src/demo.ts'
import { demoGuides, dropFile, toInterchange } from '../../src/demo-edi.ts'
import { ediFolders, type EdiFolders, guideOf, namesIn, sentTo } from '#tests/support/edi.ts'
import type { Query } from '#tests/support/books-rules.ts'
import { migratedFolder } from '#tests/support/database.ts'
import { openQuery } from '#tests/support/house-query.ts'
import { type Program, startProgram } from '#tests/support/program.ts'
import { passableFolder } from '#tests/support/passable-folder.ts'

const FILES = 60

const world = generateWorld({ seed: 'readers', today: '2026-11-02', plannedOrders: 2_000 })
const orders = world
  .orders(2_000)
  .filter((one) => one.door === 'edi' && one.case === 'regular' && one.expected === 'ships_at_once')
const guides = demoGuides(world)
const folder = passableFolder('readers')
const log = createLog({ level: 'error', clock, destination: process.stderr })

let server: PostgresServer
let landscape: Landscape
let folders: EdiFolders
let first: Program
let second: Program
let query: Query
let disconnect: () => Promise<void>
beforeAll(async () => {
  const dataDirectory = join(folder, 'postgres')
  await migratedFolder(dataDirectory)
  server = await startPostgres({ dataDirectory, clock, log })
  ;({ query, end: disconnect } = await openQuery(server.url))
  landscape = await startLandscape({ clock, seed: 'readers', world })
  folders = ediFolders(guides)
  const config = {
    ...demoConfig(landscape),
    database: { url: server.url },
    http: { port: 0 },
    edi: folders.config,
  }
  first = await startProgram(config)
  second = await startProgram(config)
  landscape.deliverTo({ wms: `${second.url}/system/wms/v1/events` })
}, 240_000)
afterAll(async () => {
  second?.signal('SIGCONT')
  await Promise.all([first?.stop(), second?.stop()])
  await landscape?.stop()
  await disconnect?.()
  await server?.stop()
  folders?.remove()
  rmSync(folder, { recursive: true, force: true })
})

const fileOf = ({ nth }: WorldOrder): string => `po-${nth}.edi`
const drop = (order: WorldOrder): void =>
  dropFile(folders.config.inboxDirectory, fileOf(order), toInterchange(order, guideOf(world, order)))
const archived = (): string[] => namesIn(folders.config.archiveDirectory)
const inProcess = (): string[] =>
  namesIn(join(folders.config.inboxDirectory, '.processing')).filter((name) => !name.startsWith('.'))
const readersOf = (names: readonly string[]): Set<string> => new Set(names.map((name) => name.split('-')[1]!))
/** As it was called before it was taken. */
const originalOf = (name: string): string => name.split('-').slice(3).join('-')

const count = async (text: string): Promise<number> =>
  (await query<{ count: number }>(`select count(*)::int as count from ${text}`))[0]!.count

/** How many documents of a type lie in the partners' folders, and for how many orders and groups they are. */
async function sent(type: '855' | '997'): Promise<{ documents: number; about: number }> {
  const all = await Promise.all(guides.map(({ partner }) => sentTo(folders, partner, type)))
  // BAK03 is the order, AK102 the group
  const place = type === '855' ? 3 : 2
  const about = all.map((documents) => documents.map(({ set }) => set.segments[1]?.elements[place]))
  const distinct = about.reduce((sum, numbers) => sum + new Set(numbers).size, 0)
  return { documents: all.flat().length, about: distinct }
}

async function everythingOnce(files: number): Promise<void> {
  const waiting = { timeout: 45_000, interval: 100 }
  await vi.waitFor(() => expect(archived()).toHaveLength(files), waiting)
  await vi.waitFor(async () => expect((await sent('855')).documents).toBe(files), waiting)
  expect(await sent('855')).toEqual({ documents: files, about: files })
  expect(await sent('997')).toEqual({ documents: files, about: files })
  expect(new Set(archived().map(originalOf)).size).toBe(files)
  expect(await count(`orders.sales_order`)).toBe(files)
  expect(await count(`inbox.message where source = 'edi' and state = 'applied'`)).toBe(files)
  expect(await count(`edi.file where state = 'read'`)).toBe(files)
  expect(inProcess()).toEqual([])
  expect(namesIn(folders.config.inboxDirectory)).toEqual(['.processing'])
}

test('two programs that watch one folder share its files, and each file is read and answered once', async () => {
  for (const order of orders.slice(0, FILES)) drop(order)
  await everythingOnce(FILES)
  expect(await count(`edi.file where repeats > 0`)).toBe(0)
  expect(readersOf(archived()).size).toBe(2)
}, 240_000)

test('files that a program took and did not put away before it was killed are read by the other', async () => {
  const readers = readersOf(archived())
  for (const program of [first, second]) program.signal('SIGSTOP')
  for (const order of orders.slice(FILES, 2 * FILES)) drop(order)
  // it finds them all at once, and takes them all before it reads any
  first.signal('SIGCONT')
  await vi.waitFor(() => expect(inProcess().length).toBeGreaterThan(FILES / 2), {
    timeout: 10_000,
    interval: 1,
  })
  await first.kill()
  const abandoned = inProcess()
  expect(abandoned.length).toBeGreaterThan(0)
  const [dead] = readersOf(abandoned)
  second.signal('SIGCONT')
  await everythingOnce(2 * FILES)
  // what it had read and not put away yet is seen to come again
  expect(await count(`edi.file where repeats > 0`)).toBeLessThanOrEqual(abandoned.length)
  const names = new Set(abandoned.map(originalOf))
  const taken = archived().filter((name) => names.has(originalOf(name)))
  expect(taken).toHaveLength(abandoned.length)
  expect(readersOf(taken)).toEqual(new Set([...readers].filter((reader) => reader !== dead)))
}, 240_000)
