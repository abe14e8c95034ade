/** Two houses on one database read each ERP once between them, and go on where one of them died. */
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { Query } from '#tests/support/books-rules.ts'
import { openQuery } from '#tests/support/house-query.ts'
import { type House, openHouse } from '#tests/support/house.ts'

let first: House
let second: House
let query: Query
let disconnect: () => Promise<void>
beforeAll(async () => {
  first = await openHouse()
  second = await openHouse({ beside: first })
  ;({ query, end: disconnect } = await openQuery(first.databaseUrl))
}, 60_000)
afterAll(async () => {
  await disconnect()
  await second.end()
  await first.end()
})

/** How often each ERP was asked for its customers. */
const asked = (): number[] =>
  [first.landscape.legacyErp, first.landscape.cloudErp].map((erp) => erp.received.requests('customers'))
const due = (): Promise<object[]> => query('update reading.turn set due_at = now()')
const quietly = (): void => undefined

test('a house that opens beside another finds all that was read, and reads nothing itself', async () => {
  const before = asked()
  expect(await second.app.sync(quietly)).toEqual({ known: true, failures: [] })
  expect([asked(), before.every((requests) => requests > 0)]).toEqual([before, true])
})

test('of two that look at once, one reads each ERP when it is due, and nobody before that', async () => {
  const before = asked()
  await due()
  await Promise.all([first.app.sync(quietly), second.app.sync(quietly)])
  const once = asked()
  expect(once.map((requests, at) => requests - before[at]!)).toEqual([1, 1])
  await Promise.all([first.app.sync(quietly), second.app.sync(quietly)])
  expect(asked()).toEqual(once)
})

test('an ERP that cannot be read keeps no other from being read, and is tried again soon', async () => {
  const [legacy, cloud] = asked()
  first.landscape.legacyErp.faults.set([{ kind: 'outage', mode: 'unavailable' }])
  await due()
  const { known, failures } = await first.app.sync(quietly)
  first.landscape.legacyErp.faults.clear()
  expect([known, failures.length, asked()[1]! - cloud!]).toEqual([true, 1, 1])
  const [row] = await query<{ soon: boolean }>(
    `select min(due_at) < now() + interval '10 seconds' as soon from reading.turn`,
  )
  expect(row).toEqual({ soon: true })
  await due()
  await second.app.sync(quietly)
  expect(asked()[0]).toBeGreaterThan(legacy!)
})

test('the turn of a reader that died is taken by the other', async () => {
  first.landscape.legacyErp.faults.set([{ kind: 'latency', operation: 'customers', ms: 60_000 }])
  await due()
  const interrupted = first.app.sync(quietly)
  const { epoch } = first.app.worker.life!
  await vi.waitFor(async () => expect(await holders()).toContain(epoch))
  await second.app.sync(quietly)
  await vi.waitFor(async () => expect(await holders()).toEqual([epoch]))
  first.landscape.legacyErp.faults.clear()
  await query(
    `select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and classid = 1 and objid = $1
       and database = (select oid from pg_database where datname = current_database())`,
    [epoch],
  )
  await vi.waitFor(
    async () => {
      await second.app.sync(quietly)
      expect(await holders()).toEqual([])
    },
    { timeout: 15_000, interval: 100 },
  )
  await interrupted
}, 60_000)

async function holders(): Promise<number[]> {
  const rows = await query<{ holder: number }>('select holder from reading.turn where holder is not null')
  return rows.map(({ holder }) => holder)
}
