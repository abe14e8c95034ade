/** What a process leaves due is claimed by another: at once when word comes, at the next poll when it does not. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { createReception } from '#platform/reception.ts'
import { createToys, toy, toyRow } from './toy-process.ts'
import { CAUSE, openToyWorld, POLL_MS, type ToyWorld } from './toy-world.ts'

let world: ToyWorld
beforeAll(async () => {
  world = await openToyWorld()
})
afterEach(() => world.reset())
afterAll(() => world.end())

const post = { post: ['a'] }
const docs = (count: number) => Array.from({ length: count }, (_, at) => ({ doc: at + 1, plan: post }))

describe('a worker', () => {
  test('claims at word what is due, before any poll', async () => {
    const { runner, epoch } = await world.worker()
    runner.start()
    await world.until(() => world.clock.pending > 0, 'the first poll')
    await world.enroll({ doc: 1, plan: post })
    runner.claimNow()
    await world.until(() => world.calls.length === 1, 'the call')
    expect(await world.desk(1)).toMatchObject({ owner: epoch })
  })

  test('without word claims it at its next poll', async () => {
    const { runner } = await world.worker()
    runner.start()
    await world.until(() => world.clock.pending > 0, 'the first poll')
    await world.enroll({ doc: 1, plan: post })
    await world.clock.advance(POLL_MS - 1)
    expect(world.calls).toHaveLength(0)
    await world.clock.advance(1)
    await world.until(() => world.calls.length === 1, 'the call')
  })

  test('that hears word while it claims claims once more, and never beyond its room', async () => {
    const { runner } = await world.worker({ batchMax: 4, inFlightMax: 6 })
    await world.enroll(...docs(10))
    runner.start()
    for (let word = 0; word < 5; word++) runner.claimNow()
    await world.until(() => world.calls.length === 6, 'the calls')
    await world.clock.settle()
    expect([runner.owned, world.calls.length]).toEqual([6, 6])
  })

  test('that has no room for what is due says so, and claims on as soon as half its work is done', async () => {
    let said = 0
    const { runner } = await world.worker({ batchMax: 4, inFlightMax: 4, leftDue: () => said++ })
    await world.enroll(...docs(6))
    runner.start()
    await world.until(() => world.calls.length === 4, 'the calls')
    expect(said).toBe(1)
    world.calls[0]!.answer()
    world.calls[1]!.answer()
    await world.until(() => world.calls.length === 6, 'the calls that had no room')
  })

  test('says when it claims something, so that what systems can bear is read again, and else is silent', async () => {
    let said = 0
    const { runner } = await world.worker({ claimed: () => said++ })
    runner.start()
    await world.until(() => world.clock.pending > 0, 'the first poll')
    expect(said).toBe(0)
    await world.enroll(...docs(2))
    runner.claimNow()
    await world.until(() => world.calls.length === 2, 'the calls')
    expect(said).toBe(1)
  })

  test('that has room for all that is due says nothing', async () => {
    let said = 0
    const { runner } = await world.worker({ batchMax: 4, inFlightMax: 6, leftDue: () => said++ })
    await world.enroll(...docs(5))
    runner.start()
    await world.until(() => world.calls.length === 5, 'the calls')
    expect(said).toBe(0)
  })
})

describe('a reception', () => {
  const reception = (leftDue: () => void) => createReception(world.house.database, leftDue)

  test('owns nothing of what begins or wakes at its doors, and says that it is due once it is committed', async () => {
    const seen: (object | undefined)[] = []
    const { promise: left, resolve } = Promise.withResolvers<void>()
    const runner = reception(() => resolve())
    await world.enroll({ doc: 2, plan: post })
    await world.house.run(`update desk.document set due_at = now() + interval '1 hour' where doc = 2`)
    await runner.transaction(CAUSE, async (tx, docket) => {
      const facts = createToys(tx, [{ doc: 1, plan: post }])
      docket.begin(facts.map((one) => ({ process: toy, facts: one })))
      // Waking what begins in the same transaction changes nothing about it.
      await docket.wake([toyRow(1), toyRow(2)])
      docket.wakeAfterwards([toyRow(3)])
      seen.push(await world.desk(1))
    })
    await left
    expect(seen).toEqual([undefined])
    for (const [doc, version] of [
      [1, 1],
      [2, 2],
      [3, 1],
    ] as const) {
      const row = await world.desk(doc)
      expect(row).toMatchObject({ owner: null, version })
      expect(row!.dueInMs).toBeLessThanOrEqual(0)
    }
    expect([world.calls, await world.intents(1)]).toEqual([[], []])
  })

  test('says nothing when nothing came of a transaction, or it failed', async () => {
    let said = 0
    const runner = reception(() => said++)
    expect(await runner.transaction(CAUSE, async () => 'refused')).toBe('refused')
    const failing = runner.transaction(CAUSE, async (_tx, docket) => {
      await docket.wake([toyRow(1)])
      throw new Error('the door changed its mind')
    })
    await expect(failing).rejects.toThrow('changed its mind')
    expect([said, await world.desk(1)]).toEqual([0, undefined])
  })

  test('leaves to a worker what it took in, and a document under way there is looked at again when it is woken', async () => {
    const { runner } = await world.worker()
    runner.start()
    await world.until(() => world.clock.pending > 0, 'the first poll')
    const doors = reception(() => runner.claimNow())
    await doors.transaction(CAUSE, async (tx, docket) => {
      docket.begin(createToys(tx, [{ doc: 1, plan: post }]).map((facts) => ({ process: toy, facts })))
    })
    const call = await world.called('1/post/a/1')
    await doors.transaction(CAUSE, async (_tx, docket) => docket.wake([toyRow(1)]))
    call.answer()
    await world.polled(() => world.left(1))
    expect(await world.done(1)).toEqual(['post a', 'close'])
  })
})
