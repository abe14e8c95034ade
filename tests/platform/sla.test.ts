/** Clocks of service levels: what they cost a document in time, and what people hear of one that is late. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { businessCalendar, Calendar } from '#platform/calendars.ts'
import { statements, type Transaction } from '#platform/database.ts'
import { listExceptions, showException } from '#platform/exceptions-views.ts'
import { resolveExceptions } from '#platform/exceptions-work.ts'
import { exceptionOpener } from '#platform/exceptions.ts'
import { createClocks, type Flow } from '#platform/sla-clocks.ts'
import { type Watch, watchClocks } from '#platform/sla-watch.ts'
import { fakeClock } from '#tests/support/clock.ts'
import { messageDatabase, type MessageDatabase } from './message-database.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
const always: ReturnType<Flow['calendarOf']> = {
  addBusinessMs: (at, ms) => new Date(at.getTime() + ms),
  businessMsBetween: (a, b) => b.getTime() - a.getTime(),
}
const office = businessCalendar(
  Calendar.parse({
    timeZone: 'America/Chicago',
    week: Object.fromEntries(
      ['mon', 'tue', 'wed', 'thu', 'fri'].map((day) => [day, [{ from: '08:00', to: '17:00' }]]),
    ),
  }),
)
type Name = 'crate' | 'barrel'
const clock = fakeClock()
const stopped: [Name, number][] = []
const clocks = createClocks<Name>({
  clock,
  flows: {
    crate: { warnMs: 10 * MINUTE_MS, dueMs: 15 * MINUTE_MS, calendarOf: () => always },
    barrel: {
      warnMs: 2 * HOUR_MS,
      dueMs: 4 * HOUR_MS,
      calendarOf: (company) => (company === 'north' ? office : always),
    },
  },
  onStopped: (flow, seconds) => stopped.push(...seconds.map((took): [Name, number] => [flow, took])),
})

let house: MessageDatabase
let breaches: [Name, number][] = []
let watch: Watch<Name>
beforeAll(async () => {
  house = await messageDatabase()
  watch = {
    database: house.database,
    companies: ['north', 'south'],
    flows: {
      crate: {
        kind: 'crate',
        titles: { warned: 'Crates will be late', breached: 'Crates are late' },
        suggestedAction: 'Look at the crane',
      },
      barrel: {
        kind: 'barrel',
        titles: { warned: 'Barrels will be late', breached: 'Barrels are late' },
        suggestedAction: 'Look at the cellar',
      },
    },
    openExceptions: exceptionOpener({
      rules: [{ prefix: 'sla.crate.breached', owner: 'dock', severity: 'high', dueBusinessHours: 1 }],
      otherwise: { owner: 'yard', severity: 'normal', dueBusinessHours: 2 },
      calendarOf: () => always,
    }),
    valuesOf: async (_, __, docs) => new Map(docs.map((doc) => [doc, { amountMinor: 500, currency: 'EUR' }])),
    onBreach: (flow, count) => void breaches.push([flow, count]),
  }
})
afterAll(() => house.end())
beforeEach(async () => {
  await house.run(
    'truncate sla.clock, sla.breach, exceptions.exception, exceptions.affected, exceptions.note',
  )
  breaches = []
  stopped.length = 0
})

const within = (work: (tx: Transaction) => Promise<unknown> | void) =>
  house.database.transaction(async (tx) => void (await work(tx)))
const start = (...docs: number[]) =>
  within((tx) =>
    clocks.start(
      tx,
      'crate',
      docs.map((doc) => ({ doc, company: 'north' })),
    ),
  )
const stop = (...docs: number[]) => within((tx) => clocks.stop(tx, 'crate', docs))
/** As if so much time had passed in the database. */
const passed = (ms: number) =>
  house.run(
    `update sla.clock set started_at = started_at - $1::float8 * interval '1 ms',
       warn_at = warn_at - $1::float8 * interval '1 ms', due_at = due_at - $1::float8 * interval '1 ms',
       look_at = look_at - $1::float8 * interval '1 ms', paused_at = paused_at - $1::float8 * interval '1 ms'`,
    [ms],
  )
