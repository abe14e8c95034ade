import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { isOutage } from '#platform/outage.ts'
import type { Plan } from './toy-process.ts'
import { openToyWorld, type ToyWorld } from './toy-world.ts'

let world: ToyWorld
beforeAll(async () => {
  world = await openToyWorld()
})
afterEach(() => world.reset())
afterAll(() => world.end())

const plan: Plan = { post: ['a'] }

describe('a stop that drains', () => {
  test('waits for whoever is about to begin a document, which is left due', async () => {
    const worker = await world.worker()
    worker.runner.start()
    const pause = worker.connections.pause('database.commit', 'before')
    const beginning = world.begin(worker, { doc: 1, plan })
    await pause.reached
    let stopped = false
    const stopping = worker.runner.stop('drain').then(() => (stopped = true))
    await world.clock.settle()
    expect(stopped).toBe(false)
    pause.resume()
    await Promise.all([beginning, stopping])
    expect([await world.desk(1), world.calls]).toMatchObject([{ owner: null, failures: 0 }, []])
  })

  test('waits for what it is about to claim, which is left due', async () => {
    const worker = await world.worker()
    await world.enroll({ doc: 1, plan })
    const pause = worker.connections.pause('desk.claim', 'before')
    worker.runner.start()
    await pause.reached
    const stopping = worker.runner.stop('drain')
    pause.resume()
    await stopping
    expect([await world.desk(1), world.calls]).toMatchObject([{ owner: null, failures: 0 }, []])
  })

  test('lets nobody begin anything after it', async () => {
    const worker = await world.worker()
    worker.runner.start()
    await worker.runner.stop('drain')
    const failure = await world.begin(worker, { doc: 1, plan }).catch((error: unknown) => error)
    expect([isOutage(failure), await world.desk(1)]).toEqual([true, undefined])
  })
})
