import { type AddressInfo, connect as dial, createServer, type Server } from 'node:net'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { type Connection, sql } from '#platform/database.ts'
import { type ConnectionPool, openConnections } from '#platform/postgres-connections.ts'
import { testDatabase, type TestDatabase } from '#tests/support/database.ts'

const one = sql('journey.one', 'select $1::int as n, $2::text as word')
const many = sql('journey.many', 'select n, null as nothing from generate_series(1, $1::int) n')
const fail = sql('journey.fail', 'select 1 / $1::int as quotient')
const nothing = sql('journey.nothing', 'update pg_class set relname = relname where false')
const note = sql('journey.note', 'insert into note (text) values ($1)')
const notes = sql('journey.notes', 'select text from note order by text')
const huge = sql('journey.huge', 'select $1::bigint as n')

const SYNC = 0x53
const DESCRIBE = 0x44

let testing: TestDatabase
let relay: Server
let pool: ConnectionPool
let session: Connection
/** The kinds of the messages that were sent, of one connection. */
let sent: number[] = []

beforeAll(async () => {
  testing = await testDatabase('empty')
  const { port } = new URL(testing.url)
  relay = createServer((near) => {
    const far = dial(Number(port), '127.0.0.1')
    let [isFirst, rest] = [true, Buffer.alloc(0)]
    near.on('data', (bytes) => {
      rest = Buffer.concat([rest, bytes])
      // The first message has no kind.
      for (let head = isFirst ? 0 : 1; rest.length >= head + 4; head = 1) {
        const length = head + rest.readUInt32BE(head)
        if (rest.length < length) break
        if (!isFirst) sent.push(rest[0]!)
        isFirst = false
        rest = rest.subarray(length)
      }
      far.write(bytes)
    })
    far.pipe(near)
    for (const socket of [near, far]) socket.on('error', () => near.destroy() && far.destroy())
  })
  await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve))
  const url = new URL(testing.url)
  // By TCP, through the relay, and not by the socket.
  url.hostname = '127.0.0.1'
  url.search = ''
  url.port = String((relay.address() as AddressInfo).port)
  pool = openConnections({
    url: url.href,
    size: 1,
    statementTimeoutMs: 5_000,
    lockTimeoutMs: 5_000,
    idleInTransactionTimeoutMs: 5_000,
    plans: 'hot',
    onError: () => undefined,
  })
  session = await pool.acquire()
  await session.execute(sql('journey.table', 'create table note (text text not null)'), [])
})
afterAll(async () => {
  session.release(false)
  await pool.end()
  relay.close()
  await testing.end()
})
afterEach(async () => {
  await session.execute(sql('journey.clear', 'truncate note'), [])
})

const count = (kind: number): number => sent.filter((one) => one === kind).length

test('statements of one turn travel as one message and are answered each', async () => {
  sent = []
  const answers = await Promise.all([
    session.execute(one, [1, 'a']),
    session.execute(nothing, []),
    session.execute(many, [3]),
    session.execute(one, [2, null]),
  ])
  expect(answers).toEqual([
    { command: 'SELECT', rows: [{ n: 1, word: 'a' }] },
    { command: 'UPDATE', rows: [] },
    { command: 'SELECT', rows: [1, 2, 3].map((n) => ({ n, nothing: null })) },
    { command: 'SELECT', rows: [{ n: 2, word: null }] },
  ])
  expect(count(SYNC)).toBe(1)
})

test('the columns of a statement are described once', async () => {
  await session.execute(one, [1, 'a'])
  await session.execute(nothing, [])
  sent = []
  const [first, none] = await Promise.all([session.execute(one, [2, 'b']), session.execute(nothing, [])])
  expect([first.rows, none]).toEqual([[{ n: 2, word: 'b' }], { command: 'UPDATE', rows: [] }])
  expect(count(DESCRIBE)).toBe(0)
})

test('what stands behind a statement that fails is not run and fails with its error, and the session goes on', async () => {
  const after = sql('journey.after', 'select $1::int + 1 as n')
  const settled = await Promise.allSettled([
    session.execute(one, [1, 'a']),
    session.execute(fail, [0]),
    session.execute(note, ['behind']),
    session.execute(after, [1]),
  ])
  expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'rejected'])
  for (const { reason } of settled.slice(1) as PromiseRejectedResult[])
    expect(reason).toMatchObject({ code: '22012' })
  // Of what was to be prepared behind the failure the server knows nothing.
  expect(await session.execute(after, [1])).toEqual({ command: 'SELECT', rows: [{ n: 2 }] })
  expect((await session.execute(notes, [])).rows).toEqual([])
})

test('without a transaction around it a turn is done as a whole or not at all', async () => {
  const both = Promise.allSettled([session.execute(note, ['first']), session.execute(note, [null])])
  expect((await both).map(({ status }) => status)).toEqual(['fulfilled', 'rejected'])
  expect((await session.execute(notes, [])).rows).toEqual([])
})

test('a row that cannot be read fails its statement alone', async () => {
  const settled = await Promise.allSettled([
    session.execute(huge, ['9007199254740993']),
    session.execute(one, [1, 'a']),
  ])
  expect(settled[0]).toMatchObject({
    status: 'rejected',
    reason: { message: '9007199254740993 does not fit a safe integer' },
  })
  expect(settled[1]).toMatchObject({ status: 'fulfilled' })
})

test('a value that cannot be written fails its statement, of which nothing is sent', async () => {
  const circular: Record<string, unknown> = {}
  circular['self'] = circular
  const beside = session.execute(one, [1, 'a'])
  expect(() => session.execute(sql('journey.json', 'select $1::jsonb as j'), [circular])).toThrow(/circular/i)
  expect((await beside).rows).toEqual([{ n: 1, word: 'a' }])
})
