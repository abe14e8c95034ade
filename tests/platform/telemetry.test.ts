import fc from 'fast-check'
import { expect, test } from 'vitest'
import { continueTrace, formatTrace, parseTrace, startTrace } from '#platform/telemetry.ts'
import { createLog, redact, redactText } from '#platform/telemetry-log.ts'
import { createMetrics, declareHouseMetrics } from '#platform/telemetry-metrics.ts'
import { telemetryRoutes } from '#platform/telemetry-routes.ts'
import { fakeClock } from '#tests/support/clock.ts'
import { countingIds, house } from './http-house.ts'

const good = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'

test('a well-formed traceparent is read and written back', () => {
  expect(formatTrace(parseTrace(good)!)).toBe(good)
  expect(parseTrace(good.replace(/01$/, '00'))?.sampled).toBe(false)
  expect(parseTrace(`${good.replace(/^00/, 'cc')}-more`)?.traceId).toBe('4bf92f3577b34da6a3ce929d0e0e4736')
})

test.each([
  undefined,
  '',
  good.toUpperCase(),
  good.slice(0, -1),
  `${good}-more`,
  good.replace(/^00/, 'ff'),
  good.replace('4bf92f3577b34da6a3ce929d0e0e4736', '0'.repeat(32)),
  good.replace('00f067aa0ba902b7', '0'.repeat(16)),
  good.replace('4', 'g'),
  `cc-${good.slice(3)}-${'x'.repeat(600)}`,
])('a malformed traceparent is no trace: %s', (header) => {
  expect(parseTrace(header)).toBeUndefined()
})

test('a new trace and a continued span are well-formed, and only the span is new', () => {
  const ids = countingIds()
  const fresh = startTrace(ids, good)
  expect(parseTrace(formatTrace(fresh))).toMatchObject({ traceId: fresh.traceId })
  expect(fresh).toMatchObject({ link: good })
  const next = continueTrace(ids, parseTrace(good)!)
  expect(next.traceId).toBe('4bf92f3577b34da6a3ce929d0e0e4736')
  expect(next.spanId).not.toBe('00f067aa0ba902b7')
})

function logged(write: (log: ReturnType<typeof createLog>) => void): string {
  const lines: string[] = []
  const log = createLog({
    level: 'info',
    clock: fakeClock(),
    destination: { write: (line) => void lines.push(line) },
  })
  write(log)
  return lines.join('')
}

const CANARY = 'c4n4ry5ecret'

test.each<[string, unknown]>([
  [
    'a header',
    { headers: { Authorization: `Bearer ${CANARY}`, 'x-api-key': CANARY, 'set-cookie': [CANARY] } },
  ],
  [
    'a password deep inside',
    { a: { b: [{ dbPassword: CANARY }, { client_secret: CANARY, accessToken: CANARY }] } },
  ],
  ['a token response', { access_token: CANARY, refresh_token: { value: CANARY } }],
  ['a signature and a key', { 'webhook-signature': CANARY, privateKey: CANARY, apiKeys: [CANARY] }],
  ['a bearer in text', { note: `sent Authorization: Bearer ${CANARY}` }],
  ['a connection string', { url: `postgres://crossdock:${CANARY}@db:5432/x` }],
  [
    'an error',
    { error: new Error(`connect postgres://u:${CANARY}@db`, { cause: new Error(`Bearer ${CANARY}`) }) },
  ],
  ['fields of an error', { error: Object.assign(new Error('no'), { config: { password: CANARY } }) }],
  ['a key of ours', { text: `xdk_0123456789ab_${Buffer.from(CANARY).toString('hex').repeat(2)}` }],
  ['a web token', { text: `eyJhbGciOiJFUzI1NiJ9.eyJz${CANARY}.c2ln` }],
  ['bytes', { body: Buffer.from(CANARY) }],
])('no line shows the secret in %s', (_, facts) => {
  const text = logged((log) => log.with({ step: 1 }).info('it happened', facts as Record<string, unknown>))
  expect(text).toContain('it happened')
  for (const form of [CANARY, Buffer.from(CANARY).toString('hex'), Buffer.from(CANARY).toString('base64')]) {
    expect(text).not.toContain(form)
  }
})

test('the message itself is cleaned too', () => {
  expect(logged((log) => log.error(`token was Bearer ${CANARY}`))).not.toContain(CANARY)
})

