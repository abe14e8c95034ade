import { afterEach, expect, test } from 'vitest'
import { z } from 'zod'
import { Outage, Refusal } from '#platform/faults.ts'
import { route } from '#platform/http.ts'
import type { Request, Route } from '#platform/http.ts'
import { fakeClock } from '#tests/support/clock.ts'
import {
  asWriter,
  closeHouses,
  codeOf,
  crateRoutes,
  generous,
  house,
  jsonOf,
  packCrate,
  packing,
  readCrate,
  reading,
  readsCrate,
  started,
} from './http-house.ts'

afterEach(closeHouses)

test('a request in order reaches its handler parsed, with defaults, and is answered', async () => {
  const { server } = started(crateRoutes)
  const answer = await server.call(packing({ label: 'A', count: 7 }))
  expect([answer.status, jsonOf(answer)]).toEqual([201, { id: 'wood', count: 7 }])
  expect(answer.headers['content-type']).toBe('application/json; charset=utf-8')
  const read = await server.call({ ...readsCrate, url: `${readsCrate.url}?limit=9&deep=true` })
  expect(jsonOf(read)).toEqual({ id: 'c1', count: 9 })
})

test('a custom method after a parameter is a door of its own', async () => {
  const { server } = started(crateRoutes)
  const url = '/process/crates/v1/crates/c%2F1:seal'
  const sealed = await server.call({
    method: 'POST',
    url: '/process/crates/v1/crates/c1:seal',
    headers: { ...asWriter, 'if-match': '"v3"' },
  })
  expect(jsonOf(sealed)).toEqual({ id: 'c1 "v3"', count: 1 })
  expect((await server.call({ method: 'POST', url, headers: asWriter })).status).toBe(404)
})

test.each([
  ['scope', { scope: '' }, 'lacks a scope'],
  ['body limit', { bodyLimitBytes: undefined }, 'lacks a body limit'],
  ['rate class', { rateClass: '' }, 'lacks a rate class'],
  ['known rate class', { rateClass: 'warp' }, 'unknown rate class warp'],
  ['idempotency', { idempotent: undefined }, 'does not say whether it is idempotent'],
  ['known refusal', { refusals: ['crates.unheard_of'] }, 'unknown code crates.unheard_of'],
  ['answer', { answers: {} }, 'declares no answer'],
])('a route without a %s fails the boot', (_, change, message) => {
  expect(() => house([{ ...packCrate, ...change } as Route])).toThrow(message)
})

test('two routes for one place fail the boot, whatever they call the parameter', () => {
  const twin = { ...readCrate, path: '/process/crates/v1/crates/:crate', operationId: 'crates.twin' }
  expect(() => house([readCrate, twin])).toThrow('declared twice')
})

test('nobody gets in without credentials, with wrong ones, or without the scope', async () => {
  const { server } = started(crateRoutes)
  const call = (headers: Record<string, string>) => server.call({ ...readsCrate, headers })
  expect(codeOf(await call({}))).toEqual([401, 'access.credentials_missing'])
  expect(codeOf(await call({ authorization: 'Bearer nobody' }))).toEqual([401, 'access.credentials_invalid'])
  expect(codeOf(await call({ authorization: 'Basic d3JpdGVy' }))).toEqual([401, 'access.credentials_invalid'])
  expect(codeOf(await call({ ...asWriter, 'x-api-key': 'writer' }))).toEqual([
    400,
    'access.credentials_ambiguous',
  ])
  const reader = await server.call(packing({ label: 'A', count: 1 }, { authorization: 'Bearer reader' }))
  expect(codeOf(reader)).toEqual([403, 'access.scope_missing'])
})

test('a problem names type, instance, trace and every wrong field of path, query and body', async () => {
  const { server } = started(crateRoutes)
  const answer = await server.call({ ...packing({ count: -1 }), url: '/process/crates/v1/crates?colour=red' })
  expect(answer.headers['content-type']).toBe('application/problem+json; charset=utf-8')
  expect(jsonOf(answer)).toMatchObject({
    type: '/problems/http.invalid',
    status: 422,
    code: 'http.invalid',
    instance: '/process/crates/v1/crates',
    traceId: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
    retryable: false,
    errors: [
      { pointer: '/query/colour', code: 'http.field_unknown' },
      {
        pointer: '/label',
        code: 'http.field_missing',
        message: 'label is missing: send what is written on the crate',
      },
      { pointer: '/count', code: 'http.field_invalid' },
    ],
  })
})

