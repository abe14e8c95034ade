import { createHmac } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { assertSafeToListen, createAccess, isLoopback, requireScope } from '#platform/access.ts'
import type { Credentials, Principal } from '#platform/access.ts'
import { KEY_REFRESH_MS, createKey, keyVerifier, listKeys, revokeKey } from '#platform/access-keys.ts'
import { verifyHmac } from '#platform/access-signatures.ts'
import { Refusal } from '#platform/faults.ts'
import { fakeClock } from '#tests/support/clock.ts'
import { countingIds, crateRoutes, house } from './http-house.ts'
import { messageDatabase } from './message-database.ts'
import type { MessageDatabase } from './message-database.ts'

let base: MessageDatabase
beforeAll(async () => {
  base = await messageDatabase()
})
afterAll(() => base.end())
const ids = countingIds()

async function codeOf(work: () => unknown): Promise<string> {
  try {
    await work()
    return 'none'
  } catch (error) {
    return error instanceof Refusal ? error.code : `not a refusal: ${String(error)}`
  }
}

test('a key opens what its scopes say, for its client and partner', async () => {
  const key = await createKey(base.database, ids, {
    client: 'shop',
    scopes: ['orders:read'],
    partner: 'acme',
  })
  const principal = await keyVerifier(base.database, fakeClock()).verify(key)
  expect(principal).toEqual({ client: 'shop', scopes: new Set(['orders:read']), partner: 'acme' })
  expect(await codeOf(() => requireScope(principal!, 'orders:read'))).toBe('none')
  expect(await codeOf(() => requireScope(principal!, 'orders:write'))).toBe('access.scope_missing')
  expect(await codeOf(() => requireScope({ ...principal!, scopes: new Set(['*']) }, 'orders:write'))).toBe(
    'none',
  )
})

test('the database holds no key that could be used', async () => {
  const key = await createKey(base.database, ids, { client: 'shop', scopes: ['orders:read'] })
  const secret = key.split('_')[2]!
  const rows = await base.run<{ row: string }>('select k::text as row from access.api_key k')
  expect(rows.length).toBeGreaterThan(0)
  expect(JSON.stringify(rows)).not.toContain(secret)
  expect(JSON.stringify(await listKeys(base.database))).not.toMatch(/hash/i)
})

test('a wrong secret, an unknown prefix and an expired key are refused alike', async () => {
  const clock = fakeClock(new Date())
  const key = await createKey(base.database, ids, { client: 'shop', scopes: ['orders:read'] })
  const expiring = await createKey(base.database, ids, {
    client: 'shop',
    scopes: ['orders:read'],
    expiresAt: new Date(clock.now().getTime() + 1_000),
  })
  const verifier = keyVerifier(base.database, clock)
  const outcome = (credential: string) => codeOf(() => verifier.verify(credential))
  expect(await outcome(key)).toBe('none')
  expect(await outcome(expiring)).toBe('none')
  clock.shiftWall(2_000)
  expect(await outcome(expiring)).toBe('access.credentials_invalid')
  expect(await outcome(key.slice(0, -1) + (key.endsWith('0') ? '1' : '0'))).toBe('access.credentials_invalid')
  expect(await outcome(`xdk_${'0'.repeat(12)}_${'0'.repeat(48)}`)).toBe('access.credentials_invalid')
  expect(verifier.verify('xdk_short')).toBeUndefined()
})

test('a revoked key is refused after the refresh time at the latest', async () => {
  const clock = fakeClock(new Date())
  const key = await createKey(base.database, ids, { client: 'shop', scopes: ['orders:read'] })
  const verifier = keyVerifier(base.database, clock)
  await verifier.verify(key)
  expect(await revokeKey(base.database, key.split('_')[1]!)).toBe(true)
  expect(await revokeKey(base.database, key.split('_')[1]!)).toBe(false)
  await clock.advance(KEY_REFRESH_MS)
  expect(await codeOf(() => verifier.verify(key))).toBe('access.credentials_invalid')
})

test('while keys are fresh a request is verified without the database', async () => {
  const key = await createKey(base.database, ids, { client: 'shop', scopes: ['orders:read'] })
  let queries = 0
  const counted = {
    ...base.database,
    query: ((...args) => (queries++, base.database.query(...args))) as typeof base.database.query,
  }
  const verifier = keyVerifier(counted, fakeClock())
  await Promise.all([verifier.verify(key), verifier.verify(key)])
  for (let again = 0; again < 100; again++) expect(verifier.verify(key)).not.toBeInstanceOf(Promise)
  expect(queries).toBe(1)
})

