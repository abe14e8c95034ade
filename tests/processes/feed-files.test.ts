/** When a feed file is written, what is kept of old ones, and what becomes of one that cannot be. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { StockFeed } from '#capabilities/channel.ts'
import { publish } from '#domains/inventory/operations/publishing.ts'
import { exceptionOpener } from '#platform/exceptions.ts'
import { units } from '#platform/quantity.ts'
import { fakeClock } from '#tests/support/clock.ts'
import { type OpenDatabase, openTestDatabase } from '#tests/support/open-database.ts'
import { feedFileWriter } from '../../src/processes/feed-files.ts'
import { OWNERSHIP } from '../../src/processes/trouble.ts'

const FEED = {
  name: 'shop',
  company: 'NWF',
  channel: 'shop',
  ending: '.csv',
  everyMs: 3_600_000,
  pauseMs: 5_000,
  keep: 2,
}
const openExceptions = exceptionOpener({
  ...OWNERSHIP,
  calendarOf: () => ({ addBusinessMs: (at, ms) => new Date(at.getTime() + ms) }),
})

let db: OpenDatabase
let docs = 0
beforeAll(async () => {
  db = await openTestDatabase()
  await db.run(`insert into items.item (company, sku, name, status, base_unit, tax_class, source, as_of)
    select 'NWF', 'S' || n, 'Item', 'active', 'EA', 'FOOD', 'erp', now() from generate_series(1, 3) n`)
})
afterAll(() => db.end())
beforeEach(async () => {
  await db.run('delete from inventory.published')
  await db.run('delete from reading.progress')
})

async function tell(clock: { now(): Date }, ...figures: readonly (readonly [item: number, count: number])[]) {
  const words = { unit: 'EA', company: 'NWF', channel: 'shop', confidence: 'normal', places: [] } as const
  const told = figures.map(([n, count]) => ({
    ...words,
    itemId: n,
    sku: `S${n}`,
    available: units(count),
  }))
  await db.database.transaction((tx) =>
    publish(
      tx,
      { figures: told, asOf: clock.now(), docs: told.map(() => ++docs) },
      { source: 't', actor: 't' },
    ),
  )
}

function open(before: readonly string[] = []) {
  const clock = fakeClock('2026-03-02T12:00:00Z')
  const files = new Map<string, string>(before.map((name) => [name, '']))
  let isFull = false
  const folder = {
    async leave(name: string, content: string) {
      if (isFull) throw new Error('no space left on device')
      files.set(name, content)
    },
    names: async () => [...files.keys()],
    remove: async (name: string) => void files.delete(name),
  }
  const text = ({ lines }: StockFeed): string =>
    lines.map(({ sku, available }) => `${sku} ${available / units(1)}`).join()
  const look = feedFileWriter({ database: db.database, clock, folder, text, openExceptions }, FEED)
  return { clock, files, look, full: (is: boolean) => void (isFull = is) }
}
const newest = (files: ReadonlyMap<string, string>) => files.get([...files.keys()].toSorted().at(-1)!)
const unwritten = () =>
  db.run(`select from exceptions.exception where code = 'inventory.feed_unwritten' and closed_at is null`)

test('all items are written, soon after a change with the last figures, and at the interval without one', async () => {
  const { clock, files, look } = open()
  await look()
  expect(files.size).toBe(0)
  await tell(clock, [1, 5], [2, 6])
  await look()
  expect([...files]).toEqual([['shop-20260302T120000.000Z.csv', 'S1 5,S2 6']])
  await clock.advance(2_000)
  await tell(clock, [2, 4])
  await look()
  await clock.advance(1_000)
  await tell(clock, [2, 3])
  await look()
  expect(files.size).toBe(1)
  await clock.advance(2_000)
  await look()
  expect(files.size).toBe(2)
  expect(newest(files)).toBe('S1 5,S2 3')
  await clock.advance(3_599_000)
  await look()
  expect(files.has('shop-20260302T130004.000Z.csv')).toBe(false)
  await clock.advance(1_000)
  await look()
  expect(files.has('shop-20260302T130005.000Z.csv')).toBe(true)
})

test('so many files are kept, the newest; those of others stay, and what a crash left goes', async () => {
  const others = ['shop-eu-20260301T120000.000Z.csv', 'shop-notes.csv', 'orders.csv']
  const mine = ['01', '02', '03'].map((day) => `shop-202602${day}T120000.000Z.csv`)
  const { clock, files, look } = open([...others, ...mine, '.shop-20260204T120000.000Z.csv.feed.tmp'])
  await tell(clock, [1, 5])
  await look()
  expect([...files.keys()].toSorted()).toEqual(
    [...others, 'shop-20260203T120000.000Z.csv', 'shop-20260302T120000.000Z.csv'].toSorted(),
  )
})

test('one that cannot be written is an exception, until one is written with the figures of then', async () => {
  const { clock, files, look, full } = open()
  await tell(clock, [1, 5])
  full(true)
  await look()
  expect(await unwritten()).toHaveLength(1)
  full(false)
  await clock.advance(9_000)
  await look()
  expect(files.size).toBe(0)
  await tell(clock, [1, 4])
  await clock.advance(1_000)
  await look()
  expect(newest(files)).toBe('S1 4')
  expect(await unwritten()).toHaveLength(0)
})

test('what a file holds is found by key, however many are told', async () => {
  const { clock, look } = open()
  await tell(clock, [1, 5])
  await look()
  const names = ['inventory.newest_published', 'inventory.published_page']
  const reads = names.map((name) => db.fullReads(db.statements().get(name)!))
  expect(await Promise.all(reads)).toEqual([[], []])
})
