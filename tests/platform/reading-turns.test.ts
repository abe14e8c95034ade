/** Turns at reading: one living process at a time, nobody before it is due, and none lost with its reader. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { systemClock } from '#platform/clock.ts'
import type { Queries } from '#platform/database.ts'
import { createTurns, type Turns } from '#platform/reading-turns.ts'
import { openTestDatabase, type OpenDatabase } from '#tests/support/open-database.ts'

const HOUR_MS = 3_600_000

let house: OpenDatabase
let epochs: number[]
beforeAll(async () => {
  house = await openTestDatabase()
})
afterAll(() => house.end())
beforeEach(async () => {
  await house.run('truncate reading.turn, desk.node')
  const nodes = [1, 2].map((n) =>
    house.run<{ epoch: number }>(`insert into desk.node (name) values ('node ${n}') returning epoch`),
  )
  epochs = (await Promise.all(nodes)).flat().map(({ epoch }) => epoch)
})

const TURN = { company: 'NORTH', source: 'erp' }
const of = (holder: number): Turns =>
  createTurns({ database: house.database, clock: systemClock, holder: epochs[holder]! })
const take = (holder: number): Promise<boolean> => of(holder).take(TURN)

test('of many that come at once one reads, and the others when it is due again', async () => {
  const taken = await Promise.all([take(0), take(1)])
  expect(taken.filter(Boolean)).toHaveLength(1)
  const [reader, other] = taken[0] ? [0, 1] : [1, 0]
  await of(reader).end(TURN, HOUR_MS)
  expect([await take(0), await take(1)]).toEqual([false, false])
  await house.run(`update reading.turn set due_at = now()`)
  expect([await take(other), await take(reader)]).toEqual([true, false])
})

test('a turn that ended well leaves each company and each system its own', async () => {
  expect(await take(0)).toBe(true)
  const elsewhere = [
    { company: 'SOUTH', source: 'erp' },
    { company: 'NORTH', source: 'other' },
  ]
  for (const turn of elsewhere) expect(await of(1).take(turn)).toBe(true)
})

test('a reader that died loses its turn to who comes next, and cannot end it any more', async () => {
  expect(await take(0)).toBe(true)
  await house.run('update desk.node set dead = true where epoch = $1', [epochs[0]])
  expect(await take(1)).toBe(true)
  await of(0).end(TURN, 0)
  expect(await house.run('select holder from reading.turn')).toEqual([{ holder: epochs[1] }])
})

test('a reader of which nothing is known any more holds nothing', async () => {
  expect(await take(0)).toBe(true)
  await house.run('delete from desk.node where epoch = $1', [epochs[0]])
  expect(await take(1)).toBe(true)
})

test('a reader that could not give its turn back takes it again itself', async () => {
  expect([await take(0), await take(0), await take(1)]).toEqual([true, true, false])
})

test('what is asked for at once is answered each by itself, in one statement', async () => {
  expect(await take(0)).toBe(true)
  const wanted = ['crm', 'erp', 'wms'].map((source) => ({ ...TURN, source }))
  let asked = 0
  const database: Queries = {
    query: (statement, values) => (asked++, house.database.query(statement, values)),
  }
  const turns = createTurns({ database, clock: systemClock, holder: epochs[1]! })
  expect(await Promise.all(wanted.map((turn) => turns.take(turn)))).toEqual([true, false, true])
  expect(asked).toBe(1)
})
