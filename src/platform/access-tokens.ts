/** Bearer access tokens (RFC 9068, RFC 8725): signature by the issuer's published keys, claims checked, nothing else trusted. */
import { createLocalJWKSet, decodeProtectedHeader, jwtVerify } from 'jose'
import type { JSONWebKeySet, JWTPayload } from 'jose'
import { invalidCredentials, requireBinding } from './access.ts'
import type { Principal, Verifier } from './access.ts'
import type { Clock } from './clock.ts'
import { Outage } from './faults.ts'
import { parseStrictJson } from './http-json.ts'

export type TokenRules = {
  readonly issuer: string
  readonly audience: string
  readonly jwksUrl: string
  /** Asymmetric algorithms only; a symmetric one would make every verifier an issuer. */
  readonly algorithms: readonly ('RS256' | 'PS256' | 'ES256' | 'ES384' | 'EdDSA')[]
  /** Refuses tokens whose header does not say `typ: at+jwt`. */
  readonly requireAccessTokenType: boolean
  /** Longest lifetime that a token may claim. */
  readonly maxLifetimeSeconds: number
}

/** Fetches the issuer's key set; `app.ts` supplies it from the outgoing HTTP client. */
export type FetchJwks = (url: string) => Promise<unknown>

const MAX_TOKEN_CHARACTERS = 8_192
const MAX_KID_CHARACTERS = 256
const CLOCK_TOLERANCE_SECONDS = 30
const MAX_REMEMBERED = 1_000
/** A token that verified once is not verified again for this long. */
const REMEMBER_MS = 60_000

export function tokenVerifier(rules: TokenRules, fetchJwks: FetchJwks, clock: Clock): Verifier {
  const keys = issuerKeys(rules.jwksUrl, fetchJwks, clock)
  const remembered = new Map<string, { principal: Principal; untilMs: number }>()

  async function verify(token: string): Promise<Principal> {
    assertPlausible(token, rules)
    const { payload } = await verifySignature(token, rules, keys, clock)
    const principal = principalOf(payload, rules)
    const untilMs = Math.min(clock.now().getTime() + REMEMBER_MS, Number(payload.exp) * 1_000)
    if (remembered.size >= MAX_REMEMBERED) remembered.delete(remembered.keys().next().value!)
    remembered.set(token, { principal, untilMs })
    return principal
  }

  return {
    verify(credential) {
      if (!credential.includes('.')) return undefined
      const known = remembered.get(credential)
      if (known && clock.now().getTime() < known.untilMs) return known.principal
      if (known) remembered.delete(credential)
      return verify(credential)
    },
  }
}

/** What can be told from the token's face: size, header, and that no claim stands in it twice. */
function assertPlausible(token: string, rules: TokenRules): void {
  if (token.length > MAX_TOKEN_CHARACTERS) throw invalidCredentials()
  try {
    const { alg, kid } = decodeProtectedHeader(token)
    const known = rules.algorithms.some((algorithm) => algorithm === alg)
    if (!known || (kid !== undefined && kid.length > MAX_KID_CHARACTERS)) throw invalidCredentials()
    for (const part of token.split('.', 2)) parseStrictJson(Buffer.from(part, 'base64url'))
  } catch {
    throw invalidCredentials()
  }
}

async function verifySignature(token: string, rules: TokenRules, keys: IssuerKeys, clock: Clock) {
  const options = {
    issuer: rules.issuer,
    audience: rules.audience,
    algorithms: [...rules.algorithms],
    requiredClaims: ['exp', 'iat', 'iss', 'aud', 'sub'],
    clockTolerance: CLOCK_TOLERANCE_SECONDS,
    currentDate: clock.now(),
    ...(rules.requireAccessTokenType ? { typ: 'at+jwt' } : {}),
  }
  const { kid } = decodeProtectedHeader(token)
  const set = createLocalJWKSet(await keys.for(kid))
  try {
    return await jwtVerify(token, set, options)
  } catch {
    throw invalidCredentials()
  }
}

function principalOf(payload: JWTPayload, rules: TokenRules): Principal {
  const { exp, iat, sub, scope, partner, client_id: clientId } = payload
  const lifetime = Number(exp) - Number(iat)
  if (!(lifetime > 0 && lifetime <= rules.maxLifetimeSeconds)) throw invalidCredentials()
  const client = typeof clientId === 'string' ? clientId : sub
  if (!client || client.length > 200) throw invalidCredentials()
  if (partner !== undefined && typeof partner !== 'string') throw invalidCredentials()
  const scopes = new Set(typeof scope === 'string' ? scope.split(' ').filter(Boolean) : [])
  return requireBinding(partner === undefined ? { client, scopes } : { client, scopes, partner })
}

interface IssuerKeys {
  /** The key set, fetched again when it is old or, once a minute, when it lacks `kid`. */
  for(kid: string | undefined): Promise<JSONWebKeySet>
}

const FRESH_MS = 600_000
const USABLE_MS = 86_400_000
const COOL_DOWN_MS = 60_000
const FAILED_COOL_DOWN_MS = 5_000

function issuerKeys(url: string, fetchJwks: FetchJwks, clock: Clock): IssuerKeys {
  let set: JSONWebKeySet = { keys: [] }
  let fetchedMs = Number.NEGATIVE_INFINITY
  let notBeforeMs = Number.NEGATIVE_INFINITY
  let fetching: Promise<void> | undefined

  async function refresh(): Promise<void> {
    try {
      set = keySetOf(await fetchJwks(url))
      fetchedMs = clock.monotonicMs()
      notBeforeMs = fetchedMs + COOL_DOWN_MS
    } catch (cause) {
      notBeforeMs = clock.monotonicMs() + FAILED_COOL_DOWN_MS
      if (clock.monotonicMs() - fetchedMs > USABLE_MS) {
        throw new Outage('token-issuer', 'the keys of the token issuer cannot be read', { cause })
      }
    }
  }

  return {
    async for(kid) {
      const nowMs = clock.monotonicMs()
      const lacksKey = kid !== undefined && !set.keys.some((key) => key.kid === kid)
      const isDue = nowMs - fetchedMs > FRESH_MS || lacksKey
      if (fetching || (isDue && nowMs >= notBeforeMs)) {
        await (fetching ??= refresh().finally(() => (fetching = undefined)))
      }
      if (clock.monotonicMs() - fetchedMs > USABLE_MS) {
        throw new Outage('token-issuer', 'the keys of the token issuer cannot be read')
      }
      return set
    },
  }
}

function keySetOf(answer: unknown): JSONWebKeySet {
  const keys = (answer as { keys?: unknown } | null)?.keys
  if (!Array.isArray(keys) || keys.length > 100) throw new Error('not a JSON web key set')
  return { keys }
}
