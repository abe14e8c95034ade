/** A transaction whose acknowledgement is lost with the answers before it: the commit counts, and nothing is done again. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { Database } from '#platform/database.ts'
import { takeOver } from '#platform/lease.ts'
import { meddled, type Meddling } from '#tests/support/meddled-connections.ts'
import { openToyWorld, type ToyWorld } from './toy-world.ts'

let world: ToyWorld
beforeAll(async () => {
  world = await openToyWorld()
})
afterEach(() => world.reset())
afterAll(() => world.end())

test('an outcome whose commit was read back is not taken in again, and the epoch that no longer knows who left ends', async () => {
  let inner: Database | undefined
  const worker = await world.worker({
    database: {
      query: (...asked) => inner!.query(...asked),
      snapshot: (work) => inner!.snapshot(work),
      transaction: (work) => inner!.transaction(work),
    },
  })
  inner = world.databaseOf(meddled(world.pool, losing('desk.finish')), worker.epoch)
  await world.begin(worker, { doc: 1, plan: { post: ['a'] } }, { doc: 2, plan: { post: ['b'] } })
  await world.until(() => world.calls.length === 2)
  for (const call of world.calls) call.answer({ kind: 'confirmed', answer: 'ok' })

  expect(await worker.lease.lost).toContain('answers were lost')
  await worker.runner.stop('forget')
  world.reply = () => ({ kind: 'confirmed', answer: 'ok' })
  const next = await world.worker()
  next.runner.start()
  await world.until(async () => (await takeOver(next.database, next.epoch)).includes(worker.epoch))
  await world.polled(() => world.left(1))
  await world.polled(() => world.left(2))
  expect([await world.done(1), await world.done(2)]).toEqual([
    ['post a', 'close'],
    ['post b', 'close'],
  ])
  expect([worker.errors, next.errors]).toEqual([[], []])
})

/** The first session that runs this statement breaks: the server does all of it, and from there on no answer comes. */
function losing(name: string): Meddling {
  let broken: unknown
  return async (statement, ask, session) => {
    const answer = await ask()
    if (statement.name === name) broken ??= session
    if (broken !== session) return answer
    throw Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })
  }
}
