import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { CommitUnknown, type Database } from '#platform/database.ts'
import { takeOver } from '#platform/lease.ts'
import { isOutage } from '#platform/outage.ts'
import { Outage, Refusal } from '#platform/faults.ts'
import { createToys, type Plan, toy } from './toy-process.ts'
import { CAUSE, openToyWorld, type ToyWorker, type ToyWorld, type WorkerWishes } from './toy-world.ts'

let world: ToyWorld
beforeAll(async () => {
  world = await openToyWorld()
})
afterEach(() => world.reset())
afterAll(() => world.end())

const confirmed = { kind: 'confirmed', answer: 'ok' } as const
const docs = (count: number): number[] => Array.from({ length: count }, (_, at) => at + 1)

async function started(wishes?: WorkerWishes): Promise<ToyWorker> {
  const worker = await world.worker(wishes)
  worker.runner.start()
  return worker
}

describe('a document that is poison', () => {
  test.each<[string, Plan['poison']]>([
    ['whose step throws', 'prepare'],
    ['that cannot be looked at', 'facts'],
    ['whose request cannot be made', 'request'],
    ['whose answer cannot be taken in', 'confirmed'],
  ])('%s is tried later and later, at last parked alone; its 99 neighbours finish', async (_, poison) => {
    world.reply = () => confirmed
    const plan = { prepare: true, post: ['a'] } as const
    await world.enroll(
      ...docs(100).map((doc) => ({ doc, plan: doc === 50 ? { ...plan, poison: poison! } : plan })),
    )
    const worker = await started()
    const rest = docs(100).filter((doc) => doc !== 50)
    await world.polled(async () => (await remaining()).join() === '50', 'the end of the neighbours')
    for (const [failures, waitMs] of [
      [1, 250],
      [2, 500],
      [3, 1_000],
      [4, 2_000],
    ] as const) {
      await world.polled(async () => (await world.desk(50))!.failures >= failures, `failure ${failures}`)
      expect(await world.troubles()).toEqual([])
      await world.timePasses(waitMs)
    }
    await world.polled(async () => (await world.troubles()).length > 0, 'the parking')
    expect(await world.troubles()).toEqual(['poison 50'])
    expect(await world.desk(50)).toMatchObject({ failures: 5, owner: null })
    expect((await world.desk(50))!.dueInMs).toBeGreaterThan(1e12)
    const done = await world.house.run<{ done: string[] }>(
      'select done from public.toy where doc = any($1)',
      [rest],
    )
    expect(new Set(done.map((row) => row.done.join()))).toEqual(new Set(['prepare,post a,close']))
    expect([worker.runner.owned, worker.errors.length]).toEqual([0, 5])
  })

  test('waits ever longer between its tries', async () => {
    await world.enroll({ doc: 1, plan: { poison: 'facts' } })
    const worker = await world.worker()
    const delays: number[] = []
    worker.runner.start()
    for (const failures of [1, 2, 3, 4]) {
      await world.until(async () => {
        const row = (await world.desk(1))!
        if (row.failures === failures) delays[failures - 1] = row.dueInMs
        return row.failures === failures
      })
      await world.house.run('update desk.document set due_at = now()')
      await world.polled(async () => (await world.desk(1))!.failures > failures)
    }
    const bounds = [250, 500, 1_000, 2_000]
    for (const [at, bound] of bounds.entries()) {
      expect(delays[at]).toBeLessThanOrEqual(bound)
      expect(delays[at]).toBeGreaterThan(bound / 2)
    }
  })

  test('is parked and told of in one transaction, or neither', async () => {
    await world.enroll({ doc: 1, plan: { poison: 'facts' } })
    await world.house.run('update desk.document set failures = 4')
    let told = 0
    const worker = await started({
      async poisoned() {
        if (told++ === 0) throw new Error('the parking is full')
      },
    })
    await world.until(() => told === 1)
    await world.clock.settle()
    expect(await world.desk(1)).toMatchObject({ failures: 4, owner: worker.epoch })
    await world.polled(async () => (await world.desk(1))!.failures === 5)
    expect([told, (await world.desk(1))!.owner]).toEqual([2, null])
  })

  test('that is woken just before it would be parked is looked at once more instead', async () => {
    await world.enroll({ doc: 1, plan: { poison: 'facts' } })
    await world.house.run('update desk.document set failures = 4')
    const worker = await world.worker()
    const pause = worker.connections.pause('desk.let_go', 'before')
    worker.runner.start()
    await pause.reached
    await world.house.run(`update public.toy set plan = '{}'`)
    await world.note(1, 'cured')
    pause.resume()
    await world.polled(() => world.left(1))
    expect([await world.done(1), await world.troubles()]).toEqual([['note cured', 'close'], []])
  })

  test.each(['55P03', '57014', '40001'])(
    'is not what meets a busy database (%s): that is parked only after an hour of nothing else',
    async (code) => {
      await world.enroll({ doc: 1, plan: {} })
      await world.house.run('update desk.document set failures = 12300')
      const worker = await world.worker()
      worker.connections.failing = ({ name }) =>
        name === 'turn.versions' ? Object.assign(new Error('busy'), { code }) : undefined
      worker.runner.start()
      await world.polled(async () => (await world.desk(1))!.failures === 12400, 'another failure')
      expect([await world.troubles(), (await world.desk(1))!.dueInMs < 30_001]).toEqual([[], true])
      await world.timePasses(30_000)
      await world.polled(async () => (await world.troubles()).length > 0, 'the parking')
      expect((await world.desk(1))!.failures).toBe(12500)
    },
  )

  test('is not what was unlucky with locks and then fails once by itself', async () => {
    await world.enroll({ doc: 1, plan: { poison: 'facts' } })
    await world.house.run('update desk.document set failures = 5000')
    await started()
    await world.polled(async () => (await world.desk(1))!.failures === 5001, 'a failure of its own')
    expect([await world.troubles(), (await world.desk(1))!.dueInMs <= 250]).toEqual([[], true])
  })

  test('is not what failed four times by itself and then meets a lock', async () => {
    await world.enroll({ doc: 1, plan: {} })
    await world.house.run('update desk.document set failures = 4')
    const worker = await world.worker()
    worker.connections.failing = ({ name }) =>
      name === 'turn.versions' ? Object.assign(new Error('locked'), { code: '55P03' }) : undefined
    worker.runner.start()
    await world.polled(async () => (await world.desk(1))!.failures === 104, 'a lock of somebody else')
    expect([await world.troubles(), (await world.desk(1))!.dueInMs <= 250]).toEqual([[], true])
  })

  test('goes on when it is cured and woken', async () => {
    await world.enroll({ doc: 1, plan: { poison: 'facts' } })
    await world.house.run('update desk.document set failures = 4')
    const worker = await started()
    await world.polled(async () => (await world.troubles()).length > 0)
    await world.house.run(`update public.toy set plan = '{"open": true}'`)
    await world.note(1, 'cured')
    await world.polled(async () => (await world.done(1)).includes('note cured') && (await world.asleep(1)))
    await world.polled(() => worker.runner.owned === 0)
    expect([(await world.desk(1))!.failures, worker.runner.owned]).toEqual([0, 0])
  })
})

