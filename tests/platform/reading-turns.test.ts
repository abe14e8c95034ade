/** Turns at reading: one living process at a time, nobody before it is due, and none lost with its reader. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { endTurn, takeTurn } from '#platform/reading-turns.ts'
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

const at = (holder: number) => ({ company: 'NORTH', source: 'erp', holder: epochs[holder]! })
const take = (holder: number): Promise<boolean> => takeTurn(house.database, at(holder))

test('of many that come at once one reads, and the others when it is due again', async () => {
  const taken = await Promise.all([take(0), take(1)])
  expect(taken.filter(Boolean)).toHaveLength(1)
  const [reader, other] = taken[0] ? [0, 1] : [1, 0]
  await endTurn(house.database, at(reader), HOUR_MS)
  expect([await take(0), await take(1)]).toEqual([false, false])
  await house.run(`update reading.turn set due_at = now()`)
  expect([await take(other), await take(reader)]).toEqual([true, false])
})

test('a turn that ended well leaves each company and each system its own', async () => {
  expect(await take(0)).toBe(true)
  const elsewhere = [
    { company: 'SOUTH', source: 'erp', holder: epochs[1]! },
    { company: 'NORTH', source: 'other', holder: epochs[1]! },
  ]
  for (const turn of elsewhere) expect(await takeTurn(house.database, turn)).toBe(true)
})

test('a reader that died loses its turn to who comes next, and cannot end it any more', async () => {
  expect(await take(0)).toBe(true)
  await house.run('update desk.node set dead = true where epoch = $1', [epochs[0]])
  expect(await take(1)).toBe(true)
  await endTurn(house.database, at(0), 0)
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
