/** A retry of many documents is done in portions, each a transaction of its own that can be repeated. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Refusal } from '#platform/faults.ts'
import { openTestDatabase, type OpenDatabase } from '#tests/support/open-database.ts'
import { type Retry, tryAgain } from '../../src/processes/refusals.ts'

const COUNT = 1_200
const remark = { actor: 'ann', text: 'the period is open again' }

let db: OpenDatabase
beforeAll(async () => {
  db = await openTestDatabase()
})
afterAll(() => db.end())

/** One exception of so many documents, each with a step that a system has refused. */
async function refusedDocuments(first: number): Promise<number> {
  const [row] = await db.run<{ id: number }>(
    `insert into exceptions.exception (company, cause, code, title, owner, severity, suggested_action, due_at)
     values ('NWF', 'posting:' || $1, 'billing.posting_refused', 'Refused', 'billing', 'high', 'Mend it', now())
     returning id`,
    [String(first)],
  )
  await db.run(
    `insert into exceptions.affected (exception, doc, kind)
     select $1::bigint, n, 'invoice' from generate_series($2::bigint, $2::bigint + $3::int - 1) n`,
    [row!.id, first, COUNT],
  )
  await db.run(
    `insert into desk.step (doc, step, state, actor, at)
     select n, 'post', 'refused', 'erp', now() - interval '1 minute'
     from generate_series($1::bigint, $1::bigint + $2::int - 1) n`,
    [first, COUNT],
  )
  return row!.id
}

async function portion(id: number, asOf?: Date): Promise<Retry> {
  const retry = await db.database.transaction((tx) => tryAgain(tx, id, remark, asOf))
  if (retry instanceof Refusal) throw retry
  return retry
}
const due = async (first: number) =>
  (await db.run('select 1 from desk.document where doc between $1 and $2', [first, first + COUNT])).length

test('each portion says what is done and what remains, and all of them are done once', async () => {
  const id = await refusedDocuments(10_000)
  const first = await portion(id)
  expect([first.done, first.remaining, await due(10_000)]).toEqual([500, 700, 500])
  const second = await portion(id, first.asOf)
  const third = await portion(id, second.asOf)
  expect([second, third]).toMatchObject([
    { done: 500, remaining: 200 },
    { done: 200, remaining: 0 },
  ])
  expect(await portion(id, third.asOf)).toMatchObject({ done: 0, remaining: 0 })
  expect(await due(10_000)).toBe(COUNT)
  const generations = `select distinct generation from desk.step where doc between 10000 and 11199`
  expect(await db.run(generations)).toEqual([{ generation: 2 }])
  expect(await db.run('select text from exceptions.note where exception = $1', [id])).toEqual([
    { text: `had it tried again: ${remark.text}` },
  ])
  expect(
    await db.run(`select count(*)::int as count from audit.entry where action = 'work.try_again'`),
  ).toEqual([{ count: COUNT }])
})

test('what is refused anew while a retry is under way is no part of it', async () => {
  const id = await refusedDocuments(20_000)
  const { asOf } = await portion(id)
  await db.run(
    `update desk.step set state = 'refused', at = now() + interval '1 ms' where doc between 20000 and 20499`,
  )
  const second = await portion(id, asOf)
  const third = await portion(id, asOf)
  expect([second.remaining, third.done, third.remaining]).toEqual([200, 200, 0])
  expect(await portion(id, asOf)).toMatchObject({ done: 0, remaining: 0 })
  expect(await portion(id)).toMatchObject({ done: 500, remaining: 0 })
})

test('a portion that breaks off and is asked for again does nothing twice', async () => {
  const id = await refusedDocuments(30_000)
  const broken = db.database.transaction(async (tx) => {
    await tryAgain(tx, id, remark)
    throw new Error('the connection is gone')
  })
  await expect(broken).rejects.toThrow('gone')
  expect(await due(30_000)).toBe(0)
  const { asOf } = await portion(id)
  const again = await Promise.all([portion(id, asOf), portion(id, asOf)])
  expect(again.reduce((sum, { done }) => sum + done, 0)).toBeLessThanOrEqual(700)
  await portion(id, asOf)
  expect(await due(30_000)).toBe(COUNT)
  expect(
    await db.run('select max(generation) as generation from desk.step where doc between 30000 and 31199'),
  ).toEqual([{ generation: 2 }])
})
