/** Depot's webhook door: nothing unsigned, stale or foreign comes in, and one bad event stops no other. */
import { createHmac } from 'node:crypto'
import { expect, test } from 'vitest'
import { Refusal } from '#platform/faults.ts'
import { depotDoor } from '#systems/wms-depot/inbound.ts'
import { DepotSettings } from '#systems/wms-depot/settings.ts'
import { fakeClock } from '#tests/support/clock.ts'
import { sample } from '../samples.ts'

const NOW = '2026-11-21T03:00:00Z'
const NOW_SECONDS = Date.parse(NOW) / 1_000

const door = depotDoor(
  'wms',
  DepotSettings.parse({
    baseUrl: 'http://127.0.0.1:1',
    credentials: { apiKey: 'key', webhookSecret: 'new', previousWebhookSecret: 'old' },
  }),
  fakeClock(NOW),
)

function signed(body: string, { secret = 'new', atSeconds = NOW_SECONDS } = {}) {
  const signature = createHmac('sha256', secret).update(`${atSeconds}.${body}`).digest('hex')
  return { 'x-depot-signature': `t=${atSeconds},v1=${signature}` }
}

const read = (body: string, headers = signed(body)) => door.read(headers, Buffer.from(body))
const recorded = sample('wms-depot/events') as { events: Record<string, unknown>[] }
const BODY = JSON.stringify(recorded)

const codeOf = (work: () => unknown): string => {
  try {
    work()
  } catch (error) {
    if (error instanceof Refusal) return error.code
    throw error
  }
  return 'none'
}

test('each event of a call becomes a message of its own', () => {
  const messages = read(BODY)
  expect(messages.map(({ messageId }) => messageId)).toEqual(
    recorded.events.map((event) => event['event_id']),
  )
  expect(messages.every((message) => message.message !== undefined)).toBe(true)
  expect(messages.find((message) => message.type === 'shipment.confirmed')).toMatchObject({
    company: 'NWF',
    stream: 'fulfillment/F-1000001',
    sequence: 2,
    takenAt: new Date('2026-11-21T02:54:06.913Z'),
  })
})

test('a filed message is read again as it was', () => {
  for (const { messageId, type, body, ...message } of read(BODY))
    expect(door.restore({ messageId, type, body })).toEqual({ messageId, type, body, ...message })
})

test('both secrets hold while one replaces the other', () => {
  expect(read(BODY, signed(BODY, { secret: 'old' }))).toHaveLength(recorded.events.length)
})

test.each([
  ['no signature', 'inbound.signature_missing', {}],
  ['a signature of another form', 'inbound.signature_missing', { 'x-depot-signature': 'v1=abc' }],
  ['another secret', 'inbound.signature_invalid', signed(BODY, { secret: 'theirs' })],
  ['another body', 'inbound.signature_invalid', signed(`${BODY} `)],
  ['an old signature', 'inbound.signature_expired', signed(BODY, { atSeconds: NOW_SECONDS - 301 })],
  ['one from the future', 'inbound.signature_expired', signed(BODY, { atSeconds: NOW_SECONDS + 301 })],
])('%s is refused', (_, code, headers) => {
  expect(codeOf(() => read(BODY, headers as ReturnType<typeof signed>))).toBe(code)
})

test.each([
  ['no list of events', '{"delivery_id":"D1"}', 'inbound.malformed'],
  ['no object', '[]', 'inbound.malformed'],
  ['no JSON', '<html>', 'http.body_malformed'],
])('a signed body with %s is refused', (_, body, code) => {
  expect(codeOf(() => read(body))).toBe(code)
})

test('an event that says nothing we understand is kept apart, and its neighbours come in', () => {
  const [good, other] = recorded.events
  const body = JSON.stringify({ events: [{ ...other, type: 'order.teleported' }, 'noise', good] })
  const [unknown, noise, understood] = read(body)
  expect(unknown).toMatchObject({ messageId: other!['event_id'], type: 'order.teleported' })
  expect(unknown!.unreadable?.code).toBe('inbound.message_unreadable')
  expect(noise!.unreadable?.code).toBe('inbound.message_unreadable')
  expect(noise!.messageId).toMatch(/^[\w-]{43}$/)
  expect(understood!.message).toBeDefined()
  expect(door.restore(unknown!)).toMatchObject({ unreadable: { code: 'inbound.message_unreadable' } })
})

test('a filed message that somebody mended into no JSON says nothing, under its own name', () => {
  expect(door.restore({ messageId: 'E1', type: 'order.short', body: '{"type":' })).toMatchObject({
    messageId: 'E1',
    unreadable: { code: 'inbound.message_unreadable' },
  })
})