test.each([
  [{ client: 'a b', scopes: ['orders:read'] }, 'client name'],
  [{ client: 'shop', scopes: ['Orders'] }, 'malformed scopes'],
  [{ client: 'shop', scopes: [] }, 'check constraint'],
])('a key with malformed fields is not created: %j', async (key, message) => {
  await expect(createKey(base.database, ids, key)).rejects.toThrow(message)
})

const here: Credentials = {
  authorization: undefined,
  apiKey: undefined,
  host: '127.0.0.1:7300',
  remoteAddress: '127.0.0.1',
  forwarded: false,
}

test('without credentials only this machine, by a loopback name and without a proxy, is let in', async () => {
  const access = createAccess([], { openOnLoopback: true })
  const outcome = (change: Partial<Credentials>) => codeOf(() => access.authenticate({ ...here, ...change }))
  expect(await outcome({})).toBe('none')
  expect(await outcome({ host: 'localhost:7300', remoteAddress: '::1' })).toBe('none')
  expect(await outcome({ host: '[::1]:7300', remoteAddress: '::ffff:127.0.0.1' })).toBe('none')
  expect(await outcome({ remoteAddress: '192.168.1.9' })).toBe('access.host_not_local')
  expect(await outcome({ host: 'evil.example:7300' })).toBe('access.host_not_local')
  expect(await outcome({ host: '127.0.0.1.evil.example' })).toBe('access.host_not_local')
  expect(await outcome({ host: undefined })).toBe('access.host_not_local')
  expect(await outcome({ forwarded: true })).toBe('access.host_not_local')
})

test('wrong credentials are refused even where none are needed', async () => {
  const access = createAccess([], { openOnLoopback: true })
  expect(await codeOf(() => access.authenticate({ ...here, apiKey: 'x' }))).toBe('access.credentials_invalid')
})

test('the open door of a development machine answers 403 to a page that rebinds its name', async () => {
  const { server } = house(crateRoutes, { access: createAccess([], { openOnLoopback: true }) })
  const url = '/process/crates/v1/crates/1'
  expect((await server.call({ method: 'GET', url, headers: { host: 'localhost:7300' } })).status).toBe(200)
  expect((await server.call({ method: 'GET', url, headers: { host: 'evil.example' } })).status).toBe(403)
})

test('nobody listens beyond loopback without credentials', () => {
  for (const host of [
    '0.0.0.0',
    '::',
    '192.168.1.9',
    'crossdock.example',
    '1270.0.0.1',
    '127.0.0.1.example',
  ]) {
    expect(isLoopback(host)).toBe(false)
    expect(() => assertSafeToListen(host, false)).toThrow('without credentials')
    expect(() => assertSafeToListen(host, true)).not.toThrow()
  }
  for (const host of ['127.0.0.1', '127.0.0.53', '::1', '[::1]', 'localhost', '::ffff:127.0.0.1']) {
    expect(() => assertSafeToListen(host, false)).not.toThrow()
  }
})

test('every route refuses every principal that lacks its scope', async () => {
  const principals: Principal[] = [
    { client: 'a', scopes: new Set() },
    { client: 'b', scopes: new Set(['crates:read']) },
    { client: 'c', scopes: new Set(['crates:write']) },
    { client: 'd', scopes: new Set(['crates']) },
    { client: 'e', scopes: new Set(['*']) },
  ]
  for (const principal of principals) {
    const { server } = house(crateRoutes, { access: { authenticate: () => principal } })
    for (const { method, path, scope } of crateRoutes) {
      const { status } = await server.call({ method, url: path.replace(':id', '1') })
      expect([principal.client, method, status === 403]).toEqual([
        principal.client,
        method,
        !principal.scopes.has(scope) && !principal.scopes.has('*'),
      ])
    }
  }
})

test('a webhook signature is accepted from any current secret and from nothing else', () => {
  const body = '{"id":1}'
  const sign = (secret: string) => createHmac('sha256', secret).update(body).digest('hex')
  const claim = (signature: string) =>
    ({ signed: body, signature, algorithm: 'sha256', encoding: 'hex' }) as const
  expect(verifyHmac(claim(sign('new')), ['new', 'old'])).toBe(true)
  expect(verifyHmac(claim(sign('old')), ['new', 'old'])).toBe(true)
  expect(verifyHmac(claim(sign('other')), ['new', 'old'])).toBe(false)
  expect(verifyHmac({ ...claim(sign('new')), signed: '{"id":2}' }, ['new'])).toBe(false)
  for (const malformed of ['', 'zz', sign('new').slice(0, 32), `${sign('new')}00`]) {
    expect(verifyHmac(claim(malformed), ['new'])).toBe(false)
  }
  expect(verifyHmac(claim(sign('new')), [])).toBe(false)
  expect(() => verifyHmac(claim(sign('')), [''])).toThrow('empty')
})
