import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { LookUpOutcome, Recovery } from '#platform/connector.ts'
import { takeOver } from '#platform/lease.ts'
import type { Turn } from '#platform/turn.ts'
import { createToys, toy } from './toy-process.ts'
import { CAUSE, openToyWorld, type ToyWorker, type ToyWorld } from './toy-world.ts'

let world: ToyWorld
beforeAll(async () => {
  world = await openToyWorld()
})
afterEach(() => world.reset())
afterAll(() => world.end())

const post = { post: ['a'] } as const
const refused: LookUpOutcome = { kind: 'refused', code: 'no', message: 'not this one' }

async function started(): Promise<ToyWorker> {
  const worker = await world.worker()
  worker.runner.start()
  return worker
}

describe('a call', () => {
  test('is made only after its intent was committed and memory knows it', async () => {
    const worker = await world.worker()
    const [before, after] = (['before', 'after'] as const).map((when) =>
      worker.connections.pause('database.commit', when),
    )
    const begun = world.begin(worker, { doc: 1, plan: post })
    await before!.reached
    expect([await world.intents(1), world.calls]).toEqual([[], []])
    before!.resume()
    await after!.reached
    expect(await world.intents(1)).toMatchObject([{ key: 'post/a/1', state: 'intended', attempts: 0 }])
    expect(world.calls).toEqual([])
    after!.resume()
    await begun
    await world.called('1/post/a/1')
  })

  test('is not made when its intent was rolled back', async () => {
    const worker = await world.worker()
    const doomed = worker.runner.transaction(CAUSE, async (tx, turn) => {
      turn.begin(createToys(tx, [{ doc: 1, plan: post }]).map((facts) => ({ process: toy, facts })))
      await (turn as Turn).close()
      throw new Error('the door changed its mind')
    })
    await expect(doomed).rejects.toThrow('changed its mind')
    await world.clock.settle()
    expect([await world.intents(1), world.calls, worker.runner.owned]).toEqual([[], [], 0])
  })

  test('keeps its key over all tries, and who counts them is the database', async () => {
    const worker = await started()
    await world.begin(worker, { doc: 1, plan: post })
    for (const attempts of [1, 2, 3]) {
      const call = await world.called('1/post/a/1', attempts)
      expect(call.operation).toBe('post')
      call.answer({ kind: 'retry', reason: 'busy' })
      await world.polled(() => world.asleep(1))
      expect(await world.intents(1)).toMatchObject([{ state: 'retry', attempts }])
      await world.timePasses(1_000 * attempts)
    }
    ;(await world.called('1/post/a/1', 4)).answer()
    await world.polled(() => world.left(1))
    expect([await world.done(1), await world.intents(1)]).toEqual([['post a', 'close'], []])
  })

  test('that is sent again is in doubt for whoever takes over before it is answered', async () => {
    const worker = await started()
    await world.begin(worker, { doc: 1, plan: post })
    ;(await world.called('1/post/a/1')).answer({ kind: 'retry', reason: 'busy' })
    await world.polled(() => world.asleep(1))
    await world.timePasses(1_000)
    const again = await world.called('1/post/a/1', 2)
    expect(await world.intents(1)).toMatchObject([{ state: 'intended', attempts: 1 }])
    again.answer()
    await world.polled(() => world.left(1))
    expect(await world.intents(1)).toEqual([])
  })

  test('comes back neither before its time nor because of a wake-up', async () => {
    const worker = await started()
    await world.begin(worker, { doc: 1, plan: post })
    ;(await world.called('1/post/a/1')).answer({
      kind: 'retry',
      reason: 'closed',
      at: new Date(world.clock.now().getTime() + 60_000),
    })
    await world.polled(() => world.asleep(1))
    await world.note(1, 'early')
    await world.polled(async () => (await world.done(1)).includes('note early') && (await world.asleep(1)))
    expect((await world.desk(1))!.dueInMs).toBeGreaterThan(50_000)
    expect(world.calls).toHaveLength(1)
    await world.timePasses(60_001)
    await world.called('1/post/a/1', 2)
  })

  test('that is refused leaves a row, and is offered again only to a person, under the next generation', async () => {
    const worker = await started()
    await world.begin(worker, { doc: 1, plan: { post: ['a', 'b'], open: true } })
    ;(await world.called('1/post/b/1')).answer()
    for (const generation of [1, 2, 3]) {
      ;(await world.called(`1/post/a/${generation}`)).answer(refused)
      await world.polled(() => world.asleep(1))
      expect(await world.house.run('select subject, state, generation, reason from desk.step')).toEqual([
        { subject: 'a', state: 'refused', generation, reason: 'no: not this one' },
      ])
      await world.note(1, `looked ${generation}`)
      await world.polled(async () => (await world.done(1)).includes(`note looked ${generation}`))
      await world.polled(() => world.asleep(1))
      expect([world.calls.length, await world.intents(1)]).toEqual([generation + 1, []])
      await world.restart(1)
    }
    ;(await world.called('1/post/a/4')).answer()
    await world.polled(async () => (await world.done(1)).includes('post a'))
    expect(worker.errors).toEqual([])
  })

  test('in doubt is looked up at its time, and sent again only when it could no longer be there', async () => {
    const worker = await started()
    await world.begin(worker, { doc: 1, plan: post })
    ;(await world.called('1/post/a/1')).fail(new Error('connection reset'))
    await world.polled(() => world.asleep(1))
    expect(await world.intents(1)).toMatchObject([{ state: 'unknown', attempts: 1 }])
    await world.timePasses(1_001)
    ;(await world.called('1/post/a/1', 2)).answer({ kind: 'absent' })
    await world.polled(() => world.asleep(1))
    await world.timePasses(30_000)
    ;(await world.called('1/post/a/1', 3)).answer({ kind: 'absent' })
    ;(await world.called('1/post/a/1', 4)).answer()
    await world.polled(() => world.left(1))
    expect(world.calls.map(({ operation }) => operation)).toEqual(['post', 'post?', 'post?', 'post'])
    expect(await world.done(1)).toEqual(['post a', 'close'])
  })

  test('that is parked is told in the same transaction, and waits for a person however often it is woken', async () => {
    world.recovery['post'] = 'neither'
    const worker = await started()
    await world.begin(worker, { doc: 1, plan: post })
    ;(await world.called('1/post/a/1')).answer({ kind: 'unknown', reason: 'timeout' })
    await world.polled(() => world.asleep(1))
    expect(await world.intents(1)).toMatchObject([{ state: 'parked', dueAt: null }])
    expect(await world.troubles()).toEqual(['parked 1'])
    await world.note(1, 'woken')
    await world.polled(async () => (await world.done(1)).includes('note woken'))
    await world.polled(() => world.asleep(1))
    expect([world.calls.length, await world.troubles()]).toEqual([1, ['parked 1']])
    await world.house.run(`update effects.intent set state = 'retry', attempts = 0 where doc = 1`)
    await world.note(1, 'revived')
    ;(await world.called('1/post/a/1', 2)).answer()
    await world.polled(() => world.left(1))
  })

  test('that is parked keeps its document on the desk, though the facts have nothing left to do', async () => {
    world.recovery['post'] = 'neither'
    const worker = await started()
    await world.begin(worker, { doc: 1, plan: post })
    ;(await world.called('1/post/a/1')).answer({ kind: 'unknown', reason: 'timeout' })
    await world.polled(() => world.asleep(1))
    await world.cancel(1)
    await world.polled(async () => (await world.done(1)).includes('close') && (await world.asleep(1)))
    expect(await world.intents(1)).toMatchObject([{ state: 'parked' }])
  })

  test('that could not be told of is not parked either', async () => {
    world.recovery['post'] = 'neither'
    let told = 0
    const worker = await world.worker({
      async parked() {
        if (told++ === 0) throw new Error('the parking is full')
      },
    })
    worker.runner.start()
    await world.begin(worker, { doc: 1, plan: post })
    ;(await world.called('1/post/a/1')).answer({ kind: 'unknown', reason: 'timeout' })
    await world.polled(async () => (await world.desk(1))?.failures === 1)
    expect(await world.intents(1)).toMatchObject([{ state: 'intended' }])
    await world.timePasses(251)
    await world.polled(async () => (await world.intents(1))[0]?.state === 'parked')
    expect([told, world.calls.length]).toEqual([2, 1])
  })
})

