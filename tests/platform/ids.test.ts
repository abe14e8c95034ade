import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemClock } from '#platform/clock.ts'
import { createDatabase, ping } from '#platform/database.ts'
import { databaseIds } from '#platform/ids.ts'
import { openConnections } from '#platform/postgres-connections.ts'
import { openTestDatabase, type OpenDatabase } from '#tests/support/open-database.ts'

let house: OpenDatabase
beforeAll(async () => {
  house = await openTestDatabase()
})
afterAll(() => house.end())

test('numbers are unique over callers and processes, also across the ends of blocks', async () => {
  const [here, there] = [databaseIds(house.database), databaseIds(house.database)]
  const counts = [1, 999, 1_500, 0, 2_001, 7]
  const taken = await Promise.all([here, there].flatMap((ids) => counts.map((count) => ids.documents(count))))
  expect(taken.map((numbers) => numbers.length)).toEqual([...counts, ...counts])
  const all = taken.flat()
  expect(new Set(all).size).toBe(all.length)
  expect(all.every(Number.isSafeInteger)).toBe(true)
})

test('small numbers are left to fixtures', async () => {
  const [first] = await databaseIds(house.database).documents(1)
  expect(first).toBeGreaterThanOrEqual(1_000_000)
})

test('a thousand numbers cost one question', async () => {
  let asked = 0
  const counted = {
    ...house.database,
    query: <Row>(...question: Parameters<typeof house.database.query>) => {
      asked++
      return house.database.query<Row>(...question)
    },
  }
  const ids = databaseIds(counted)
  for (let call = 0; call < 50; call++) await ids.documents(10)
  expect(asked).toBe(1)
  for (let call = 0; call < 100; call++) await ids.documents(10)
  expect(asked).toBe(2)
})

test('a transaction that holds the last connection is given numbers beyond the end of a block', async () => {
  const pool = openConnections({
    url: house.url,
    size: 1,
    statementTimeoutMs: 5_000,
    lockTimeoutMs: 5_000,
    idleInTransactionTimeoutMs: 1_000,
    plans: 'hot',
    onError: () => undefined,
  })
  const database = createDatabase(pool, { clock: systemClock, random: () => 0.5 })
  const ids = databaseIds(database)
  await ids.documents(900)
  const numbers = await database.transaction(async (tx) => {
    await ping(tx)
    return ids.documents(200)
  })
  expect(new Set(numbers).size).toBe(200)
  await pool.end()
})

test('a question that failed is asked again by the next caller', async () => {
  let broken = true
  const ids = databaseIds({
    ...house.database,
    query: <Row>(...question: Parameters<typeof house.database.query>) =>
      broken ? Promise.reject(new Error('no connection')) : house.database.query<Row>(...question),
  })
  await expect(ids.documents(1)).rejects.toThrow('no connection')
  broken = false
  expect(await ids.documents(2)).toHaveLength(2)
})

test('a token has as many random bytes as asked for', () => {
  const ids = databaseIds(house.database)
  const [one, other] = [ids.token(16), ids.token(16)]
  expect(one).toMatch(/^[0-9a-f]{32}$/)
  expect(one).not.toBe(other)
})
