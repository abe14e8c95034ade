import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Credentials, Principal } from '#platform/access.ts'
import { systemClock } from '#platform/clock.ts'
import type { Transaction } from '#platform/database.ts'
import { Refusal } from '#platform/faults.ts'
import type { Claim, Request } from '#platform/http.ts'
import { canonical, claim, fingerprintOf, oncePerKey, purge, record } from '#platform/http-idempotency.ts'
import { house, packCrate, packing } from './http-house.ts'
import { messageDatabase } from './message-database.ts'
import type { MessageDatabase } from './message-database.ts'

let base: MessageDatabase
beforeAll(async () => {
  base = await messageDatabase()
})
afterAll(() => base.end())
beforeEach(() => base.run('truncate http.idempotency'))

const claimOf = (key: string, body: unknown = {}, client = 'shop'): Claim => {
  return { client, key, fingerprint: fingerprintOf('POST', '/orders', body) }
}
const accept = (claims: readonly Claim[]) =>
  base.database.transaction(async (tx) => {
    const states = await claim(tx, claims)
    const fresh = claims.filter((one) => states.get(one)!.state === 'new')
    record(
      tx,
      fresh.map((one) => ({ ...one, status: 201, body: { id: `order of ${one.key}` } })),
    )
    return claims.map((one) => states.get(one))
  })

/** A transaction that has claimed and stays open until the answered function is called. */
async function held(
  claims: readonly Claim[],
  last: (tx: Transaction) => void = () => {},
): Promise<() => Promise<void>> {
  let release = () => {}
  const released = new Promise<void>((resolve) => (release = resolve))
  let done: Promise<void> | undefined
  await new Promise<void>((claimed) => {
    done = base.database.transaction(async (tx) => {
      await claim(tx, claims)
      claimed()
      await released
      last(tx)
    })
  })
  return async () => {
    release()
    await done
  }
}

test('a key is new once; afterwards it answers with the recorded status and body', async () => {
  expect(await accept([claimOf('a'), claimOf('b')])).toEqual([{ state: 'new' }, { state: 'new' }])
  expect(await accept([claimOf('b'), claimOf('c'), claimOf('a')])).toEqual([
    { state: 'replay', status: 201, body: { id: 'order of b' } },
    { state: 'new' },
    { state: 'replay', status: 201, body: { id: 'order of a' } },
  ])
})

test('the same key with another body is a mismatch; the same key of another client is nobody else’s business', async () => {
  await accept([claimOf('a', { quantity: 1 })])
  expect(await accept([claimOf('a', { quantity: 2 }), claimOf('a', { quantity: 2 }, 'portal')])).toEqual([
    { state: 'mismatch' },
    { state: 'new' },
  ])
})

test('of equal keys in one batch one goes on, and a different body under the same key is a mismatch', async () => {
  const twins = [claimOf('a'), claimOf('b'), claimOf('a'), claimOf('a', { other: true })]
  expect(await accept(twins)).toEqual([
    { state: 'new' },
    { state: 'new' },
    { state: 'in_flight' },
    { state: 'mismatch' },
  ])
  expect(await base.run('select key from http.idempotency order by key')).toEqual([
    { key: 'a' },
    { key: 'b' },
  ])
})

test('a key that an open transaction holds is in flight for that key alone, without waiting', async () => {
  const release = await held([claimOf('a')])
  expect(await accept([claimOf('a'), claimOf('b')])).toEqual([{ state: 'in_flight' }, { state: 'new' }])
  await release()
  expect(await accept([claimOf('a')])).toEqual([{ state: 'new' }])
})

test('a transaction that rolls back leaves its keys new', async () => {
  const failing = base.database.transaction(async (tx) => {
    await claim(tx, [claimOf('a')])
    record(tx, [{ ...claimOf('a'), status: 201, body: {} }])
    throw new Refusal('crates.empty', 'no')
  })
  await expect(failing).rejects.toThrow('no')
  expect(await accept([claimOf('a')])).toEqual([{ state: 'new' }])
})

test('many processes at once with one key have one effect', async () => {
  const states = await Promise.all(Array.from({ length: 12 }, () => accept([claimOf('hot')])))
  expect(states.flat().filter((state) => state?.state === 'new')).toHaveLength(1)
  expect(states.flat().every((state) => state?.state !== 'mismatch')).toBe(true)
})

test('keys older than 72 hours are purged, younger ones stay', async () => {
  await accept([claimOf('old'), claimOf('young')])
  await base.run(`update http.idempotency set created_at = now() - interval '73 hours' where key = 'old'`)
  expect(await purge(base.database)).toBe(1)
  expect(await purge(base.database)).toBe(0)
  expect(await base.run('select key from http.idempotency')).toEqual([{ key: 'young' }])
})