test.each([
  undefined,
  'text/plain',
  'application/x-www-form-urlencoded',
  'application/jsonx',
  'application/json; charset=latin1',
  'application/json, text/plain',
])('a body with the content type %s is refused', async (type) => {
  const { server } = started(crateRoutes)
  const { headers = {}, ...call } = packing('{"label":"A","count":1}')
  const { 'content-type': _type, ...others } = headers
  const answer = await server.call({
    ...call,
    headers: type === undefined ? others : { ...others, 'content-type': type },
  })
  expect(codeOf(answer)).toEqual([415, 'http.media_type_unsupported'])
})

test('a body over the limit is refused before it is read, and a broken or empty one is named', async () => {
  const { server } = started(crateRoutes)
  expect(codeOf(await server.call(packing(`{"label":"${'a'.repeat(3_000)}"}`)))).toEqual([
    413,
    'http.body_too_large',
  ])
  expect(codeOf(await server.call(packing('{"label":')))).toEqual([400, 'http.body_malformed'])
  expect(codeOf(await server.call(packing('')))).toEqual([400, 'http.body_malformed'])
  expect(codeOf(await server.call(packing('{"count":1,"count":2}')))).toEqual([400, 'http.body_unsafe'])
})

test('a missing or malformed Idempotency-Key is refused; quotes around it are not part of it', async () => {
  const seen: string[] = []
  const door = {
    ...packCrate,
    handler: ({ idempotency }: Request) => (
      seen.push(idempotency!.key),
      { status: 201, body: { id: 'x', count: 1 } }
    ),
  }
  const { server } = started([door])
  const { headers = {}, ...call } = packing({ label: 'A', count: 1 })
  const { 'idempotency-key': _key, ...others } = headers
  expect(codeOf(await server.call({ ...call, headers: others }))).toEqual([
    400,
    'http.idempotency_key_missing',
  ])
  const malformed = await server.call(packing({ label: 'A', count: 1 }, { 'idempotency-key': 'a b' }))
  expect(codeOf(malformed)).toEqual([400, 'http.idempotency_key_malformed'])
  await server.call(packing({ label: 'A', count: 1 }, { 'idempotency-key': '"k-7"' }))
  expect(seen).toEqual(['k-7'])
})

test('a change without If-Match is refused with 428', async () => {
  const { server } = started(crateRoutes)
  const answer = await server.call({
    method: 'POST',
    url: '/process/crates/v1/crates/c1:seal',
    headers: asWriter,
  })
  expect(codeOf(answer)).toEqual([428, 'http.precondition_missing'])
})

test('a reader who has the version is answered 304 without a body', async () => {
  const { server } = started(crateRoutes)
  const answer = await server.call({ ...readsCrate, headers: { ...asWriter, 'if-none-match': 'W/"v1"' } })
  expect([answer.status, answer.body]).toEqual([304, ''])
})

test('HEAD is answered as GET is, without the body, whatever the answer', async () => {
  const { server } = started(crateRoutes)
  const asks = [
    readsCrate,
    { ...readsCrate, headers: { ...asWriter, 'if-none-match': 'W/"v1"' } },
    { ...readsCrate, url: '/process/crates/v1/crates/none' },
    { ...readsCrate, headers: {} },
  ]
  for (const asked of asks) {
    const read = await server.call(asked)
    const head = await server.call({ ...asked, method: 'HEAD' })
    expect([head.status, head.body]).toEqual([read.status, ''])
    const told = ({ headers }: typeof read) => [
      headers['content-type'],
      headers['content-length'],
      headers['etag'],
    ]
    expect(told(head)).toEqual(told(read))
  }
})

test('an unknown address is 404, a known one with another method 405 with Allow', async () => {
  const { server } = started(crateRoutes)
  expect(codeOf(await server.call({ method: 'GET', url: '/nothing' }))).toEqual([404, 'http.not_found'])
  const wrong = await server.call({ method: 'DELETE', url: readsCrate.url })
  expect(codeOf(wrong)).toEqual([405, 'http.method_not_allowed'])
  expect(wrong.headers['allow']).toBe('GET, HEAD')
})

