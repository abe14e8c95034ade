import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { createLane } from '#platform/lanes.ts'
import { openLease } from '#platform/lease.ts'
import { openPolicies } from '#platform/policies-exchange.ts'
import { createTurns } from '#platform/reading-turns.ts'
import { createRunner } from '#platform/runner.ts'
import { createWorker, type Life, type Worker } from '#platform/worker.ts'
import { TestGate } from './held-system.ts'
import { pausable, type PausableConnections } from './pausable-connections.ts'
import { createToys, type NewToy, toy } from './toy-process.ts'
import { CAUSE, openToyWorld, POLL_MS, type ToyWorld } from './toy-world.ts'

let world: ToyWorld
let workers: Worker[]
let connections: PausableConnections
/** The epochs that began, and what is to be thrown instead of beginning. */
let epochs: number[]
let failures: Error[]
let events: string[]
beforeAll(async () => {
  world = await openToyWorld()
  reset()
})
afterEach(async () => {
  connections.failing = undefined
  await Promise.all(workers.map((worker) => stopped(worker)))
  await world.reset()
  reset()
})
afterAll(() => world.end())

function reset(): void {
  ;[workers, epochs, failures, events] = [[], [], [], []]
  connections = pausable(world.pool)
}

function supervised(): Worker {
  const { clock } = world
  const random = (): number => 0.5
  const worker = createWorker({
    connections,
    clock,
    database: { random },
    name: 'toy',
    onEvent: (message) => events.push(message),
    begin(epoch, database, lease): Life {
      const failure = failures.shift()
      if (failure) throw failure
      epochs.push(epoch)
      const policies = openPolicies({
        database,
        clock,
        random,
        holder: epoch,
        workers: () => lease.workers,
        policies: {},
        onError: () => undefined,
      })
      const lane = createLane({
        connector: world.connector('store'),
        gate: new TestGate(clock, 100),
        clock,
        random,
        openMax: 100,
        callBack: (limit) => runner.callBack('store', limit),
        mayStillSend: () => lease.valid(),
      })
      const lanes = new Map([['store', lane]])
      const runner = createRunner({
        database,
        clock,
        random,
        epoch,
        processes: [toy],
        lanes,
        route: (_, capability) => capability,
        inFlightMax: 100,
        batchMax: 100,
        restMs: 0,
        claimPollMs: POLL_MS,
        verifyFacts: true,
        parked: async () => undefined,
        spokenLate: async () => undefined,
        poisoned: async () => undefined,
        inDoubt: (error) => void lease.release(error.message),
        onError: (message, error) => events.push(`${message}: ${String(error)}`),
      })
      const turns = createTurns({ database, clock, holder: epoch })
      return { epoch, runner, lanes, policies, turns, mayStillSend: () => lease.valid() }
    },
  })
  workers.push(worker)
  return worker
}

/** Stops it while time passes, since it may be waiting for its next try. */
async function stopped(worker: Worker): Promise<void> {
  let done = false
  const stopping = worker.stop().then(() => (done = true))
  await world.polled(() => done, 'the stop')
  await stopping
}

const begin = (worker: Worker, toys: NewToy): Promise<void> =>
  worker.runner().transaction(CAUSE, async (tx, turn) => {
    turn.begin(createToys(tx, [toys]).map((facts) => ({ process: toy, facts })))
  })

test('a worker whose lease is ended starts with a new epoch, and what was under way is finished once', async () => {
  const worker = supervised()
  expect(() => worker.runner()).toThrow('getting ready')
  await worker.start()
  const old = worker.runner()
  await begin(worker, { doc: 1, plan: { post: ['a'] } })
  const call = await world.called('1/post/a/1')
  const renewal = connections.pause('lease.open', 'before')
  await world.endSession(epochs[0]!)
  await world.polled(() => worker.life === undefined, 'the loss')
  expect(() => worker.runner()).toThrow('getting ready')
  // Its answer comes to nobody.
  call.answer()
  renewal.resume()
  const lookUp = await world.called('1/post/a/1', 2)
  expect([lookUp.operation, old.owned, worker.runner() === old]).toEqual(['post?', 0, false])
  lookUp.answer()
  await world.polled(() => world.left(1))
  expect(await world.done(1)).toEqual(['post a', 'close'])
  expect(await world.leased()).toEqual([epochs[1]])
  expect(events).toContain('the lease was lost; starting anew')
})

test('a worker takes over from one that is gone while it works', async () => {
  const worker = supervised()
  await worker.start()
  const gone = await openLease(world.pool, world.clock, 'gone')
  await world.enroll({ doc: 1, plan: {} })
  await world.house.run('update desk.document set owner = $1, due_at = $2', [
    gone.epoch,
    new Date('2199-01-01'),
  ])
  await gone.release()
  await world.polled(() => world.left(1))
  expect([await world.done(1), events]).toEqual([['close'], ['took over from processes that are gone']])
})

test('a beginning that fails leaves no lease behind', async () => {
  const worker = supervised()
  failures.push(new Error('no lanes'))
  await expect(worker.start()).rejects.toThrow('no lanes')
  await world.until(async () => (await world.leased()).length === 0)
  await worker.start()
  expect(await world.leased()).toEqual(epochs)
})

test('a worker that cannot begin again tries until it can, holding one lease', async () => {
  const worker = supervised()
  await worker.start()
  failures.push(new Error('one'), new Error('two'), new Error('three'))
  await world.endSession(epochs[0]!)
  await world.polled(() => worker.life !== undefined && epochs.length === 2, 'the new life')
  await world.until(async () => (await world.leased()).join() === String(epochs[1]))
  expect(events.filter((event) => event.includes('trying again'))).toHaveLength(3)
})

test('a worker that is stopped while it begins again does not come to life', async () => {
  const worker = supervised()
  await worker.start()
  const pause = connections.pause('lease.others', 'before')
  await world.endSession(epochs[0]!)
  await world.polled(() => worker.life === undefined, 'the loss')
  let done = false
  const stopping = worker.stop().then(() => (done = true))
  pause.resume()
  await world.polled(() => done, 'the stop')
  await stopping
  await world.until(async () => (await world.leased()).length === 0)
  expect(worker.life).toBeUndefined()
})

test('a stop lets what is under way end, and gives the lease back', async () => {
  const worker = supervised()
  await worker.start()
  await begin(worker, { doc: 1, plan: { post: ['a'] } })
  const call = await world.called('1/post/a/1')
  const stopping = worker.stop()
  call.answer()
  await stopping
  expect([await world.done(1), await world.desk(1)]).toEqual([['post a', 'close'], undefined])
  await world.until(async () => (await world.leased()).length === 0)
  expect(() => worker.runner()).toThrow('getting ready')
})
