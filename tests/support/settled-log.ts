/** The log is read up to the oldest open transaction of the whole server, so one of another test holds readers back. */
import type { OpenDatabase } from './open-database.ts'
import { fakeClock } from './clock.ts'

const settled = `select not exists (
  select from log.event where xid >= pg_snapshot_xmin(pg_current_snapshot())) as settled`

/** Resolves when readers see everything that was appended. */
export const settledLog = ({ run }: Pick<OpenDatabase, 'run'>): Promise<void> =>
  fakeClock().until(
    async () => (await run<{ settled: boolean }>(settled))[0]!.settled,
    'the end of older transactions',
  )
