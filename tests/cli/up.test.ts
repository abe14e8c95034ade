/** The program as it is started, used beside, stopped, killed, and started again. */
import { createReadStream, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, expect, test } from 'vitest'
import { crossdock, crossdockAfresh, dataFolder, noteIn, processesOf, rowsOf, Up } from './program.ts'

const folder = dataFolder()
const data = ['--data', folder.path]
const demo = ['--demo', '--port', '0', '--orders-per-minute', '120', ...data]
let up: Up | undefined
afterAll(async () => {
  await up?.stop()
  folder.remove()
}, 60_000)

type Order = { id: string; customerOrder: string; erpNumber: string | null; channel: string; stage: string }
type Story = {
  order: { id: string }
  documents: { id: string; references: { scheme: string; value: string }[] }[]
  entries: { title: string; document: string }[]
}

const listed = async (): Promise<Order[]> =>
  rowsOf<Order>(await crossdock('orders', 'list', '--json', '--limit', '1000', ...data))

test('a demo takes orders through every door to their posted invoices', async () => {
  up = new Up(...demo)
  await up.when(({ accepted, invoiced }) => accepted >= 20 && invoiced >= 5, 60_000)
  const orders = await listed()
  expect(new Set(orders.map((order) => order.channel))).toEqual(new Set(['api', 'edi', 'shop']))
}, 90_000)

test('an order is found by each of its numbers, with its whole story', async () => {
  const closed = (await listed()).find((order) => order.stage === 'closed')!
  const [story] = rowsOf<Story>(await crossdock('trace', closed.id, '--json', ...data))
  const ids = story!.documents.map(({ id }) => id)
  const references = story!.documents.flatMap((document) => document.references)
  const schemes = new Set(references.map(({ scheme }) => scheme))
  expect([...schemes]).toEqual(
    expect.arrayContaining([
      'customer-order',
      'erp-order',
      'wms-order',
      'wms-shipment',
      'tracking',
      'sscc',
      'invoice',
    ]),
  )
  expect(story!.entries.map(({ title }) => title).join('\n')).toMatch(
    /accepted[^]*asked to ship[^]*left[^]*posted by the ERP/,
  )
  const wanted = new Map(references.map(({ scheme, value }) => [scheme, value]))
  const asked = [
    ...['erp-order', 'wms-order', 'tracking', 'invoice'].map((scheme) => wanted.get(scheme)!),
    ids.at(-1)!,
  ]
  const found = await Promise.all(asked.map((number) => crossdock('trace', number, '--json', ...data)))
  for (const ended of found) expect(rowsOf<Story>(ended).map(({ order }) => order.id)).toContain(closed.id)
}, 60_000)

test('a story is also told as text, and an unknown number is a clear error', async () => {
  const [order] = await listed()
  const told = await crossdockAfresh('trace', order!.customerOrder, ...data)
  expect(told).toMatchObject({ code: 0, stderr: '' })
  expect(told.stdout).toContain('What happened')
  const unknown = await crossdock('trace', 'PO-NOBODY', ...data)
  expect(unknown).toMatchObject({
    code: 1,
    stdout: '',
    stderr: expect.stringContaining('crossdock orders list'),
  })
})

test('a command that needs the rules of companies has those of the demo', async () => {
  const supply = await crossdock('inventory', 'supply', '--company', 'NWI', '--limit', '1', '--json', ...data)
  const [first] = rowsOf<{ item: string; location: string }>(supply)
  const { item, location } = first!
  const asked = ['--company', 'NWI', '--location', location, '--quantity', '1', '--reason', 'count']
  const words = ['inventory', 'adjust', 'found', item, ...asked, '--reference', 'sheet 1', '--dry-run']
  const tried = await crossdock(...words, ...data)
  expect(tried).toMatchObject({ code: 0, stderr: '' })
  expect(tried.stdout).toContain(`found 1`)
})

test('books are held against the count of every location while it runs', async () => {
  const ended = await crossdock('inventory', 'reconcile', '--company', 'NWF', '--dry-run', '--json', ...data)
  const found = rowsOf<{ location: string; state: string; dryRun: boolean }>(ended)
  expect(found.map(({ location, state, dryRun }) => [location, state, dryRun])).toEqual(
    ['DC1', 'DC2', 'DC3'].map((site) => [site, 'done', true]),
  )
  // what was told a moment ago may be under way on either side
  expect([0, 3]).toContain(ended.code)
}, 60_000)

