/** What partners are left of what can be promised: what has changed, once, at intervals, the last figure alone. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { publish } from '#domains/inventory/operations/publishing.ts'
import { units } from '#platform/quantity.ts'
import { fakeClock } from '#tests/support/clock.ts'
import { type OpenDatabase, openTestDatabase } from '#tests/support/open-database.ts'
import { type Advice, advisePartners } from '../../src/processes/partner-availability.ts'

const MINUTE_MS = 60_000
const partner = { partner: 'buyer', company: 'NWF', channel: 'edi', everyMs: 60 * MINUTE_MS }

let db: OpenDatabase
let docs = 0
beforeAll(async () => {
  db = await openTestDatabase()
  await db.run(`insert into items.item (company, sku, name, status, base_unit, tax_class, source, as_of)
    select 'NWF', 'S' || n, 'Item', 'active', 'EA', 'FOOD', 'erp', now() from generate_series(1, 3) n`)
})
afterAll(() => db.end())
beforeEach(async () => {
  await db.run('delete from inventory.published')
  await db.run('delete from reading.progress')
})

async function tell(at: string, ...figures: readonly (readonly [item: number, available: number])[]) {
  const words = { unit: 'EA', company: 'NWF', channel: 'edi', confidence: 'normal', places: [] } as const
  const told = figures.map(([n, count]) => ({
    ...words,
    itemId: n,
    sku: `S${n}`,
    available: units(count),
  }))
  const asOf = new Date(`2026-03-02T${at}:00Z`)
  await db.database.transaction((tx) =>
    publish(tx, { figures: told, asOf, docs: told.map(() => ++docs) }, { source: 'test', actor: 'test' }),
  )
}

function open() {
  const clock = fakeClock('2026-03-02T12:00:00Z')
  const left: Advice[] = []
  let isAway = false
  const leave = async (_: string, advice: Advice) => {
    if (isAway) throw new Error('no room')
    left.push(advice)
  }
  const round = () => advisePartners({ database: db.database, clock, leave }, [partner])
  return { clock, left, round, away: (is: boolean) => void (isAway = is) }
}
const figuresOf = (advice: Advice | undefined) =>
  advice?.items.map(({ sku, quantity }) => [sku, quantity / units(1)])

test('a partner is left everything first, then what has changed, and nothing when nothing has', async () => {
  const { clock, left, round } = open()
  await tell('09:00', [1, 5], [2, 6])
  await round()
  expect(left.map(figuresOf)).toEqual([
    [
      ['S1', 5],
      ['S2', 6],
    ],
  ])
  await clock.advance(61 * MINUTE_MS)
  await round()
  expect(left).toHaveLength(1)
  await tell('10:00', [2, 4])
  await tell('10:05', [2, 3])
  await clock.advance(61 * MINUTE_MS)
  await round()
  expect(left.slice(1).map(figuresOf)).toEqual([[['S2', 3]]])
  expect(new Set(left.map(({ number }) => number)).size).toBe(2)
})

test('between two intervals it is left nothing', async () => {
  const { clock, left, round } = open()
  await tell('09:00', [1, 5])
  await round()
  await tell('09:30', [1, 4])
  await clock.advance(59 * MINUTE_MS)
  await round()
  expect(left).toHaveLength(1)
})

test('what could not be left is left the next time', async () => {
  const { left, round, away } = open()
  await tell('09:00', [1, 5])
  away(true)
  await expect(round()).rejects.toThrow('no room')
  away(false)
  await round()
  expect(left.map(figuresOf)).toEqual([[['S1', 5]]])
})
