/** The doors of subscriptions, with a receiver behind them: made, tried, replayed, exchanged, refused. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { listAudit } from '#platform/audit.ts'
import { listExceptions } from '#platform/exceptions-views.ts'
import { fakeClock } from '#tests/support/clock.ts'
import { isSignedBy, type Message } from '../platform/webhook-world.ts'
import { bearer, type FrontDoor, openFrontDoor, type Reply, shipsAtOnce } from './front-door.ts'
import { openReceiver, type Received, type Receiver } from './receiver.ts'
import { settledLog } from '#tests/support/settled-log.ts'

const DOOR = '/experience/events/v1/subscriptions'
const SCOPES = ['experience.subscriptions:read', 'experience.subscriptions:write']
type Who = Readonly<Record<string, string>>

let door: FrontDoor
let receiver: Receiver
let staff: Who
let partner: Who
let many: Who
let reader: Who
let events: Who
let partnerName: string

beforeAll(async () => {
  door = await openFrontDoor()
  receiver = await openReceiver()
  door.app.keepUp()
  partnerName = door.next(shipsAtOnce).customer
  staff = bearer(await door.key({ client: 'integration', scopes: SCOPES }))
  many = bearer(await door.key({ client: 'many', scopes: SCOPES }))
  reader = bearer(await door.key({ client: 'looker', scopes: SCOPES.slice(0, 1) }))
  events = bearer(await door.key({ client: 'reader', scopes: ['experience.events:read'] }))
  partner = bearer(await door.key({ client: 'portal', scopes: SCOPES, partner: partnerName }))
}, 60_000)
afterAll(async () => {
  await door.end()
  await receiver.end()
})
afterEach(async () => {
  const { body } = await door.send('GET', DOOR, { headers: staff })
  for (const { id } of (body as unknown as { items: { id: string }[] }).items) await remove(id)
  receiver.received.length = 0
  receiver.status = 204
})

let keys = 0
async function call(method: 'PATCH' | 'DELETE', path: string, headers: Who, body?: object): Promise<Reply> {
  const response = await fetch(door.url + path, {
    method,
    headers: {
      ...headers,
      ...(body ? { 'content-type': 'application/json', 'idempotency-key': `call-${++keys}` } : {}),
    },
    ...(body ? { body: JSON.stringify(body) } : {}),
  })
  const text = await response.text()
  return {
    status: response.status,
    headers: response.headers,
    body: JSON.parse(text === '' ? '{}' : text) as Reply['body'],
  }
}
const remove = (id: string, headers = staff) => call('DELETE', `${DOOR}/${id}`, headers)
const create = (more: object = {}, headers = staff, key?: string) =>
  door.send('POST', DOOR, {
    headers,
    body: { name: 'Dashboard', url: receiver.url, types: ['order.accepted'], ...more },
    ...(key === undefined ? {} : { key }),
  })
const read = (id: string, headers = staff) => door.send('GET', `${DOOR}/${id}`, { headers })
const act = (id: string, verb: string, body?: object, headers = staff) =>
  door.send('POST', `${DOOR}/${id}:${verb}`, { headers, ...(body ? { body } : {}) })
const told = ({ status, body }: Reply) => [status, body.code]
const order = async () => (await door.submit(door.next(shipsAtOnce))).body.id

const messageIn = ({ headers, body }: Received): Message => ({
  url: receiver.url,
  id: headers['webhook-id']!,
  timestamp: Number(headers['webhook-timestamp']),
  signatures: headers['webhook-signature']!.split(' '),
  text: body,
  event: JSON.parse(body) as Message['event'],
})
async function received(count: number): Promise<Message[]> {
  await fakeClock().until(() => receiver.received.length >= count, `${count} messages`)
  return receiver.received.map(messageIn)
}
const secretOf = ({ body }: Reply): string => body['secret'] as string

describe('a subscription', () => {
  test('is sent what happens from then on, signed with the secret of its answer', async () => {
    await order()
    // "From then on" begins where readers stand, whom an older transaction of another test holds back.
    await settledLog(door.app.database)
    const made = await create()
    expect(made.status).toBe(201)
    expect(made.headers.get('location')).toBe(`${DOOR}/${made.body.id}`)
    const id = await order()
    const [message] = await received(1)
    expect(message!.event.subject).toBe(id)
    expect(isSignedBy(message!, secretOf(made))).toBe(true)
    await fakeClock().until(async () => (await read(made.body.id)).body['lastDeliveredAt'] !== undefined)
    const deliveries = await door.send('GET', `${DOOR}/${made.body.id}/deliveries?limit=1`, {
      headers: staff,
    })
    expect(deliveries.body['items']).toMatchObject([
      { event: message!.id, document: id, attempt: 1, outcome: 'delivered', status: 204 },
    ])
  })

  test('shows its secret once: not when it is read, not to a repeated request, not in the database', async () => {
    const made = await create({}, staff, 'once')
    const again = await create({}, staff, 'once')
    expect(secretOf(made)).toMatch(/^whsec_/)
    expect([again.status, again.headers.get('idempotency-replayed'), again.body.id]).toEqual([
      201,
      'true',
      made.body.id,
    ])
    expect(secretOf(again)).toBeUndefined()
    expect((await read(made.body.id)).body).not.toHaveProperty('secret')
    const secret = secretOf(made).replace('whsec_', '')
    const tables = ['subscription.webhook', 'subscription.secret', 'http.idempotency', 'audit.entry']
    for (const table of tables) {
      const rows = await door.app.database.query<{ row: string }>({
        name: `test.${table}`,
        text: `select t::text as row from ${table} t`,
      })
      expect(rows.length).toBeGreaterThan(0)
      expect(JSON.stringify(rows)).not.toContain(secret)
      expect(JSON.stringify(rows)).not.toContain(Buffer.from(secret, 'base64').toString('hex'))
    }
  })

  test('begins at the position that it names', async () => {
    const { body } = await door.send('GET', '/experience/events/v1/events', { headers: events })
    const id = await order()
    await create({ after: body['nextCursor'] })
    expect((await received(1)).map(({ event }) => event.subject)).toEqual([id])
  })

  test("of a partner is sent that partner's events alone, whoever makes it", async () => {
    const own = door.next((each) => shipsAtOnce(each) && each.customer === partnerName)
    await create({}, partner)
    await create({ partner: partnerName })
    await order()
    const submitted = await door.submit(own)
    const messages = await received(2)
    expect(messages.map(({ event }) => event.subject)).toEqual([submitted.body.id, submitted.body.id])
  })

  test('is changed at the version that was seen, and only in what is named', async () => {
    const { body } = await create()
    const path = `${DOOR}/${body.id}`
    const etag = (await read(body.id)).headers.get('etag')!
    expect(told(await call('PATCH', path, staff, { name: 'Board' }))).toEqual([
      428,
      'http.precondition_missing',
    ])
    const changed = await call('PATCH', path, { ...staff, 'if-match': etag }, { types: ['invoice.*'] })
    expect(changed.body).toMatchObject({ version: 2, types: ['invoice.*'], name: 'Dashboard' })
    const stale = await call('PATCH', path, { ...staff, 'if-match': etag }, { name: 'Board' })
    expect(told(stale)).toEqual([412, 'http.precondition_failed'])
    const next = (await read(body.id)).headers.get('etag')!
    const inner = await call('PATCH', path, { ...staff, 'if-match': next }, { url: 'https://10.0.0.1/' })
    expect(told(inner)).toEqual([422, 'subscriptions.address_refused'])
  })

  test('that is deleted is gone with its log', async () => {
    const { body } = await create()
    expect((await remove(body.id)).status).toBe(204)
    expect(told(await read(body.id))).toEqual([404, 'subscriptions.not_found'])
    expect(told(await remove(body.id))).toEqual([404, 'subscriptions.not_found'])
  })

  test('that stopped is an exception of its owner until somebody resumes or deletes it', async () => {
    receiver.status = 410
    const open = async (owner: string) =>
      (await listExceptions(door.app.database, { owner })).map(({ code }) => code)
    for (const end of ['resume', 'delete'] as const) {
      const { body } = await create({ owner: `owner-${end}` })
      await order()
      await fakeClock().until(async () => (await read(body.id)).body['state'] === 'stopped')
      expect(await open(`owner-${end}`)).toEqual(['subscriptions.stopped'])
      if (end === 'resume') receiver.status = 204
      const reply = end === 'resume' ? await act(body.id, 'resume') : await remove(body.id)
      expect(reply.status).toBeLessThan(300)
      expect(await open(`owner-${end}`)).toEqual([])
      receiver.status = 410
    }
  })

  test('is listed page by page', async () => {
    const made = [await create(), await create(), await create()].map(({ body }) => body.id).toSorted()
    const first = await door.send('GET', `${DOOR}?limit=2`, { headers: staff })
    const second = await door.send('GET', `${DOOR}?limit=2&cursor=${String(first.body['nextCursor'])}`, {
      headers: staff,
    })
    const ids = [first, second].flatMap(({ body }) => (body as unknown as { items: { id: string }[] }).items)
    expect(ids.map(({ id }) => id)).toEqual(made)
  })
})

describe('people', () => {
  test('pause it and resume it, and it is sent what happened meanwhile', async () => {
    const { body } = await create()
    expect((await act(body.id, 'pause', { reason: 'moving' })).body).toMatchObject({
      state: 'paused',
      reason: 'moving',
    })
    const id = await order()
    expect((await act(body.id, 'resume')).body).toMatchObject({ state: 'active' })
    expect((await received(1)).map(({ event }) => event.subject)).toEqual([id])
    expect(told(await act(body.id, 'resume'))).toEqual([409, 'subscriptions.not_stopped'])
  })

  test('exchange its secret, and both sign until the time that they chose', async () => {
    const made = await create()
    const rotated = await act(made.body.id, 'rotate-secret', { keepPreviousHours: 1 })
    await order()
    const [message] = await received(1)
    expect([isSignedBy(message!, secretOf(made)), isSignedBy(message!, secretOf(rotated))]).toEqual([
      true,
      true,
    ])
    const last = await act(made.body.id, 'rotate-secret', { keepPreviousHours: 0 })
    await order()
    const [, next] = await received(2)
    expect([isSignedBy(next!, secretOf(rotated)), isSignedBy(next!, secretOf(last))]).toEqual([false, true])
  })

  test('try it with a message that means nothing', async () => {
    const made = await create()
    expect((await act(made.body.id, 'ping')).body).toMatchObject({ delivered: true, status: 204 })
    const [message] = await received(1)
    expect(message!.event.type).toBe('org.crossdock.subscriptions.subscription.pinged.v1')
    expect(isSignedBy(message!, secretOf(made))).toBe(true)
    receiver.status = 503
    expect((await act(made.body.id, 'ping')).body).toMatchObject({ delivered: false, cause: 'HTTP 503' })
  })

  test('have it sent again from a position or a time, under the same ids', async () => {
    const { body } = await create()
    const start = (await read(body.id)).body['cursor'] as string
    await order()
    await order()
    const first = (await received(2)).map(({ id, text }) => ({ id, text }))
    await fakeClock().until(async () => (await read(body.id)).body['cursor'] !== start)
    expect((await act(body.id, 'replay', { after: start })).body).toMatchObject({ cursor: start })
    expect((await received(4)).slice(2).map(({ id, text }) => ({ id, text }))).toEqual(first)
    const since = new Date(Date.now() - 1_000).toISOString()
    expect((await act(body.id, 'replay', { since })).status).toBe(200)
    const again = () => new Set(receiver.received.slice(4).map(({ headers }) => headers['webhook-id']))
    await fakeClock().until(() => first.every(({ id }) => again().has(id)))
    expect(told(await act(body.id, 'replay', { after: '9.1.1' }))).toEqual([
      409,
      'subscriptions.position_ahead',
    ])
    expect(told(await act(body.id, 'replay', { after: 'start' }))).toEqual([
      422,
      'subscriptions.cursor_malformed',
    ])
    expect((await act(body.id, 'replay', {})).body.code).toBe('http.invalid')
  })

  test('see what was given up, and have it sent again', async () => {
    const { body } = await create()
    const id = await order()
    await received(1)
    await fakeClock().until(async () => (await read(body.id)).body['lastDeliveredAt'] !== undefined)
    await door.app.database.query(
      {
        name: 'test.bury',
        text: `insert into subscription.delivery (subscription, key, key_version, type, generation, xid, position, state,
            attempts, due_at, first_failed_at, last_failed_at, cause)
          select $1, key, key_version, type, generation, xid, position, 'dead', 10, now(), now(), now(), 'HTTP 500'
          from log.event where key = $2 and key_version = 1`,
      },
      [body.id, Number(id.slice(2))],
    )
    const dead = await door.send('GET', `${DOOR}/${body.id}/dead-letters`, { headers: staff })
    expect(dead.body['items']).toMatchObject([{ document: id, attempts: 10, cause: 'HTTP 500' }])
    expect((await act(body.id, 'replay', { deadLetters: true })).body).toMatchObject({ deadLetters: 1 })
    expect((await received(2)).map(({ event }) => event.subject)).toEqual([id, id])
    await fakeClock().until(async () => (await read(body.id)).body['deadLetters'] === 0)
  })

  test('leave a trace of each act, without a secret', async () => {
    const { body } = await create()
    await act(body.id, 'pause', { reason: 'moving' })
    await act(body.id, 'resume')
    await act(body.id, 'rotate-secret', {})
    await remove(body.id)
    const entries = await listAudit(door.app.database, { actor: 'integration', limit: 50 })
    const mine = entries.filter(({ after }) => (after as { subscription?: string }).subscription === body.id)
    expect(mine.map(({ action }) => action)).toEqual(
      ['deleted', 'secret_rotated', 'resumed', 'paused', 'created'].map((act) => `subscriptions.${act}`),
    )
    expect(mine[3]).toMatchObject({ reason: 'moving' })
    expect(JSON.stringify(mine)).not.toContain('whsec_')
  })
})

describe('a door', () => {
  test.each([
    [{ url: 'http://example.com/' }, 'subscriptions.address_refused'],
    [{ url: 'https://169.254.169.254/latest/' }, 'subscriptions.address_refused'],
    [{ url: 'https://[::ffff:10.0.0.1]/' }, 'subscriptions.address_refused'],
    [{ url: 'https://localhost/' }, 'subscriptions.address_refused'],
    [{ types: ['orders.accepted'] }, 'subscriptions.type_unknown'],
    [{ domains: ['weather'] }, 'subscriptions.type_unknown'],
    [{ after: 'now' }, 'subscriptions.cursor_malformed'],
    [{ payload: 'fat' }, 'http.invalid'],
    [{ secret: 'mine' }, 'http.invalid'],
  ])('refuses %j', async (more, code) => expect(told(await create(more))).toEqual([422, code]))

  test('lets a client keep 25, and no more', async () => {
    for (let made = 0; made < 25; made++) expect((await create({}, many)).status).toBe(201)
    expect(told(await create({}, many))).toEqual([409, 'subscriptions.too_many'])
  })

  test('opens to a partner for its own subscriptions alone', async () => {
    const { body } = await create()
    for (const reply of [
      await read(body.id, partner),
      await act(body.id, 'pause', { reason: 'x' }, partner),
      await act(body.id, 'ping', undefined, partner),
      await act(body.id, 'rotate-secret', {}, partner),
      await act(body.id, 'replay', { deadLetters: true }, partner),
      await remove(body.id, partner),
      await door.send('GET', `${DOOR}/${body.id}/deliveries`, { headers: partner }),
      await door.send('GET', `${DOOR}/${body.id}/dead-letters`, { headers: partner }),
    ])
      expect(told(reply)).toEqual([404, 'subscriptions.not_found'])
    const list = await door.send('GET', DOOR, { headers: partner })
    expect(list.body).toEqual({ items: [] })
  })

  test('opens to its scope only', async () => {
    expect(told(await create({}, reader))).toEqual([403, 'access.scope_missing'])
    expect((await door.send('GET', DOOR, { headers: reader })).status).toBe(200)
  })
})

test('no door met a defect', () => expect(door.complaints).toEqual([]))