test('a plain door answers the first result again and says so; another body is refused; a refusal frees the key', async () => {
  let effects = 0
  const work = oncePerKey(base.database, async (_tx, { body }: Request<never, never, never, Claim>) => {
    const { count } = body as { count: number }
    if (count === 0) throw new Refusal('crates.empty', 'The crate is empty.')
    effects++
    return { status: 201 as const, body: { id: `crate ${effects}`, count } }
  })
  const { server } = house([{ ...packCrate, handler: work }], { clock: systemClock })
  const first = await server.call(packing({ label: 'A', count: 1 }))
  const again = await server.call(packing({ count: 1, label: 'A' }))
  expect([again.status, again.body, again.headers['idempotency-replayed']]).toEqual([201, first.body, 'true'])
  expect(first.headers['idempotency-replayed']).toBeUndefined()
  expect(effects).toBe(1)
  const other = await server.call(packing({ label: 'A', count: 2 }))
  expect([other.status, JSON.parse(other.body)]).toMatchObject([422, { code: 'http.idempotency_key_reused' }])
  const empty = await server.call(packing({ label: 'A', count: 0 }, { 'idempotency-key': 'k2' }))
  expect(JSON.parse(empty.body)).toMatchObject({ code: 'crates.empty' })
  expect((await server.call(packing({ label: 'A', count: 5 }, { 'idempotency-key': 'k2' }))).status).toBe(201)
  await server.close()
})

test('a plain door answers 409 with Retry-After while the key is in flight', async () => {
  const work = oncePerKey(base.database, async () => ({ status: 201 as const, body: { id: '1', count: 1 } }))
  const { server } = house([{ ...packCrate, handler: work }], { clock: systemClock })
  const path = '/process/crates/v1/crates'
  const release = await held([
    { client: 'writer', key: 'k1', fingerprint: fingerprintOf('POST', path, { label: 'A', count: 1 }) },
  ])
  const answer = await server.call(packing({ label: 'A', count: 1 }))
  expect([answer.status, answer.headers['retry-after'], JSON.parse(answer.body)]).toMatchObject([
    409,
    '1',
    { code: 'http.idempotency_key_in_flight', retryable: true },
  ])
  await release()
  await server.close()
})

test('a key of a client counts for each partner that it speaks for by itself, and is never answered to another', async () => {
  let effects = 0
  const work = oncePerKey(base.database, async () => ({
    status: 201,
    body: { id: `${++effects}`, count: 1 },
  }))
  const access = {
    authenticate: ({ apiKey }: Credentials): Principal => ({
      client: 'portal',
      scopes: new Set(['crates:write']),
      ...(apiKey === 'staff' ? {} : { partner: apiKey! }),
    }),
  }
  const { server } = house([{ ...packCrate, handler: work }], { clock: systemClock, access })
  const idFor = async (who: string): Promise<unknown> => {
    const { headers, ...call } = packing({ label: 'A', count: 1 })
    const answer = await server.call({ ...call, headers: { ...headers, 'x-api-key': who } })
    return (JSON.parse(answer.body) as { id: unknown }).id
  }
  const ids = []
  for (const who of ['staff', 'acme', 'bravo', 'acme', 'staff']) ids.push(await idFor(who))
  expect(ids).toEqual(['1', '2', '3', '2', '1'])
  await server.close()
})

test('the canonical form is equal for equal values in any key order, and different for different values', () => {
  const shuffled = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(shuffled)
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(
      Object.entries(value)
        .toReversed()
        .map(([key, item]) => [key, shuffled(item)]),
    )
  }
  const sortedJson = (value: unknown): string => {
    if (Array.isArray(value)) return `[${value.map(sortedJson).join()}]`
    if (typeof value !== 'object' || value === null) return JSON.stringify(value)
    return `{${Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([k, v]) => `${JSON.stringify(k)}:${sortedJson(v)}`)
      .join()}}`
  }
  const json = fc.jsonValue({ maxDepth: 4 }).map((value) => JSON.parse(JSON.stringify(value)) as unknown)
  fc.assert(
    fc.property(json, json, (a, b) => {
      expect(canonical(shuffled(a))).toBe(canonical(a))
      expect(canonical(a) === canonical(b)).toBe(sortedJson(a) === sortedJson(b))
    }),
    { numRuns: 500 },
  )
  const lookalikes = [
    ['1'],
    [1],
    '1',
    1,
    null,
    'null',
    [],
    {},
    [[]],
    [{}],
    ['a', 'b'],
    ['a"1:b'],
    { a: 'b' },
    true,
    'true',
    ['', ''],
    [''],
  ]
  expect(new Set(lookalikes.map(canonical)).size).toBe(lookalikes.length)
})
