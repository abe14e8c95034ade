/** The log as it is told on: in the order of each document, from any place, and by time. */
import { Client } from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { beginning, headOfLog } from '#platform/log.ts'
import {
  compareCursors,
  cursorText,
  eventsNamed,
  positionAtTime,
  readBatch,
  readCursor,
} from '#platform/log-batches.ts'
import { type OpenDatabase, openTestDatabase } from '#tests/support/open-database.ts'
import { settledLog } from '#tests/support/settled-log.ts'

let open: OpenDatabase
beforeAll(async () => {
  open = await openTestDatabase()
})
afterAll(() => open.end())

const insertAt = (recordedAt: string): string =>
  `insert into log.event (type, key, key_version, company, correlation_id, data, source, actor, recorded_at)
   values ('crate.packed', $1, $2, 'north', $1, '{}', 'test', 'test', ${recordedAt})`
const INSERT = insertAt('now()')
const append = async (key: number, version: number, recordedAt = 'now()'): Promise<void> => {
  await open.run(insertAt(recordedAt), [key, version])
  await settledLog(open.database)
}
const session = (): Client => new Client({ connectionString: open.url })
const namesOf = (batch: Awaited<ReturnType<typeof readBatch>>) =>
  batch.events.map(({ event }) => `${event.key}.${event.keyVersion}`)

/** The later event of a document stands earlier in the log, as of a transaction that had to wait for the document. */
async function appendReversed(key: number, between: number): Promise<void> {
  await append(key, 2)
  for (let other = 1; other <= between; other++) await append(key * 1_000 + other, 1)
  await append(key, 1)
}

test('events of a document come in the order of its versions, wherever the batch ends', async () => {
  const start = await headOfLog(open.database)
  await appendReversed(11, 3)
  for (const limit of [1, 2, 4, 5, 50]) {
    const batch = await readBatch(open.database, start, limit)
    expect(namesOf(batch).filter((name) => name.startsWith('11.'))).toEqual(['11.1', '11.2'])
    expect(cursorText(batch.end)).toBe(cursorText(await headOfLog(open.database)))
  }
  const { events } = await readBatch(open.database, start, 50)
  expect(new Set(events.map(({ event }) => event.key)).size).toBe(4)
})

test('what a transaction under way will record is told, although others behind it are known already', async () => {
  const start = await headOfLog(open.database)
  const [first, middle, last] = [session(), session(), session()]
  const all = [first, middle, last]
  try {
    for (const one of all) {
      await one.connect()
      await one.query('begin')
      await one.query('select pg_current_xact_id()')
    }
    await last.query(INSERT, [51, 1])
    await last.query('commit')
    await first.query(INSERT, [52, 1])
    await first.query(INSERT, [51, 2])
    await first.query('commit')
    await middle.query(INSERT, [53, 1])
    const read = (from = start) => readBatch(open.database, from, 50)
    await expect.poll(async () => namesOf(await read())).toEqual(['52.1'])
    const { end } = await read()
    expect(namesOf(await read(end))).toEqual([])
    await middle.query('commit')
    await settledLog(open.database)
    expect(namesOf(await read(end)).toSorted()).toEqual(['51.1', '51.2', '53.1'])
  } finally {
    for (const one of all) await one.end()
  }
})

test('whoever resumes behind an event that was told is told every one that was not', async () => {
  const start = await headOfLog(open.database)
  await append(20, 1)
  await appendReversed(21, 2)
  await append(22, 1)
  const { events } = await readBatch(open.database, start, 50)
  for (const [place, { told }] of events.entries()) {
    const rest = namesOf(await readBatch(open.database, told, 50))
    const untold = events.slice(place + 1).map(({ event }) => `${event.key}.${event.keyVersion}`)
    expect(rest).toEqual(expect.arrayContaining(untold))
    const isLast = place === events.length - 1
    expect(rest.length === 0).toBe(isLast)
  }
})

test('an empty batch stays where it is', async () => {
  const head = await headOfLog(open.database)
  expect(await readBatch(open.database, head, 10)).toEqual({ events: [], end: head })
})

test('a time leads before everything that was recorded from then on', async () => {
  const start = await headOfLog(open.database)
  for (let version = 1; version <= 40; version++)
    await append(31, version, `date_trunc('day', now()) + interval '1 day' + interval '${version} hours'`)
  const from = async (hours: number): Promise<number> => {
    const [row] = await open.run<{ at: Date }>(
      `select date_trunc('day', now()) + interval '1 day' + interval '${hours} hours' + interval '1 minute' as at`,
    )
    const cursor = await positionAtTime(open.database, row!.at)
    const { events } = await readBatch(open.database, cursor, 500)
    return events.find(({ event }) => event.key === 31)!.event.keyVersion
  }
  for (const hours of [1, 2, 17, 39, 40]) expect(await from(hours)).toBe(hours)
  expect(compareCursors(await positionAtTime(open.database, new Date(0)), start)).toBeLessThan(0)
  const [{ at } = { at: new Date() }] = await open.run<{ at: Date }>(
    `select now() + interval '2 months' as at`,
  )
  const ahead = await positionAtTime(open.database, at)
  expect((await readBatch(open.database, ahead, 10)).events).toEqual([])
})

test('single events are found by their names, and what never was is not', async () => {
  await append(41, 1)
  await append(41, 2)
  const found = await eventsNamed(open.database, [
    { key: 41, keyVersion: 2 },
    { key: 41, keyVersion: 9 },
  ])
  expect(found.map(({ keyVersion }) => keyVersion)).toEqual([2])
  expect(await eventsNamed(open.database, [])).toEqual([])
})

test('a cursor is the same after it was written and read, and what is none is not read', () => {
  const cursor = { generation: 2, xid: '18446744073', position: 9_007_199_254 }
  expect(readCursor(cursorText(cursor))).toEqual(cursor)
  for (const text of [undefined, '', '1.2', '1.2.3.4', 'a.b.c', '1.-2.3', `1.${'9'.repeat(20)}.1`])
    expect(readCursor(text)).toBeUndefined()
})

test('cursors are ordered by generation, transaction and position, and not as text', () => {
  const ordered = ['0.0.0', '1.9.5', '1.10.1', '1.10.2', '1.10.11', '2.1.1'].map((text) => readCursor(text)!)
  expect(ordered[0]).toEqual(beginning)
  for (const [place, cursor] of ordered.entries()) {
    expect(compareCursors(cursor, cursor)).toBe(0)
    if (place > 0) expect(compareCursors(ordered[place - 1]!, cursor)).toBeLessThan(0)
  }
})
