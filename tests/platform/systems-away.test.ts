/** Systems that fail for long: who hears of it, once, and when it is over. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { exceptionOpener } from '#platform/exceptions.ts'
import { listExceptions } from '#platform/exceptions-views.ts'
import { Policy } from '#platform/policies.ts'
import type { Wish } from '#platform/policies-shares.ts'
import { declareInstances, exchangeWishes } from '#platform/policies-store.ts'
import type { BreakerEvent } from '#platform/breaker.ts'
import { watchSystems } from '#platform/systems-away.ts'
import { quiet } from './quiet-wish.ts'
import { openTestDatabase, type OpenDatabase } from '#tests/support/open-database.ts'

const openExceptions = exceptionOpener({
  rules: [],
  otherwise: { owner: 'operations', severity: 'normal', dueBusinessHours: 8 },
  calendarOf: () => ({ addBusinessMs: (at: Date, ms: number) => new Date(at.getTime() + ms) }),
})
const policy = Policy.parse({ breaker: { halfOpenProbes: 1 } })

let house: OpenDatabase
beforeAll(async () => {
  house = await openTestDatabase()
  await declareInstances(house.database, ['erp', 'wms'])
})
afterAll(() => house.end())
beforeEach(async () => {
  await house.run(`update policies.system set breaker = 'closed', failing_since = null`)
  await house.run('truncate exceptions.exception, effects.held cascade')
})

const watch = () =>
  watchSystems({ database: house.database, company: '*', openExceptions, afterMs: 15 * 60_000 })
const open = () => listExceptions(house.database, {})
const pass = (minutes: number) =>
  house.run(
    `update policies.system set failing_since = failing_since - $1 * interval '1 minute',
    open_until = open_until - $1 * interval '1 minute'`,
    [minutes],
  )

const tell = (wish: Partial<Wish>) =>
  exchangeWishes(house.database, 1, [{ instance: 'erp', policy, wish: { ...quiet, ...wish } }])

async function happens(event: BreakerEvent): Promise<void> {
  if (event === 'waited') return void (await tell({ probesWanted: 1 }))
  const [row] = await house.run<{ revision: string }>(
    `select revision from policies.system where instance = 'erp'`,
  )
  await tell({ events: [{ event, revision: Number(row!.revision) }], probesHeld: 1 })
}

test('a system that has failed for a quarter of an hour is one exception with an owner, and closes itself', async () => {
  await happens('tripped')
  await house.run(
    `insert into effects.held (doc, system, priority) values (1, 'erp', 2), (2, 'erp', 2), (3, 'wms', 2)`,
  )
  await pass(14)
  await watch()
  expect(await open()).toEqual([])
  await pass(2)
  await watch()
  await watch()
  expect(await open()).toMatchObject([
    { code: 'systems.away', owner: 'integration', facts: { system: 'erp', documentsWaiting: 2 } },
  ])
  await happens('waited')
  await happens('probe_succeeded')
  await watch()
  expect(await open()).toEqual([])
})

test('a probe that fails does not begin its time anew', async () => {
  await happens('tripped')
  await pass(16)
  await happens('waited')
  await happens('probe_failed')
  await watch()
  expect(await open()).toHaveLength(1)
})
