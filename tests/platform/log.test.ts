import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { sql } from '#platform/database.ts'
import {
  appendEvents,
  beginning,
  type Cause,
  type Cursor,
  ensureLogPartitions,
  type Event,
  eventsOf,
  headOfLog,
  readEvents,
  type RecordedEvent,
} from '#platform/log.ts'
import { fakeClock } from '#tests/support/clock.ts'
import { openTestDatabase, type OpenDatabase } from '#tests/support/open-database.ts'

const clock = fakeClock()
const nothing = sql('test.nothing', 'select 1')

let house: OpenDatabase
beforeAll(async () => {
  house = await openTestDatabase()
})
afterAll(() => house.end())
beforeEach(() => house.run('truncate log.event'))

const cause: Cause = { source: 'api', actor: 'user:ann' }
const event = (key: number, keyVersion = 1, overrides: Partial<Event> = {}): Event => ({
  type: 'order.accepted',
  key,
  keyVersion,
  company: 'north',
  correlationId: key,
  data: {},
  ...overrides,
})
const append = (...events: Event[]): Promise<void> =>
  house.database.transaction(async (tx) => appendEvents(tx, events, cause))
const namesOf = (events: readonly RecordedEvent[]): string[] =>
  events.map(({ key, keyVersion }) => `${key}.${keyVersion}`)

let leftOpen: (() => void)[] = []
afterEach(() => {
  for (const end of leftOpen) end()
  leftOpen = []
})

/** A transaction that has its number, and writes and commits when told. */
async function openTransaction(): Promise<{ commit(...events: Event[]): Promise<void> }> {
  const opened = Promise.withResolvers<void>()
  const told = Promise.withResolvers<readonly Event[]>()
  const ended = house.database.transaction(async (tx) => {
    await tx.query(nothing)
    opened.resolve()
    appendEvents(tx, await told.promise, cause)
  })
  leftOpen.push(() => told.resolve([]))
  await opened.promise
  return {
    commit(...events) {
      told.resolve(events)
      return ended
    },
  }
}

/** Reads page by page until nothing more comes, as a subscriber does. */
async function readOn(from: Cursor, limit = 100): Promise<{ seen: string[]; cursor: Cursor }> {
  const seen: string[] = []
  let cursor = from
  for (;;) {
    const page = await readEvents(house.database, cursor, limit)
    if (page.length === 0) return { seen, cursor }
    seen.push(...namesOf(page))
    cursor = page.at(-1)!.cursor
  }
}

/** As `readOn`, once so many are to be seen: transactions of other databases of the server hold readers back too. */
async function readAll(count: number, from = beginning, limit = 100): ReturnType<typeof readOn> {
  let read = await readOn(from, limit)
  await clock.until(async () => {
    read = await readOn(from, limit)
    return read.seen.length >= count
  }, `the sight of ${count} events`)
  return read
}

test('an event is read back as it was told, with its cause', async () => {
  const told = event(7, 3, {
    type: 'order.closed',
    correlationId: 5,
    data: { 'a"b\\': ['{', null, 1.5, 'ä'] },
  })
  const occurredAt = new Date('2026-01-02T03:04:05.678Z')
  const traceId = '0af7651916cd43dd8448eb211c80319c'
  await house.database.transaction(async (tx) =>
    appendEvents(tx, [told], { ...cause, causationId: 'message 9', traceId, occurredAt }),
  )
  await readAll(1)
  const [read] = await readEvents(house.database, beginning, 10)
  expect(read).toMatchObject({ ...told, ...cause, causationId: 'message 9', occurredAt, schemaVersion: 1 })
  expect(read!.traceId!.replaceAll('-', '')).toBe(traceId)
})

test('a version that a document already has fails the whole transaction', async () => {
  await append(event(1, 1))
  await expect(append(event(2, 1), event(1, 1))).rejects.toMatchObject({ code: '23505' })
  expect((await readAll(1)).seen).toEqual(['1.1'])
})

test('two events of one append may not share a version', async () => {
  await expect(append(event(1, 1), event(1, 1))).rejects.toMatchObject({ code: '23505' })
})

