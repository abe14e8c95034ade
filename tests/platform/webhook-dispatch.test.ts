/** Subscriptions side by side: slow receivers, several processes, and processes that die at the worst moment. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { headOfLog } from '#platform/log.ts'
import { attemptsOf } from '#platform/subscription-log.ts'
import { takeSubscriptionTurns } from '#platform/subscription-turns.ts'
import { createDispatcher, type Dispatcher } from '#platform/webhook-dispatch.ts'
import { deliverTurn } from '#platform/webhook-turn.ts'
import { settledLog } from '#tests/support/settled-log.ts'
import { type Message, webhookWorld, type WebhookWorld } from './webhook-world.ts'

let world: WebhookWorld
let places = 0
const working: Dispatcher[] = []

beforeAll(async () => {
  world = await webhookWorld()
})
afterAll(() => world.end())
afterEach(async () => {
  await Promise.all(working.splice(0).map((dispatcher) => dispatcher.stop()))
  await world.open.run('delete from subscription.webhook')
  world.sent.length = 0
  world.answer = () => 204
})

/** A process that delivers; its epoch dies when it is told to. */
async function worker(
  ports: Partial<WebhookWorld['ports']> = {},
): Promise<{ dispatcher: Dispatcher; epoch: number; errors: unknown[] }> {
  const epoch = await world.process()
  const errors: unknown[] = []
  const dispatcher = createDispatcher({
    ...world.ports,
    ...ports,
    holder: () => epoch,
    onError: (_, error) => void errors.push(error),
  })
  working.push(dispatcher)
  return { dispatcher, epoch, errors }
}

const sentTo = (id: string): Message[] => world.sent.filter(({ url }) => url.includes(id))

test('a receiver that does not answer delays nobody else', async () => {
  const company = `quiet-${++places}`
  const [slow, quick] = [
    await world.subscribe({ companies: [company] }),
    await world.subscribe({ companies: [company] }),
  ]
  const { promise: never, resolve: atLast } = Promise.withResolvers<number>()
  world.answer = ({ url }) => (url.includes(slow.id) ? never : 204)
  const { dispatcher } = await worker()
  for (let doc = 1; doc <= 5; doc++) {
    await world.append(company, places * 1_000 + doc, 1)
    await settledLog(world.open.database)
    await dispatcher.dispatch()
    await world.clock.until(() => sentTo(quick.id).length === doc)
  }
  expect(sentTo(slow.id)).toHaveLength(1)
  atLast(204)
})

test('two processes share the work: every event comes, each document in its order, no two at one subscription', async () => {
  const company = `shared-${++places}`
  const ids = await Promise.all(Array.from({ length: 6 }, () => world.subscribe({ companies: [company] })))
  const [one, two] = [await worker(), await worker()]
  const busy = new Set<string>()
  let overlaps = 0
  world.answer = async ({ url, event }) => {
    const lane = url + event.subject
    if (busy.has(lane)) overlaps += 1
    busy.add(lane)
    await Promise.resolve()
    busy.delete(lane)
    return 204
  }
  for (let version = 1; version <= 5; version++) {
    for (let doc = 1; doc <= 10; doc++) await world.append(company, places * 1_000 + doc, version)
    await Promise.all([one.dispatcher.dispatch(), two.dispatcher.dispatch()])
  }
  await world.clock.until(async () => {
    await settledLog(world.open.database)
    await Promise.all([one.dispatcher.dispatch(), two.dispatcher.dispatch()])
    return ids.every(({ id }) => new Set(sentTo(id).map((message) => message.id)).size === 50)
  })
  for (const { id } of ids) {
    for (let doc = 1; doc <= 10; doc++) {
      const own = sentTo(id).filter(({ event }) => event.subject === `crate-${places * 1_000 + doc}`)
      const versions = own.map(({ event }) => Number(event.data['version']))
      expect(versions).toEqual([1, 2, 3, 4, 5])
    }
  }
  expect(overlaps).toBe(0)
  expect([...one.errors, ...two.errors]).toEqual([])
})

test('a narrow filter is led past everything that it leaves out at one look, a thousand events a turn', async () => {
  const company = `narrow-${++places}`
  const { id } = await world.subscribe({ companies: [company] })
  await world.open.run(
    `insert into log.event (type, key, key_version, company, correlation_id, data, source, actor)
     select 'crate.packed', 900000 + n, 1, 'elsewhere', 900000 + n, '{}', 'test', 'test' from generate_series(1, 2500) n`,
  )
  await world.append(company, places * 1_000, 1)
  await settledLog(world.open.database)
  const asked: string[] = []
  const database: typeof world.ports.database = {
    ...world.ports.database,
    query(statement, values) {
      asked.push(statement.name)
      return world.ports.database.query(statement, values)
    },
  }
  const { dispatcher } = await worker({ database })
  await dispatcher.dispatch()
  await world.clock.until(() => sentTo(id).length === 1)
  expect(asked.filter((name) => name === 'subscriptions.waiting')).toHaveLength(3)
})

