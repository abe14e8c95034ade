/** A database that is cut off without a word: what waits for it fails as an outage, and its connections are made anew. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { systemClock } from '#platform/clock.ts'
import { createDatabase, type Database, sql } from '#platform/database.ts'
import { isOutage } from '#platform/outage.ts'
import { type ConnectionPool, openConnections } from '#platform/postgres-connections.ts'
import { testDatabase, type TestDatabase } from '#tests/support/database.ts'
import { type FaultProxy, type ProxyFault, startFaultProxy } from '#tests/torture/fault-proxy.ts'

const insert = sql('silence.insert', 'insert into told (word) values ($1)')
const count = sql('silence.count', 'select count(*)::int as count from told where word = $1')

let testing: TestDatabase
let proxy: FaultProxy
let pool: ConnectionPool
let database: Database
beforeAll(async () => {
  testing = await testDatabase('empty')
})
afterAll(() => testing.end())
beforeEach(async () => {
  const url = new URL(testing.url)
  const port = Number(url.port)
  proxy = await startFaultProxy({ target: () => port, random: () => 0 })
  url.port = String(proxy.port)
  url.search = ''
  pool = openConnections({
    url: url.href,
    size: 2,
    statementTimeoutMs: 100,
    lockTimeoutMs: 100,
    idleInTransactionTimeoutMs: 100,
    plans: 'hot',
    onError: () => undefined,
  })
  database = createDatabase(pool, { clock: systemClock, random: () => 0.5 })
  await database.query(sql('silence.table', 'create table if not exists told (word text)'))
})
afterEach(async () => {
  await pool.end()
  await proxy.end()
})

const countOf = async (word: string): Promise<number> =>
  (await database.query<{ count: number }>(count, [word]))[0]!.count

test.each<[string, ProxyFault]>([
  ['half-open', { kind: 'half-open', forgotten: true }],
  ['black-hole', { kind: 'black-hole', way: 'there', forgotten: true }],
])(
  'connections that nobody ever resets (%s) fail as an outage, and others take their place',
  async (_, fault) => {
    await Promise.all([countOf('open'), countOf('all')])
    proxy.set(fault)
    const failures = await Promise.allSettled([countOf('first'), countOf('second')])
    proxy.set(undefined)
    expect(failures.map((each) => each.status === 'rejected' && isOutage(each.reason))).toEqual([true, true])
    expect(await Promise.all([countOf('first'), countOf('second')])).toEqual([0, 0])
  },
)

test('a commit whose answer is swallowed is read back, and its work is not done twice', async () => {
  const answer = await database.transaction(async (tx) => {
    await tx.query(insert, ['once'])
    proxy.set({ kind: 'black-hole', way: 'back', forgotten: true })
    setTimeout(() => proxy.set(undefined), 50)
    return 'done'
  })
  expect([answer, await countOf('once')]).toEqual(['done', 1])
})
