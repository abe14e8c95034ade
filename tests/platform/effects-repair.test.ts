/** Calls in a person's hands: what he says of them is their outcome, and nothing is done behind a live process's back. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { listAudit } from '#platform/audit.ts'
import { intentsOf } from '#platform/effects.ts'
import { type Finding, resolveCall, retryCall } from '#platform/effects-repair.ts'
import { openToyWorld, type ToyWorker, type ToyWorld } from './toy-world.ts'

let world: ToyWorld
beforeAll(async () => {
  world = await openToyWorld()
})
afterEach(() => world.reset())
afterAll(() => world.end())

const KEY = '1/post/a/1'
const ann = { actor: 'ann', reason: 'seen at the store' }
const done: Finding = { kind: 'confirmed', answer: { number: 'S-1' } }
const no: Finding = { kind: 'refused', code: 'by_hand', message: 'the store will not' }
const absent: Finding = { kind: 'absent' }

const resolve = (finding: Finding, key = KEY): Promise<void> =>
  world.house.database.transaction((tx) => resolveCall(tx, key, () => finding, ann))
const retry = (key = KEY): Promise<void> => world.house.database.transaction((tx) => retryCall(tx, key, ann))

const stateOf = async (doc = 1): Promise<string | undefined> => (await world.intents(doc))[0]?.state

async function started(): Promise<ToyWorker> {
  const worker = await world.worker()
  worker.runner.start()
  return worker
}

/** Its answer was lost, and the store can neither be asked nor be trusted with a repetition. */
async function parked(subjects: readonly string[] = ['a']): Promise<ToyWorker> {
  world.recovery['post'] = 'neither'
  const worker = await started()
  await world.begin(worker, { doc: 1, plan: { post: subjects } })
  ;(await world.called(KEY)).answer({ kind: 'unknown', reason: 'timeout' })
  await world.polled(async () => (await stateOf()) === 'parked')
  return worker
}

describe('what a person found out about a parked call', () => {
  test('is its outcome: the document goes on as if the system had said so', async () => {
    await parked()
    await resolve(done)
    await world.polled(() => world.left(1))
    expect([await world.done(1), world.calls.length]).toEqual([['post a', 'close'], 1])
  })

  test('waits for a process where none lives, and is taken once', async () => {
    const worker = await parked()
    await world.polled(() => world.asleep(1))
    await world.kill(worker)
    await resolve(done)
    expect(await stateOf()).toBe('resolved')
    await started()
    await world.polled(() => world.left(1))
    expect([await world.done(1), world.calls.length]).toEqual([['post a', 'close'], 1])
  })

  test('is a refusal of that person, which leads to a try of another generation when it is asked for', async () => {
    await parked()
    await resolve(no)
    const steps = () => world.house.run('select state, generation, actor, reason from desk.step')
    await world.polled(async () => (await steps()).length === 1)
    expect(await steps()).toEqual([
      { state: 'refused', generation: 1, actor: 'ann', reason: 'by_hand: the store will not' },
    ])
    await world.restart(1)
    ;(await world.called('1/post/a/2')).answer()
    await world.polled(() => world.left(1))
  })

  test('is taken although its document is owned for the sake of another call', async () => {
    await parked(['a', 'b'])
    const other = await world.called('1/post/b/1')
    expect((await world.desk(1))!.owner).not.toBeNull()
    await resolve(done)
    other.answer()
    await world.polled(() => world.left(1))
    expect((await world.done(1)).toSorted()).toEqual(['close', 'post a', 'post b'])
  })

  test('has it sent again under its key where the system has nothing of it, but not before that is sure', async () => {
    await parked()
    await expect(resolve(absent)).rejects.toMatchObject({ code: 'effects.may_still_show' })
    await world.house.run(`update effects.intent set absent_after = now() - interval '1 second'`)
    await resolve(absent)
    ;(await world.called(KEY, 2)).answer()
    await world.polled(() => world.left(1))
    expect(world.calls.map(({ operation }) => operation)).toEqual(['post', 'post'])
  })

  test('is said once: the same words change nothing, others are refused, and each is audited', async () => {
    const worker = await parked()
    await world.polled(() => world.asleep(1))
    await world.kill(worker)
    const before = await listAudit(world.house.database, { action: 'effects.resolved', doc: 1 })
    await resolve(done)
    await resolve(done)
    await expect(resolve(no)).rejects.toMatchObject({ code: 'effects.resolved' })
    await expect(retry()).rejects.toMatchObject({ code: 'effects.resolved' })
    const trail = await listAudit(world.house.database, { action: 'effects.resolved', doc: 1 })
    expect(trail.length).toBe(before.length + 1)
    expect(trail[0]).toMatchObject({
      ...ann,
      company: 'north',
      after: { key: KEY, was: 'parked', outcome: 'confirmed' },
    })
  })

  test('keeps the instants of its answer', async () => {
    const worker = await parked()
    await world.polled(() => world.asleep(1))
    await world.kill(worker)
    const answer = { number: '2026-11-21T08:30:00.000Z', postedAt: new Date('2026-11-21T08:30:00.000Z') }
    await resolve({ kind: 'confirmed', answer })
    const [intent] = await intentsOf(world.house.database, [1])
    expect(intent!.resolution).toMatchObject({ actor: 'ann', verdict: { kind: 'confirmed', answer } })
  })
})

