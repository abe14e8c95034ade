import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { systemClock } from '#platform/clock.ts'
import {
  type Connections,
  createDatabase,
  type Database,
  type DatabaseOptions,
  type Result,
  sql,
  sqlState,
} from '#platform/database.ts'
import { Outage, Refusal } from '#platform/faults.ts'
import { fenceStatement } from '#platform/lease.ts'
import { type ConnectionPool, openConnections } from '#platform/postgres-connections.ts'
import { testDatabase, type TestDatabase } from '#tests/support/database.ts'
import { meddled, type MeddledConnections } from '#tests/support/meddled-connections.ts'

const insert = sql('dbtest.insert', 'insert into pair (key, value) values ($1, $2)')
const raise = sql('dbtest.raise', 'update pair set value = value + $2 where key = $1')
const read = sql('dbtest.read', 'select value from pair where key = $1')
const myPid = sql('dbtest.pid', 'select pg_backend_pid() as pid')
const sum = sql('dbtest.sum', 'select sum(value)::int4 as value from pair where key = any($1)')
const fail = sql('dbtest.fail', 'select 1 / $1::int')

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

const open = (connections: Connections, options: Partial<DatabaseOptions> = {}): Database =>
  createDatabase(connections, { clock: systemClock, random: () => 0.5, assertLockOrder: true, ...options })