test('an address with a NUL or broken encoding is refused', async () => {
  const { server } = started(crateRoutes)
  for (const id of ['a%00b', '%ff', '%zz']) {
    const answer = await server.call({ ...readsCrate, url: `/process/crates/v1/crates/${id}` })
    expect(codeOf(answer)).toEqual([400, 'http.url_malformed'])
  }
})

test('a refusal tells its message, pointer and facts; an outage its system and when to come back', async () => {
  const clock = fakeClock()
  const faults: unknown[] = [
    new Refusal('crates.empty', 'Crate c1 is empty.', { crate: 'c1', owner: 'packing' }, '/lines/0'),
    new Outage('wms-north', 'connect ECONNREFUSED 10.0.0.7', {
      retryAt: new Date(clock.now().getTime() + 30_000),
    }),
  ]
  const { server } = started([reading(() => Promise.reject(faults.shift()))], { clock })
  const refused = jsonOf(await server.call(readsCrate))
  expect(refused).toMatchObject({
    status: 422,
    title: 'The crate is empty',
    detail: 'Crate c1 is empty.',
    facts: { crate: 'c1' },
    owner: 'packing',
    errors: [{ pointer: '/lines/0', code: 'crates.empty' }],
  })
  const out = await server.call(readsCrate)
  expect([out.status, out.headers['retry-after']]).toEqual([503, '30'])
  expect(jsonOf(out)).toMatchObject({ code: 'http.unavailable', retryAfterMs: 30_000 })
  expect(out.body).not.toContain('10.0.0.7')
})

test.each([
  ['57P01', 'terminating connection due to administrator command'],
  ['55P03', 'canceling statement due to lock timeout'],
  ['ECONNREFUSED', 'connect ECONNREFUSED 127.0.0.1:5432'],
])('a database that cannot answer (%s) is an outage to come back from, not a defect', async (code, said) => {
  const { server } = started([reading(() => Promise.reject(Object.assign(new Error(said), { code })))])
  const answer = await server.call(readsCrate)
  expect([answer.status, answer.headers['retry-after']]).toEqual([503, '5'])
  expect(jsonOf(answer)).toMatchObject({ detail: 'The database cannot answer now.', retryable: true })
})

test('a defect answers 500 without detail and is logged with its trace', async () => {
  const { server, lines } = started([
    reading(() => {
      throw new Error('relation "secret_table" does not exist')
    }),
  ])
  const answer = await server.call(readsCrate)
  expect(codeOf(answer)).toEqual([500, 'http.bug'])
  expect(answer.body).not.toContain('secret_table')
  expect(lines.join('')).toContain('secret_table')
  expect(lines.join('')).toContain(jsonOf(answer)['traceId'])
})

test('in tests an answer or a refusal that the route does not declare is a defect', async () => {
  const { server, lines } = started([
    reading(() => ({ status: 200, body: { id: 1 } })),
    reading(() => ({ status: 202 }), { path: '/b/:id', operationId: 'b.b' }),
    reading(
      () => {
        throw new Refusal('crates.empty', 'empty')
      },
      { path: '/c/:id', operationId: 'c.c', refusals: [] },
    ),
  ])
  for (const url of [readsCrate.url, '/b/1', '/c/1']) {
    expect((await server.call({ ...readsCrate, url })).status).toBe(500)
  }
  expect(lines.join('')).toContain('against its schema')
  expect(lines.join('')).toContain('answered 202, which it does not declare')
  expect(lines.join('')).toContain('does not declare crates.empty')
})

test('a handler that takes too long is answered 503 and told to stop', async () => {
  const clock = fakeClock()
  let told = false
  const { server } = started(
    [reading(({ signal }) => new Promise(() => signal.addEventListener('abort', () => (told = true))))],
    { clock, timeoutMs: 2_000 },
  )
  const answer = server.call(readsCrate)
  await clock.until(() => clock.pending > 0)
  await clock.advance(2_000)
  expect(codeOf(await answer)).toEqual([503, 'http.timeout'])
  expect(told).toBe(true)
})

test('a server that is leaving takes nothing new and says so, and answers what it has begun', async () => {
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>()
  const { promise: released, resolve: release } = Promise.withResolvers<void>()
  const handler = async (): Promise<never> => {
    begin()
    await released
    throw new Refusal('crates.empty', 'Crate c1 is empty.')
  }
  const { server } = started([reading(handler)])
  const underWay = server.call(readsCrate)
  await begun
  const closed = server.close()
  expect(codeOf(await server.call(readsCrate))).toEqual([503, 'http.closing'])
  release()
  expect(codeOf(await underWay)).toEqual([422, 'crates.empty'])
  await closed
})

