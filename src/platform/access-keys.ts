/** API keys: random, stored as a hash, checked in constant time, revocable within seconds. */
import { hash, timingSafeEqual } from 'node:crypto'
import { EVERY_SCOPE, invalidCredentials } from './access.ts'
import type { Principal, Verifier } from './access.ts'
import type { Clock } from './clock.ts'
import { sql } from './database.ts'
import type { Database, Queries } from './database.ts'
import type { Ids } from './ids.ts'

const KEY = /^xdk_([0-9a-f]{12})_([0-9a-f]{48})$/
const SCOPE = /^[a-z][a-z0-9_.-]{0,60}:[a-z]+$/
/** A revoked key is refused everywhere after this time at the latest. */
export const KEY_REFRESH_MS = 5_000

export type ApiKey = {
  readonly prefix: string
  readonly client: string
  readonly scopes: readonly string[]
  readonly partner: string | null
  readonly createdAt: Date
  readonly expiresAt: Date | null
  readonly revokedAt: Date | null
}

const insert = sql(
  'access.key_create',
  `insert into access.api_key (prefix, secret_hash, client, scopes, partner, expires_at)
   values ($1, $2, $3, $4, $5, $6)`,
)
const revoke = sql(
  'access.key_revoke',
  `update access.api_key set revoked_at = clock_timestamp() where prefix = $1 and revoked_at is null
   returning prefix`,
)
const columns = `prefix, client, scopes, partner, created_at as "createdAt", expires_at as "expiresAt",
  revoked_at as "revokedAt"`
const list = sql('access.key_list', `select ${columns} from access.api_key order by created_at, prefix`)
const usable = sql(
  'access.key_usable',
  `select ${columns}, secret_hash as "secretHash" from access.api_key
   where revoked_at is null and (expires_at is null or expires_at > clock_timestamp())`,
)

export type NewKey = {
  readonly client: string
  readonly scopes: readonly string[]
  readonly partner?: string
  readonly expiresAt?: Date
}

/** Creates a key and answers its text, which exists nowhere else afterwards. */
export async function createKey(queries: Queries, ids: Ids, key: NewKey): Promise<string> {
  const malformed = key.scopes.filter((scope) => scope !== EVERY_SCOPE && !SCOPE.test(scope))
  if (malformed.length > 0) throw new Error(`malformed scopes: ${malformed.join(', ')}`)
  if (!/^[\w.-]{1,80}$/.test(key.client)) throw new Error(`malformed client name "${key.client}"`)
  const random = ids.token(30)
  const [prefix, secret] = [random.slice(0, 12), random.slice(12)]
  const values = [prefix, hashOf(secret), key.client, key.scopes, key.partner ?? null, key.expiresAt ?? null]
  await queries.query(insert, values)
  return `xdk_${prefix}_${secret}`
}

/** False when no usable key has the prefix. */
export async function revokeKey(queries: Queries, prefix: string): Promise<boolean> {
  return (await queries.query(revoke, [prefix])).length > 0
}

export const listKeys = (queries: Queries): Promise<ApiKey[]> => queries.query<ApiKey>(list)

/**
 * Verifies keys against a copy of the table, read again when it is older than `KEY_REFRESH_MS`: a database
 * query per request would cost more than the whole door. While the database is away the last copy is not used.
 */
export function keyVerifier(database: Database, clock: Clock): Verifier {
  let known = new Map<string, KnownKey>()
  let readAtMs = Number.NEGATIVE_INFINITY
  let reading: Promise<void> | undefined

  async function read(): Promise<void> {
    const startedMs = clock.monotonicMs()
    const rows = await database.query<ApiKey & { secretHash: Buffer }>(usable)
    known = new Map(rows.map((row) => [row.prefix, knownKey(row)]))
    readAtMs = startedMs
  }

  return {
    verify(credential) {
      const [, prefix, secret] = KEY.exec(credential) ?? []
      if (!prefix || !secret) return undefined
      const check = () => verified(known.get(prefix), secret, clock.now())
      if (clock.monotonicMs() - readAtMs < KEY_REFRESH_MS) return check()
      reading ??= read().finally(() => (reading = undefined))
      return reading.then(check)
    },
  }
}

type KnownKey = { secretHash: Buffer; expiresAt: Date | null; principal: Principal }

function knownKey(row: ApiKey & { secretHash: Buffer }): KnownKey {
  const principal = { client: row.client, scopes: new Set(row.scopes) }
  return {
    secretHash: row.secretHash,
    expiresAt: row.expiresAt,
    principal: row.partner === null ? principal : { ...principal, partner: row.partner },
  }
}

const NO_HASH = Buffer.alloc(32)

function verified(key: KnownKey | undefined, secret: string, now: Date): Principal {
  const matches = timingSafeEqual(hashOf(secret), key?.secretHash ?? NO_HASH)
  if (!key || !matches || (key.expiresAt && key.expiresAt <= now)) throw invalidCredentials()
  return key.principal
}

/** A plain hash suffices: the secret has 192 random bits, there is nothing to guess. */
const hashOf = (secret: string): Buffer => hash('sha256', secret, 'buffer')
