/** The log is read up to the oldest open transaction of the whole server, so one of another test holds readers back. */
import { type Queries, sql } from '#platform/database.ts'
import { fakeClock } from './clock.ts'

const now = sql('test.now', `select pg_current_xact_id()::text as xid`)
const ended = sql('test.ended', `select pg_snapshot_xmin(pg_current_snapshot()) > $1::text::xid8 as settled`)

/** Resolves when every transaction that was open has ended, so that readers see everything that was appended. */
export async function settledLog(queries: Queries): Promise<void> {
  const [{ xid }] = (await queries.query<{ xid: string }>(now)) as [{ xid: string }]
  await fakeClock().until(async () => {
    const [row] = await queries.query<{ settled: boolean }>(ended, [xid])
    return row!.settled
  }, 'the end of older transactions')
}
