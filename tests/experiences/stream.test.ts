/** The stream of changes by itself, over a log that is longer than anybody wants to be told again. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemClock } from '#platform/clock.ts'
import { headOfLog } from '#platform/log.ts'
import { follow } from '#experiences/control-tower/stream.ts'
import { type OpenDatabase, openTestDatabase } from '#tests/support/open-database.ts'

let open: OpenDatabase
beforeAll(async () => {
  open = await openTestDatabase()
})
afterAll(() => open.end())

const append = (from: number, to: number) =>
  open.run(`insert into log.event (type, key, key_version, company, correlation_id, data, source, actor)
    select 'order.accepted', n, 1, 'north', n, '{}', 'test', 'test' from generate_series(${from}, ${to}) n`)

test('a reader that was away for long is told that much changed, and goes on with what comes next', async () => {
  await append(1, 1)
  const seen = await headOfLog(open.database)
  await append(2, 30_000)
  const gone = new AbortController()
  const stream = follow({
    queries: open.database,
    // Of the server's own time: what is told may wait for a transaction of another test.
    clock: systemClock,
    partner: undefined,
    lastEventId: `${seen.generation}.${seen.xid}.${seen.position}`,
    signal: gone.signal,
  })
  const told = async () => (await stream.next()).value as { event: string; data: unknown }
  expect((await told()).event).toBe('ready')
  for (let read = 0; read < 10; read++) expect(await told()).toMatchObject({ event: 'change' })
  expect(await told()).toMatchObject({ event: 'change', data: { many: true, orders: [] } })
  await append(30_001, 30_001)
  expect(await told()).toMatchObject({ event: 'change', data: { many: false, orders: ['O-30001'] } })
  gone.abort()
})