beforeAll(async () => {
  testing = await testDatabase()
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

const valueOf = async (of: number): Promise<number | undefined> =>
  (await database.query<{ value: number }>(read, [of]))[0]?.value

describe('a transaction', () => {
  test('commits when its work resolves and hands on the answer', async () => {
    const answer = await database.transaction(async (tx) => {
      tx.send(insert, [key, 1])
      return 'done'
    })
    expect([answer, await valueOf(key)]).toEqual(['done', 1])
  })

  test('rolls back when its work throws, and reports that error itself', async () => {
    const refusal = new Refusal('pair.no', 'no')
    const refused = database.transaction(async (tx) => {
      await tx.query(insert, [key, 1])
      throw refusal
    })
    await expect(refused).rejects.toBe(refusal)
    expect(await valueOf(key)).toBeUndefined()
  })

  test('sends its statements without waiting for the answers before them', async () => {
    const unanswered: number[] = []
    let open = 0
    const watched = meddled(pool, async (_, ask) => {
      unanswered.push(++open)
      return ask().finally(() => open--)
    })
    await openAndInsertTwo(watched)
    // begin, the transaction's number and both inserts are under way before the first answer.
    expect(Math.max(...unanswered)).toBe(4)
    expect(watched.sent).toEqual([
      'database.begin',
      'database.xid',
      'dbtest.insert',
      'dbtest.insert',
      'database.commit',
    ])
  })

  const openAndInsertTwo = (connections: Connections): Promise<unknown> =>
    open(connections).transaction((tx) =>
      Promise.all([tx.query(insert, [key, 1]), tx.query(insert, [key + 1, 1])]),
    )

  test('reports the error that broke it, not those that followed from it', async () => {
    const broken = database.transaction(async (tx) => {
      tx.send(insert, [key, null])
      await tx.query(insert, [key, 1])
    })
    await expect(broken).rejects.toMatchObject({ code: '23502' })
  })

  test('is not committed after a failure that nobody looked at', async () => {
    const ignored = database.transaction(async (tx) => {
      tx.send(insert, [key, 1])
      tx.send(insert, [key, 1])
    })
    await expect(ignored).rejects.toMatchObject({ code: '23505' })
    expect(await valueOf(key)).toBeUndefined()
  })

  test('is not committed after a failure that the work swallowed', async () => {
    const swallowed = database.transaction(async (tx) => {
      await tx.query(insert, [key, 1])
      await tx.query(fail, [0]).catch(() => undefined)
      return 'as if nothing had happened'
    })
    await expect(swallowed).rejects.toMatchObject({ code: '22012' })
    expect(await valueOf(key)).toBeUndefined()
  })

  test('whose COMMIT answers ROLLBACK is an error, also when nothing said why', async () => {
    const rollback = sql('database.rollback', 'rollback')
    const undoing = meddled(pool, (statement, ask, session) =>
      statement.name === 'database.commit' ? session.execute(rollback, []) : ask(),
    )
    const undone = open(undoing).transaction((tx) => tx.query(insert, [key, 1]))
    await expect(undone).rejects.toThrow('commit answered ROLLBACK without an error before it')
  })

  test('the work may turn a failure of the database into a refusal of its own', async () => {
    await database.query(insert, [key, 1])
    const refused = database.transaction(async (tx) => {
      await tx.query(insert, [key, 2]).catch(() => {
        throw new Refusal('pair.taken', 'the key is taken')
      })
    })
    await expect(refused).rejects.toMatchObject({ code: 'pair.taken' })
  })

  test('a session whose transaction failed is used again', async () => {
    const watched = meddled(pool)
    const own = open(watched)
    await expect(own.transaction(async (tx) => tx.send(fail, [0]))).rejects.toThrow('division by zero')
    await expect(own.transaction((tx) => tx.query(fail, [0]))).rejects.toThrow('division by zero')
    await expect(own.query(fail, [0])).rejects.toThrow('division by zero')
    expect(watched.broken).toBe(0)
  })

  test('what still runs of a failed work can write nothing more', async () => {
    const late = Promise.withResolvers<void>()
    let straggler: Promise<unknown> = Promise.resolve()
    const failed = database.transaction(async (tx) => {
      straggler = late.promise.then(() => tx.query(insert, [key, 1]))
      straggler.catch(() => undefined)
      throw new Error('one of two')
    })
    await expect(failed).rejects.toThrow('one of two')
    late.resolve()
    await expect(straggler).rejects.toThrow("dbtest.insert comes after its transaction's end")
    expect(await valueOf(key)).toBeUndefined()
  })

  test('a statement whose values cannot be sent fails the commit, and its session is used again', async () => {
    const circular: Record<string, unknown> = {}
    circular['self'] = circular
    const watched = meddled(pool)
    const incomplete = open(watched).transaction(async (tx) => {
      tx.send(insert, [key, 1])
      tx.send(insert, [circular, 1])
    })
    await expect(incomplete).rejects.toThrow(/circular/i)
    expect(await valueOf(key)).toBeUndefined()
    expect(watched.sent).not.toContain('database.commit')
    expect(watched.broken).toBe(0)
    await database.query(insert, [key, 1])
  })

  test('a lock taken out of order fails the work', async () => {
    const unordered = database.transaction(async (tx) => {
      tx.locking('desk row', [1])
      tx.locking('document', [1])
    })
    await expect(unordered).rejects.toThrow('lock order')
  })
})

describe('a retry', () => {
  /** Two transactions that lock two rows in opposite order, each waiting until the other has its first. */
  test('after a deadlock runs the work again, and both end', async () => {
    await database.query(insert, [key, 0])
    await database.query(insert, [key + 1, 0])
    const retried: string[] = []
    const own = open(pool, { onRetry: (code) => retried.push(code) })
    const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const cross = (from: number, to: number, mine: () => void, theirs: Promise<void>): Promise<void> =>
      own.transaction(async (tx) => {
        await tx.query(raise, [from, 1])
        mine()
        await theirs
        await tx.query(raise, [to, 1])
      })
    await Promise.all([
      cross(key, key + 1, first.resolve, second.promise),
      cross(key + 1, key, second.resolve, first.promise),
    ])
    expect(retried).toEqual(['40P01'])
    expect([await valueOf(key), await valueOf(key + 1)]).toEqual([2, 2])
  })

  test('after a serialization failure sees what the other transaction wrote', async () => {
    await database.query(insert, [key, 1])
    await database.query(insert, [key + 1, 1])
    const retried: string[] = []
    const url = new URL(testing.url)
    url.searchParams.set('options', '-c default_transaction_isolation=serializable')
    const strict = connect({ url: url.href, plans: 'screen' })
    const own = open(strict, { onRetry: (code) => retried.push(code) })
    const both = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const drain = (one: number): Promise<boolean> =>
      own.transaction(async (tx) => {
        const [row] = await tx.query<{ value: number }>(sum, [[key, key + 1]])
        both[one]!.resolve()
        await both[1 - one]!.promise
        if (row!.value < 2) return false
        await tx.query(raise, [key + one, -2])
        return true
      })
    expect((await Promise.all([drain(0), drain(1)])).filter(Boolean)).toEqual([true])
    expect(retried).toEqual(['40001'])
    await strict.end()
  })

  test('happens four times at most, then the failure is reported', async () => {
    let runs = 0
    const hopeless = database.transaction(async () => {
      runs++
      throw Object.assign(new Error('again'), { code: '40001' })
    })
    await expect(hopeless).rejects.toThrow('again')
    expect(runs).toBe(5)
  })

  test('does not happen after any other failure', async () => {
    let runs = 0
    const refused = database.transaction(async (tx) => {
      runs++
      await tx.query(fail, [0])
    })
    await expect(refused).rejects.toMatchObject({ code: '22012' })
    expect(runs).toBe(1)
  })
})

describe('a lost acknowledgement of COMMIT', () => {
  const gone = Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })

  /** Loses the first `times` answers to COMMIT: after the server did it, or before it heard of it. */
  function losing(moment: 'after' | 'before', times = 1): MeddledConnections {
    let left = times
    return meddled(pool, async (statement, ask) => {
      if (statement.name !== 'database.commit' || left === 0) return ask()
      left--
      if (moment === 'after') await ask()
      throw gone
    })
  }

  async function add(connections: Connections): Promise<{ answer: number; runs: number }> {
    let runs = 0
    const answer = await open(connections).transaction(async (tx) => {
      runs++
      await tx.query(raise, [key, 1])
      return key
    })
    return { answer, runs }
  }

  beforeEach(() => database.query(insert, [key, 0]))

  test('of a transaction that was committed gives its answer, and the work is not done twice', async () => {
    const connections = losing('after')
    expect(await add(connections)).toEqual({ answer: key, runs: 1 })
    expect([await valueOf(key), connections.broken]).toEqual([1, 1])
  })

  test('of a transaction that was not committed has the work done again', async () => {
    const connections = losing('before')
    expect(await add(connections)).toEqual({ answer: key, runs: 2 })
    expect([await valueOf(key), connections.broken]).toEqual([1, 1])
  })

  test('when it is lost again and again without a commit, the cause is reported and nothing was done', async () => {
    await expect(add(losing('before', 5))).rejects.toBe(gone)
    expect(await valueOf(key)).toBe(0)
  })

  test('is resolved when the server ends the session in the middle of COMMIT', async () => {
    let killed = false
    const killing = meddled(pool, async (statement, ask, session) => {
      if (statement.name !== 'database.commit' || killed) return ask()
      killed = true
      const { rows } = await session.execute(myPid, [])
      await database.query(sql('dbtest.kill', 'select pg_terminate_backend($1)'), [
        (rows[0] as { pid: number }).pid,
      ])
      return ask()
    })
    expect(await add(killing)).toEqual({ answer: key, runs: 2 })
    expect(await valueOf(key)).toBe(1)
  })

  /** Answers the question for the transaction's fate in the server's place. */
  const fated = (fate: () => Promise<Result>): Connections =>
    meddled(losing('after'), (statement, ask) => (statement.name === 'database.xid_status' ? fate() : ask()))

  test('is not believed when the server recovered meanwhile, since the number may be another transaction’s', async () => {
    const recovered = fated(async () => ({ command: 'SELECT', rows: [{ status: 'committed', upMs: 0 }] }))
    await expect(add(recovered)).rejects.toSatisfy(
      (error) => error instanceof Outage && error.name === 'CommitUnknown',
    )
  })

  test('means not committed when the recovered server does not know the number', async () => {
    const forgetful = fated(async () => {
      throw Object.assign(new Error('transaction ID is in the future'), { code: '22023' })
    })
    // The meddler lets the first one commit, so the repetition shows.
    expect((await add(forgetful)).runs).toBe(2)
  })
})

