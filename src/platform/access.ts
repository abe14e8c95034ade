/** Who is asking, and what they may do. Nothing is allowed that no credential grants. */
import { Refusal } from './faults.ts'
import { refusals } from './http-catalogue.ts'
import { Misconfiguration } from './misconfiguration.ts'

export type Principal = {
  /** The client's name: owner of idempotency keys and of rate limits. */
  readonly client: string
  readonly scopes: ReadonlySet<string>
  /** Limits what is visible to one partner; absent for the distributor's own clients. */
  readonly partner?: string
}

/** What a request shows of its origin. */
export type Credentials = {
  readonly authorization: string | undefined
  readonly apiKey: string | undefined
  readonly host: string | undefined
  readonly remoteAddress: string
  /** True when a proxy passed the request on: its real origin is then not the remote address. */
  readonly forwarded: boolean
}

export interface Access {
  /** Answers at once where it can: a promise costs the hot door more than the check. */
  authenticate(credentials: Credentials): Principal | Promise<Principal>
}

/** Verifies one kind of credential; undefined when it is not of this kind. */
export interface Verifier {
  verify(credential: string): Principal | Promise<Principal> | undefined
}

export const accessRefusals = refusals({
  'access.credentials_missing': {
    status: 401,
    title: 'No credentials were sent',
    cause: 'The route needs a scope and the request has neither an API key nor a bearer token.',
    fix: 'Send "Authorization: Bearer …" with an API key or an access token.',
  },
  'access.credentials_invalid': {
    status: 401,
    title: 'The credentials are not valid',
    cause: 'The key or token is unknown, expired, revoked, malformed or meant for somebody else.',
    fix: 'Ask the operator for a new key, or fetch a new token for this audience.',
  },
  'access.credentials_ambiguous': {
    status: 400,
    title: 'More than one credential was sent',
    cause: 'The request has both an Authorization and an X-API-Key header.',
    fix: 'Send one of the two.',
  },
  'access.scope_missing': {
    status: 403,
    title: 'The client may not do this',
    cause: 'The credential does not carry the scope that the route needs.',
    fix: 'Ask the operator to grant the scope named in the message.',
  },
  'access.token_unbound': {
    status: 403,
    title: 'The token says neither whose partner it is nor that it is staff',
    cause:
      'The access token has no partner claim, and its scopes do not say that it is for the distributor itself.',
    fix: 'Have the issuer add the claim "partner", or grant the scope access:staff to clients of the distributor.',
  },
  'access.host_not_local': {
    status: 403,
    title: 'Without credentials only this machine may ask',
    cause:
      'No credentials are configured, and the request was forwarded or names a host that is not loopback.',
    fix: 'Use http://127.0.0.1 or http://localhost directly, or configure credentials.',
  },
})

/** The scope that includes all others. */
export const EVERY_SCOPE = '*'
/** Makes an access token without a partner one of the distributor's own. */
const STAFF_SCOPE = 'access:staff'
export const ANONYMOUS: Principal = Object.freeze({ client: 'anonymous', scopes: new Set<string>() })
const LOCAL: Principal = Object.freeze({ client: 'local', scopes: new Set([EVERY_SCOPE]) })

/** `openOnLoopback`: without credentials a request from this machine may do everything (development). */
export function createAccess(verifiers: readonly Verifier[], options: { openOnLoopback: boolean }): Access {
  return {
    authenticate(credentials) {
      const credential = credentialOf(credentials)
      if (credential === undefined) {
        if (!options.openOnLoopback) {
          throw new Refusal('access.credentials_missing', 'Send an API key or a bearer token.')
        }
        return local(credentials)
      }
      for (const verifier of verifiers) {
        const principal = verifier.verify(credential)
        if (principal !== undefined) return principal
      }
      throw invalidCredentials()
    },
  }
}

export const grants = ({ scopes }: Principal, scope: string): boolean =>
  scopes.has(scope) || scopes.has(EVERY_SCOPE)

/** A token whose issuer forgot the partner must not see what the distributor sees. */
export function requireBinding(principal: Principal): Principal {
  if (principal.partner !== undefined || grants(principal, STAFF_SCOPE)) return principal
  const { client } = principal
  throw new Refusal('access.token_unbound', `The token of "${client}" has no partner and is not for staff.`)
}

export function requireScope(principal: Principal, scope: string): void {
  if (grants(principal, scope)) return
  throw new Refusal('access.scope_missing', `"${principal.client}" lacks the scope ${scope}.`, { scope })
}

/** One message for every reason, so that nobody learns which keys exist. */
export const invalidCredentials = () =>
  new Refusal('access.credentials_invalid', 'The key or token is not valid here.')

/** Refuses to open a port to other machines while nobody would be asked for credentials. */
export function assertSafeToListen(host: string, credentialsConfigured: boolean): void {
  if (credentialsConfigured || isLoopback(host)) return
  throw new Misconfiguration({
    problem: `refusing to listen on ${host} without credentials`,
    reason: 'everyone who reaches that address could do everything',
    cure: 'create an API key or configure a token issuer, or listen on 127.0.0.1',
  })
}

export function isLoopback(host: string): boolean {
  const bare = host
    .replace(/^\[|\]$/g, '')
    .toLowerCase()
    .replace(/^::ffff:/, '')
  return bare === 'localhost' || bare === '::1' || /^127(?:\.\d{1,3}){3}$/.test(bare)
}

function credentialOf({ authorization, apiKey }: Credentials): string | undefined {
  if (authorization !== undefined && apiKey !== undefined) {
    throw new Refusal('access.credentials_ambiguous', 'Send either Authorization or X-API-Key.')
  }
  if (authorization === undefined) return apiKey
  const [, credential] = /^Bearer +([\w.~+/=-]+)$/i.exec(authorization) ?? []
  if (credential === undefined) throw invalidCredentials()
  return credential
}

/** The Host check stops a web page that points its own name at 127.0.0.1 from using the open door. */
function local({ remoteAddress, host, forwarded }: Credentials): Principal {
  const name = host?.replace(/:\d+$/, '') ?? ''
  if (isLoopback(remoteAddress) && isLoopback(name) && !forwarded) return LOCAL
  throw new Refusal(
    'access.host_not_local',
    'Without credentials only http://127.0.0.1 or http://localhost is open.',
  )
}