test.each<[Recovery, string[], string]>([
  ['lookup', ['post', 'post?'], 'intended'],
  ['key', ['post', 'post'], 'intended'],
  ['neither', ['post'], 'parked'],
])(
  'an intent found after a takeover is resolved as its connector can: %s',
  async (recovery, operations, state) => {
    world.recovery['post'] = recovery
    const gone = await world.worker()
    await world.begin(gone, { doc: 1, plan: post })
    await world.called('1/post/a/1')
    await world.kill(gone)
    const heir = await started()
    expect(await takeOver(heir.database, heir.epoch)).toContain(gone.epoch)
    if (state === 'parked') await world.polled(() => world.asleep(1))
    else await world.called('1/post/a/1', 2)
    expect(world.calls.map(({ operation }) => operation)).toEqual(operations)
    expect(await world.intents(1)).toMatchObject([{ key: 'post/a/1', state }])
    expect(await world.troubles()).toEqual(state === 'parked' ? ['parked 1'] : [])
  },
)

describe('an answer', () => {
  /** A document whose two calls are under way when it is given up for the answer of the first. */
  async function givenUp(worker: ToyWorker) {
    await world.begin(worker, { doc: 1, plan: { post: ['a', 'b'], poison: 'confirmed' } })
    const [a, b] = [await world.called('1/post/a/1'), await world.called('1/post/b/1')]
    a.answer()
    await world.until(async () => (await world.desk(1))?.owner === null)
    await world.house.run(`update public.toy set plan = '{"post": ["a", "b"]}' where doc = 1`)
    return b
  }

  test('for a document given up meanwhile is nobody’s, and is asked for again', async () => {
    const worker = await started()
    const b = await givenUp(worker)
    b.answer()
    await world.clock.settle()
    expect([await world.done(1), worker.runner.owned]).toEqual([[], 0])
    await world.timePasses(251)
    for (const key of ['1/post/a/1', '1/post/b/1']) (await world.called(key, 2)).answer()
    await world.polled(() => world.left(1))
    expect((await world.done(1)).toSorted()).toEqual(['close', 'post a', 'post b'])
    expect(worker.errors).toHaveLength(1)
  })

  test('counts once, though the document came back and asked again before it came', async () => {
    const worker = await started()
    const b = await givenUp(worker)
    await world.timePasses(251)
    const again = await world.called('1/post/b/1', 2)
    b.answer()
    await world.polled(async () => (await world.done(1)).includes('post b'))
    again.answer()
    ;(await world.called('1/post/a/1', 2)).answer()
    await world.polled(() => world.left(1))
    expect(await world.done(1)).toEqual(['post b', 'post a', 'close'])
  })

  test('is not waited for any longer once a person has settled the call by hand', async () => {
    world.recovery['unpost'] = 'neither'
    world.recovery['post'] = 'neither'
    const worker = await started()
    await world.begin(worker, { doc: 1, plan: { post: ['a', 'b'] } })
    ;(await world.called('1/post/a/1')).answer({ kind: 'unknown', reason: 'timeout' })
    await world.polled(async () => (await world.intents(1))[0]?.state === 'parked')
    await world.house.run(`update public.toy set done = '{post a}', version = version + 1 where doc = 1`)
    await world.house.run(`delete from effects.intent where state = 'parked'`)
    await world.note(1, 'settled')
    ;(await world.called('1/post/b/1')).answer()
    await world.polled(() => world.left(1), 'the end')
    expect((await world.done(1)).toSorted()).toEqual(['close', 'note settled', 'post a', 'post b'])
  })
})

