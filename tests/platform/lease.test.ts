import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { systemClock } from '#platform/clock.ts'
import { type Connections, createDatabase, type Database, sql } from '#platform/database.ts'
import { fenceStatement, type Lease, openLease, somebodyWorks, takeOver } from '#platform/lease.ts'
import { type ConnectionPool, openConnections } from '#platform/postgres-connections.ts'
import { fakeClock, type FakeClock } from '#tests/support/clock.ts'
import { meddled } from '#tests/support/meddled-connections.ts'
import { openTestDatabase, type OpenDatabase } from '#tests/support/open-database.ts'

let house: OpenDatabase
let pool: ConnectionPool
let clock: FakeClock
let leases: Lease[]
beforeAll(async () => {
  house = await openTestDatabase()
  pool = openConnections({
    url: house.url,
    size: 20,
    statementTimeoutMs: 5_000,
    lockTimeoutMs: 100,
    idleInTransactionTimeoutMs: 5_000,
    plans: 'hot',
    onError: () => undefined,
  })
})
afterAll(async () => {
  await pool.end()
  await house.end()
})
beforeEach(() => {
  clock = fakeClock()
  leases = []
})
afterEach(async () => {
  for (const lease of leases) await lease.release()
  await sessionsAreGone(leases.map(({ epoch }) => epoch))
  await house.run('truncate desk.node, desk.document')
})

async function born(connections: Connections = pool): Promise<Lease> {
  const lease = await openLease(connections, clock, 'test')
  leases.push(lease)
  return lease
}

/** The database as the process of this epoch uses it. */
const fenced = (epoch: number): Database =>
  createDatabase(pool, {
    clock: systemClock,
    random: () => 0.5,
    fence: { statement: fenceStatement, values: [epoch] },
  })

const lockHolders = `select pid, objid::int8 as epoch from pg_locks where locktype = 'advisory' and classid = 1
  and granted and database = (select oid from pg_database where datname = current_database())`
const sessionsAreGone = (epochs: readonly number[]): Promise<void> =>
  clock.until(async () => {
    const held = await house.run<{ epoch: number }>(lockHolders)
    return !held.some(({ epoch }) => epochs.includes(epoch))
  }, 'the end of the sessions')
const kill = (epoch: number): Promise<unknown> =>
  house.run(`select pg_terminate_backend(pid) from (${lockHolders}) l where epoch = $1`, [epoch])
const enroll = (owner: number, ...docs: number[]): Promise<unknown> =>
  house.run(
    `insert into desk.document (doc, process, company, owner, due_at) select doc, 'p', 'north', $1, 'infinity'
     from unnest($2::bigint[]) doc`,
    [owner, docs],
  )
const free = async (): Promise<number[]> =>
  (
    await house.run<{ doc: number }>(
      'select doc from desk.document where owner is null and due_at <= now() order by doc',
    )
  ).map(({ doc }) => doc)
const isDead = async (epoch: number): Promise<boolean> =>
  (await house.run<{ dead: boolean }>('select dead from desk.node where epoch = $1', [epoch]))[0]!.dead
/** As if the process had not beaten for `seconds`. */
const silence = (epoch: number, seconds: number): Promise<unknown> =>
  house.run(
    `update desk.node set heartbeat_at = now() - make_interval(secs => $2::float8) where epoch = $1`,
    [epoch, seconds],
  )

test('a process that lives is left alone', async () => {
  const [one, other] = [await born(), await born()]
  await enroll(one.epoch, 1)
  expect(await takeOver(house.database, other.epoch)).toEqual([])
  expect([await free(), await isDead(one.epoch), one.valid()]).toEqual([[], false, true])
})

test('a newborn is never declared dead, however often others look while processes are born', async () => {
  const watcher = await born()
  let watching = true
  const taken: number[] = []
  const watch = async (): Promise<void> => {
    while (watching) taken.push(...(await takeOver(house.database, watcher.epoch)))
  }
  const watched = Promise.all([watch(), watch()])
  for (let round = 0; round < 5; round++) await Promise.all([born(), born()])
  watching = false
  await watched
  expect(taken).toEqual([])
})

test('the documents of a process whose session is gone become everybody’s, once', async () => {
  const [gone, one, other] = [await born(), await born(), await born()]
  await enroll(gone.epoch, 1, 2)
  await enroll(one.epoch, 3)
  await kill(gone.epoch)
  await sessionsAreGone([gone.epoch])
  const taken = await Promise.all([one, other].map(({ epoch }) => takeOver(house.database, epoch)))
  expect(taken.flat()).toEqual([gone.epoch])
  expect([await free(), await isDead(gone.epoch)]).toEqual([[1, 2], true])
  expect(await takeOver(house.database, one.epoch)).toEqual([])
})

test('a process that stopped beating is ended and taken over, and one that beats late is not', async () => {
  const [stale, late, watcher] = [await born(), await born(), await born()]
  await enroll(stale.epoch, 1)
  await enroll(late.epoch, 2)
  await silence(stale.epoch, 10.5)
  await silence(late.epoch, 9)
  const taken: number[] = []
  await clock.until(async () => {
    taken.push(...(await takeOver(house.database, watcher.epoch)))
    return taken.length > 0
  }, 'the takeover')
  expect([taken, await free(), await isDead(late.epoch)]).toEqual([[stale.epoch], [1], false])
  // The zombie wakes up and wants to beat.
  await clock.advance(1_000)
  await expect(stale.lost).resolves.toMatch(/session that holds the lease is gone|declared dead/)
  expect([stale.valid(), late.valid()]).toEqual([false, true])
})

