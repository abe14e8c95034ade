/** The outgoing HTTP port against real servers on loopback: what is surely unsent, and what is unknown. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { systemClock } from '#platform/clock.ts'
import {
  type HttpRequest,
  NotSent,
  type OpenHttpClient,
  openHttpClient,
  Unanswered,
} from '#platform/http-client.ts'
import { fakeClock } from '#tests/support/clock.ts'

type Seen = { method: string; url: string; headers: IncomingMessage['headers']; body: string }

let server: Server
let origin: string
let connections: number
let seen: Seen[]
let answer: (response: ServerResponse, request: Seen) => void
const open: OpenHttpClient[] = []

beforeEach(async () => {
  connections = 0
  seen = []
  answer = (response) => response.end('{"ok":true}')
  server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const { method = '', url = '', headers } = request
    const one = { method, url, headers, body: Buffer.concat(chunks).toString() }
    seen.push(one)
    answer(response, one)
  })
  server.on('connection', () => (connections += 1))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})

afterEach(async () => {
  server.closeAllConnections()
  await Promise.all([
    ...open.splice(0).map((client) => client.close()),
    new Promise((done) => server.close(done)),
  ])
})

function client(options: Partial<Parameters<typeof openHttpClient>[0]> = {}): OpenHttpClient {
  const opened = openHttpClient({ clock: systemClock, ...options })
  open.push(opened)
  return opened
}

const post = (overrides: Partial<HttpRequest> = {}): HttpRequest => ({
  method: 'POST',
  url: `${origin}/orders?dry=1`,
  headers: { 'content-type': 'application/json', 'x-key': 'a/b/1' },
  body: '{"order":7}',
  timeoutMs: 20_000,
  ...overrides,
})

const failure = (answered: Promise<unknown>): Promise<NotSent | Unanswered> =>
  answered.then(
    () => expect.unreachable('the request was answered'),
    (error: NotSent | Unanswered) => error,
  )

test('a request arrives as written, with its trace, and its answer comes back whole', async () => {
  answer = (response) => {
    response.writeHead(201, { 'Content-Type': 'application/json', 'Set-Cookie': ['a=1', 'b=2'] })
    response.end('{"id":"S-1"}')
  }
  const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
  const response = await client().request(post({ traceparent }))
  expect(seen[0]).toMatchObject({ method: 'POST', url: '/orders?dry=1', body: '{"order":7}' })
  expect(seen[0]?.headers).toMatchObject({ traceparent, 'x-key': 'a/b/1' })
  expect(response.status).toBe(201)
  expect(response.headers).toMatchObject({ 'content-type': 'application/json', 'set-cookie': 'a=1, b=2' })
  expect(response.json()).toEqual({ id: 'S-1' })
})

test('an error status is an answer, not a failure', async () => {
  answer = (response) => response.writeHead(503, { 'retry-after': '7' }).end('later')
  const response = await client().request(post())
  expect([response.status, response.headers['retry-after'], response.text()]).toEqual([503, '7', 'later'])
})

test('a redirect is an answer and is never followed', async () => {
  answer = (response) => response.writeHead(307, { location: `${origin}/elsewhere` }).end()
  expect((await client().request(post())).status).toBe(307)
  expect(seen).toHaveLength(1)
})

test('one hundred calls in turn share their connections', async () => {
  const http = client()
  for (let call = 0; call < 100; call++) await http.request(post())
  expect(seen).toHaveLength(100)
  expect(connections).toBeLessThanOrEqual(2)
})

test('a refused connection is surely not sent', async () => {
  await new Promise((done) => server.close(done))
  const error = await failure(client().request(post()))
  expect(error).toBeInstanceOf(NotSent)
  expect(error).toMatchObject({ reason: 'connect', system: origin })
})

test('an unknown host name is surely not sent', async () => {
  const error = await failure(client().request(post({ url: 'http://erp.invalid/orders' })))
  expect(error).toBeInstanceOf(NotSent)
})

test('a failed TLS handshake is surely not sent, and nothing falls back to plain text', async () => {
  const error = await failure(client().request(post({ url: origin.replace('http:', 'https:') })))
  expect(error).toBeInstanceOf(NotSent)
  expect(seen).toHaveLength(0)
})

test('a connection broken after the request was read leaves the effect unknown', async () => {
  answer = (response) => response.destroy()
  const error = await failure(client().request(post()))
  expect(error).toBeInstanceOf(Unanswered)
  expect(error.reason).toBe('reset')
})

test('an answer cut off in the middle leaves the effect unknown', async () => {
  answer = (response) => {
    response.writeHead(200, { 'content-length': '1000' })
    response.write('{"id":', () => response.destroy())
  }
  expect(await failure(client().request(post()))).toBeInstanceOf(Unanswered)
})

test('an answer that is not HTTP leaves the effect unknown', async () => {
  answer = (response) => response.socket?.end('SSH-2.0-OpenSSH_9.2\r\n')
  const error = await failure(client().request(post()))
  expect(error).toBeInstanceOf(Unanswered)
  expect(error.reason).toBe('malformed')
})

test('a deadline that passes after the request was sent leaves the effect unknown', async () => {
  const clock = fakeClock()
  answer = (response) => void response.writeHead(200).write('{')
  const answered = failure(client({ clock }).request(post({ timeoutMs: 3_000 })))
  await clock.until(() => seen.length === 1)
  await clock.advance(2_999)
  expect(clock.pending).toBe(1)
  await clock.advance(1)
  const error = await answered
  expect(error).toBeInstanceOf(Unanswered)
  expect(error.reason).toBe('timeout')
})

test('a deadline that passes while the request still waits for a connection is surely not sent', async () => {
  const clock = fakeClock()
  const held: ServerResponse[] = []
  answer = (response) => void held.push(response)
  const http = client({ clock, connectionsPerOrigin: 1 })
  const first = http.request(post({ timeoutMs: 60_000 }))
  await clock.until(() => held.length === 1)
  const second = failure(http.request(post({ timeoutMs: 1_000, body: 'second' })))
  await clock.advance(1_000)
  const error = await second
  expect(error).toBeInstanceOf(NotSent)
  expect(error.reason).toBe('timeout')
  held[0]?.end('first')
  expect((await first).text()).toBe('first')
  answer = (response) => response.end('third')
  await http.request(post({ body: 'third' }))
  expect(seen.map((one) => one.body)).toEqual(['{"order":7}', 'third'])
})

test('an abort before sending is surely not sent; an abort after it leaves the effect unknown', async () => {
  const clock = fakeClock()
  const early = await failure(client().request(post({ signal: AbortSignal.abort() })))
  expect([early.constructor, early.reason]).toEqual([NotSent, 'aborted'])
  answer = () => undefined
  const abort = new AbortController()
  const late = failure(client({ clock }).request(post({ signal: abort.signal })))
  await clock.until(() => seen.length === 1)
  abort.abort()
  expect([(await late).constructor, (await late).reason]).toEqual([Unanswered, 'aborted'])
})

test('a sender whose lease ended while it queued is held back right before the first byte', async () => {
  const clock = fakeClock()
  const held: ServerResponse[] = []
  answer = (response) => void held.push(response)
  const http = client({ connectionsPerOrigin: 1 })
  const first = http.request(post())
  await clock.until(() => held.length === 1)
  let leased = true
  const second = failure(http.request(post({ mayStillSend: () => leased })))
  await clock.settle()
  leased = false
  held[0]?.end('done')
  await first
  const error = await second
  expect([error.constructor, error.reason]).toEqual([NotSent, 'withdrawn'])
  expect(seen).toHaveLength(1)
})

test.each([
  [
    'declared',
    (response: ServerResponse) => response.writeHead(200, { 'content-length': '2000' }).end('x'.repeat(2000)),
  ],
  ['chunked', (response: ServerResponse) => response.writeHead(200).end('x'.repeat(2000))],
])('a %s answer one byte over the cap is cut off and leaves the effect unknown', async (_kind, reply) => {
  answer = reply
  const http = client()
  const error = await failure(http.request(post({ maxResponseBytes: 1_999 })))
  expect([error.constructor, error.reason]).toEqual([Unanswered, 'too_large'])
  expect((await http.request(post({ maxResponseBytes: 2_000 }))).body).toHaveLength(2_000)
})

test.each(['<html>Welcome</html>', '', '{"id":', '{"total":9007199254740993}'])(
  'a 200 whose body is %j is no success',
  async (body) => {
    answer = (response) => response.end(body)
    const response = await client().request(post())
    expect(() => response.json()).toThrow(Unanswered)
  },
)

test('long digits that lose nothing are read', async () => {
  answer = (response) => response.end('{"gtin":"09506000134352009506","rate":0.1234567890123456}')
  const response = await client().request(post())
  expect(response.json()).toEqual({ gtin: '09506000134352009506', rate: 0.1234567890123456 })
})

test('a header with a line break is a bug, not an outage', async () => {
  const error = await failure(client().request(post({ headers: { 'x-key': 'a\r\nx-evil: 1' } })))
  expect(error).not.toBeInstanceOf(NotSent)
  expect(error).not.toBeInstanceOf(Unanswered)
  expect(seen).toHaveLength(0)
})
