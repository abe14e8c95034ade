/** Days on which no count of a place came: said once, of places whose books had something before. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { askReconciliation, noteMissedCounts } from '#domains/inventory/operations/reconciliations.ts'
import { lastReconciliations, listReconciliations } from '#domains/inventory/views/reconciliations.ts'
import { openTestDatabase, type OpenDatabase } from '#tests/support/open-database.ts'
import { COMPANY, newItem, NORTH, receive, SOUTH } from './stock.ts'

let db: OpenDatabase
beforeAll(async () => {
  db = await openTestDatabase()
  await receive(db, newItem(), 5)
  await receive(db, newItem(), 5, SOUTH)
  await db.run(`update inventory.position set since = '2026-03-01T12:00:00Z' where location = $1`, [NORTH])
  await db.run(`update inventory.position set since = '2026-03-03T02:00:00Z' where location = $1`, [SOUTH])
})
afterAll(() => db.end())

const problem = 'no count came'
const missed = (location: string, day: string) => ({
  company: COMPANY,
  location,
  source: 'threepl',
  day,
  currency: 'USD',
  timeZone: 'America/New_York',
  problem,
})
const listed = async (location: string) =>
  (await listReconciliations(db.database, { company: COMPANY, location }, { before: 1_000, limit: 10 })).map(
    ({ day, state, problem: why }) => [day, state, why],
  )

test('it is said once of each day, and not of one on which the books were held against a count', async () => {
  const asked = { ...missed(NORTH, '2026-03-05'), dryRun: false, askedBy: 'threepl' }
  await askReconciliation(db.database, asked)
  await askReconciliation(db.database, { ...asked, day: '2026-03-04', dryRun: true })
  for (const day of ['2026-03-04', '2026-03-04', '2026-03-05'])
    await noteMissedCounts(db.database, [missed(NORTH, day)])
  expect((await listed(NORTH)).filter(([, state]) => state === 'failed')).toEqual([
    ['2026-03-04', 'failed', problem],
  ])
  const [last] = await lastReconciliations(db.database, [{ company: COMPANY, location: NORTH }])
  expect(last).toMatchObject({ day: '2026-03-04', state: 'failed' })
})

test('the day on which the books of a place were opened, by its own clock, is not missed', async () => {
  const places = ['2026-03-02', '2026-03-03'].map((day) => missed(SOUTH, day))
  await noteMissedCounts(db.database, places)
  expect(await listed(SOUTH)).toEqual([['2026-03-03', 'failed', problem]])
  await noteMissedCounts(db.database, [missed('nowhere', '2026-03-03')])
  expect(await listed('nowhere')).toEqual([])
})
