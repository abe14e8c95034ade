/** The folder that is watched for files of stock: what is taken, what is refused, what is left alone, and nothing twice. */
import { mkdtempSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { listExceptions } from '#platform/exceptions-views.ts'
import { openQuery } from '#tests/support/house-query.ts'
import type { Query } from '#tests/support/books-rules.ts'
import { type House, openHouse, ownWorld } from '#tests/support/house.ts'

const world = ownWorld()
const [sku, other] = world.items
  .filter(({ company, lotControlled, catchWeight }) => company === 'NWF' && !lotControlled && !catchWeight)
  .map(({ number }) => number) as [string, string]
const HEAD = 'company,location,sku,reason,quantity,at,sequence'

let folder: string
let house: House
let query: Query
let disconnect: () => Promise<void>
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'crossdock-stock-'))
  const sites = world.sites.map(({ code, timeZone }) => ({
    code,
    type: 'warehouse' as const,
    wms: 'wms',
    timeZone,
  }))
  const store = { code: 'CHI-1', type: 'store' as const, timeZone: 'America/Chicago' }
  const feeds = {
    counts: {
      locations: ['CHI-1'],
      directory: folder,
      moves: { ship: 'available > shipped' as const },
    },
  }
  const freshness = [{ source: 'counts', minutes: 24 * 60, rule: 'zero' as const }]
  house = await openHouse({ world, config: { locations: [...sites, store], feeds, freshness } })
  ;({ query, end: disconnect } = await openQuery(house.databaseUrl))
  house.app.keepUp()
}, 60_000)
afterAll(async () => {
  await disconnect()
  await house.end()
  await rm(folder, { recursive: true })
})

const drop = (name: string, ...lines: string[]): void =>
  writeFileSync(join(folder, name), `${[HEAD, ...lines].join('\n')}\n`)
const movement = (item: string, quantity: string, sequence: number): string =>
  `NWF,CHI-1,${item},receipt,${quantity},2026-11-02T08:00:00Z,${sequence}`
const isDone = (name: string) =>
  expect
    .poll(async () => (await readdir(join(folder, 'done')).catch((): string[] => [])).includes(name), {
      timeout: 15_000,
    })
    .toBe(true)
const onHand = async (item: string): Promise<number> => {
  const rows = await query<{ available: number }>(
    `select p.available from inventory.position p join items.item i on i.id = p.item_id
     where i.company = 'NWF' and i.sku = '${item}' and p.location = 'CHI-1' and p.lot = ''`,
  )
  return rows[0]?.available ?? 0
}

test('a file is taken once, also when it comes again under another name', async () => {
  drop('one.csv', movement(sku, '24', 1))
  await isDone('one.csv')
  expect(await onHand(sku)).toBe(24)
  drop('again.csv', movement(sku, '24', 1))
  await isDone('again.csv')
  expect(await onHand(sku)).toBe(24)
})

test('lines that cannot be taken lie beside it and are told to somebody, and the good ones are taken', async () => {
  const ahead = movement(sku, '7', 9).replace('2026', '2062')
  drop('mixed.csv', movement(other, '5', 1), movement('NOTHING', '1', 1), ahead)
  await isDone('mixed.csv')
  expect(await onHand(other)).toBe(5)
  const refused = JSON.parse(readFileSync(join(folder, 'refused', 'mixed.csv.json'), 'utf8')) as object[]
  expect(refused).toMatchObject([
    { line: 3, field: 'sku', code: 'inventory.item_unknown' },
    { line: 4, field: 'at', code: 'inventory.time_ahead' },
  ])
  const told = await listExceptions(house.app.database, { code: 'inventory.lines_refused' })
  expect(told).toMatchObject([{ owner: 'inventory', facts: { source: 'counts', file: 'mixed.csv' } }])
})

test('a file that is not stock is refused whole, and the folder is read on', async () => {
  writeFileSync(join(folder, 'notes.txt'), 'call the driver\n')
  await isDone('notes.txt')
  expect(JSON.parse(readFileSync(join(folder, 'refused', 'notes.txt.json'), 'utf8'))).toMatchObject([
    { line: 1, code: 'inventory.file_unreadable' },
  ])
})

test('an upload that is not finished is left alone until it has its name', async () => {
  drop('late.csv.part', movement(sku, '6', 2))
  drop('early.csv', movement(other, '2', 2))
  await isDone('early.csv')
  expect(await readdir(folder)).toContain('late.csv.part')
  expect(await onHand(sku)).toBe(24)
  renameSync(join(folder, 'late.csv.part'), join(folder, 'late.csv'))
  await isDone('late.csv')
  expect(await onHand(sku)).toBe(30)
})

