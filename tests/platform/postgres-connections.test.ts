import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { systemClock } from '#platform/clock.ts'
import { type Connections, createDatabase, type Database, sql, sqlState } from '#platform/database.ts'
import { type ConnectionPool, openConnections } from '#platform/postgres-connections.ts'
import { testDatabase, type TestDatabase } from '#tests/support/database.ts'
import { meddled } from '#tests/support/meddled-connections.ts'

const insert = sql('dbtest.insert', 'insert into pair (key, value) values ($1, $2)')
const raise = sql('dbtest.raise', 'update pair set value = value + $2 where key = $1')
const read = sql('dbtest.read', 'select value from pair where key = $1')
const doze = sql('dbtest.doze', 'select pg_sleep($1)')
const myPid = sql('dbtest.pid', 'select pg_backend_pid() as pid')

let testing: TestDatabase
let pool: ConnectionPool
let database: Database
let key = 0

const connect = (overrides: Partial<Parameters<typeof openConnections>[0]> = {}): ConnectionPool =>
  openConnections({
    url: testing.url,
    size: 4,
    statementTimeoutMs: 5_000,
    lockTimeoutMs: 5_000,
    idleInTransactionTimeoutMs: 5_000,
    plans: 'hot',
    onError: () => undefined,
    ...overrides,
  })

const open = (connections: Connections): Database =>
  createDatabase(connections, { clock: systemClock, random: () => 0.5 })

beforeAll(async () => {
  testing = await testDatabase('empty')
  pool = connect()
  database = open(pool)
  await database.query(sql('dbtest.table', 'create table pair (key int primary key, value int not null)'))
})
afterAll(async () => {
  await pool.end()
  await testing.end()
})
beforeEach(() => {
  key += 10
})

test('a session is ended by the server when a statement takes too long', async () => {
  const hasty = connect({ statementTimeoutMs: 50 })
  await expect(open(hasty).query(doze, [10])).rejects.toMatchObject({ code: '57014' })
  await hasty.end()
})

test('a session gives up waiting for a lock', async () => {
  await database.query(insert, [key, 0])
  const hasty = connect({ lockTimeoutMs: 50 })
  const held = database.transaction(async (tx) => {
    await tx.query(raise, [key, 1])
    await expect(open(hasty).query(raise, [key, 1])).rejects.toMatchObject({ code: '55P03' })
  })
  await held
  await hasty.end()
})

test('a session that idles in a transaction is ended, its work undone and its place in the pool given to a new one', async () => {
  const hasty = connect({ size: 1, idleInTransactionTimeoutMs: 50 })
  const watched = meddled(hasty)
  const idled = open(watched).transaction(async (tx) => {
    const [mine] = await tx.query<{ pid: number }>(myPid)
    await tx.query(insert, [key, 1])
    const alive = sql('dbtest.alive', 'select 1 from pg_stat_activity where pid = $1')
    while ((await database.query(alive, [mine!.pid])).length > 0) await turn()
    await tx.query(insert, [key + 1, 1])
  })
  await expect(idled).rejects.toSatisfy(
    (error) => sqlState(error) === undefined || sqlState(error) === '25P03',
  )
  expect([await database.query(read, [key]), watched.broken]).toEqual([[], 1])
  await expect(open(hasty).query(read, [key])).resolves.toEqual([])
  await hasty.end()
})

test('a session that broke is not used again', async () => {
  const single = connect({ size: 1 })
  const own = open(single)
  const [before] = await own.query<{ pid: number }>(myPid)
  const suicide = sql('dbtest.suicide', 'select pg_terminate_backend(pg_backend_pid())')
  await expect(own.query(suicide)).rejects.toThrow(/connection/)
  const [after] = await own.query<{ pid: number }>(myPid)
  expect(after!.pid).not.toBe(before!.pid)
  await single.end()
})

/** What a server says: one letter, the length of what follows, the rest. */
function said(kind: string, ...parts: readonly (string | Buffer)[]): Buffer {
  const body = Buffer.concat(parts.map((part) => Buffer.from(part)))
  const length = Buffer.alloc(4)
  length.writeInt32BE(body.length + 4)
  return Buffer.concat([Buffer.from(kind), length, body])
}

test('a session that is ended in the moment in which it opens fails its statement, and nothing else', async () => {
  const welcome = said('R', Buffer.alloc(4))
  const ended = said('E', 'SFATAL\0', 'C57P01\0', 'Mterminating connection\0', '\0')
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.once('data', () => socket.end(Buffer.concat([welcome, said('Z', 'I'), ended])))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  const brief = connect({ url: `postgres://someone@127.0.0.1:${port}/nowhere` })
  await expect(open(brief).query(myPid)).rejects.toThrow(/connection/)
  await brief.end()
  server.close()
})

test('a session reads 8-byte integers as numbers, refuses what a double would round, and reads numeric as quantity', async () => {
  const wide = sql('dbtest.wide', 'select $1::int8 as wide')
  expect(await database.query(wide, ['9007199254740991'])).toEqual([{ wide: 9_007_199_254_740_991 }])
  await expect(database.query(wide, ['9007199254740992'])).rejects.toThrow('does not fit a safe integer')
  expect(await database.query(sql('dbtest.numeric', 'select 12.5::numeric(15,4) as quantity'))).toEqual([
    { quantity: 125_000 },
  ])
})

test('a session plans hot statements by index, and a screen’s as the planner thinks best', async () => {
  const show = sql(
    'dbtest.show',
    `select current_setting('plan_cache_mode') as mode, current_setting('enable_seqscan') as scans`,
  )
  expect(await database.query(show)).toEqual([{ mode: 'force_generic_plan', scans: 'off' }])
  const screen = connect({ plans: 'screen' })
  expect(await open(screen).query(show)).toEqual([{ mode: 'auto', scans: 'on' }])
  await screen.end()
})