const running = () =>
  house.run<{ doc: number; stage: string; warnMs: number; dueMs: number; looks: boolean }>(
    `select doc, stage, extract(epoch from warn_at - now())::float8 * 1000 as "warnMs",
       extract(epoch from due_at - now())::float8 * 1000 as "dueMs", look_at is not null as looks
     from sla.clock order by doc`,
  )
const late = () =>
  house.run<{ doc: number; pauses: object[] }>('select doc, pauses from sla.breach order by doc')
const open = async () =>
  (await listExceptions(house.database)).map(({ code, affected }) => [code, affected] as const)

test('a document in time leaves nothing behind, and how long it took is told', async () => {
  await start(1, 2)
  await passed(3_000)
  await stop(1, 2, 3)
  await watchClocks(watch)
  expect([await running(), await late(), await open()]).toEqual([[], [], []])
  expect(stopped.map(([flow, seconds]) => [flow, Math.floor(seconds)])).toEqual([
    ['crate', 3],
    ['crate', 3],
  ])
})

test('time is the working time of the company', async () => {
  // a Friday, 16:00 in Chicago
  clock.shiftWall(Date.parse('2026-11-06T22:00:00Z') - clock.now().getTime())
  await within((tx) =>
    clocks.start(tx, 'barrel', [
      { doc: 1, company: 'north' },
      { doc: 2, company: 'south' },
    ]),
  )
  const [north, south] = await running()
  // one hour of Friday, and three of Monday
  expect(north!.dueMs / HOUR_MS).toBeCloseTo(1 + 15 + 48 + 3, 1)
  expect(south!.dueMs / HOUR_MS).toBeCloseTo(4, 1)
})

describe('a document that is late', () => {
  test('is warned of, is late, and is kept once it stopped; each exception closes itself', async () => {
    await start(1, 2, 3)
    await passed(11 * MINUTE_MS)
    await watchClocks(watch)
    expect(await open()).toEqual([['sla.crate.warned', 3]])
    expect(breaches).toEqual([])
    const [warned] = await listExceptions(house.database)
    expect(warned).toMatchObject({
      title: 'Crates will be late',
      owner: 'yard',
      severity: 'normal',
      suggestedAction: 'Look at the crane',
      stake: [{ amountMinor: 1_500, currency: 'EUR' }],
    })

    await stop(1)
    await passed(5 * MINUTE_MS)
    await watchClocks(watch)
    expect(await open()).toEqual([['sla.crate.breached', 2]])
    expect(breaches).toEqual([['crate', 2]])
    const [breached] = await listExceptions(house.database)
    expect(breached).toMatchObject({ owner: 'dock', severity: 'high', title: 'Crates are late' })
    const { documents } = (await showException(house.database, warned!.id))!
    expect(documents.map(({ doc, clearedHow }) => [doc, clearedHow])).toEqual([
      [1, 'it went on'],
      [2, 'it is late by now'],
      [3, 'it is late by now'],
    ])

    await watchClocks(watch)
    await stop(2, 3)
    await watchClocks(watch)
    expect([await open(), await running()]).toEqual([[], []])
    expect((await late()).map(({ doc }) => doc)).toEqual([2, 3])
    expect(breaches).toEqual([['crate', 2]])
    expect(await showException(house.database, breached!.id)).toMatchObject({
      state: 'resolved',
      closedBy: 'crossdock',
    })
  })

  test('is told of once, also where nobody looked before it was late, and where many watch', async () => {
    await start(...Array.from({ length: 450 }, (_, n) => n + 1))
    await passed(16 * MINUTE_MS)
    await Promise.all([watchClocks(watch), watchClocks(watch), watchClocks(watch)])
    expect(await open()).toEqual([['sla.crate.breached', 450]])
    expect(breaches.reduce((sum, [, count]) => sum + count, 0)).toBe(450)
    await stop(...Array.from({ length: 450 }, (_, n) => n + 1))
    await watchClocks(watch)
    expect(await open()).toEqual([])
  })

  test('of which a person has said enough is not brought up again', async () => {
    await start(1)
    await passed(16 * MINUTE_MS)
    await watchClocks(watch)
    const { id } = (await listExceptions(house.database))[0]!
    await within((tx) => resolveExceptions(tx, [id], 'resolved', { actor: 'ann', text: 'known' }))
    await watchClocks(watch)
    expect(await open()).toEqual([])
  })

  test('of a flow that this program does not know is left alone', async () => {
    await house.run(
      `insert into sla.clock (doc, flow, company, warn_at, due_at, look_at) values (1, 'keg', 'north', now(), now(), now())`,
    )
    await watchClocks(watch)
    expect(await running()).toMatchObject([{ stage: 'running', looks: true }])
  })
})

