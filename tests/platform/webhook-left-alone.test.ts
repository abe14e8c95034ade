/** A receiver that asks to be left alone, or to hear nothing any more: nobody calls it before, whatever else goes on. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { listExceptions } from '#platform/exceptions-views.ts'
import { beginning } from '#platform/log.ts'
import { moveSubscription } from '#platform/subscriptions.ts'
import { openPlaces, webhookWorld, type WebhookWorld } from './webhook-world.ts'

let world: WebhookWorld
const SECOND = 1_000
const WAIT_S = 1_200
const AWAY = { status: 429, headers: { 'retry-after': String(WAIT_S) } }

beforeAll(async () => {
  world = await webhookWorld()
})
afterAll(() => world.end())
afterEach(async () => {
  await world.open.run('delete from subscription.webhook')
  await world.open.run('truncate exceptions.exception cascade')
  world.sent.length = 0
  world.answer = () => 204
})

const { append, subscribe, inTx } = openPlaces(() => world)

type Answer = WebhookWorld['answer']

/** Each message that is under way at once has an answer of its own, in the order in which they were sent. */
function inTurns(...answers: readonly Answer[]): Answer {
  let nth = 0
  return async (message) => {
    const answer = answers[nth++]
    for (let turn = 0; turn < nth; turn++) await Promise.resolve()
    return answer ? answer(message) : 204
  }
}

/** When it is called again, by another process. */
async function calledAgainAfter(seconds: number): Promise<'at the moment' | 'too early' | 'not yet'> {
  const other = await world.process()
  world.answer = () => 204
  const before = world.sent.length
  await world.clock.advance((seconds - 1) * SECOND)
  await world.deliver(other)
  if (world.sent.length > before) return 'too early'
  await world.clock.advance(SECOND)
  await world.deliver(other)
  return world.sent.length > before ? 'at the moment' : 'not yet'
}

describe('a receiver that asks to be left alone', () => {
  test('is called by no process before the date that it names', async () => {
    await subscribe()
    await append(1)
    await append(2)
    const date = new Date(world.clock.now().getTime() + WAIT_S * SECOND)
    world.answer = () => ({ status: 503, headers: { 'retry-after': date.toUTCString() } })
    await world.deliver()
    const seconds = Math.ceil((date.getTime() - world.clock.now().getTime()) / SECOND)
    expect(await calledAgainAfter(seconds)).toBe('at the moment')
  })

  test('has that time from its answer on, however long that took', async () => {
    await subscribe()
    await append(1)
    world.answer = async () => {
      await world.clock.advance(12 * SECOND)
      return AWAY
    }
    await world.deliver()
    expect(await calledAgainAfter(WAIT_S)).toBe('at the moment')
  })

  test.each<[string, Answer[]]>([
    ['who fails after it', [() => AWAY, () => 503]],
    ['who asks for less after it', [() => AWAY, () => ({ status: 429, headers: { 'retry-after': '3' } })]],
    ['what it takes after it', [() => AWAY, () => AWAY, () => 204]],
  ])('is so by %s as well', async (_, answers) => {
    await subscribe()
    for (let doc = 1; doc <= answers.length; doc++) await append(doc)
    world.answer = inTurns(...answers)
    await world.deliver()
    expect(world.sent).toHaveLength(answers.length)
    expect(await calledAgainAfter(WAIT_S)).toBe('at the moment')
  })

  test('is so too where somebody wants everything again meanwhile', async () => {
    const { id } = await subscribe()
    await append(1)
    world.answer = async () => {
      await inTx(async (tx) => moveSubscription(tx, id, beginning, world.clock.now()))
      return AWAY
    }
    await world.deliver()
    expect(await world.find(id)).toMatchObject({ cursor: beginning, failures: 1 })
    expect(await calledAgainAfter(WAIT_S)).toBe('at the moment')
  })
})

test('a receiver that is gone is told nothing more, although somebody wants everything again meanwhile', async () => {
  const { id } = await subscribe()
  await append(1)
  world.answer = async () => {
    await inTx(async (tx) => moveSubscription(tx, id, beginning, world.clock.now()))
    return 410
  }
  await world.deliver()
  expect(world.sent).toHaveLength(1)
  expect(await world.find(id)).toMatchObject({ state: 'stopped', cursor: beginning })
  expect(await listExceptions(world.open.database)).toMatchObject([
    { code: 'subscriptions.stopped', owner: 'dashboards' },
  ])
})
