import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { takeOver } from '#platform/lease.ts'
import { sql } from '#platform/database.ts'
import { CAUSE, openToyWorld, type ToyWorker, type ToyWorld } from './toy-world.ts'

let world: ToyWorld
beforeAll(async () => {
  world = await openToyWorld()
})
afterEach(() => world.reset())
afterAll(() => world.end())

const COUNT = 60
const docs = Array.from({ length: COUNT }, (_, at) => at + 1)

async function fleet(): Promise<[ToyWorker, ToyWorker]> {
  const workers: [ToyWorker, ToyWorker] = [
    await world.worker({ batchMax: 10, inFlightMax: 30 }),
    await world.worker({ batchMax: 10, inFlightMax: 30 }),
  ]
  for (const { runner } of workers) runner.start()
  return workers
}

const ownersOf = async (): Promise<Map<number, number>> =>
  new Map(
    (
      await world.house.run<{ owner: number; count: number }>(
        'select owner, count(*) from desk.document where owner is not null group by owner',
      )
    ).map(({ owner, count }) => [owner, count]),
  )

const allDone = async (): Promise<void> => {
  const rows = await world.house.run<{ done: string[] }>('select done from public.toy')
  expect(rows.map(({ done }) => done.join())).toEqual(docs.map(() => 'post a,close'))
}

test('documents are shared by the runners, each owned by one and worked on once', async () => {
  await world.enroll(...docs.map((doc) => ({ doc, plan: { post: ['a'] } })))
  const workers = await fleet()
  await world.polled(() => world.calls.length === COUNT)
  expect(await ownersOf()).toEqual(new Map(workers.map(({ epoch }) => [epoch, 30])))
  expect(workers.map(({ runner }) => runner.owned)).toEqual([30, 30])
  for (const call of world.calls) call.answer()
  await world.polled(async () => (await world.house.run('select from desk.document')).length === 0)
  await allDone()
  expect(world.calls).toHaveLength(COUNT)
})

test('when one is gone the other finishes its work, and nothing of the zombie is committed or survives', async () => {
  await world.enroll(...docs.map((doc) => ({ doc, plan: { post: ['a'] } })))
  const [zombie, heir] = await fleet()
  await world.polled(() => world.calls.length === COUNT)
  const first = [...world.calls]
  // Its session ends, but it does not know and works on.
  await world.endSession(zombie.epoch)
  expect(await takeOver(heir.database, heir.epoch)).toContain(zombie.epoch)
  for (const call of first) call.answer()
  world.reply = () => ({ kind: 'confirmed', answer: 'ok' })
  await world.polled(async () => (await world.house.run('select from desk.document')).length === 0)
  await allDone()
  const doubted = world.calls.slice(COUNT)
  expect(new Set(doubted.map(({ operation }) => operation))).toEqual(new Set(['post?']))
  expect(doubted).toHaveLength(30)

  await expect(world.begin(zombie, { doc: 99, plan: {} })).rejects.toMatchObject({ code: 'CD001' })
  // Being fenced off is no document's failure.
  expect(zombie.errors.filter((error) => !error.startsWith('due documents could not be claimed'))).toEqual([])
  expect(zombie.runner.owned).toBe(30)
  await zombie.runner.stop('forget')
  expect(zombie.runner.owned).toBe(0)
})

test('a transaction of the dead that has begun is waited for, and counts', async () => {
  const [dying, heir] = [await world.worker(), await world.worker()]
  await world.begin(dying, { doc: 1, plan: { post: ['a'] } })
  const call = await world.called('1/post/a/1')
  const pause = dying.connections.pause('database.commit', 'before')
  call.answer()
  await pause.reached
  await world.endSession(dying.epoch)
  const taking = takeOver(heir.database, heir.epoch)
  await world.until(
    async () => (await world.house.run('select from pg_locks where not granted')).length > 0,
    'the heir’s wait',
  )
  pause.resume()
  expect(await taking).toContain(dying.epoch)
  heir.runner.start()
  await world.polled(() => world.left(1))
  expect([await world.done(1), world.calls.length]).toEqual([['post a', 'close'], 1])
})

test('a wake-up by one of a document that the other owns is seen by its owner', async () => {
  const [owner, other] = await fleet()
  await world.begin(owner, { doc: 1, plan: { post: ['a'], open: true } })
  const call = await world.called('1/post/a/1')
  const note = sql('toy.fleet_note', `insert into public.toy_note values (1, 'from afar')`)
  await other.runner.transaction(CAUSE, async (tx, turn) => {
    tx.send(note)
    turn.wakeAfterwards([{ doc: 1, process: 'toy', company: 'north', priority: 2, share: 0 }])
  })
  expect(other.runner.owned).toBe(0)
  call.answer()
  await world.polled(() => world.asleep(1))
  expect((await world.done(1)).toSorted()).toEqual(['note from afar', 'post a'])
})
