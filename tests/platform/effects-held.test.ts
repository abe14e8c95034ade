import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { awaitedSystems } from '#platform/effects-held.ts'
import { openToyWorld, type ToyWorker, type ToyWorld } from './toy-world.ts'

let world: ToyWorld
beforeAll(async () => {
  world = await openToyWorld()
})
afterEach(() => world.reset())
afterAll(() => world.end())

const COUNT = 60
const plan = { post: ['a'] }
/** The least urgent come first. */
const priorityOf = (doc: number): number => 4 - Math.floor((5 * (doc - 1)) / COUNT)
const docs = Array.from({ length: COUNT }, (_, at) => ({ doc: at + 1, plan, priority: priorityOf(at + 1) }))

const isEveryone = async (condition: string): Promise<boolean> => {
  const rows = await world.house.run(`select from desk.document where ${condition}`)
  return rows.length === COUNT
}

const held = () =>
  world.house.run<{ doc: number }>('select doc from effects.held order by system, priority, n')

async function sentAway(worker: ToyWorker): Promise<void> {
  worker.gate.closedUntil = new Date(world.clock.now().getTime() + 60_000)
  await world.enroll(...docs)
  worker.runner.start()
  await world.polled(() => isEveryone(`owner is null and due_at > now()`), 'that all are sent away')
}

const left = async (): Promise<boolean> => (await world.house.run('select from desk.document')).length === 0

test('what a closed gate sent away is called back by priority, then age, in portions', async () => {
  const worker = await world.worker({ openMax: 8 })
  await sentAway(worker)
  expect((await held()).map(({ doc }) => priorityOf(doc))).toEqual(docs.map(({ doc }) => 4 - priorityOf(doc)))
  world.reply = () => ({ kind: 'confirmed', answer: 'ok' })
  await world.timePasses(60_000)
  await world.polled(left, 'the end')
  const sent = world.calls.flatMap(({ keys }) => keys).map((key) => priorityOf(Number(key.split('/')[0])))
  expect(sent).toEqual(sent.toSorted((a, b) => a - b))
  expect(sent).toHaveLength(COUNT)
  expect(await held()).toEqual([])
})

test('while a gate stays closed only a few look whether it has opened, however many wait', async () => {
  const worker = await world.worker()
  await sentAway(worker)
  worker.gate.closedUntil = new Date(world.clock.now().getTime() + 3_600_000)
  const before = await held()
  await world.timePasses(60_000)
  const hasMoved = async (): Promise<boolean> => {
    const now = (await held()).map(({ doc }) => doc)
    const [ten, others] = [before.slice(0, 10), before.slice(10)].map((some) => some.map(({ doc }) => doc))
    const [kept, mostUrgent] = [others!.filter((doc) => priorityOf(doc) > 0), others!.slice(0, 2)]
    return (
      JSON.stringify([
        ...now.slice(0, 2),
        ...now.slice(2, 12).toSorted((a, b) => a - b),
        ...now.slice(12),
      ]) === JSON.stringify([...mostUrgent, ...ten!, ...kept])
    )
  }
  await world.polled(hasMoved, 'that ten have looked')
  await world.timePasses(600_000)
  expect(await hasMoved()).toBe(true)
  expect(world.calls).toEqual([])
  expect(await isEveryone(`owner is null and due_at > now()`)).toBe(true)
})

test('what a process sent away that is gone is called back by another', async () => {
  const gone = await world.worker()
  await sentAway(gone)
  await gone.runner.stop('forget')
  const heir = await world.worker()
  world.reply = () => ({ kind: 'confirmed', answer: 'ok' })
  await world.timePasses(60_000)
  heir.lanes.get('store')!.recall()
  await world.timePasses(2_000)
  await world.polled(left, 'the end')
  expect(world.calls).toHaveLength(COUNT)
})

test('a process that begins learns for which systems documents wait', async () => {
  const worker = await world.worker()
  await sentAway(worker)
  expect(await awaitedSystems(worker.database, ['store', 'another'])).toEqual(['store'])
})

test('a document that is deferred for a reason of its own is called back no more', async () => {
  const worker = await world.worker({ openMax: 8 })
  await sentAway(worker)
  world.reply = (_, [key]) =>
    key!.startsWith(`${COUNT}/`) ? { kind: 'retry', reason: '503' } : { kind: 'confirmed', answer: 'ok' }
  await world.timePasses(60_000)
  await world.polled(
    async () => (await world.house.run('select from desk.document')).length === 1,
    'that one is left',
  )
  expect(await held()).toEqual([])
  expect(await world.intents(COUNT)).toMatchObject([{ state: 'retry', attempts: 1 }])
})