describe('a lane that lets go', () => {
  test('brings its documents back when its gate opens', async () => {
    const worker = await started()
    worker.gate.closedUntil = new Date(world.clock.now().getTime() + 60_000)
    await world.begin(worker, { doc: 1, plan: post }, { doc: 2, plan: post })
    await world.polled(async () => (await world.asleep(1)) && (await world.asleep(2)))
    expect([worker.runner.owned, world.calls.length]).toEqual([0, 0])
    expect(await world.intents(1)).toMatchObject([{ state: 'retry', attempts: 0 }])
    expect((await world.desk(1))!.dueInMs).toBeGreaterThan(50_000)
    await world.timePasses(60_000)
    for (const key of ['1/post/a/1', '2/post/a/1']) (await world.called(key)).answer()
    await world.polled(async () => (await world.left(1)) && (await world.left(2)))
  })

  test('because it is full brings them back as well', async () => {
    const worker = await world.worker({ openMax: 1 })
    worker.runner.start()
    world.reply = () => ({ kind: 'confirmed', answer: 'ok' })
    await world.begin(worker, ...[1, 2, 3].map((doc) => ({ doc, plan: post })))
    const sentAway = async (doc: number) => (await world.asleep(doc)) || (await world.left(doc))
    await world.polled(async () => (await sentAway(2)) && (await sentAway(3)))
    await world.timePasses(1_001)
    await world.polled(async () => (await world.left(2)) && (await world.left(3)))
    expect(world.calls.map(({ keys }) => keys.join()).toSorted()).toEqual([
      '1/post/a/1',
      '2/post/a/1',
      '3/post/a/1',
    ])
  })
})
