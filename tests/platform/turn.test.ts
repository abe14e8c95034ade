import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Pause } from './pausable-connections.ts'
import { cancelToy, lockToy, ringToy, toyRow, writeNote } from './toy-process.ts'
import { CAUSE, openToyWorld, type ToyWorker, type ToyWorld } from './toy-world.ts'

let world: ToyWorld
beforeAll(async () => {
  world = await openToyWorld()
})
afterEach(() => world.reset())
afterAll(() => world.end())

/** The same change through a door of the runner's own process, which locks the document before it wakes it. */
const noteThrough = (
  { runner }: ToyWorker,
  how: 'wake' | 'wakeAfterwards' = 'wake',
  text = 'late',
): Promise<void> =>
  runner.transaction(CAUSE, async (tx, turn) => {
    if (how === 'wake') lockToy(tx, 1)
    writeNote(tx, 1, text)
    await turn[how]([toyRow(1)])
  })

describe('a wake-up is never lost', () => {
  const places: [string, string, 'before' | 'after'][] = [
    ['before the look reads the version', 'turn.versions', 'before'],
    ['between the version and the facts', 'turn.versions', 'after'],
    ['after the facts were read', 'toy.facts', 'after'],
    ['between look and sleep', 'desk.sleep', 'before'],
    ['between sleep and commit', 'desk.sleep', 'after'],
    ['before the commit', 'database.commit', 'before'],
    ['between commit and memory', 'database.commit', 'after'],
  ]
  const wakers: [string, (worker: ToyWorker) => Promise<void>][] = [
    ['another process', () => world.note(1, 'late')],
    ['a door of this process', (worker) => noteThrough(worker)],
    ['a step of this process', (worker) => noteThrough(worker, 'wakeAfterwards')],
  ]

  for (const [where, statement, when] of places) {
    test.each(wakers)(`${where}, by %s`, async (_, wake) => {
      const worker = await world.worker()
      await world.enroll({ doc: 1, plan: { open: true } })
      const claimed = worker.connections.pause('desk.claim', 'after')
      worker.runner.start()
      await claimed.reached
      const pause = worker.connections.pause(statement, when)
      claimed.resume()
      // The claim is a transaction too: its own commit is not the one meant.
      if (statement === 'database.commit') {
        await pause.reached
        const meant = worker.connections.pause(statement, when)
        pause.resume()
        await stopped(meant, () => wake(worker))
      } else await stopped(pause, () => wake(worker))
      await world.polled(async () => (await world.asleep(1)) && worker.runner.owned === 0, 'sleep')
      expect(await world.done(1)).toEqual(['note late'])
      expect(worker.errors).toEqual([])
    })
  }

  /** Lets the runner go on once the waker is done, or is seen to wait for it. */
  async function stopped(pause: Pause, wake: () => Promise<void>): Promise<void> {
    await pause.reached
    let woken = false
    const ended = wake().then(() => (woken = true))
    await world.until(async () => woken || (await someoneWaitsForALock()), 'the waker')
    pause.resume()
    await ended
  }

  async function someoneWaitsForALock(): Promise<boolean> {
    const [row] = await world.house.run<{ waiting: boolean }>(
      `select exists (select from pg_locks where not granted) as waiting`,
    )
    return row!.waiting
  }

  test.each(wakers)('of a finished document, by %s', async (_, wake) => {
    const worker = await world.worker()
    await world.begin(worker, { doc: 1, plan: {} })
    expect([await world.done(1), await world.desk(1)]).toEqual([['close'], undefined])
    worker.runner.start()
    await wake(worker)
    await world.polled(() => world.left(1), 'leaving the desk')
    expect(await world.done(1)).toEqual(['close', 'note late'])
  })

  test.each(wakers)('while an effect is under way, by %s', async (_, wake) => {
    const worker = await world.worker()
    await world.begin(worker, { doc: 1, plan: { post: ['a'], open: true } })
    const call = await world.called('1/post/a/1')
    await wake(worker)
    call.answer()
    await world.until(() => world.asleep(1), 'sleep')
    expect((await world.done(1)).toSorted()).toEqual(['note late', 'post a'])
    expect(world.calls).toHaveLength(1)
  })

  test.each(wakers)('before a document leaves the desk, by %s', async (_, wake) => {
    const worker = await world.worker()
    await world.begin(worker, { doc: 1, plan: { post: ['a'] } })
    const pause = worker.connections.pause('desk.finish', 'before')
    ;(await world.called('1/post/a/1')).answer()
    await stopped(pause, () => wake(worker))
    worker.runner.start()
    await world.polled(() => world.left(1), 'leaving the desk')
    expect(await world.done(1)).toEqual(['post a', 'close', 'note late'])
  })

  test('twice at once: both are seen, and the document is worked on once', async () => {
    const workers = [await world.worker(), await world.worker()]
    await world.enroll({ doc: 1, plan: { open: true } })
    workers[0]!.runner.start()
    await world.polled(() => world.asleep(1))
    const [one, other] = workers as [ToyWorker, ToyWorker]
    await Promise.all([
      noteThrough(one, 'wake', 'one'),
      noteThrough(other, 'wake', 'two'),
      noteThrough(other, 'wakeAfterwards', 'three'),
    ])
    await world.polled(
      async () => (await world.asleep(1)) && workers.every(({ runner }) => runner.owned === 0),
    )
    expect((await world.done(1)).toSorted()).toEqual(['note one', 'note three', 'note two'])
    expect(workers.map(({ runner, errors }) => [runner.owned, errors])).toEqual([
      [0, []],
      [0, []],
    ])
  })

  test('between a commit and its late acknowledgement, when the document is taken again and calls a system', async () => {
    const worker = await world.worker()
    await world.enroll({ doc: 1, plan: { open: true } })
    worker.runner.start()
    await world.polled(() => world.asleep(1))
    const late = worker.connections.pause('database.commit', 'after')
    const first = noteThrough(worker)
    await late.reached
    // Asleep again in the database; this process does not know it yet.
    await world.house.run(`update public.toy set plan = '{"open": true, "post": ["a"]}' where doc = 1`)
    await noteThrough(worker)
    const call = await world.called('1/post/a/1')
    late.resume()
    await first
    call.answer()
    await world.polled(() => world.asleep(1), 'sleep')
    expect([await world.done(1), await world.intents(1)]).toEqual([['note late', 'post a'], []])
  })

  test('by a child that ends in the very transaction in which its parent begins', async () => {
    const worker = await world.worker()
    await world.begin(worker, { doc: 1, plan: { open: true, children: [{ doc: 2, plan: {} }] } })
    await world.until(async () => (await world.asleep(1)) && worker.runner.owned === 0, 'sleep')
    expect([await world.done(1), await world.done(2)]).toEqual([['spawn', 'note child 2'], ['close']])
    expect([await world.desk(2), worker.runner.owned]).toEqual([undefined, 0])
  })

  test('by a child that ends later', async () => {
    const worker = await world.worker()
    await world.begin(worker, { doc: 1, plan: { open: true, children: [{ doc: 2, plan: { post: ['a'] } }] } })
    await world.until(() => world.asleep(1))
    ;(await world.called('2/post/a/1')).answer()
    await world.until(async () => (await world.done(1)).includes('note child 2'))
    await world.until(async () => (await world.asleep(1)) && worker.runner.owned === 0, 'sleep')
    expect([await world.desk(2), worker.runner.owned]).toEqual([undefined, 0])
  })
})