test('what is no secret stays: counts of tokens, business keys, names', () => {
  const facts = {
    tokens: 12,
    hasPassword: true,
    key: 'order-7',
    keyword: 'salt',
    customer: 'Acme',
    author: 'Ann',
  }
  expect(JSON.parse(JSON.stringify(redact(facts)))).toEqual(facts)
  expect(redactText('order 7 of https://shop.example:8080/a@b')).toBe(
    'order 7 of https://shop.example:8080/a@b',
  )
})

test('redaction takes any value, however deep or circular, and keeps JSON', () => {
  const circle: Record<string, unknown> = {}
  circle['self'] = circle
  expect(() => JSON.stringify(redact(circle))).not.toThrow()
  fc.assert(fc.property(fc.anything(), (value) => void JSON.stringify(redact({ value }))))
})

test('a long hostile text is cleaned in linear time', () => {
  const started = process.cpuUsage().user
  redactText(`a://${'b'.repeat(8_000)}`)
  redactText('eyJaaaaa.'.repeat(900))
  redactText('bearer '.repeat(1_100))
  expect(process.cpuUsage().user - started).toBeLessThan(500_000)
})

test('lines are JSON with level, time of the clock, message and facts', () => {
  const text = logged((log) => {
    log.debug('not shown')
    log.with({ system: 'wms' }).warn('slow', { ms: 7 })
  })
  expect(JSON.parse(text)).toEqual({
    level: 'warn',
    time: '2026-03-02T09:00:00.000Z',
    message: 'slow',
    system: 'wms',
    ms: 7,
  })
})

test('metrics are named by their kind, and scraped with what was counted and read', async () => {
  const metrics = createMetrics({ process: false })
  metrics.counter({ name: 'crates_total', help: 'Crates', labels: ['kind'] }).add({ kind: 'wood' }, 3)
  metrics.gauge({ name: 'crates_open', help: 'Open', labels: [], read: (level) => level.set({}, 7) })
  metrics.histogram({ name: 'pack_seconds', help: 'Packing', labels: [], buckets: [1, 5] }).observe({}, 2)
  const { contentType, text } = await metrics.scrape()
  expect(contentType).toContain('text/plain')
  expect(text).toContain('crates_total{kind="wood"} 3')
  expect(text).toContain('crates_open 7')
  expect(text).toContain('pack_seconds_bucket{le="5"} 1')
  expect(() => metrics.counter({ name: 'crates', help: 'x', labels: [] })).toThrow('_total')
  expect(() => metrics.histogram({ name: 'pack_ms', help: 'x', labels: [], buckets: [1] })).toThrow(
    '_seconds',
  )
})

test('the numbers of the house carry the names that dashboards look for', async () => {
  const metrics = createMetrics({ process: false })
  const numbers = declareHouseMetrics(metrics)
  numbers.circuitState.set({ system: 'wms-north' }, 2)
  const { text } = await metrics.scrape()
  for (const name of ['orders_stuck', 'dlq_depth', 'adapter_requests_total']) {
    expect(text).toContain(`# TYPE ${name} `)
  }
  expect(text).toContain('circuit_state{system="wms-north"} 2')
})

test('the process is ready when every check passes, and says which one does not', async () => {
  let databaseIsUp = true
  const checks = [
    {
      name: 'database',
      check: async () => {
        if (!databaseIsUp) throw new Error('down')
      },
    },
    { name: 'migrations', check: async () => undefined },
  ]
  const { server } = house(telemetryRoutes(createMetrics({ process: false }), checks))
  const ready = await server.call({ method: 'GET', url: '/readyz' })
  expect([ready.status, JSON.parse(ready.body)]).toMatchObject([200, { status: 'ready' }])
  databaseIsUp = false
  const not = await server.call({ method: 'GET', url: '/readyz' })
  expect([not.status, JSON.parse(not.body)]).toEqual([
    503,
    {
      status: 'not_ready',
      checks: [
        { name: 'database', ok: false },
        { name: 'migrations', ok: true },
      ],
    },
  ])
  expect((await server.call({ method: 'GET', url: '/livez' })).status).toBe(200)
})

test('metrics are shown to who has the scope only', async () => {
  const metrics = createMetrics({ process: true })
  const routes = telemetryRoutes(metrics, [])
  const scopes = new Set(['platform.metrics:read'])
  const allowed = house(routes, { access: { authenticate: () => ({ client: 'prometheus', scopes }) } })
  const answer = await allowed.server.call({ method: 'GET', url: '/metrics' })
  expect([answer.status, answer.headers['content-type']]).toEqual([
    200,
    'text/plain; version=0.0.4; charset=utf-8',
  ])
  expect(answer.body).toContain('process_cpu_user_seconds_total')
  expect((await house(routes).server.call({ method: 'GET', url: '/metrics' })).status).toBe(401)
})