test('nothing of a process that was taken over can be committed, also when it had begun before', async () => {
  const [zombie, watcher] = [await born(), await born()]
  await enroll(zombie.epoch, 1)
  const touch = sql('test.touch', 'update desk.document set failures = failures + 1 where doc = $1')
  const begun = Promise.withResolvers<void>()
  const release = Promise.withResolvers<void>()
  const open = fenced(zombie.epoch).transaction(async (tx) => {
    await tx.query(touch, [1])
    begun.resolve()
    await release.promise
  })
  await begun.promise
  await kill(zombie.epoch)
  await sessionsAreGone([zombie.epoch])
  // What has passed the fence is waited for, and while it lasts the documents stay with it.
  const impatient = fenced(watcher.epoch)
  expect(await takeOver(impatient, watcher.epoch)).toEqual([])
  expect(await free()).toEqual([])
  release.resolve()
  await open
  expect(await takeOver(impatient, watcher.epoch)).toEqual([zombie.epoch])
  const refused = fenced(zombie.epoch).transaction(async (tx) => tx.send(touch, [1]))
  await expect(refused).rejects.toMatchObject({ code: 'CD001' })
  expect(await house.run('select failures from desk.document')).toEqual([{ failures: 1 }])
})

test('one dead process that cannot be buried yet does not keep the others from it', async () => {
  const [stuck, gone, watcher] = [await born(), await born(), await born()]
  const release = Promise.withResolvers<void>()
  const begun = Promise.withResolvers<void>()
  const open = fenced(stuck.epoch).transaction(async (tx) => {
    await tx.query(fenceStatement, [stuck.epoch])
    begun.resolve()
    await release.promise
  })
  await begun.promise
  for (const { epoch } of [stuck, gone]) await kill(epoch)
  await sessionsAreGone([stuck.epoch, gone.epoch])
  expect(await takeOver(fenced(watcher.epoch), watcher.epoch)).toEqual([gone.epoch])
  release.resolve()
  await open
})

test('a process beats each second, keeps its lease and tells when it last did', async () => {
  let answered = 0
  const counted = meddled(pool, async (statement, ask) => {
    const result = await ask()
    if (statement.name === 'lease.beat') answered++
    return result
  })
  const lease = await born(counted)
  await silence(lease.epoch, 60)
  for (let beat = 1; beat <= 12; beat++) {
    await clock.advance(1_000)
    await clock.until(() => answered === beat)
    // The next one is due in a second: nothing else is.
    await clock.until(() => clock.pending === 1)
  }
  const recent = await house.run<{ recent: boolean }>(
    `select heartbeat_at > now() - interval '30 seconds' as recent from desk.node where epoch = $1`,
    [lease.epoch],
  )
  expect([lease.valid(), recent]).toEqual([true, [{ recent: true }]])
})

test('a process knows from its birth, and a beat later, how many work beside it', async () => {
  const first = await born()
  const second = await born()
  expect([first.workers, second.workers]).toEqual([1, 2])
  await clock.advance(1_000)
  await clock.until(() => first.workers === 2)
  await kill(second.epoch)
  await takeOver(fenced(first.epoch), first.epoch)
  await clock.until(async () => {
    await clock.advance(1_000)
    return first.workers === 1
  })
})

test('a process whose session is ended learns it at the next beat', async () => {
  const lease = await born()
  await kill(lease.epoch)
  await sessionsAreGone([lease.epoch])
  await clock.advance(1_000)
  await expect(lease.lost).resolves.toContain('the session that holds the lease is gone')
  expect(lease.valid()).toBe(false)
})

test('a process that was declared dead learns it at the next beat', async () => {
  const lease = await born()
  await house.run('update desk.node set dead = true where epoch = $1', [lease.epoch])
  await clock.advance(1_000)
  await expect(lease.lost).resolves.toBe('this process was declared dead')
})

test('a process that is cut off from its database stops sending before others may take over, and gives up', async () => {
  const deaf = meddled(pool, (statement, ask) =>
    statement.name === 'lease.beat' ? new Promise(() => undefined) : ask(),
  )
  const lease = await born(deaf)
  await clock.advance(7_999)
  expect(lease.valid()).toBe(true)
  await clock.advance(1)
  expect(lease.valid()).toBe(false)
  await expect(lease.lost).resolves.toBe('the database leaves a heartbeat unanswered')
})

test('a released lease is free for others at once', async () => {
  const [leaving, staying] = [await born(), await born()]
  await enroll(leaving.epoch, 1)
  await leaving.release()
  await expect(leaving.lost).resolves.toBe('released')
  await sessionsAreGone([leaving.epoch])
  expect(await takeOver(house.database, staying.epoch)).toEqual([leaving.epoch])
  expect([await free(), leaving.valid()]).toEqual([[1], false])
})

test('somebody works for as long as a process shows that it lives, and no longer than its session', async () => {
  expect(await somebodyWorks(house.database)).toBe(false)
  const lease = await born()
  expect(await somebodyWorks(house.database)).toBe(true)
  await house.run(`update desk.node set heartbeat_at = now() - interval '11 seconds'`)
  expect(await somebodyWorks(house.database)).toBe(false)
  await house.run(`update desk.node set heartbeat_at = now()`)
  await lease.release()
  await sessionsAreGone([lease.epoch])
  expect(await somebodyWorks(house.database)).toBe(false)
})