describe('a document goes', () => {
  test('as far as it can in the transaction in which it begins, and is not kept when nothing is left', async () => {
    const worker = await world.worker()
    await world.begin(
      worker,
      { doc: 1, plan: { prepare: true, pack: ['x', 'y'] } },
      { doc: 2, plan: { prepare: true, open: true } },
      { doc: 3, plan: { post: ['a'] } },
    )
    expect(await world.done(1)).toEqual(['prepare', 'pack x', 'pack y', 'close'])
    expect([await world.desk(1), worker.runner.owned]).toEqual([undefined, 1])
    expect(await world.desk(2)).toMatchObject({ owner: null, version: 1 })
    expect(await world.desk(3)).toMatchObject({ owner: worker.epoch, version: 1 })
  })

  test('to sleep until its own timer, and goes on when it rings', async () => {
    const worker = await world.worker()
    const ringAt = new Date(world.clock.now().getTime() + 3_600_000)
    await world.begin(worker, { doc: 1, plan: { open: true }, ringAt })
    worker.runner.start()
    expect((await world.desk(1))!.dueInMs).toBeGreaterThan(3_500_000)
    await world.timePasses(3_000_000)
    expect(await world.done(1)).toEqual([])
    await world.timePasses(600_001)
    await world.polled(async () => (await world.done(1)).includes('ring'))
    await world.polled(async () => ((await world.desk(1))?.dueInMs ?? 0) > 13 * 24 * 3_600_000, 'the patrol')
  })

  test('on without the subject that a step refused, also after a look, until a person asks for it', async () => {
    const worker = await world.worker()
    await world.begin(worker, { doc: 1, plan: { pack: ['!x', 'y'], open: true } })
    worker.runner.start()
    await world.note(1, 'looked')
    await world.polled(async () => (await world.done(1)).includes('note looked'))
    const row = { step: 'pack', subject: '!x', actor: 'tester', reason: 'it may not be packed' }
    const steps = 'select step, subject, state, generation, actor, reason from desk.step'
    expect(await world.house.run(steps)).toEqual([{ ...row, state: 'refused', generation: 1 }])
    await world.polled(() => world.asleep(1))
    await world.restart(1)
    await world.polled(async () => (await world.desk(1))?.version === 3 && (await world.asleep(1)))
    expect(await world.house.run(steps)).toEqual([
      { ...row, state: 'refused', generation: 2, actor: 'process' },
    ])
    expect(await world.done(1)).toEqual(['pack y', 'note looked'])
  })
})