test('what was delivered by a process that died before it could say so is delivered again under the same ids', async () => {
  const company = `died-${++places}`
  const { id } = await world.subscribe({ companies: [company] })
  for (let doc = 1; doc <= 3; doc++) await world.append(company, places * 1_000 + doc, 1)
  await settledLog(world.open.database)
  const { database } = world.ports
  const dying = await world.process()
  const head = await headOfLog(database)
  const [subscription] = await takeSubscriptionTurns(database, {
    holder: dying,
    now: world.clock.now(),
    busy: [],
    head,
  })
  const beheaded = { ...database, transaction: () => Promise.reject(new Error('the process is no more')) }
  const turn = {
    subscription: subscription!,
    holder: dying,
    isMine: () => true,
    signal: new AbortController().signal,
  }
  await expect(deliverTurn({ ...world.ports, database: beheaded }, turn)).rejects.toThrow('no more')
  const first = sentTo(id).map((message) => message.text)
  expect(first).toHaveLength(3)

  const heir = await worker()
  await heir.dispatcher.dispatch()
  expect(sentTo(id)).toHaveLength(3)
  await world.open.run('update desk.node set dead = true where epoch = $1', [dying])
  await heir.dispatcher.dispatch()
  await world.clock.until(async () => (await attemptsOf(database, id, { limit: 10 })).length === 3)
  expect(
    sentTo(id)
      .slice(3)
      .map((message) => message.text),
  ).toEqual(first)
  expect((await world.find(id)).cursor).toEqual(head)
})

test('a process that was taken over writes nothing more of its turn', async () => {
  const company = `zombie-${++places}`
  const { id } = await world.subscribe({ companies: [company] })
  await world.append(company, places * 1_000 + 1, 1)
  const heir = await world.process()
  world.answer = async () => {
    await world.open.run('update subscription.webhook set holder = $1', [heir])
    return 500
  }
  const before = (await world.find(id)).cursor
  await world.round()
  expect(await world.find(id)).toMatchObject({ cursor: before, failures: 0 })
  expect(await attemptsOf(world.ports.database, id, { limit: 10 })).toEqual([])
})

test('a house that stops counts what it interrupts as never tried', async () => {
  const company = `stopped-${++places}`
  const { id } = await world.subscribe({ companies: [company] })
  await world.append(company, places * 1_000 + 1, 1)
  await settledLog(world.open.database)
  const { dispatcher, errors } = await worker()
  const { NotSent } = await import('#platform/http-client.ts')
  const { promise, reject } = Promise.withResolvers<number>()
  world.answer = () => promise
  await dispatcher.dispatch()
  await world.clock.until(() => sentTo(id).length === 1)
  const stopped = dispatcher.stop()
  reject(new NotSent('https://x', 'aborted'))
  await stopped
  expect(errors).toEqual([])
  expect(await attemptsOf(world.ports.database, id, { limit: 10 })).toEqual([])
  world.answer = () => 204
  await world.deliver()
  expect(sentTo(id).map((message) => message.id)).toEqual([
    `evt_${places * 1_000 + 1}_1`,
    `evt_${places * 1_000 + 1}_1`,
  ])
})

test('an error of our own is told, keeps the others going, and is tried again', async () => {
  const company = `broken-${++places}`
  const [broken, sound] = [
    await world.subscribe({ companies: [company] }),
    await world.subscribe({ companies: [company] }),
  ]
  let isBroken = true
  world.answer = ({ url }) => {
    if (isBroken && url.includes(broken.id)) throw new TypeError('a bug of ours')
    return 204
  }
  await world.append(company, places * 1_000 + 1, 1)
  await settledLog(world.open.database)
  const { dispatcher, errors } = await worker()
  await dispatcher.dispatch()
  await world.clock.until(() => errors.length === 1 && sentTo(sound.id).length === 1)
  expect(String(errors[0])).toContain('a bug of ours')
  isBroken = false
  await world.clock.advance(30_000)
  await world.clock.until(async () => {
    await world.deliver()
    return (await attemptsOf(world.ports.database, broken.id, { limit: 10 })).length === 1
  })
})
