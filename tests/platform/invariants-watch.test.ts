/** The look at the invariants that comes round: whose turn it is, what people hear of it, and where the next one begins. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { systemClock } from '#platform/clock.ts'
import { exceptionOpener } from '#platform/exceptions.ts'
import { listExceptions } from '#platform/exceptions-views.ts'
import { type InvariantWatch, watchInvariants } from '#platform/invariants-watch.ts'
import { BEGINNING, type Check, checkOf, invariant, type Since } from '#platform/invariants.ts'
import { createTurns } from '#platform/reading-turns.ts'
import { settledLog } from '#tests/support/settled-log.ts'
import { openTestDatabase, type OpenDatabase } from '#tests/support/open-database.ts'

const NO_DOCUMENTS = 'select 0::bigint as doc, 0 as version where false'
const crates = invariant(
  'crates.are_whole',
  `select 'crate ' || number from public.crate where damaged`,
  'crates are whole',
  'Mend it.',
)
const barrels = invariant('barrels.are_full', `select 'barrel' where false`, 'barrels are full')

const always = { addBusinessMs: (at: Date, ms: number) => new Date(at.getTime() + ms) }
const openExceptions = exceptionOpener({
  rules: [{ prefix: 'invariants', owner: 'integration', severity: 'critical', dueBusinessHours: 1 }],
  otherwise: { owner: 'operations', severity: 'normal', dueBusinessHours: 8 },
  calendarOf: () => always,
})

let house: OpenDatabase
let epochs: number[]
let figures: Record<string, number>
beforeAll(async () => {
  house = await openTestDatabase({ plans: 'screen' })
  await house.run('create table public.crate (number int, damaged boolean)')
})
afterAll(() => house.end())
beforeEach(async () => {
  await house.run(
    'truncate public.crate, reading.turn, desk.node, invariants.state, exceptions.exception cascade',
  )
  const nodes = [1, 2].map((n) =>
    house.run<{ epoch: number }>(`insert into desk.node (name) values ('node ${n}') returning epoch`),
  )
  epochs = (await Promise.all(nodes)).flat().map(({ epoch }) => epoch)
  figures = {}
})

const watchOf = (process: number, checks = [crates, barrels].map(checked)): InvariantWatch => ({
  database: house.database,
  screens: house.database,
  checks: new Map(checks),
  company: '*',
  turns: () => createTurns({ database: house.database, clock: systemClock, holder: epochs[process]! }),
  openExceptions,
  tell: ({ name }, violations) => void (figures[name] = violations),
})

const checked = (one: typeof crates): [typeof crates, Check] => [one, checkOf([one], NO_DOCUMENTS)]

/** Counts the looks of a check, and where each began. */
function counted(sinces: Since[], check = checkOf([crates], NO_DOCUMENTS)): [typeof crates, Check] {
  return [
    crates,
    (queries, since = BEGINNING) => {
      sinces.push({ generation: since.generation, xid: since.xid, at: since.at })
      return check(queries, since)
    },
  ]
}

const hourLater = () => house.run('update reading.turn set due_at = now()')
const damage = (damaged: boolean) => house.run(`insert into public.crate values (7, ${damaged})`)
const open = () => listExceptions(house.database, {})

test('an invariant that is broken is an exception with owner and what was found, which closes itself', async () => {
  await damage(true)
  await watchInvariants(watchOf(0))
  expect(figures).toEqual({ 'crates.are_whole': 1, 'barrels.are_full': 0 })
  const shown = {
    code: 'invariants.crates.are_whole',
    title: 'It does not hold that crates are whole',
    owner: 'integration',
    severity: 'critical',
    suggestedAction: 'Mend it. All of it: crossdock doctor --invariants',
    facts: { found: ['crate 7'], isAll: true },
  }
  expect(await open()).toMatchObject([shown])
  await hourLater()
  await watchInvariants(watchOf(0))
  expect(await open()).toHaveLength(1)
  await house.run('update public.crate set damaged = false')
  await hourLater()
  await watchInvariants(watchOf(0))
  expect(figures).toEqual({ 'crates.are_whole': 0, 'barrels.are_full': 0 })
  expect(await open()).toEqual([])
})

test('one process looks each hour, every one tells the figures, and one that does not work looks at nothing', async () => {
  await damage(true)
  const sinces: Since[] = []
  await Promise.all([
    watchInvariants(watchOf(0, [counted(sinces)])),
    watchInvariants(watchOf(1, [counted(sinces)])),
  ])
  await watchInvariants(watchOf(0, [counted(sinces)]))
  expect(sinces).toHaveLength(1)
  await hourLater()
  figures = {}
  await watchInvariants({ ...watchOf(0, [counted(sinces)]), turns: () => undefined })
  expect(sinces).toHaveLength(1)
  expect(figures).toEqual({ 'crates.are_whole': 1 })
})

test('a look begins where the last one held, and of what is broken where it last held', async () => {
  const sinces: Since[] = []
  const round = async () => {
    await hourLater()
    await settledLog(house.database)
    await watchInvariants(watchOf(0, [counted(sinces)]))
  }
  await round()
  await round()
  await damage(true)
  await round()
  await round()
  await house.run('delete from public.crate')
  await round()
  await round()
  expect(sinces[0]).toEqual(BEGINNING)
  const xids = sinces.map(({ xid }) => BigInt(xid))
  expect(xids[1]! > xids[0]!).toBe(true)
  expect([xids[3], xids[4]]).toEqual([xids[2], xids[2]])
  expect(xids[5]! > xids[4]!).toBe(true)
})

test('one that cannot be looked at is told as a failure, tried again, and keeps no other from being looked at', async () => {
  await damage(true)
  const failing: [typeof barrels, Check] = [barrels, () => Promise.reject(new Error('takes too long'))]
  await expect(watchInvariants(watchOf(0, [failing, checked(crates)]))).rejects.toThrow('takes too long')
  expect(await open()).toHaveLength(1)
  const [turn] = await house.run<{ soon: boolean; holder: number | null }>(
    `select due_at < now() + interval '10 minutes' as soon, holder from reading.turn`,
  )
  expect(turn).toEqual({ soon: true, holder: null })
})