describe('facts in memory', () => {
  test('are those that a look finds, or a step that carries others is told so', async () => {
    const worker = await world.worker()
    const lying = world.begin(worker, { doc: 1, plan: { prepare: true, lies: true } })
    await expect(lying).rejects.toThrow(/facts of toy 1 differ:\ncarried .*a lie.*\nlooked /)
    expect([await world.desk(1), worker.runner.owned]).toEqual([undefined, 0])
  })

  test('that somebody else changed are looked at again before anything is decided on them', async () => {
    const worker = await world.worker()
    await world.begin(worker, { doc: 1, plan: { post: ['a', 'b'] } })
    const call = await world.called('1/post/a/1')
    await world.house.run(`update public.toy set version = version + 1, done = '{post b}' where doc = 1`)
    call.answer()
    await world.until(async () => (await world.done(1)).length > 1)
    // b is done by hand, and yet its call is under way: the document waits for that too.
    expect([await world.done(1), worker.runner.owned]).toEqual([['post b', 'post a', 'close'], 1])
    ;(await world.called('1/post/b/1')).answer({ kind: 'refused', code: 'twice', message: 'known' })
    await world.until(() => world.left(1))
    expect(worker.errors).toEqual([])
  })

  test('two calls of one document are under way at once: the answer of one asks the other no second time', async () => {
    const worker = await world.worker()
    await world.begin(worker, { doc: 1, plan: { post: ['a', 'b'] } })
    const [a, b] = [await world.called('1/post/a/1'), await world.called('1/post/b/1')]
    b.answer()
    await world.until(async () => (await world.done(1)).includes('post b'))
    expect(await world.intents(1)).toMatchObject([{ key: 'post/a/1', state: 'intended' }])
    a.answer()
    await world.until(() => world.left(1))
    expect([await world.done(1), world.calls.length]).toEqual([['post b', 'post a', 'close'], 2])
  })
})

