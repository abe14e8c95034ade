/** The database as a command sees it: that of the running program, or started for as long as the command takes. */
import { CommandFailure, type Context, dataFolder, sourcesOf } from './cli-context.ts'
import { findRunning } from './cli-running.ts'
import { loadConfig } from './config.ts'
import type { Config } from './config-schema.ts'
import { systemClock } from './platform/clock.ts'
import { createDatabase, type Database } from './platform/database.ts'
import { migrate } from './platform/migrations.ts'
import { openConnections } from './platform/postgres-connections.ts'
import { hasCluster } from './platform/postgres-folder.ts'
import { findPostgres, openPostgres, startPostgres } from './platform/postgres-server.ts'
import { createLog } from './platform/telemetry-log.ts'

export type Opened = { readonly config: Config; readonly url: string; readonly database: Database }

const log = createLog({
  level: 'error',
  clock: systemClock,
  destination: { write: (line) => void process.stderr.write(line) },
})
const POOL = 3

/** The server's address. An embedded server that this starts is stopped when the command ends. */
export async function openServer(context: Context, config: Config): Promise<string> {
  const { database } = config
  const surroundings = { clock: systemClock, log, dataDirectory: database.dataDirectory }
  if (database.url !== undefined) return (await openPostgres({ ...surroundings, url: database.url })).url
  const running = await findPostgres(surroundings)
  if (running !== undefined) return running
  if (!(await hasCluster(database.dataDirectory))) {
    throw new CommandFailure({
      problem: `There is no database in ${database.dataDirectory}.`,
      reason: 'The program has never been started on this data folder.',
      cure: 'Start it: npm start. Or name another folder with --data DIR.',
    })
  }
  context.terminal.note('no program is running; starting its database for this command')
  const server = await startPostgres(surroundings)
  context.atEnd(() => server.stop())
  return server.url
}

/** For commands that read and write: refuses a database that is not up to date, since statements would fail oddly. */
export async function openDatabase(context: Context): Promise<Opened> {
  const config = await configBeside(context)
  const url = await openServer(context, config)
  const { pending } = await migrate(url, { dryRun: true })
  if (pending.length > 0) {
    throw new CommandFailure({
      problem: `The database lacks ${pending.length} migrations.`,
      reason: `The first is ${pending[0]}.`,
      cure: 'Apply them: crossdock migrate',
    })
  }
  return { config, url, database: connect(context, config, url) }
}

/** That of the program which runs there, as far as its systems are simulated and nobody has configured them. */
async function configBeside({ options }: Context): Promise<Config> {
  const sources = sourcesOf(options)
  const bare = loadConfig(sources)
  const defaults = (await findRunning(dataFolder(bare)))?.defaults
  return defaults ? loadConfig({ ...sources, defaults }) : bare
}

export function connect(
  context: Context,
  config: Config,
  url: string,
  limits: { readonly statementTimeoutMs?: number } = {},
): Database {
  const pool = openConnections({
    ...config.database,
    ...limits,
    url,
    size: POOL,
    plans: 'screen',
    onError: () => undefined,
  })
  context.atEnd(() => pool.end())
  return createDatabase(pool, { clock: systemClock, random: () => 0.5 })
}
