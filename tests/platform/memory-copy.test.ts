/** What is in memory is what the database holds, whoever changes it, in whatever order transactions commit. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Queries, type Snapshots, sql, type Statement } from '#platform/database.ts'
import { Memory, type MemoryCopy } from '#platform/memory-copy.ts'
import { purgeTouches } from '#platform/touches.ts'
import { fakeClock } from '#tests/support/clock.ts'
import { type OpenDatabase, openTestDatabase } from '#tests/support/open-database.ts'

const ofKeys = sql('test.counted', 'select id, count from counted where id = any($1::int[])')
const change = sql('test.change', 'update counted set count = count + 1 where id = any($1::int[])')

let house: OpenDatabase
let nextKey = 0
beforeAll(async () => {
  house = await openTestDatabase()
  await house.run(`create table counted (id int primary key, count int not null default 0)`)
  await house.run(`create function tell_counted() returns trigger language plpgsql as $$ begin
    insert into log.touch (topic, keys) select 'counted', array_agg(id) from changed having count(*) > 0;
    return null; end $$`)
  await house.run(`create trigger tell_change after update on counted referencing new table as changed
    for each statement execute function tell_counted()`)
})
afterAll(() => house.end())

/** The database, and whether it answers. */
class Line implements Snapshots {
  isCut = false
  readonly answered: string[] = []
  /** What was read stays on its way until then. */
  arrives: Promise<void> = Promise.resolve()
  readonly asked: string[] = []
  snapshot = <T>(work: (queries: Queries) => Promise<T>): Promise<T> => work(this)
  async query<Row>(statement: Statement, values?: readonly unknown[]): Promise<Row[]> {
    if (this.isCut) throw new Error('no route to the database')
    this.asked.push(statement.name)
    const rows = await house.database.query<Row>(statement, values)
    this.answered.push(statement.name)
    if (statement === ofKeys) await this.arrives
    return rows
  }
}

async function open(keysMax = 1_000) {
  const clock = fakeClock()
  const line = new Line()
  const memory = new Memory(line, clock)
  const copy: MemoryCopy<number> = memory.copy({
    topic: 'counted',
    keysMax,
    async load(queries, keys) {
      const rows = await queries.query<{ id: number; count: number }>(ofKeys, [keys])
      return new Map(rows.map(({ id, count }) => [id, count]))
    },
  })
  const key = ++nextKey
  await house.run('insert into counted (id) values ($1)', [key])
  const ask = (maxAgeMs: number, keys = [key]) => memory.holdAll(maxAgeMs, [{ copy, keys }])
  const bump = () => house.database.query(change, [[key]])
  return { clock, line, memory, copy, key, ask, bump }
}

/** A transaction that has changed something, and commits when it is told to. */
async function changeLate(key: number) {
  const changed = Promise.withResolvers<void>()
  const told = Promise.withResolvers<void>()
  const ended = house.database.transaction(async (tx) => {
    await tx.query(change, [[key]])
    changed.resolve()
    await told.promise
  })
  await changed.promise
  return async () => {
    told.resolve()
    await ended
  }
}

describe('what is asked about', () => {
  test('is read once, and then costs the database nothing as long as it is young enough', async () => {
    const { line, copy, key, ask } = await open()
    await ask(1_000)
    expect(copy.peek(key)).toBe(0)
    const before = line.asked.length
    for (let times = 0; times < 50; times++) await ask(1_000)
    expect(line.asked).toHaveLength(before)
  })

  test('is as it is now for who wants to see what was done just now', async () => {
    const { copy, key, ask, bump } = await open()
    await ask(0)
    await bump()
    await ask(1_000)
    expect(copy.peek(key)).toBe(0)
    await ask(0)
    expect(copy.peek(key)).toBe(1)
  })

  test('by many at once is read for all of them together', async () => {
    const { line, ask, bump } = await open()
    await ask(0)
    await bump()
    const before = line.asked.length
    await Promise.all(Array.from({ length: 40 }, () => ask(0)))
    expect(line.asked.slice(before)).toEqual(['touches.look', 'test.counted'])
  })

  test('for the first time is read again where it changed while it was read', async () => {
    const { line, memory, copy, key, bump } = await open()
    await memory.look()
    const way = Promise.withResolvers<void>()
    line.arrives = way.promise
    const reading = copy.read([key])
    await expect.poll(() => line.answered.at(-1)).toBe(ofKeys.name)
    await bump()
    const looked = memory.look()
    await expect.poll(() => line.answered.at(-1)).toBe('touches.look')
    way.resolve()
    await Promise.all([reading, looked])
    expect(copy.peek(key)).toBe(1)
  })

  test('is read again when a transaction commits that began long before others', async () => {
    const { copy, key, ask } = await open()
    const other = ++nextKey
    await house.run('insert into counted (id) values ($1)', [other])
    await ask(0, [key, other])
    const commit = await changeLate(key)
    await house.database.query(change, [[other]])
    await ask(0, [key, other])
    expect([copy.peek(key), copy.peek(other)]).toEqual([0, 1])
    await ask(0, [key, other])
    await commit()
    await ask(0, [key, other])
    expect([copy.peek(key), copy.peek(other)]).toEqual([1, 1])
  })

  test('while nobody asked for so long that touches may be gone is read anew', async () => {
    const { clock, copy, key, ask, bump } = await open()
    await ask(0)
    await bump()
    await house.run('delete from log.touch')
    await clock.advance(6 * 60_000)
    await ask(0)
    expect(copy.peek(key)).toBe(1)
  })
})

describe('while the database does not answer', () => {
  test('it is answered from what is known, and said since when', async () => {
    const { clock, line, memory, copy, key, ask, bump } = await open()
    const first = await ask(0)
    await bump()
    line.isCut = true
    await clock.advance(20_000)
    expect(await ask(1_000)).toEqual(first)
    expect(await ask(1_000)).toEqual(first)
    expect(copy.peek(key)).toBe(0)
    line.isCut = false
    await expect.poll(() => memory.lookAfter().then(Boolean, String)).toBe(false)
    const back = await ask(1_000)
    expect(copy.peek(key)).toBe(1)
    expect(back.getTime()).toBeGreaterThanOrEqual(first.getTime())
  })

  test('what is not known cannot be answered', async () => {
    const { line, ask } = await open()
    await ask(0)
    line.isCut = true
    await expect(ask(1_000, [++nextKey])).rejects.toThrow('no route')
  })
})

test('no more is kept than there may be', async () => {
  const { copy, ask } = await open(10)
  const keys = Array.from({ length: 25 }, () => ++nextKey)
  await ask(0, keys)
  expect(copy.size).toBe(10)
})

test('touches are kept as long as somebody may read them, and no longer', async () => {
  const { bump } = await open()
  await bump()
  const count = async () =>
    (await house.run<{ count: number }>('select count(*)::int as count from log.touch'))[0]!.count
  await purgeTouches(house.database)
  expect(await count()).toBeGreaterThan(0)
  await house.run(`update log.touch set at = at - interval '16 minutes'`)
  await purgeTouches(house.database)
  expect(await count()).toBe(0)
})