describe('taking back', () => {
  test('goes in reverse order, each step after the later one has answered', async () => {
    const worker = await world.worker()
    await world.begin(worker, { doc: 1, plan: { prepare: true, post: ['a', 'b'], ship: ['x'], open: true } })
    for (const key of ['1/post/a/1', '1/post/b/1', '1/ship/x/1']) (await world.called(key)).answer()
    await world.until(() => world.asleep(1))
    worker.runner.start()
    await world.cancel(1)
    const unship = await world.called('1/ship:undo/x/1')
    expect(world.calls).toHaveLength(4)
    unship.answer()
    const [one, other] = [await world.called('1/post:undo/a/1'), await world.called('1/post:undo/b/1')]
    one.answer()
    await world.until(async () => (await world.done(1)).includes('unpost a'))
    expect(await world.done(1)).not.toContain('unprepare')
    other.answer()
    await world.polled(() => world.asleep(1))
    expect((await world.done(1)).slice(-4)).toEqual(['unship x', 'unpost a', 'unpost b', 'unprepare'])
    expect(world.calls).toHaveLength(6)
  })

  test('waits for what is under way, though the facts do not ask for it any more', async () => {
    const worker = await world.worker()
    await world.begin(worker, { doc: 1, plan: { prepare: true, post: ['a'] } })
    const call = await world.called('1/post/a/1')
    await world.cancel(1)
    call.answer({ kind: 'unknown', reason: 'timeout' })
    await world.until(async () => (await world.intents(1))[0]?.state === 'unknown')
    await world.until(() => world.asleep(1))
    worker.runner.start()
    await world.timePasses(1_001)
    // In doubt: looked up first, and nothing is taken back meanwhile.
    const lookUp = await world.called('1/post/a/1', 2)
    expect([lookUp.operation, await world.done(1)]).toEqual(['post?', ['prepare']])
    lookUp.answer()
    ;(await world.called('1/post:undo/a/1')).answer()
    await world.polled(() => world.left(1))
    expect(await world.done(1)).toEqual(['prepare', 'post a', 'unpost a', 'unprepare', 'close'])
  })

  test('waits for the end of a transaction that has locked rows of the desk, since it locks what comes before them', async () => {
    const worker = await world.worker()
    await world.begin(worker, { doc: 1, plan: { prepare: true, open: true } })
    await world.until(() => world.asleep(1))
    await worker.runner.transaction(CAUSE, async (tx, turn) => {
      lockToy(tx, 1)
      cancelToy(tx, 1)
      await turn.wake([toyRow(1)])
    })
    await world.until(() => world.asleep(1))
    expect([await world.done(1), worker.errors]).toEqual([['prepare', 'unprepare'], []])
  })

  test('and whatever else locks before rows of the desk waits for that end too', async () => {
    const worker = await world.worker()
    await world.begin(worker, { doc: 1, plan: { open: true } })
    await world.until(() => world.asleep(1))
    await worker.runner.transaction(CAUSE, async (tx, turn) => {
      lockToy(tx, 1)
      ringToy(tx, 1)
      await turn.wake([toyRow(1)])
    })
    await world.until(() => world.asleep(1))
    expect([await world.done(1), worker.errors]).toEqual([['ring'], []])
  })

  test('ends where it is refused: what is true stays, until a person decides', async () => {
    const worker = await world.worker()
    await world.begin(worker, { doc: 1, plan: { prepare: true, post: ['a'], ship: ['x'], open: true } })
    for (const key of ['1/post/a/1', '1/ship/x/1']) (await world.called(key)).answer()
    await world.until(() => world.asleep(1))
    worker.runner.start()
    await world.cancel(1)
    ;(await world.called('1/ship:undo/x/1')).answer({
      kind: 'refused',
      code: 'left',
      message: 'the truck left',
    })
    await world.polled(() => world.asleep(1))
    expect(await world.done(1)).toEqual(['prepare', 'post a', 'ship x', 'left x'])
    expect(world.calls).toHaveLength(3)
    await world.restart(1)
    ;(await world.called('1/ship:undo/x/2')).answer()
    ;(await world.called('1/post:undo/a/1')).answer()
    await world.polled(async () => (await world.done(1)).includes('unprepare'))
  })
})
