import { createHmac } from 'node:crypto'
import { SignJWT, exportJWK, exportSPKI, generateKeyPair } from 'jose'
import type { JWTPayload } from 'jose'
import { beforeAll, expect, test } from 'vitest'
import { tokenVerifier } from '#platform/access-tokens.ts'
import type { TokenRules } from '#platform/access-tokens.ts'
import { Outage, Refusal } from '#platform/faults.ts'
import { fakeClock } from '#tests/support/clock.ts'

const rules: TokenRules = {
  issuer: 'https://issuer.example',
  audience: 'crossdock',
  jwksUrl: 'https://issuer.example/jwks',
  algorithms: ['ES256'],
  requireAccessTokenType: true,
  maxLifetimeSeconds: 900,
}
type Pair = Awaited<ReturnType<typeof generateKeyPair>>
let ours: Pair
let foreign: Pair
let jwks: { keys: object[] }
beforeAll(async () => {
  ours = await generateKeyPair('ES256', { extractable: true })
  foreign = await generateKeyPair('ES256', { extractable: true })
  jwks = { keys: [{ ...(await exportJWK(ours.publicKey)), kid: 'k1', alg: 'ES256', use: 'sig' }] }
})

const start = '2026-03-02T09:00:00Z'
const nowSeconds = Date.parse(start) / 1_000
const claims: JWTPayload = {
  iss: rules.issuer,
  aud: rules.audience,
  sub: 'client-7',
  client_id: 'portal',
  scope: 'orders:read orders:write',
  partner: 'acme',
  iat: nowSeconds,
  exp: nowSeconds + 600,
}
type Header = { alg: string; kid?: string; typ?: string; [name: string]: unknown }
const header: Header = { alg: 'ES256', kid: 'k1', typ: 'at+jwt' }
const signed = (payload: JWTPayload = {}, change: object = {}, key = ours.privateKey) =>
  new SignJWT({ ...claims, ...payload }).setProtectedHeader({ ...header, ...change }).sign(key)
const without = (name: string) => signed({ [name]: undefined })
const encode = (value: unknown) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')

function verifier(change: Partial<TokenRules> = {}, fetchJwks: () => Promise<unknown> = async () => jwks) {
  const clock = fakeClock(start)
  return { clock, ...tokenVerifier({ ...rules, ...change }, fetchJwks, clock) }
}
async function outcome(token: string, change: Partial<TokenRules> = {}): Promise<string> {
  try {
    await verifier(change).verify(token)
    return 'accepted'
  } catch (error) {
    return error instanceof Refusal ? error.code : String(error)
  }
}
const REFUSED = 'access.credentials_invalid'

test('a token of the issuer names client, scopes and partner', async () => {
  expect(await verifier().verify(await signed())).toEqual({
    client: 'portal',
    scopes: new Set(['orders:read', 'orders:write']),
    partner: 'acme',
  })
  expect(verifier().verify('xdk_not_a_token')).toBeUndefined()
})

test.each<[string, () => Promise<string>]>([
  ['another issuer', () => signed({ iss: 'https://evil.example' })],
  ['another audience', () => signed({ aud: 'billing' })],
  ['no expiry', () => without('exp')],
  ['no issue time', () => without('iat')],
  ['no issuer', () => without('iss')],
  ['no audience', () => without('aud')],
  ['no subject', () => without('sub')],
  ['an expiry in the past', () => signed({ iat: nowSeconds - 600, exp: nowSeconds - 60 })],
  ['a beginning in the future', () => signed({ nbf: nowSeconds + 120 })],
  ['a lifetime of a year', () => signed({ exp: nowSeconds + 31_536_000 })],
  ['a negative lifetime', () => signed({ iat: nowSeconds + 700 })],
  ['the type of an ID token', () => signed({}, { typ: 'JWT' })],
  ['no type', () => signed({}, { typ: undefined })],
  ['a partner that is not text', () => signed({ partner: ['acme'] })],
  ['a client name of 300 characters', () => signed({ client_id: 'x'.repeat(300) })],
  ['the signature of another key', () => signed({}, {}, foreign.privateKey)],
  ['a key id of 300 characters', () => signed({}, { kid: 'k'.repeat(300) })],
  ['a key id that is a path', () => signed({}, { kid: '../../dev/null' })],
  ['a critical extension', () => signed({}, { crit: ['b64'], b64: false }).catch(async () => 'a.b.c')],
  ['no signature', async () => `${encode({ ...header, alg: 'none' })}.${encode(claims)}.`],
  ['a signature cut off', async () => (await signed()).split('.').slice(0, 2).join('.')],
  ['10,000 characters', () => signed({ scope: 'x'.repeat(10_000) })],
  ['nothing but dots', async () => '..'],
])('a token with %s is refused', async (_, token) => {
  expect(await outcome(await token())).toBe(REFUSED)
})

