/** Going back, standing still and going on: what a subscription is sent again, and what is told of what it was sent. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { beginning } from '#platform/log.ts'
import { attemptsOf, purgeAttempts, undeliveredOf } from '#platform/subscription-log.ts'
import {
  moveSubscription,
  pauseSubscription,
  replayDeadLetters,
  resumeSubscription,
} from '#platform/subscriptions.ts'
import { openPlaces, webhookWorld, type WebhookWorld } from './webhook-world.ts'

let world: WebhookWorld
const SECOND = 1_000

beforeAll(async () => {
  world = await webhookWorld()
})
afterAll(() => world.end())
afterEach(async () => {
  await world.open.run('delete from subscription.webhook')
  world.sent.length = 0
  world.answer = () => 204
})

const { keyOf, append, subscribe, idsSent, idOf, inTx } = openPlaces(() => world)

test('a paused subscription is sent nothing, and then everything that happened meanwhile', async () => {
  const { id } = await subscribe()
  await inTx(async (tx) => pauseSubscription(tx, id, 'moving', world.clock.now()))
  await append(1)
  await world.deliver()
  expect(world.sent).toEqual([])
  await inTx(async (tx) => resumeSubscription(tx, id, world.clock.now()))
  await append(2)
  await world.deliver()
  expect(idsSent()).toEqual([idOf(1), idOf(2)])
})

describe('a replay', () => {
  test('from any position sends the same messages under the same ids', async () => {
    const { id } = await subscribe()
    const start = (await world.find(id)).cursor
    for (let doc = 1; doc <= 5; doc++) await append(doc)
    await world.deliver()
    const first = world.sent.map(({ id: each, text }) => ({ id: each, text }))
    const half = (await world.find(id)).cursor
    for (let doc = 6; doc <= 7; doc++) await append(doc)
    await world.deliver()
    world.sent.length = 0
    await inTx(async (tx) => moveSubscription(tx, id, start, world.clock.now()))
    await world.deliver()
    expect(world.sent.slice(0, 5).map(({ id: each, text }) => ({ id: each, text }))).toEqual(first)
    expect(world.sent).toHaveLength(7)
    world.sent.length = 0
    await inTx(async (tx) => moveSubscription(tx, id, half, world.clock.now()))
    await world.deliver()
    expect(idsSent()).toEqual([idOf(6), idOf(7)])
  })

  test('that is asked for while a turn is under way is not undone by its end', async () => {
    const { id } = await subscribe()
    await append(1)
    await world.deliver()
    await append(2)
    world.answer = async ({ id: each }) => {
      world.answer = () => 204
      await inTx(async (tx) => moveSubscription(tx, id, beginning, world.clock.now()))
      expect(each).toBe(idOf(2))
      return 204
    }
    await world.round()
    expect((await world.find(id)).cursor).toEqual(beginning)
    await world.deliver()
    expect(idsSent()).toEqual([idOf(1), idOf(2), idOf(1), idOf(2)])
  })

  test('of dead letters sends them again, and no other', async () => {
    const { id } = await subscribe()
    await append(1)
    await append(2)
    await world.deliver()
    const row = { state: 'dead', key: keyOf(1) }
    await world.open.run(
      `insert into subscription.delivery (subscription, key, key_version, type, generation, xid, position, state, attempts, due_at)
       select $1, key, key_version, type, generation, xid, position, $2, 10, now() from log.event where key = $3`,
      [id, row.state, row.key],
    )
    world.sent.length = 0
    expect(await inTx(async (tx) => replayDeadLetters(tx, id, world.clock.now()))).toBe(1)
    await world.deliver()
    expect(idsSent()).toEqual([idOf(1)])
    expect(await undeliveredOf(world.open.database, [id])).toEqual(new Map())
  })
})

test('the delivery log tells each attempt, newest first, and forgets those past retention', async () => {
  const { id } = await subscribe()
  await append(1)
  let failing = 1
  world.answer = () => (failing-- > 0 ? 500 : 202)
  await world.deliver()
  await world.clock.advance(5 * SECOND)
  await world.deliver()
  const all = await attemptsOf(world.open.database, id, { limit: 10 })
  expect(all).toMatchObject([
    { key: keyOf(1), number: 2, outcome: 'delivered', status: 202, cause: null },
    { key: keyOf(1), number: 1, outcome: 'failed', status: 500, cause: 'HTTP 500' },
  ])
  expect(await attemptsOf(world.open.database, id, { outcome: 'failed', limit: 10 })).toEqual([all[1]])
  expect(await attemptsOf(world.open.database, id, { before: all[0]!.id, limit: 10 })).toEqual([all[1]])
  await purgeAttempts(world.open.database, all[0]!.at)
  expect(await attemptsOf(world.open.database, id, { limit: 10 })).toEqual([all[0]])
})
