/** A migrated database of the test file's own, opened as the hot path opens it. */
import { createHash } from 'node:crypto'
import { systemClock } from '#platform/clock.ts'
import { createDatabase, sql, type Database } from '#platform/database.ts'
import { openConnections } from '#platform/postgres-connections.ts'
import { testDatabase } from '#tests/support/database.ts'

export type MessageDatabase = {
  readonly database: Database
  /** Runs SQL of the test's own: to look where no view looks, and to tamper. */
  run<Row = unknown>(text: string, values?: readonly unknown[]): Promise<Row[]>
  end(): Promise<void>
}

export async function messageDatabase(): Promise<MessageDatabase> {
  const { url, end } = await testDatabase()
  const connections = openConnections({
    url,
    size: 4,
    statementTimeoutMs: 10_000,
    lockTimeoutMs: 5_000,
    idleInTransactionTimeoutMs: 20_000,
    plans: 'hot',
    onError: () => undefined,
  })
  const database = createDatabase(connections, {
    clock: systemClock,
    random: () => 0.5,
    assertLockOrder: true,
  })
  return {
    database,
    run: (text, values) =>
      database.query(sql(`test.${createHash('md5').update(text).digest('hex')}`, text), values),
    async end() {
      await connections.end()
      await end()
    },
  }
}