describe('a clock that stands still', () => {
  const pause = () => within((tx) => clocks.pause(tx, 'crate', [1]))
  const resume = () => within((tx) => clocks.resume(tx, 'crate', [1]))

  test('is never late, goes on with the time that was left, and is not counted among the quick ones', async () => {
    await start(1)
    await passed(4 * MINUTE_MS)
    await pause()
    await passed(24 * HOUR_MS)
    await watchClocks(watch)
    expect(await open()).toEqual([])
    await resume()
    const [clockOf] = await running()
    expect([clockOf!.warnMs / MINUTE_MS, clockOf!.dueMs / MINUTE_MS].map(Math.round)).toEqual([6, 11])
    await passed(12 * MINUTE_MS)
    await watchClocks(watch)
    expect(await open()).toEqual([['sla.crate.breached', 1]])
    await stop(1)
    expect(stopped).toEqual([])
    expect((await late())[0]!.pauses).toEqual([
      { from: expect.any(String) as string, to: expect.any(String) as string },
    ])
  })

  test('from the start begins when it is let go', async () => {
    await within((tx) => clocks.start(tx, 'crate', [{ doc: 1, company: 'north', paused: true }]))
    await passed(24 * HOUR_MS)
    await watchClocks(watch)
    expect(await running()).toMatchObject([{ stage: 'running', looks: false }])
    await resume()
    expect(Math.round((await running())[0]!.dueMs / MINUTE_MS)).toBe(15)
  })

  test('takes its exception along, and brings it back when it goes on, late as before', async () => {
    await start(1)
    await passed(16 * MINUTE_MS)
    await watchClocks(watch)
    await pause()
    await watchClocks(watch)
    expect(await open()).toEqual([])
    await resume()
    await watchClocks(watch)
    expect(await open()).toEqual([['sla.crate.breached', 1]])
    expect(breaches).toEqual([['crate', 1]])
  })

  test('is neither paused twice nor let go twice', async () => {
    await start(1)
    await resume()
    await pause()
    await passed(HOUR_MS)
    await pause()
    await resume()
    await resume()
    expect(Math.round((await running())[0]!.dueMs / MINUTE_MS)).toBe(15)
  })
})

describe('with more late documents than a round looks at', () => {
  const COUNT = 1_500
  const PORTION = 200
  type Plan = { 'Actual Rows': number; 'Actual Loops': number; 'Relation Name'?: string; Plans?: Plan[] }
  const reads = (plan: Plan): number[] => [
    ...(plan['Relation Name'] ? [plan['Actual Rows'] * plan['Actual Loops']] : []),
    ...(plan.Plans ?? []).flatMap(reads),
  ]

  beforeEach(async () => {
    await start(...Array.from({ length: COUNT }, (_, n) => n + 1))
    await passed(HOUR_MS)
  })

  test('a round reads no more of them than its portion', async () => {
    await watchClocks(watch)
    const { text } = statements().find(({ name }) => name === 'sla.look_back')!
    const values = [['north'], ['sla.crate.breached'], ['crate'], ['breached'], 0, 0, PORTION]
    const [row] = await house.run<{ 'QUERY PLAN': [{ Plan: Plan }] }>(
      `explain (analyze, format json) ${text}`,
      values,
    )
    expect(Math.max(...reads(row!['QUERY PLAN'][0].Plan))).toBeLessThanOrEqual(PORTION)
  })

  test('each of them leaves when it went on, the last one after as many rounds as there are portions', async () => {
    let place = await watchClocks(watch)
    expect(await open()).toEqual([['sla.crate.breached', COUNT]])
    await stop(COUNT)
    let rounds = 0
    for (; (await open())[0]![1] === COUNT; rounds++) place = await watchClocks(watch, place)
    expect(rounds).toBeLessThanOrEqual(Math.ceil(COUNT / PORTION))

    await stop(...Array.from({ length: COUNT - 1 }, (_, n) => n + 1))
    place = await watchClocks(watch, place)
    await watchClocks(watch, place)
    expect(await open()).toEqual([])
  })
})
