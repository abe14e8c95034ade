import { afterAll, beforeAll, expect, test } from 'vitest'
import { followingClock } from '#platform/clock.ts'
import { databaseTime } from '#platform/database-time.ts'
import { fakeClock } from '#tests/support/clock.ts'
import { openTestDatabase, type OpenDatabase } from '#tests/support/open-database.ts'
import { timeWatch } from '../../src/app-worker.ts'

let house: OpenDatabase
beforeAll(async () => {
  house = await openTestDatabase()
})
afterAll(() => house.end())

test('a process that holds no lease goes by the database’s clock, however wrong its own is', async () => {
  const { database } = house
  const clock = followingClock(fakeClock(new Date('2001-01-01T00:00:00Z')))
  const before = await databaseTime(database)
  await timeWatch({ ports: { clock }, database }).run()
  const after = await databaseTime(database)
  expect(clock.now().getTime()).toBeGreaterThanOrEqual(before.getTime())
  expect(clock.now().getTime()).toBeLessThanOrEqual(after.getTime())
})