test('doctor finds every rule kept and every system reachable while work goes on', async () => {
  const ended = await crossdockAfresh('doctor', '--json', ...data)
  const checks = rowsOf<{ check: string; ok: boolean; detail: string }>(ended)
  expect(checks.filter(({ ok }) => !ok)).toEqual([])
  expect(checks.map(({ check }) => check)).toEqual(
    expect.arrayContaining([
      'program',
      'system erp-foods',
      'system wms',
      'audit trail is as it was sealed',
      'audit heads are signed',
    ]),
  )
  expect(ended.code).toBe(0)
})

test('demo run sends orders to the running program, and each ends as it was planted', async () => {
  const ended = await crossdockAfresh('demo', 'run', '--orders', '30', '--json', ...data)
  expect(ended).toMatchObject({ code: 0 })
  expect(rowsOf(ended)).toEqual([expect.objectContaining({ orders: 30, surprises: [], under_way: 0 })])
}, 60_000)

test('a file that was read before is told again and makes no second order', async () => {
  const archive = join(folder.path, 'edi', 'archive')
  const file = join(archive, readdirSync(archive)[0]!)
  const number = /BEG.00.SA.([^*|]+)/.exec(await text(createReadStream(file)))![1]!
  const ended = await crossdock('edi', 'ingest', file, '--json', ...data)
  expect(ended).toMatchObject({ code: 0 })
  expect(rowsOf(ended)).toEqual([expect.objectContaining({ state: 'read', repeated: true })])
  const stories = rowsOf<Story>(await crossdock('trace', number, '--json', ...data))
  expect(stories).toHaveLength(1)
})

test('what waits for people is listed, each exception with an owner and what to do', async () => {
  expect(rowsOf(await crossdock('exceptions', 'list', '--json', ...data))[0]).toMatchObject({
    owner: expect.any(String),
    suggestedAction: expect.any(String),
  })
  expect((await crossdock('parking', 'list', '--json', ...data)).code).toBe(0)
  expect(await crossdock('exceptions', 'list', '--owner', 'nobody', '--quiet', ...data)).toEqual({
    code: 0,
    stdout: '',
    stderr: '',
  })
})

test('a replay answers each id by itself', async () => {
  const ended = await crossdock('parking', 'replay', '987654', '--reason', 'to see', '--json', ...data)
  expect(ended.code).toBe(1)
  expect(rowsOf(ended)).toEqual([
    expect.objectContaining({ id: 987654, outcome: 'refused', code: 'parking.not_found' }),
  ])
})

test('a second program on the same data folder is refused', async () => {
  const ended = await crossdockAfresh('up', '--port', '0', ...data)
  expect(ended.code).toBe(1)
  expect(ended.stderr).not.toBe('')
})

test('Ctrl-C stops everything in order and leaves nothing running', async () => {
  expect(await up!.stop()).toBe(0)
  expect(await processesOf(folder.path)).toEqual([])
}, 30_000)

test('it goes on where it was: the same orders, and the next ones of the stream', async () => {
  const before = await listed()
  up = new Up(...demo)
  const { accepted } = await up.when((figures) => figures.accepted > before.length + 5, 60_000)
  const after = await listed()
  const numbers = after.map((order) => `${order.channel} ${order.customerOrder} ${order.id}`)
  expect(accepted).toBeGreaterThan(before.length)
  expect(
    before.every((order) => numbers.includes(`${order.channel} ${order.customerOrder} ${order.id}`)),
  ).toBe(true)
  const erpNumbers = after.flatMap((order) => order.erpNumber ?? [])
  expect(new Set(erpNumbers).size).toBe(erpNumbers.length)
}, 90_000)

test('killed outright it leaves its counterparts time to remember, and goes on at the next start', async () => {
  const { accepted } = up!.figures!
  up!.signal('SIGKILL')
  await up!.ended()
  up = new Up(...demo)
  await up.when((figures) => figures.accepted > accepted + 5, 60_000)
  const erpNumbers = (await listed()).flatMap((order) => order.erpNumber ?? [])
  expect(new Set(erpNumbers).size).toBe(erpNumbers.length)
  const doctor = await crossdock('doctor', '--json', ...data)
  expect(rowsOf<{ ok: boolean }>(doctor).filter(({ ok }) => !ok)).toEqual([])
}, 90_000)

test('a second Ctrl-C ends it at once, without a server left behind', async () => {
  const { pid } = noteIn(folder.path)
  expect(pid).toBe(up!.child.pid)
  up!.signal('SIGINT')
  up!.signal('SIGTERM')
  expect([0, 130]).toContain(await up!.ended())
  await expect.poll(() => processesOf(folder.path), { timeout: 15_000 }).toEqual([])
}, 30_000)
