/** The log as outsiders read it: by cursor and as a stream, each caller what is his. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fakeClock } from '#tests/support/clock.ts'
import { bearer, type FrontDoor, openFrontDoor, shipsAtOnce } from './front-door.ts'

type CloudEvent = {
  readonly id: string
  readonly type: string
  readonly subject: string
  readonly sequence: string
  readonly company: string
  readonly correlationid: string
  readonly data: object
}
type Page = { readonly items: CloudEvent[]; readonly nextCursor: string; readonly more: boolean }

const EVENTS = '/experience/events/v1/events'
let door: FrontDoor
let staff: Readonly<Record<string, string>>
let partner: Readonly<Record<string, string>>
let other: Readonly<Record<string, string>>
let orders: string[]

beforeAll(async () => {
  door = await openFrontDoor()
  const scopes = ['experience.events:read']
  staff = bearer(await door.key({ client: 'dashboard', scopes }))
  other = bearer(await door.key({ client: 'other', scopes: ['process.orders:read'] }))
  const one = door.next(shipsAtOnce)
  const two = door.next((order) => shipsAtOnce(order) && order.customer !== one.customer)
  partner = bearer(await door.key({ client: 'portal', scopes, partner: one.customer }))
  orders = [(await door.submit(one)).body.id, (await door.submit(two)).body.id]
  await fakeClock().until(async () => (await closed()).length === 2, 'both orders to be invoiced')
}, 60_000)
afterAll(() => door.end())

const closed = async () => (await all('types=order.closed')).map(({ subject }) => subject)

async function page(query: string, headers = staff): Promise<Page> {
  const { status, body } = await door.send('GET', `${EVENTS}?${query}`, { headers })
  expect([status, body.code]).toEqual([200, undefined])
  return body as unknown as Page
}

async function all(query: string, headers = staff): Promise<CloudEvent[]> {
  const items: CloudEvent[] = []
  for (let cursor = ''; ;) {
    const next = await page(cursor === '' ? query : `${query}&after=${cursor}`, headers)
    items.push(...next.items)
    if (!next.more) return items
    cursor = next.nextCursor
  }
}

describe('by cursor', () => {
  test('every event is a CloudEvent, each document in the order of its versions, whatever the size of a page', async () => {
    const whole = await all('limit=200')
    const accepted = whole.find(({ subject }) => subject === orders[0])
    expect(accepted).toMatchObject({
      specversion: '1.0',
      id: `evt_${orders[0]!.slice(2)}_1`,
      source: '/systems/crossdock/api',
      type: 'org.crossdock.orders.order.accepted.v1',
      sequence: '0000000001',
      correlationid: orders[0],
      data: { outcome: expect.any(String) },
    })
    for (const own of Map.groupBy(whole, ({ subject }) => subject).values()) {
      const versions = own.map(({ sequence }) => Number(sequence))
      expect(versions).toEqual(versions.map((_, place) => place + 1))
    }
    const small = [...new Map((await all('limit=3')).map((event) => [event.id, event])).values()]
    expect(small.slice(0, whole.length).map(({ id }) => id)).toEqual(whole.map(({ id }) => id))
  })

  test('who keeps the cursor is told of what comes behind it', async () => {
    const { nextCursor } = await page('limit=200')
    const later = await door.submit(door.next(shipsAtOnce))
    let items: CloudEvent[] = []
    await fakeClock().until(async () => {
      items = (await page(`after=${nextCursor}&types=order.accepted`)).items
      return items.length > 0
    })
    expect(items.map(({ subject }) => subject)).toEqual([later.body.id])
  })

  test('a filter lets through what it names alone', async () => {
    const typesOf = async (query: string) => new Set((await all(query)).map(({ type }) => type.split('.')[3]))
    expect(await typesOf('types=invoice.*')).toEqual(new Set(['invoice']))
    expect(await typesOf('domains=shipments')).toEqual(new Set(['fulfillment', 'shipment']))
    expect(await typesOf('types=invoice.posted&domains=orders')).toEqual(new Set())
    expect(await all('companies=NOBODY')).toEqual([])
  })

  test('a partner is told of the way of its own orders, and of nothing else', async () => {
    const own = await all('limit=200', partner)
    expect(new Set(own.map(({ correlationid }) => correlationid))).toEqual(new Set([orders[0]]))
    expect(own.some(({ type }) => type.includes('.invoice.'))).toBe(true)
  })

  test('a time leads to what was recorded from then on', async () => {
    const past = await page('since=2020-01-01T00:00:00Z&limit=1')
    expect(past.items[0]!.id).toBe((await page('limit=1')).items[0]!.id)
    expect(await page('since=2090-01-01T00:00:00Z')).toMatchObject({ items: [], more: false })
  })

  test.each([
    ['after=yesterday', 422, 'subscriptions.cursor_malformed'],
    ['types=oder.accepted', 422, 'subscriptions.type_unknown'],
    ['types=order', 422, 'subscriptions.type_unknown'],
    ['domains=order', 422, 'subscriptions.type_unknown'],
    ['limit=0', 422, 'http.invalid'],
    ['type=order.*', 422, 'http.invalid'],
  ])('%s is refused', async (query, status, code) => {
    const reply = await door.send('GET', `${EVENTS}?${query}`, { headers: staff })
    expect([reply.status, reply.body.code]).toEqual([status, code])
  })

  test('no one reads without the scope', async () => {
    for (const path of [EVENTS, '/experience/events/v1/stream']) {
      const reply = await door.send('GET', path, { headers: other })
      expect([reply.status, reply.body.code]).toEqual([403, 'access.scope_missing'])
    }
  })
})

type Frame = { readonly id: string; readonly event: string; readonly data: CloudEvent }

/** Reads a stream until `isEnough`, then hangs up. */
async function hear(
  query: string,
  headers: Readonly<Record<string, string>>,
  isEnough: (frames: readonly Frame[]) => boolean,
): Promise<Frame[]> {
  const leaving = new AbortController()
  const response = await fetch(`${door.url}/experience/events/v1/stream?${query}`, {
    headers,
    signal: leaving.signal,
  })
  const frames: Frame[] = []
  let text = ''
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk
    const parts = text.split('\n\n')
    text = parts.pop()!
    frames.push(...parts.flatMap(frameIn))
    if (isEnough(frames)) break
  }
  leaving.abort()
  return frames
}