test('documents of a process that this program does not have are left to another, and hold up nobody', async () => {
  await world.enroll({ doc: 1, plan: {} }, { doc: 2, plan: {} }, { doc: 3, plan: {} })
  await world.house.run(`update desk.document set process = 'unheard-of' where doc = 2`)
  const worker = await started()
  await world.polled(async () => (await remaining()).join() === '2')
  await world.polled(async () => (await world.desk(2))!.dueInMs > 20_000)
  expect(await world.desk(2)).toMatchObject({ owner: null, failures: 0 })
  expect(worker.errors[0]).toContain('unheard-of')
})

describe('a database that is away', () => {
  test.each<[string, object]>([
    ['57P01', { code: '57P01' }],
    ['ECONNREFUSED', { code: 'ECONNREFUSED' }],
    ['53100', { code: '53100' }],
  ])('is nobody’s failure: %s', async (_, failure) => {
    const worker = await world.worker()
    await world.begin(worker, { doc: 1, plan: { post: ['a'] } }, { doc: 2, plan: { post: ['a'] } })
    let failed = 0
    worker.connections.failing = () => {
      failed++
      return Object.assign(new Error('away'), failure)
    }
    for (const doc of [1, 2]) (await world.called(`${doc}/post/a/1`)).answer()
    worker.runner.start()
    await world.polled(() => failed > 30)
    worker.connections.failing = undefined
    await world.polled(async () => (await remaining()).length === 0)
    expect([await world.done(1), await world.done(2)]).toEqual([
      ['post a', 'close'],
      ['post a', 'close'],
    ])
    expect(worker.errors.filter((error) => !error.startsWith('due documents'))).toEqual([])
    expect(await world.troubles()).toEqual([])
  })

  test('for real, in the middle of a transaction: its sessions are ended and nothing is lost', async () => {
    const worker = await world.worker()
    await world.begin(worker, { doc: 1, plan: { post: ['a'] } })
    const pause = worker.connections.pause('effects.settle', 'before')
    ;(await world.called('1/post/a/1')).answer()
    await pause.reached
    await world.house.run(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where datname = current_database() and pid <> pg_backend_pid() and state = 'idle in transaction'`,
    )
    pause.resume()
    await world.polled(() => world.left(1))
    expect([await world.done(1), worker.errors]).toEqual([['post a', 'close'], []])
  })

  test('that leaves a commit unknown ends the epoch, whose documents the next one takes', async () => {
    let worker = await world.worker()
    const { database } = worker
    const doubtful: Database = {
      ...database,
      async transaction(work) {
        await database.transaction(work)
        throw new CommitUnknown('1', new Error('gone'))
      },
    }
    worker = await world.worker({ database: doubtful })
    await expect(world.begin(worker, { doc: 1, plan: { post: ['a'] } })).rejects.toThrow(CommitUnknown)
    expect(await worker.lease.lost).toContain('COMMIT')
    await worker.runner.stop('forget')
    world.reply = () => confirmed
    const next = await started()
    await world.until(async () => (await takeOver(next.database, next.epoch)).includes(worker.epoch))
    await world.polled(() => world.left(1))
    expect(await world.done(1)).toEqual(['post a', 'close'])
  })

  test.each<[unknown, boolean]>([
    [new Outage('erp', 'closed'), true],
    [{ code: '08006' }, true],
    [{ code: '25006' }, true],
    [{ code: 'CD001' }, true],
    [{ code: 'ECONNRESET' }, true],
    [{ code: 'ENOENT', syscall: 'connect' }, true],
    [{ code: 'ENOENT', syscall: 'open' }, false],
    [new Error('Connection terminated unexpectedly'), true],
    [new Error('Client was closed and is not queryable'), true],
    [new Refusal('toys.no', 'no'), false],
    [{ code: '23505' }, false],
    [{ code: '57014' }, false],
    [new Error('a bug'), false],
    [undefined, false],
  ])('is told from a failure of its own: %o', (error, expected) => {
    expect(isOutage(error)).toBe(expected)
  })
})

describe('what is under way', () => {
  test('is bounded: doors wait for room, and claims leave what does not fit', async () => {
    const worker = await started({ inFlightMax: 2 })
    await world.begin(worker, ...docs(2).map((doc) => ({ doc, plan: { post: ['a'] } })))
    await world.enroll({ doc: 3, plan: {} })
    let free = false
    const room = worker.runner.room().then(() => (free = true))
    const call = await world.called('1/post/a/1')
    await world.timePasses(1_000)
    expect([free, worker.runner.owned, (await world.desk(3))!.owner]).toEqual([false, 2, null])
    call.answer()
    await room
    await world.polled(() => world.left(3))
    expect(worker.runner.owned).toBe(1)
  })

  test('is never all of the doors: what is due is claimed, however many wait at them', async () => {
    const worker = await world.worker({ inFlightMax: 10 })
    await world.begin(worker, ...docs(9).map((doc) => ({ doc, plan: { post: ['a'] } })))
    let admitted = false
    void worker.runner.room().then(() => (admitted = true))
    await world.enroll({ doc: 10, plan: {} }, { doc: 11, plan: {} })
    worker.runner.start()
    await world.polled(async () => (await remaining()).every((doc) => doc < 10), 'the end of what was due')
    await world.until(() => worker.runner.owned === 9)
    expect(admitted).toBe(false)
  })

  test('makes room also when a document is given up', async () => {
    const worker = await started({ inFlightMax: 1 })
    await world.begin(worker, { doc: 1, plan: { post: ['a'], poison: 'confirmed' } })
    const room = worker.runner.room()
    ;(await world.called('1/post/a/1')).answer()
    await room
    expect(worker.runner.owned).toBe(0)
  })

  test('is claimed by priority, and the longest due first', async () => {
    world.reply = () => confirmed
    const plan = { post: ['a'] }
    await world.enroll(
      ...docs(4).map((doc) => ({ doc, plan })),
      { doc: 5, plan, priority: 4 },
      { doc: 6, plan, priority: 1 },
    )
    await world.house.run(`update desk.document set due_at = now() - make_interval(secs => 100 - doc)`)
    await started({ inFlightMax: 1, batchMax: 1 })
    await world.polled(async () => (await remaining()).length === 0)
    const order = world.calls.map(({ keys }) => Number(keys[0]!.split('/')[0]))
    expect(order).toEqual([6, 1, 2, 3, 4, 5])
  })

  test('is claimed in turns between shares, so that a file of many leaves a neighbour its place', async () => {
    const plan = { post: ['a'] }
    await world.enroll(...docs(5).map((doc) => ({ doc, plan, share: 1 })), { doc: 9, plan, share: 2 })
    await world.house.run(`update desk.document set due_at = now() - make_interval(secs => 100 - doc)`)
    const worker = await started({ inFlightMax: 3, batchMax: 3 })
    await world.polled(() => world.calls.length === 3)
    expect(world.calls.map(({ keys }) => keys.join()).toSorted()).toEqual([
      '1/post/a/1',
      '2/post/a/1',
      '9/post/a/1',
    ])
    expect(worker.runner.owned).toBe(3)
  })
})

describe('a stop', () => {
  const plan: Plan = { post: ['a'], ship: ['x'] }

  test('that drains waits for what is under way, asks nothing more, and leaves the rest due', async () => {
    const worker = await started()
    await world.begin(worker, { doc: 1, plan })
    const call = await world.called('1/post/a/1')
    let stopped = false
    const stopping = worker.runner.stop('drain').then(() => (stopped = true))
    await world.clock.settle()
    expect(stopped).toBe(false)
    call.answer()
    await stopping
    expect([await world.done(1), world.calls.length, worker.runner.owned]).toEqual([['post a'], 1, 0])
    expect(await world.intents(1)).toMatchObject([{ key: 'ship/x/1', state: 'retry', attempts: 0 }])
    expect(await world.desk(1)).toMatchObject({ owner: null, failures: 0 })
    // Surely not sent: whoever comes next need not ask first.
    await started()
    ;(await world.called('1/ship/x/1')).answer()
    await world.polled(() => world.left(1))
    expect(world.calls.map(({ operation }) => operation)).toEqual(['post', 'ship'])
  })

  test('that drains does not wait for ever for a system that is silent', async () => {
    const worker = await started()
    await world.begin(worker, { doc: 1, plan })
    await world.called('1/post/a/1')
    const stopping = worker.runner.stop('drain')
    await world.clock.advance(5_000)
    await stopping
    expect(worker.runner.owned).toBe(0)
    expect(await world.intents(1)).toMatchObject([{ state: 'intended' }])
  })

  test('that forgets keeps nothing in memory, and what comes later changes nothing', async () => {
    const worker = await started({ inFlightMax: 1 })
    await world.begin(worker, { doc: 1, plan })
    const call = await world.called('1/post/a/1')
    const waiting = worker.runner.room()
    await worker.runner.stop('forget')
    await waiting
    call.answer()
    await world.clock.advance(1_000)
    expect([worker.runner.owned, await world.done(1)]).toEqual([0, []])
    expect(await world.desk(1)).toMatchObject({ owner: worker.epoch })
  })

  test('in the middle of a claim leaves nothing of it in memory', async () => {
    const worker = await world.worker()
    await world.enroll({ doc: 1, plan })
    const pause = worker.connections.pause('desk.claim', 'after')
    worker.runner.start()
    await pause.reached
    await worker.runner.stop('forget')
    pause.resume()
    await world.until(async () => (await world.desk(1))!.owner === worker.epoch)
    await world.clock.settle()
    expect([worker.runner.owned, world.calls]).toEqual([0, []])
  })
})

test('a transaction of a door that fails begins nothing', async () => {
  const worker = await world.worker()
  const failing = worker.runner.transaction(CAUSE, async (tx, turn) => {
    turn.begin(
      createToys(tx, [{ doc: 1, plan: { prepare: true, poison: 'prepare' } }]).map((facts) => ({
        process: toy,
        facts,
      })),
    )
  })
  await expect(failing).rejects.toThrow('1 is poison')
  expect([worker.runner.owned, await world.desk(1), await world.done(1)]).toEqual([0, undefined, []])
})

const remaining = async (): Promise<number[]> =>
  (await world.house.run<{ doc: number }>('select doc from desk.document order by doc')).map(({ doc }) => doc)