test.each([
  ['neither a partner nor the scope of staff', 'orders:read', 'access.token_unbound'],
  [
    'no partner, and scopes that only look like that of staff',
    'staff access:staffing',
    'access.token_unbound',
  ],
  ['no scope at all', undefined, 'access.token_unbound'],
  ['the scope of staff', 'orders:read access:staff', 'accepted'],
  ['the scope that includes all others', '*', 'accepted'],
])('without a partner a token with %s is accepted or refused', async (_, scope, expected) => {
  expect(await outcome(await signed({ partner: undefined, scope }))).toBe(expected)
})

test('the scope of staff does not widen what a partner sees', async () => {
  const token = await signed({ scope: 'orders:read access:staff' })
  expect(await verifier().verify(token)).toMatchObject({ partner: 'acme' })
})

test('a token that brings its own key is judged by the issuer’s keys', async () => {
  const own = { ...(await exportJWK(foreign.publicKey)), kid: 'k1', alg: 'ES256' }
  const forged = await signed(
    {},
    { jwk: own, jku: 'https://evil.example/jwks', x5u: 'https://evil.example' },
    foreign.privateKey,
  )
  expect(await outcome(forged)).toBe(REFUSED)
  expect(await outcome(await signed({}, { jwk: own, jku: 'https://evil.example/jwks' }))).toBe('accepted')
})

test('the public key does not serve as a shared secret', async () => {
  const content = `${encode({ ...header, alg: 'HS256' })}.${encode(claims)}`
  const mac = createHmac('sha256', await exportSPKI(ours.publicKey))
    .update(content)
    .digest('base64url')
  expect(await outcome(`${content}.${mac}`)).toBe(REFUSED)
})

test('an algorithm that the rules do not list is refused, though the key would fit', async () => {
  expect(await outcome(await signed(), { algorithms: ['RS256'] })).toBe(REFUSED)
})

test('a claim that stands twice is refused', async () => {
  const text = JSON.stringify({ ...claims, scope: 'orders:read' }).replace('{', '{"scope":"orders:admin",')
  const content = `${encode(header)}.${encode(text)}`
  const key = await crypto.subtle.importKey(
    'jwk',
    await exportJWK(ours.privateKey),
    { name: 'ECDSA', namedCurve: 'P-256' },
    false,
    ['sign'],
  )
  const signature = await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, key, Buffer.from(content))
  expect(await outcome(`${content}.${Buffer.from(signature).toString('base64url')}`)).toBe(REFUSED)
})

test('where the type is not required a plain one is accepted', async () => {
  expect(await outcome(await signed({}, { typ: 'JWT' }), { requireAccessTokenType: false })).toBe('accepted')
})

test('a token is verified once and remembered, yet never beyond its expiry', async () => {
  const { clock, verify } = verifier()
  const token = await signed({ exp: nowSeconds + 30 })
  await verify(token)
  expect(verify(token)).not.toBeInstanceOf(Promise)
  await clock.advance(61_000)
  await expect(verify(token)).rejects.toThrow(Refusal)
})

test('an unknown key id fetches the keys again, at most once a minute', async () => {
  let fetched = 0
  let keys: { keys: object[] } = { keys: [] }
  const { clock, verify } = verifier({}, async () => (fetched++, keys))
  const attempt = async () => {
    try {
      await verify(await signed())
      return 'accepted'
    } catch (error) {
      return (error as Refusal).code
    }
  }
  expect(await Promise.all([attempt(), attempt(), attempt()])).toEqual([REFUSED, REFUSED, REFUSED])
  expect(fetched).toBe(1)
  keys = jwks
  expect(await attempt()).toBe(REFUSED)
  await clock.advance(60_000)
  expect(await attempt()).toBe('accepted')
  expect(fetched).toBe(2)
})

test('an issuer that is away is an outage for those without its keys and goes unnoticed by the others', async () => {
  let away = true
  const { clock, verify } = verifier({}, () =>
    away ? Promise.reject(new Error('ECONNREFUSED')) : Promise.resolve(jwks),
  )
  const token = (seconds: number) => signed({ iat: nowSeconds + seconds, exp: nowSeconds + seconds + 600 })
  await expect(verify(await token(0))).rejects.toThrow(Outage)
  away = false
  await clock.advance(5_000)
  await expect(verify(await token(1))).resolves.toMatchObject({ client: 'portal' })
  away = true
  await clock.advance(3_600_000)
  await expect(verify(await token(3_600))).resolves.toMatchObject({ client: 'portal' })
  await clock.advance(86_400_000)
  await expect(verify(await token(90_000))).rejects.toThrow(Outage)
})