function frameIn(part: string): Frame[] {
  const fields = Object.fromEntries(part.split('\n').map((line) => line.split(/: (.*)/s).slice(0, 2)))
  const { id, event, data } = fields as Record<string, string | undefined>
  return data === undefined ? [] : [{ id: id!, event: event!, data: JSON.parse(data) as CloudEvent }]
}

describe('as a stream', () => {
  test('events come as they happen, and a reader that comes back goes on exactly behind what it has seen', async () => {
    const first = hear('types=order.accepted', staff, (frames) => frames.length >= 2)
    const one = await door.submit(door.next(shipsAtOnce))
    const [ready, event] = await first
    expect([ready!.event, event!.event, event!.data.subject]).toEqual([
      'ready',
      'order.accepted',
      one.body.id,
    ])
    const two = await door.submit(door.next(shipsAtOnce))
    const three = await door.submit(door.next(shipsAtOnce))
    const back = await hear(
      'types=order.accepted',
      { ...staff, 'last-event-id': event!.id },
      (frames) => frames.length >= 3,
    )
    expect(back.slice(1, 3).map(({ data }) => data.subject)).toEqual([two.body.id, three.body.id])
  })

  test('a position in the address is where it begins, and Last-Event-ID goes before it', async () => {
    const whole = await hear('types=order.accepted&after=0.0.0', staff, (frames) => frames.length >= 3)
    expect(whole.slice(1, 3).map(({ data }) => data.subject)).toEqual(orders)
    const resumed = { ...staff, 'last-event-id': whole[1]!.id }
    const rest = await hear('types=order.accepted&after=0.0.0', resumed, (frames) => frames.length >= 2)
    expect(rest[1]!.data.subject).toBe(orders[1])
  })

  test('a partner hears of its own orders alone', async () => {
    const own = await hear(
      'types=order.closed,order.accepted&after=0.0.0',
      partner,
      (frames) => frames.length >= 3,
    )
    expect(own.slice(1, 3).map(({ data }) => data.subject)).toEqual([orders[0], orders[0]])
  })

  test('a filter or a position that cannot be is refused before it begins', async () => {
    for (const [query, code] of [
      ['types=nothing.*', 'subscriptions.type_unknown'],
      ['after=now', 'subscriptions.cursor_malformed'],
    ]) {
      const reply = await door.send('GET', `/experience/events/v1/stream?${query}`, { headers: staff })
      expect([reply.status, reply.body.code]).toEqual([422, code])
    }
  })
})

test('no door met a defect', () => expect(door.complaints).toEqual([]))