test('the fence refuses every transaction of a process that was declared dead', async () => {
  const enter = sql('dbtest.node', 'insert into desk.node (name) values ($1) returning epoch')
  const [node] = await database.query<{ epoch: number }>(enter, ['fenced'])
  const fenced = open(pool, { fence: { statement: fenceStatement, values: [node!.epoch] } })
  await fenced.transaction(async (tx) => tx.send(insert, [key, 1]))
  await database.query(sql('dbtest.bury', 'update desk.node set dead = true where epoch = $1'), [node!.epoch])
  const refused = fenced.transaction(async (tx) => tx.send(insert, [key + 1, 1]))
  await expect(refused).rejects.toMatchObject({ code: 'CD001' })
  const awaited = fenced.transaction((tx) => tx.query(insert, [key + 1, 1]))
  await expect(awaited).rejects.toMatchObject({ code: 'CD001' })
  expect([await valueOf(key), await valueOf(key + 1)]).toEqual([1, undefined])
})

describe('a snapshot', () => {
  test('is as of one moment, whatever is committed between its statements', async () => {
    await database.query(insert, [key, 1])
    const seen = await database.snapshot(async (queries) => {
      const before = await queries.query<{ value: number }>(read, [key])
      await database.query(sql('dbtest.set', 'update pair set value = 2 where key = $1'), [key])
      return [before, await queries.query<{ value: number }>(read, [key])].map(([row]) => row!.value)
    })
    expect([seen, await valueOf(key)]).toEqual([[1, 1], 2])
  })

  test('writes nothing, fails with the error of its statement, and gives its session back', async () => {
    const writing = database.snapshot((queries) => queries.query(insert, [key, 1]))
    await expect(writing).rejects.toMatchObject({ code: '25006' })
    expect(await valueOf(key)).toBeUndefined()
    const some = Array.from({ length: 9 }, () => database.snapshot((queries) => queries.query(read, [key])))
    expect(await Promise.all(some)).toHaveLength(9)
  })
})

test('codes of sockets are not taken for those of PostgreSQL', () => {
  expect(['EPIPE', 'E2BIG', '40001', 'CD001', '23505'].map((code) => sqlState({ code }))).toEqual([
    undefined,
    undefined,
    '40001',
    'CD001',
    '23505',
  ])
})