test('a count as of a time that has not come is refused, so that the next one counts', async () => {
  const count = (taken: string) =>
    ['company,location,sku,available,taken_at', `NWF,CHI-1,${sku},12,${taken}`].join('\n')
  writeFileSync(join(folder, 'ahead.csv'), count('2062-11-02T19:00:00Z'))
  await isDone('ahead.csv')
  expect(JSON.parse(readFileSync(join(folder, 'refused', 'ahead.csv.json'), 'utf8'))).toMatchObject([
    { line: 2, field: 'taken_at', code: 'inventory.time_ahead' },
  ])
  expect(await onHand(sku)).toBe(30)
  writeFileSync(join(folder, 'in-time.csv'), count('2026-11-02T19:00:00Z'))
  await isDone('in-time.csv')
  expect(await onHand(sku)).toBe(12)
})

test('an item of which a line cannot be read stays as it was, as all do that the line may be of', async () => {
  const count = (name: string, ...lines: string[]) =>
    writeFileSync(join(folder, name), ['company,location,sku,available,taken_at', ...lines].join('\n'))
  const line = (item: string, pieces: string, minute = 30) =>
    `NWF,CHI-1,${item},${pieces},2026-11-02T19:${minute}:00Z`
  count('half.whole.csv', line(sku, '3'), line(other, '1'), line(other, 'many'))
  await isDone('half.whole.csv')
  expect([await onHand(sku), await onHand(other)]).toEqual([3, 7])
  expect(JSON.parse(readFileSync(join(folder, 'refused', 'half.whole.csv.json'), 'utf8'))).toMatchObject([
    { line: 3, field: 'sku', message: `another line of ${other} cannot be read` },
    { line: 4, field: 'available' },
  ])
  count('nameless.whole.csv', line(sku, '4', 40), line('', '1', 40))
  await isDone('nameless.whole.csv')
  expect([await onHand(sku), await onHand(other)]).toEqual([4, 7])
})

test('a file of all that is there says of what it does not name that it is gone', async () => {
  const lines = ['company,location,sku,available,taken_at', `NWF,CHI-1,${sku},11,2026-11-02T20:00:00Z`]
  writeFileSync(join(folder, 'all.whole.csv'), `${lines.join('\n')}\n`)
  await isDone('all.whole.csv')
  expect([await onHand(sku), await onHand(other)]).toEqual([11, 0])
})

const sourceOf = async () => {
  const response = await fetch(`${house.url}/process/inventory/v1/sources`)
  const { items } = (await response.json()) as {
    items: { source: string; locations: string[]; state: string }[]
  }
  return items.find(({ source }) => source === 'counts')
}
const becomes = (state: string) =>
  expect.poll(async () => (await sourceOf())?.state, { timeout: 25_000 }).toBe(state)
const isPromised = (item: string, figure: object) => {
  const path = `/process/available-to-promise/v1/availability?company=NWF&sku=${item}&location=CHI-1`
  const look = async () =>
    ((await (await fetch(`${house.url}${path}`)).json()) as { items: object[] }).items[0]
  return expect.poll(look, { timeout: 25_000 }).toMatchObject(figure)
}

test('a nightly count that does not come makes its places careful, and heals when it comes', async () => {
  await becomes('heard')
  await query(
    `update inbox.message set received_at = received_at - interval '2 days' where source = 'counts'`,
  )
  await query(
    `update inventory.source_state set heard_at = heard_at - interval '2 days' where source = 'counts'`,
  )
  await becomes('silent')
  expect((await sourceOf())?.locations).toEqual(['CHI-1'])
  const silent = () => listExceptions(house.app.database, { code: 'inventory.source_silent' })
  expect(await silent()).toMatchObject([{ facts: { source: 'counts', locations: ['CHI-1'] } }])
  await isPromised(sku, { onHand: '11', available: '0', careful: { source: 'counts', rule: 'zero' } })
  const lines = ['company,location,sku,available,taken_at', `NWF,CHI-1,${sku},9,2026-11-03T20:00:00Z`]
  writeFileSync(join(folder, 'night.csv'), `${lines.join('\n')}\n`)
  await isDone('night.csv')
  await becomes('heard')
  expect(await silent()).toEqual([])
  await isPromised(sku, { available: '9', confidence: 'normal' })
}, 90_000)
