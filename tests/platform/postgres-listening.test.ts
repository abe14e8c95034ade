/** Word between processes over real connections: heard by the others, told together, back after a break. */
import { Client } from 'pg'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { systemClock } from '#platform/clock.ts'
import { type Listening, openListening } from '#platform/postgres-listening.ts'
import { testDatabase, type TestDatabase } from '#tests/support/database.ts'
import { fakeClock } from '#tests/support/clock.ts'

let database: TestDatabase
let side: Client
const open: Listening[] = []
beforeAll(async () => {
  database = await testDatabase('empty')
  side = new Client({ connectionString: database.url })
  await side.connect()
})
afterEach(() => Promise.all(open.splice(0).map((one) => one.end())))
afterAll(async () => {
  await side.end()
  await database.end()
})

type Process = Listening & { heard: { desk: number; policies: number }; events: string[] }

/** A process that listens, and what it has heard since. */
async function listening(url = database.url): Promise<Process> {
  const heard = { desk: 0, policies: 0 }
  const events: string[] = []
  const process = openListening({ url, clock: systemClock, onEvent: (message) => events.push(message) })
  open.push(process)
  process.on('desk', () => heard.desk++)
  process.on('policies', () => heard.policies++)
  await vi.waitFor(() => expect(heard).toEqual({ desk: 1, policies: 1 }))
  Object.assign(heard, { desk: 0, policies: 0 })
  return Object.assign(process, { heard, events })
}

test('a word is heard by every other process, on its own channel, and not by who tells it', async () => {
  const [first, second, third] = [await listening(), await listening(), await listening()]
  first.tell('desk')
  await vi.waitFor(() => expect([second.heard.desk, third.heard.desk]).toEqual([1, 1]))
  second.tell('policies')
  await vi.waitFor(() => expect([first.heard.policies, third.heard.policies]).toEqual([1, 1]))
  expect([first.heard.desk, second.heard.policies, second.heard.desk]).toEqual([0, 0, 1])
})

test('a word that a transaction of the house tells is heard', async () => {
  const process = await listening()
  await side.query(`select pg_notify('policies', '')`)
  await vi.waitFor(() => expect(process.heard.policies).toBe(1))
})

test('what is told again and again in one moment is told twice: at once, and for the last who asked', async () => {
  const [first, second] = [await listening(), await listening()]
  for (let again = 0; again < 100; again++) first.tell('desk')
  await vi.waitFor(() => expect(second.heard.desk).toBeGreaterThan(0))
  for (let again = 0; again < 100; again++) first.tell('desk')
  first.tell('policies')
  await vi.waitFor(() => expect(second.heard.policies).toBe(1))
  expect(second.heard.desk).toBeLessThanOrEqual(4)
})

test('a connection that breaks is opened again, and whoever listens looks for what was missed', async () => {
  const [first, second] = [await listening(), await listening()]
  await side.query(`select pg_terminate_backend(pid) from pg_stat_activity
    where application_name = 'crossdock notices' and datname = current_database()`)
  await vi.waitFor(() => expect([first.heard.desk, second.heard.desk]).toEqual([1, 1]), { timeout: 5_000 })
  expect(first.events).toEqual([
    'word of other processes does not come; polls find what they leave',
    'word of other processes comes again',
  ])
  first.tell('desk')
  await vi.waitFor(() => expect(second.heard.desk).toBe(2))
})

test('while there is no server that is said once, and a word is lost without harm', async () => {
  const clock = fakeClock()
  const nowhere = new URL(database.url)
  nowhere.pathname = '/no_such_database'
  const events: string[] = []
  const process = openListening({ url: nowhere.href, clock, onEvent: (message) => events.push(message) })
  await clock.until(() => events.length === 1)
  for (let second = 0; second < 5; second++) {
    process.tell('desk')
    await clock.until(() => clock.pending > 0)
    await clock.advance(1_000)
  }
  const ending = process.end()
  await clock.settle()
  await ending
  expect(events).toHaveLength(1)
})