describe('a reader by cursor', () => {
  test('sees every event once, in order, whatever the size of its pages', async () => {
    await append(...[1, 2, 3].map((key) => event(key)))
    await append(...[4, 5].map((key) => event(key)))
    const all = ['1.1', '2.1', '3.1', '4.1', '5.1']
    expect((await readAll(5, beginning, 2)).seen).toEqual(all)
    expect((await readAll(5, beginning, 1)).seen).toEqual(all)
    expect((await readAll(5)).seen).toEqual(all)
  })

  test('never passes over an event that commits late, as a reader by position does', async () => {
    const wrote = Promise.withResolvers<void>()
    const release = Promise.withResolvers<void>()
    const late = house.database.transaction(async (tx) => {
      appendEvents(tx, [event(1)], cause)
      await tx.query(nothing)
      wrote.resolve()
      await release.promise
    })
    await wrote.promise
    await append(event(2))
    const passed = await highestPosition()
    const early = await readOn(beginning)
    release.resolve()
    await late
    const byPosition = await house.run('select key from log.event where position > $1', [passed])
    expect(byPosition).toEqual([])
    const rest = await readAll(2 - early.seen.length, early.cursor)
    expect([...early.seen, ...rest.seen]).toEqual(['1.1', '2.1'])
  })

  test('waits at the oldest open transaction, not before it', async () => {
    await append(event(1))
    const open = await openTransaction()
    await append(event(2))
    expect((await readAll(1)).seen).toEqual(['1.1'])
    await open.commit(event(3))
    expect((await readAll(3)).seen.toSorted()).toEqual(['1.1', '2.1', '3.1'])
  })

  test('that wants only what comes next misses nothing of a transaction that is open when it starts', async () => {
    await append(event(1))
    const open = await openTransaction()
    await readAll(1)
    const head = await headOfLog(house.database)
    await append(event(2))
    await open.commit(event(3))
    expect((await readAll(2, head)).seen.toSorted()).toEqual(['2.1', '3.1'])
  })

  test('goes by the number of transactions and not by its digits, so that none is passed over at 1,000', async () => {
    for (const [key, xid] of [11, 9, 10, 101, 99, 100].entries())
      await house.run(
        `insert into log.event (xid, type, key, key_version, company, correlation_id, data, source, actor)
         values ($2::text::xid8, 'order.accepted', $1, $3, 'north', 1, '{}', 'test', 'test')`,
        [1_000 + key, String(xid), xid],
      )
    expect((await headOfLog(house.database)).xid).toBe('101')
    const seen: number[] = []
    for (let cursor = beginning; ;) {
      const events = await readEvents(house.database, cursor, 2)
      if (events.length === 0) break
      seen.push(...events.map(({ keyVersion }) => keyVersion))
      cursor = events.at(-1)!.cursor
    }
    expect(seen).toEqual([9, 10, 11, 99, 100, 101])
  })

  test('of an empty log starts at its beginning', async () => {
    expect(await headOfLog(house.database)).toEqual(beginning)
  })

  const highestPosition = async (): Promise<number> =>
    (await house.run<{ highest: number }>('select max(position) as highest from log.event'))[0]!.highest
})

describe('a new generation, after a restore into another cluster', () => {
  /** Transaction ids of the cluster before were far ahead of those of this one. */
  const restored = (key: number): Promise<unknown> =>
    house.run('update log.event set xid = (xid::text::numeric + 1000000000)::text::xid8 where key = $1', [
      key,
    ])

  test('follows the one before, whatever its transaction ids, and is itself held back by open transactions', async () => {
    await append(event(1))
    await restored(1)
    expect((await readOn(beginning)).seen).toEqual([])
    await house.run('select log.raise_generation()')
    const first = await readOn(beginning)
    expect(first.seen).toEqual(['1.1'])
    expect(await headOfLog(house.database)).toEqual(first.cursor)

    const open = await openTransaction()
    await append(event(2))
    expect((await readOn(first.cursor)).seen).toEqual([])
    await open.commit()
    const second = await readAll(1, first.cursor)
    expect(second.seen).toEqual(['2.1'])
    expect(second.cursor.generation).toBe(first.cursor.generation + 1)
    expect(Number(second.cursor.xid)).toBeLessThan(Number(first.cursor.xid))
    expect((await readAll(2)).seen).toEqual(['1.1', '2.1'])
  })
})

describe('the story of documents', () => {
  test('is told in the order in which things were recorded, of the named documents alone', async () => {
    await append(event(1, 1))
    await append(event(2, 1), event(3, 1))
    await append(event(1, 2))
    expect(namesOf(await eventsOf(house.database, [1, 2]))).toEqual(['1.1', '2.1', '1.2'])
    expect(await eventsOf(house.database, [9])).toEqual([])
  })

  test('keeps each document’s own order, also when an older transaction had to wait for the document', async () => {
    const older = await openTransaction()
    await append(event(1, 1))
    await append(event(2, 1))
    await older.commit(event(1, 2))
    expect(namesOf(await eventsOf(house.database, [1]))).toEqual(['1.1', '1.2'])
    const both = namesOf(await eventsOf(house.database, [1, 2]))
    expect(both.filter((name) => name.startsWith('1'))).toEqual(['1.1', '1.2'])
    expect(both.toSorted()).toEqual(['1.1', '1.2', '2.1'])
  })
})

describe('partitions', () => {
  const months = async (): Promise<number> =>
    (
      await house.run<{ count: number }>(
        `select count(*)::int4 from pg_inherits where inhparent = 'log.event'::regclass`,
      )
    )[0]!.count

  test('are made for this month and the three after it, by several processes at once without a quarrel', async () => {
    const before = await months()
    await house.run(
      `do $$ declare t regclass; begin
         for t in select inhrelid::regclass from pg_inherits where inhparent = 'log.event'::regclass
         loop execute 'drop table ' || t; end loop; end $$`,
    )
    await expect(append(event(1))).rejects.toMatchObject({ code: '23514' })
    await Promise.all([1, 2, 3].map(() => ensureLogPartitions(house.database)))
    expect([before, await months()]).toEqual([5, 4])
    await append(event(1))
    await ensureLogPartitions(house.database)
    expect((await readAll(1)).seen).toEqual(['1.1'])
  })
})
