import { generateKeyPairSync } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { auditSealer, readHeads } from '#platform/audit-sealer.ts'
import { sealEntries, verifySeals } from '#platform/audit-seals.ts'
import { recordAudit } from '#platform/audit.ts'
import { fakeClock } from '#tests/support/clock.ts'
import { messageDatabase, type MessageDatabase } from './message-database.ts'

let house: MessageDatabase
let folder: string
let path: string
const { privateKey: key } = generateKeyPairSync('ed25519')
const clock = fakeClock()

beforeAll(async () => {
  house = await messageDatabase()
  folder = await mkdtemp(join(tmpdir(), 'audit-heads-'))
})
afterAll(async () => {
  await house.end()
  await rm(folder, { recursive: true })
})
beforeEach(async (context) => {
  path = join(folder, `${context.task.id}.jsonl`)
  await house.run('truncate audit.entry, audit.seal')
})

const record = (...actions: string[]) =>
  house.database.transaction(async (tx) => {
    recordAudit(
      tx,
      actions.map((action) => ({ actor: 'user:ann', action, before: { stage: 'open' }, reason: 'why' })),
    )
  })
const unsealed = async () => {
  const [row] = await house.run<{ count: number }>(
    `select count(*)::int as count from audit.entry where (generation, xid, position) >
       (select coalesce(max(generation), 0), coalesce(max(xid), '0'), coalesce(max(position), 0) from audit.seal)`,
  )
  return row?.count ?? 0
}
/** Other databases of the same server hold xmin back now and then. */
async function sealAll(): Promise<void> {
  await clock.until(async () => {
    await sealEntries(house.database)
    return (await unsealed()) === 0
  }, 'sealing everything')
}
async function threeSeals(): Promise<void> {
  for (const actions of [['a', 'b'], ['c'], ['d', 'e']]) {
    await record(...actions)
    await sealAll()
  }
}
const broken = async () => {
  const verification = await verifySeals(house.database)
  return verification.intact ? undefined : verification.broken
}

test('what is sealed verifies, and each seal follows from the one before', async () => {
  await threeSeals()
  expect(await verifySeals(house.database)).toMatchObject({
    intact: true,
    seals: 3,
    entries: 5,
    newest: { number: 3 },
  })
  expect(await sealEntries(house.database)).toMatchObject({ sealed: 0, newest: { number: 3 } })
})

test('an entry whose transaction commits late is sealed after it and never lost', async () => {
  await house.database.transaction(async (late) => {
    recordAudit(late, [{ actor: 'user:ann', action: 'late' }])
    await late.query({ name: 'test.flush', text: 'select 1' })
    await record('early')
    expect((await sealEntries(house.database)).sealed).toBe(0)
  })
  await sealAll()
  expect(await verifySeals(house.database)).toMatchObject({ intact: true, entries: 2 })
})

test.each([
  [
    'an entry that was changed',
    `update audit.entry set reason = 'another' where action = 'c'`,
    2,
    'an entry was changed',
  ],
  [
    'a value moved to a neighbouring column',
    `update audit.entry set kind = reason, reason = null where action = 'c'`,
    2,
    'an entry was changed',
  ],
  [
    'an entry that was deleted',
    `delete from audit.entry where action = 'b'`,
    1,
    '1 of the 2 entries it sealed are gone',
  ],
  [
    'an entry that was slipped in',
    `insert into audit.entry (generation, xid, actor, action)
      select generation, xid, 'user:eve', 'x' from audit.entry where action = 'a'`,
    2,
    'more entries stand in its range than the 1 it sealed',
  ],
  ['a seal that was removed', 'delete from audit.seal where number = 2', 2, 'seal 2 is missing'],
  [
    'a seal that was rewritten',
    `update audit.seal set hash = sha256('x') where number = 2`,
    2,
    'an entry was changed',
  ],
  [
    'a seal cut off from its past',
    `update audit.seal set previous_hash = sha256('x') where number = 2`,
    2,
    'it does not follow from the seal before it',
  ],
])('%s is found', async (_what, tampering, number, reason) => {
  await threeSeals()
  expect(await broken()).toBeUndefined()
  await house.run(tampering)
  expect(await broken()).toEqual({ number, reason })
})

test('two sealers at once make one chain', async () => {
  await record('a', 'b', 'c')
  await Promise.all([1, 2, 3].map(() => sealEntries(house.database)))
  await sealAll()
  expect(await verifySeals(house.database)).toMatchObject({ intact: true, entries: 3 })
})

test('the head is signed at once, then each hour when something was added', async () => {
  const sealer = auditSealer({
    database: house.database,
    clock,
    heads: { path, key },
    onError: (error) => expect.fail(String(error)),
  })
  const heads = async () => (await readHeads(path, key)).map((head) => head.number)
  await record('a')
  await sealAll()
  await sealer.round()
  expect(await heads()).toEqual([1])
  await record('b')
  await sealAll()
  await sealer.round()
  expect(await heads()).toEqual([1])
  await clock.advance(3_600_000)
  await sealer.round()
  await clock.advance(3_600_000)
  await sealer.round()
  expect(await heads()).toEqual([1, 2])
})

test('a chain rewritten from the start, or cut short, is found by the signed heads', async () => {
  await threeSeals()
  const sealer = auditSealer({
    database: house.database,
    clock,
    heads: { path, key },
    onError: () => undefined,
  })
  await sealer.round()
  await house.run('delete from audit.seal where number = 3')
  const heads = await readHeads(path, key)
  expect(await verifySeals(house.database)).toMatchObject({ intact: true })
  expect(await verifySeals(house.database, heads)).toMatchObject({
    intact: false,
    broken: { number: 3, reason: 'seal 3 was signed and is gone' },
  })
  await house.run(`update audit.entry set reason = 'another'`)
  await house.run('truncate audit.seal')
  await sealAll()
  await record('f')
  await sealAll()
  await record('g')
  await sealAll()
  expect(await broken()).toBeUndefined()
  expect(await verifySeals(house.database, heads)).toMatchObject({
    intact: false,
    broken: { number: 3, reason: 'its hash is not the one that was signed' },
  })
})

test('a head file that was changed is refused, naming the line', async () => {
  await threeSeals()
  const sealer = auditSealer({
    database: house.database,
    clock,
    heads: { path, key },
    onError: () => undefined,
  })
  await sealer.round()
  await writeFile(path, (await readFile(path, 'utf8')).replace('"number":3', '"number":2'))
  await expect(readHeads(path, key)).rejects.toMatchObject({
    code: 'audit.head_unsigned',
    facts: { line: 1 },
  })
})

test('the sealer seals each second until it is stopped', async () => {
  const sealer = auditSealer({
    database: house.database,
    clock,
    onError: (error) => expect.fail(String(error)),
  })
  sealer.start()
  await record('a')
  await clock.until(async () => {
    await clock.advance(1_000)
    return (await unsealed()) === 0
  }, 'sealing by the second')
  await sealer.stop()
  expect(await verifySeals(house.database)).toMatchObject({ intact: true, entries: 1 })
})
