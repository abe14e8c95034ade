/** Drift of payloads: a warning for each field, until messages are as recorded again or the record has grown. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { exceptionOpener } from '#platform/exceptions.ts'
import { listExceptions } from '#platform/exceptions-views.ts'
import { driftWatch, type DriftWatch } from '#platform/inbox-drift.ts'
import { reportDrift } from '#processes/payload-drift.ts'
import { fakeClock, type FakeClock } from '#tests/support/clock.ts'
import { type OpenDatabase, openTestDatabase } from '#tests/support/open-database.ts'

const recorded = { order: 'A-1', total: 12, note: 'as usual' }
const QUIET_MS = 600_000

let open: OpenDatabase
beforeAll(async () => {
  open = await openTestDatabase()
})
afterAll(() => open.end())

let clock: FakeClock
let watch: DriftWatch
let counted: Record<string, number>
let warned: string[]
beforeEach(async () => {
  await open.run('truncate inbox.drift, exceptions.exception, exceptions.affected, exceptions.note')
  clock = fakeClock()
  watch = driftWatch({ placed: [recorded] }, clock)
  counted = {}
  warned = []
})

const openExceptions = exceptionOpener({
  rules: [],
  otherwise: { owner: 'integration', severity: 'normal', dueBusinessHours: 8 },
  calendarOf: () => ({ addBusinessMs: (at, ms) => new Date(at.getTime() + ms) }),
})

/** Messages come, and the house reports. */
async function told(...bodies: object[]): Promise<void> {
  for (const body of bodies) {
    await clock.advance(100)
    watch.notice({ type: 'placed', messageId: 'm1', body: JSON.stringify(body) })
  }
  await report()
}

const report = (watches: Record<string, DriftWatch> = { shop: watch }) =>
  reportDrift({
    database: open.database,
    openExceptions,
    watches: new Map(Object.entries(watches)),
    quietAfterMs: QUIET_MS,
    onDrift: (system, type, times) =>
      void (counted[`${system} ${type}`] = (counted[`${system} ${type}`] ?? 0) + times),
    onNewDrift: (words) => void warned.push(words),
  })

const titles = async () => (await listExceptions(open.database)).map(({ title }) => title)
const later = () => open.run(`update inbox.drift set last_seen_at = now() - interval '11 minutes'`)

test('a new, a missing and a retyped field are an exception each, warned of once and counted each time', async () => {
  const drifted = { order: 'A-2', total: '12', gift: true }
  await told(recorded, drifted, drifted)
  await told(drifted)
  const words = [
    'shop sends placed with "total" as string, not as number',
    'shop sends placed without "note"',
    'shop sends placed with a new field, "gift" (boolean)',
  ]
  expect(new Set(await titles())).toEqual(new Set(words))
  expect(warned.toSorted()).toEqual(words.toSorted())
  expect(counted).toEqual({ 'shop placed': 9 })
  const [gift] = await listExceptions(open.database, { severity: 'low' })
  expect(gift).toMatchObject({ owner: 'integration', code: 'inbound.payload_drift', facts: { path: 'gift' } })
})

test('field names that no table could hold are told in part, and keep nothing else from being told', async () => {
  const long = Array.from({ length: 900 }, (_, number) => `field${number * 7_919}`).join('.')
  await told({
    ...recorded,
    order: 1,
    'nul\0': true,
    'half \ud800': true,
    [long]: true,
    deep: { [long]: { [long]: true } },
  })
  expect((await titles()).map((title) => title.slice(0, 60)).toSorted()).toEqual([
    'shop sends placed with "order" as number, not as string',
    'shop sends placed with a new field, "deep" (object)',
    'shop sends placed with a new field, "field0·field7919·field1',
    'shop sends placed with a new field, "half \ufffd" (boolean)',
    'shop sends placed with a new field, "nul\ufffd" (boolean)',
  ])
})

test('a field that only some messages have stays open with those that have it not', async () => {
  await told({ ...recorded, gift: true })
  await told(recorded)
  expect(await titles()).toHaveLength(1)
})

test('a warning ends when messages have been as recorded for a while, and comes back when they depart again', async () => {
  await told({ ...recorded, gift: true })
  await later()
  // nobody told anything, so nothing is known
  await report()
  expect(await titles()).toHaveLength(1)
  await told(recorded)
  expect(await titles()).toEqual([])
  expect(await open.run('select state, resolution from exceptions.exception')).toEqual([
    { state: 'resolved', resolution: 'messages are as recorded' },
  ])
  await told({ ...recorded, gift: true })
  expect(await titles()).toHaveLength(1)
})

test('a warning ends at once where the record has grown to hold what was new', async () => {
  await told({ ...recorded, gift: true })
  const grown = driftWatch({ placed: [recorded, { ...recorded, gift: true }] }, clock)
  grown.notice({ type: 'placed', messageId: 'm2', body: JSON.stringify({ ...recorded, gift: true }) })
  await report({ shop: grown })
  expect(await titles()).toEqual([])
})

test('an exception stays open while its field still departs in another way', async () => {
  await told({ order: 'A-1', total: 12 }, { ...recorded, note: 7 })
  expect(await titles()).toHaveLength(1)
  await open.run(`update inbox.drift set last_seen_at = now() - interval '11 minutes' where kind = 'missing'`)
  await told({ ...recorded, note: 7 })
  expect(await open.run('select kind from inbox.drift')).toEqual([{ kind: 'retyped' }])
  expect(await titles()).toHaveLength(1)
})

test('several processes that see the same open one exception', async () => {
  const watches = Array.from({ length: 4 }, () => driftWatch({ placed: [recorded] }, clock))
  for (const each of watches)
    each.notice({ type: 'placed', messageId: 'm1', body: JSON.stringify({ ...recorded, gift: true }) })
  await Promise.all(watches.map((each) => report({ shop: each })))
  expect(await titles()).toHaveLength(1)
  expect(warned).toHaveLength(1)
})
