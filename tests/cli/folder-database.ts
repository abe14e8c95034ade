/** A data folder with a running server in it, as commands find it, and a connection beside them. */
import { join } from 'node:path'
import { systemClock } from '#platform/clock.ts'
import { createDatabase, type Database } from '#platform/database.ts'
import { migrate } from '#platform/migrations.ts'
import { openConnections } from '#platform/postgres-connections.ts'
import { startPostgres } from '#platform/postgres-server.ts'
import { createLog } from '#platform/telemetry-log.ts'
import { migratedFolder } from '#tests/support/database.ts'
import { dataFolder } from './program.ts'

export type FolderDatabase = {
  readonly path: string
  readonly url: string
  readonly database: Database
  end(): Promise<void>
}

export async function folderDatabase(): Promise<FolderDatabase> {
  const folder = dataFolder()
  const log = createLog({ level: 'error', clock: systemClock, destination: process.stderr })
  const dataDirectory = join(folder.path, 'postgres')
  await migratedFolder(dataDirectory)
  const server = await startPostgres({ dataDirectory, durable: false, clock: systemClock, log })
  await migrate(server.url)
  const settings = { statementTimeoutMs: 5_000, lockTimeoutMs: 5_000, idleInTransactionTimeoutMs: 5_000 }
  const pool = openConnections({
    url: server.url,
    size: 2,
    plans: 'screen',
    onError: () => undefined,
    ...settings,
  })
  return {
    path: folder.path,
    url: server.url,
    database: createDatabase(pool, { clock: systemClock, random: () => 0.5 }),
    async end() {
      await pool.end()
      await server.stop()
      folder.remove()
    },
  }
}
