/** A durable PostgreSQL of the benchmark's own, in a temporary folder that is deleted afterwards. */
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { systemClock } from '#platform/clock.ts'
import { migrate } from '#platform/migrations.ts'
import { type PostgresServer, startPostgres } from '#platform/postgres-server.ts'
import { createLog } from '#platform/telemetry-log.ts'
import { undoable } from './undoing.ts'

export type Cluster = {
  readonly url: string
  /** Process number of the server. */
  readonly postmaster: number
  /** How its version calls itself. */
  readonly version: string
  end(): Promise<void>
}

const quiet = createLog({
  level: 'error',
  clock: systemClock,
  destination: { write: (line) => void process.stderr.write(line) },
})

/** With BENCH_PROFILE it counts its statements in `pg_stat_statements`. */
export async function openCluster(): Promise<Cluster> {
  const folder = mkdtempSync(join(tmpdir(), 'crossdock-bench-'))
  // Started by root, the server runs as another account, which has to pass; its data would go elsewhere otherwise.
  chmodSync(folder, 0o711)
  const start = () =>
    startPostgres({ dataDirectory: join(folder, 'postgres'), clock: systemClock, log: quiet })
  let starting = start()
  let postmaster: number | undefined
  const end = undoable(async () => {
    const stopped = starting.then((server) => server.stop())
    // Nothing in it has to survive, so it need not write everything to the disk first.
    if (postmaster !== undefined) process.kill(postmaster, 'SIGQUIT')
    await stopped.finally(() => rmSync(folder, { recursive: true, force: true }))
  })
  if (process.env['BENCH_PROFILE']) {
    await countStatements(await starting)
    await (await starting).stop()
    starting = start()
  }
  const { url } = await starting
  await migrate(url)
  const about = await aboutServer(url)
  postmaster = about.postmaster
  return { url, ...about, end }
}

async function aboutServer(url: string): Promise<{ postmaster: number; version: string }> {
  const client = new Client({ connectionString: url })
  await client.connect()
  const { rows } = await client.query<{ folder: string; version: string }>(
    `select current_setting('data_directory') as folder, current_setting('server_version') as version`,
  )
  await client.end()
  const pidFile = readFileSync(join(rows[0]!.folder, 'postmaster.pid'), 'utf8')
  return { postmaster: Number(pidFile.split('\n')[0]), version: rows[0]!.version }
}

/** Takes effect at the next start. */
async function countStatements({ url }: PostgresServer): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  await client.query(`alter system set shared_preload_libraries = 'pg_stat_statements'`)
  await client.query('create extension pg_stat_statements')
  await client.end()
}
