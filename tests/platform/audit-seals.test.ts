import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { newestSeal, sealAll, sealEntries, verifySeals } from '#platform/audit-seals.ts'
import { recordAudit } from '#platform/audit.ts'
import type { Database } from '#platform/database.ts'
import { fakeClock } from '#tests/support/clock.ts'
import { messageDatabase, type MessageDatabase } from './message-database.ts'

let house: MessageDatabase
const clock = fakeClock()

beforeAll(async () => {
  house = await messageDatabase()
})
afterAll(() => house.end())
beforeEach(async () => {
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
async function sealed(): Promise<void> {
  await clock.until(async () => {
    await sealAll(house.database)
    return (await unsealed()) === 0
  }, 'sealing everything')
}
async function threeSeals(): Promise<void> {
  for (const actions of [['a', 'b'], ['c'], ['d', 'e']]) {
    await record(...actions)
    await sealed()
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
  })
  expect([await sealEntries(house.database), (await newestSeal(house.database))?.number]).toEqual([0, 3])
})

test('where nothing is new, no transaction begins', async () => {
  const looksOnly: Database = {
    ...house.database,
    transaction: () => Promise.reject(new Error('a transaction began')),
  }
  await sealAll(looksOnly)
  await record('a')
  await expect(sealAll(looksOnly)).rejects.toThrow('a transaction began')
  await sealed()
  await sealAll(looksOnly)
})

test('an entry whose transaction commits late is sealed after it and never lost', async () => {
  await house.database.transaction(async (late) => {
    recordAudit(late, [{ actor: 'user:ann', action: 'late' }])
    await late.query({ name: 'test.flush', text: 'select 1' })
    await record('early')
    expect(await sealEntries(house.database)).toBe(0)
  })
  await sealed()
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
  await sealed()
  expect(await verifySeals(house.database)).toMatchObject({ intact: true, entries: 3 })
})
