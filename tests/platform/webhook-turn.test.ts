/** What one subscription is sent: which events, in which order, when again, and what becomes of those it does not take. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { listExceptions } from '#platform/exceptions-views.ts'
import { NotSent, Unanswered } from '#platform/http-client.ts'
import { attemptsOf, deadLettersOf, undeliveredOf } from '#platform/subscription-log.ts'
import { addSecret } from '#platform/subscription-secrets.ts'
import { resumeSubscription } from '#platform/subscriptions.ts'
import { isSignedBy, type Message, openPlaces, webhookWorld, type WebhookWorld } from './webhook-world.ts'

let world: WebhookWorld
const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

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

const { company, keyOf, append, subscribe, idsSent, idOf, inTx } = openPlaces(() => world)
const exceptions = async () =>
  (await listExceptions(world.open.database)).map(({ code, owner, affected }) => ({ code, owner, affected }))

describe('a message', () => {
  test('is a signed thin CloudEvent, whose id tells it from all others', async () => {
    const { secret } = await subscribe()
    await append(1, 3, { data: { secretOf: 'nobody' } })
    await world.deliver()
    const [message] = world.sent
    expect(world.sent).toHaveLength(1)
    expect(isSignedBy(message!, secret)).toBe(true)
    expect(message).toMatchObject({
      id: idOf(1, 3),
      timestamp: Math.floor(world.clock.now().getTime() / 1_000),
      event: {
        specversion: '1.0',
        id: idOf(1, 3),
        source: '/systems/crossdock/test',
        type: 'com.example.storage.crate.packed.v1',
        subject: `crate-${keyOf(1)}`,
        partitionkey: `crate-${keyOf(1)}`,
        sequence: '0000000003',
        company: company(),
        correlationid: `crate-${keyOf(1)}`,
        data: { document: `crate-${keyOf(1)}`, version: 3 },
      },
    })
  })

  test('carries the data where that was asked for, and is thin again where it would be larger than 20 kB', async () => {
    await subscribe({ payload: 'full' })
    await append(1, 1, { data: { slats: 7 } })
    await append(2, 1, { data: { text: 'x'.repeat(20_000) } })
    await world.deliver()
    expect(world.sent.map(({ event }) => event.data)).toEqual([
      { slats: 7 },
      { document: `crate-${keyOf(2)}`, version: 1 },
    ])
    expect(world.sent.every(({ text }) => Buffer.byteLength(text) <= 20_000)).toBe(true)
  })

  test('has the signatures of both secrets while they are exchanged, and then of the new one alone', async () => {
    const { id, secret } = await subscribe()
    const next = 'whsec_bmV3'
    const now = world.clock.now()
    await inTx(async (tx) =>
      addSecret(tx, world.ports.box, { subscription: id, secret: next, now }, new Date(now.getTime() + HOUR)),
    )
    await append(1)
    await world.deliver()
    await world.clock.advance(HOUR + SECOND)
    await append(2)
    await world.deliver()
    const [both, alone] = world.sent as [Message, Message]
    expect([isSignedBy(both, next), isSignedBy(both, secret), both.signatures.length]).toEqual([
      true,
      true,
      2,
    ])
    expect([isSignedBy(alone, next), isSignedBy(alone, secret)]).toEqual([true, false])
  })
})

describe('a subscription hears', () => {
  test.each([
    ['its types', { types: ['crate.opened'] }, ['2']],
    ['all of an object', { types: ['lid.*'] }, ['3']],
    ['its domains', { domains: ['elsewhere'] }, []],
    ['everything of its companies without a filter', {}, ['1', '2', '3']],
    ["its partner's events only", { partner: 'smith' }, ['2']],
    ['what both allow', { partner: 'smith', types: ['lid.*'] }, []],
  ])('of %s', async (_, filter, expected) => {
    await subscribe(filter)
    await append(1)
    await append(2, 1, { type: 'crate.opened', data: { partner: 'smith' } })
    await append(3, 1, { type: 'lid.lost', data: { partner: 'jones' } })
    await world.append('elsewhere', keyOf(4), 1)
    await world.deliver()
    expect(idsSent()).toEqual(expected.map((number) => idOf(Number(number))))
  })

  test('of each document in the order of its versions, however long one takes', async () => {
    await subscribe()
    for (let version = 1; version <= 3; version++)
      for (let doc = 1; doc <= 20; doc++) await append(doc, version)
    world.answer = async () => {
      await Promise.resolve()
      return 200
    }
    await world.deliver()
    expect(world.sent).toHaveLength(60)
    for (let doc = 1; doc <= 20; doc++) {
      const own = idsSent().filter((id) => id.startsWith(`evt_${keyOf(doc)}_`))
      expect(own).toEqual([1, 2, 3].map((version) => idOf(doc, version)))
    }
  })
})

describe('a message that fails', () => {
  test('is tried ten times by the schedule under one id, then it is a dead letter with an owner', async () => {
    const { id } = await subscribe()
    await append(1)
    const times: number[] = []
    world.answer = (message) => {
      if (message.id !== idOf(1)) return 204
      times.push(world.clock.now().getTime())
      return 500
    }
    await world.deliver()
    const delays = [
      5 * SECOND,
      5 * MINUTE,
      30 * MINUTE,
      2 * HOUR,
      5 * HOUR,
      10 * HOUR,
      14 * HOUR,
      20 * HOUR,
      24 * HOUR,
    ]
    for (const [place, delay] of delays.entries()) {
      await append(100 + place)
      await world.deliver()
      await world.clock.advance(delay - SECOND)
      await world.deliver()
      expect(times).toHaveLength(place + 1)
      await world.clock.advance(SECOND)
      await world.deliver()
      expect(times).toHaveLength(place + 2)
    }
    expect(times.slice(1).map((time, place) => time - times[place]!)).toEqual(delays)
    expect(new Set(world.sent.filter(({ id: each }) => each === idOf(1)).map(({ text }) => text)).size).toBe(
      1,
    )
    const signed = world.sent.filter((message) => message.id === idOf(1)).map(({ timestamp }) => timestamp)
    expect(new Set(signed).size).toBe(10)
    const dead = await deadLettersOf(world.open.database, id, { limit: 10 })
    expect(dead).toMatchObject([{ key: keyOf(1), attempts: 10, cause: 'HTTP 500' }])
    expect(await exceptions()).toEqual([
      { code: 'subscriptions.dead_letter', owner: 'dashboards', affected: 1 },
    ])
    expect((await world.find(id)).state).toBe('active')
  })

  test('keeps back its own document alone, and what is behind it follows when it is taken', async () => {
    await subscribe()
    await append(1)
    await append(1, 2)
    await append(2)
    let refused = 1
    world.answer = ({ id }) => (id === idOf(1) && refused-- > 0 ? 400 : 204)
    await world.deliver()
    expect(idsSent()).toEqual([idOf(1), idOf(2)])
    await world.clock.advance(5 * SECOND)
    await world.deliver()
    expect(idsSent().slice(2)).toEqual([idOf(1), idOf(1, 2)])
  })

  test.each([301, 302, 307, 308, 400, 401, 404, 413, 500])('with %i is a failure', async (status) => {
    const { id } = await subscribe()
    await append(1)
    world.answer = () => status
    await world.deliver()
    expect(world.sent).toHaveLength(1)
    const [attempt] = await attemptsOf(world.open.database, id, { limit: 10 })
    expect(attempt).toMatchObject({ outcome: 'failed', status, cause: `HTTP ${status}`, number: 1 })
  })
})

describe('a receiver that is away', () => {
  test.each([
    ['says 429', 429],
    ['says 502', 502],
    ['says 503', 503],
    ['says 504', 504],
    ['cannot be reached', new NotSent('https://x', 'connect', new Error('10.1.2.3 refused'))],
    ['does not answer', new Unanswered('https://x', 'timeout')],
  ])('and %s is left alone, and tried with one message', async (_, reply) => {
    const { id } = await subscribe()
    world.answer = () => reply
    for (let doc = 1; doc <= 30; doc++) await append(doc)
    await world.deliver()
    const first = world.sent.length
    expect(first).toBeLessThanOrEqual(8)
    await world.clock.advance(5 * SECOND)
    await world.deliver()
    expect(world.sent).toHaveLength(first + 1)
    await world.clock.advance(4 * MINUTE)
    await world.deliver()
    expect(world.sent).toHaveLength(first + 1)
    world.answer = () => 204
    await world.clock.advance(MINUTE)
    await world.deliver()
    expect(await undeliveredOf(world.open.database, [id])).toEqual(new Map())
    expect(new Set(idsSent()).size).toBe(30)
    const attempts = await attemptsOf(world.open.database, id, { limit: 100 })
    expect(JSON.stringify(attempts)).not.toContain('10.1.2.3')
  })

  test.each([429, 502, 503, 504])(
    'is left alone for as long as its Retry-After with %i says',
    async (status) => {
      await subscribe()
      await append(1)
      await append(2)
      world.answer = () => ({ status, headers: { 'retry-after': '1200' } })
      await world.deliver()
      const first = world.sent.length
      world.answer = () => 204
      await world.clock.advance(1_199 * SECOND)
      await world.deliver()
      expect(world.sent).toHaveLength(first)
      await world.clock.advance(SECOND)
      await world.deliver()
      expect(world.sent).toHaveLength(first + 2)
    },
  )

  test('does not have the log read on: the log is its queue', async () => {
    const { id } = await subscribe()
    world.answer = () => 503
    for (let doc = 1; doc <= 300; doc++) await append(doc)
    for (let round = 0; round < 5; round++) {
      await world.deliver()
      await world.clock.advance(5 * MINUTE)
    }
    const waiting = (await undeliveredOf(world.open.database, [id])).get(id)!.waiting
    expect(waiting).toBe(100)
    world.answer = () => 200
    await world.deliver()
    expect(new Set(idsSent()).size).toBe(300)
  })

  test('for longer than the schedule stops it, without one dead letter, and it goes on where it stood', async () => {
    const { id } = await subscribe()
    for (let doc = 1; doc <= 3; doc++) await append(doc)
    world.answer = () => new Unanswered('https://x', 'timeout')
    const begun = world.clock.now().getTime()
    for (let look = 0; look < 500 && (await world.find(id)).state === 'active'; look++) {
      await world.deliver()
      await world.clock.advance(MINUTE * 30)
    }
    expect(world.clock.now().getTime() - begun).toBeGreaterThan(75 * HOUR)
    expect(await world.find(id)).toMatchObject({
      state: 'stopped',
      reason: expect.stringContaining('ten attempts'),
    })
    expect(await exceptions()).toEqual([{ code: 'subscriptions.stopped', owner: 'dashboards', affected: 0 }])
    expect(await deadLettersOf(world.open.database, id, { limit: 10 })).toEqual([])
    await append(4)
    world.answer = () => 204
    world.sent.length = 0
    await world.deliver()
    expect(world.sent).toEqual([])
    await inTx(async (tx) => resumeSubscription(tx, id, world.clock.now()))
    await world.deliver()
    expect(idsSent().toSorted()).toEqual([1, 2, 3, 4].map((doc) => idOf(doc)))
  })
})

test('a receiver that is gone for good stops its subscription at once', async () => {
  const { id } = await subscribe()
  for (let doc = 1; doc <= 20; doc++) await append(doc)
  world.answer = () => 410
  await world.deliver()
  expect(world.sent.length).toBeLessThanOrEqual(8)
  expect(await world.find(id)).toMatchObject({ state: 'stopped', reason: expect.stringContaining('410') })
  expect(await exceptions()).toMatchObject([{ code: 'subscriptions.stopped' }])
  await world.clock.advance(100 * HOUR)
  await world.deliver()
  expect(world.sent.length).toBeLessThanOrEqual(8)
})

test('a secret that cannot be opened stops its subscription and sends nothing', async () => {
  const { id } = await subscribe()
  await append(1)
  await world.open.run(`update subscription.secret set sealed = '\\x00'`)
  await world.deliver()
  expect(world.sent).toEqual([])
  expect(await world.find(id)).toMatchObject({
    state: 'stopped',
    reason: expect.stringContaining('secretKey'),
  })
})