test('a client over its rate is told when to come back, and others are not affected', async () => {
  const clock = fakeClock()
  const { server } = started(crateRoutes, { clock, rates: { ...generous, read: { perSecond: 2, burst: 2 } } })
  const first = await server.call(readsCrate)
  expect(first.headers).toMatchObject({ ratelimit: '"read";r=1', 'ratelimit-policy': '"read";q=2;w=1' })
  await server.call(readsCrate)
  const over = await server.call(readsCrate)
  expect(codeOf(over)).toEqual([429, 'http.rate_limited'])
  expect([over.headers['retry-after'], jsonOf(over)['retryAfterMs']]).toEqual(['1', 500])
  expect((await server.call({ ...readsCrate, headers: { authorization: 'Bearer reader' } })).status).toBe(200)
  await clock.advance(500)
  expect((await server.call(readsCrate)).status).toBe(200)
})

test('a well-formed request id comes back, another one is replaced', async () => {
  const { server } = started(crateRoutes)
  const idOf = async (id: string) =>
    (await server.call({ ...readsCrate, headers: { ...asWriter, 'x-request-id': id } })).headers[
      'x-request-id'
    ]
  expect(await idOf('req-1:2')).toBe('req-1:2')
  expect(await idOf('<script>')).toMatch(/^[0-9a-f]{32}$/)
})

test('every answer forbids sniffing, framing and caching', async () => {
  const { server } = started(crateRoutes)
  for (const call of [readsCrate, { method: 'GET', url: '/nothing' } as const]) {
    expect((await server.call(call)).headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    })
  }
})

test('requests are measured by route, not by address', async () => {
  const { server, scrape } = started(crateRoutes)
  await server.call(readsCrate)
  await server.call({ method: 'GET', url: '/wp-login.php' })
  const text = await scrape()
  expect(text).toMatch(
    /http_request_duration_seconds_count\{method="GET",route="\/process\/crates\/v1\/crates\/:id",status="200"\} 1/,
  )
  expect(text).toContain('route="none",status="404"')
  expect(text).not.toContain('wp-login')
})

test('a raw door takes bytes of any content type as they are', async () => {
  const raw = route({
    method: 'POST',
    path: '/system/shop/v1/orders',
    operationId: 'shop.order',
    summary: 'A webhook',
    scope: 'public',
    rateClass: 'write',
    bodyLimitBytes: 100,
    consumes: 'bytes',
    idempotent: 'none',
    answers: { 200: { description: 'Taken', body: z.object({ sent: z.string() }) } },
    handler: ({ bytes, headers }) => ({
      status: 200,
      body: { sent: `${headers['x-topic']} ${bytes.toString()}` },
    }),
  })
  const { server } = started([raw])
  const call = { method: 'POST', url: '/system/shop/v1/orders' } as const
  const headers = { 'content-type': 'weird/type; x', 'x-topic': 'order' }
  expect(jsonOf(await server.call({ ...call, headers, body: '{"a":1,"a":2}' }))).toEqual({
    sent: 'order {"a":1,"a":2}',
  })
  expect((await server.call({ ...call, headers, body: 'a'.repeat(101) })).status).toBe(413)
})

test('a caller we know keeps his trace, a stranger gets a new one', async () => {
  const traces: unknown[] = []
  const theirs = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
  const seen = ({ trace }: Request) => (traces.push(trace), { status: 200, body: { id: '1', count: 1 } })
  const { server } = started([
    reading(seen),
    reading(seen, { path: '/open/:id', operationId: 'o.o', scope: 'public' }),
  ])
  for (const url of [readsCrate.url, '/open/1']) {
    await server.call({ ...readsCrate, url, headers: { ...asWriter, traceparent: theirs } })
  }
  expect(traces[0]).toMatchObject({ traceId: '4bf92f3577b34da6a3ce929d0e0e4736' })
  expect(traces[1]).toMatchObject({ link: theirs })
  expect(traces[1]).not.toMatchObject({ traceId: '4bf92f3577b34da6a3ce929d0e0e4736' })
})