describe('nothing is said of a call', () => {
  test('that is not open', async () => {
    await parked()
    for (const key of ['1/post/a/2', '2/post/a/1', 'post'])
      await expect(resolve(done, key)).rejects.toMatchObject({ code: 'effects.not_found' })
  })

  test('that a process has under way, whether it is asked of or hurried', async () => {
    const worker = await started()
    await world.begin(worker, { doc: 1, plan: { post: ['a'] } })
    ;(await world.called(KEY)).answer({ kind: 'unknown', reason: 'timeout' })
    await world.polled(() => world.asleep(1))
    await world.timePasses(1_001)
    await world.called(KEY, 2)
    expect(await stateOf()).toBe('unknown')
    await expect(resolve(done)).rejects.toMatchObject({ code: 'effects.under_way' })
    await expect(retry()).rejects.toMatchObject({ code: 'effects.under_way' })
  })

  test('that surely did nothing and is tried again', async () => {
    const worker = await started()
    await world.begin(worker, { doc: 1, plan: { post: ['a'] } })
    ;(await world.called(KEY)).answer({ kind: 'retry', reason: 'busy' })
    await world.polled(() => world.asleep(1))
    await expect(resolve(done)).rejects.toMatchObject({ code: 'effects.not_in_doubt' })
  })

  test('without a reason', async () => {
    await parked()
    const blank = world.house.database.transaction((tx) =>
      resolveCall(tx, KEY, () => done, { actor: 'ann', reason: ' ' }),
    )
    await expect(blank).rejects.toMatchObject({ code: 'parking.reason_missing' })
  })
})

describe('a call that a person hurries', () => {
  test('is made now, before its time', async () => {
    const worker = await started()
    await world.begin(worker, { doc: 1, plan: { post: ['a'] } })
    const at = new Date(world.clock.now().getTime() + 3_600_000)
    ;(await world.called(KEY)).answer({ kind: 'retry', reason: 'closed', at })
    await world.polled(() => world.asleep(1))
    await retry()
    ;(await world.called(KEY, 2)).answer()
    await world.polled(() => world.left(1))
    expect(world.calls.map(({ operation }) => operation)).toEqual(['post', 'post'])
  })

  test('is looked up first where it is in doubt, also when it was parked', async () => {
    const worker = await started()
    await world.begin(worker, { doc: 1, plan: { post: ['a'] } })
    ;(await world.called(KEY)).answer({ kind: 'unknown', reason: 'timeout' })
    await world.polled(() => world.asleep(1))
    await world.house.run(`update effects.intent set state = 'parked', attempts = 8, due_at = null`)
    await retry()
    ;(await world.called(KEY, 2)).answer()
    await world.polled(() => world.left(1))
    expect(world.calls.map(({ operation }) => operation)).toEqual(['post', 'post?'])
  })

  test('is sent by no number of wishes where it is in doubt, and its system can neither be asked nor trusted', async () => {
    await parked()
    for (let nth = 0; nth < 3; nth++) {
      await retry()
      await world.polled(async () => (await stateOf()) === 'parked')
    }
    expect(world.calls).toHaveLength(1)
  })
})

test('a repetition that surely did nothing leaves open whether the call before it did', async () => {
  world.recovery['post'] = 'key'
  const worker = await started()
  await world.begin(worker, { doc: 1, plan: { post: ['a'] } })
  ;(await world.called(KEY)).answer({ kind: 'unknown', reason: 'timeout' })
  await world.polled(() => world.asleep(1))
  await retry()
  ;(await world.called(KEY, 2)).answer({ kind: 'retry', reason: 'busy' })
  await world.polled(() => world.asleep(1))
  expect(await stateOf()).toBe('unknown')
  await resolve(done)
  await world.polled(() => world.left(1))
})
