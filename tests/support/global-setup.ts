/** One throw-away PostgreSQL for the whole test run, with a migrated template that each test file clones. */
import { appendFile, readdir, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Client } from 'pg'
import type { TestProject } from 'vitest/node'
import { systemClock as clock } from '#platform/clock.ts'
import { migrate } from '#platform/migrations.ts'
import { isAlive } from '#platform/postgres-folder.ts'
import { type EmbeddedOptions, type PostgresServer, startPostgres } from '#platform/postgres-server.ts'
import { createLog } from '#platform/telemetry-log.ts'
import { copyCluster } from './cluster-copy.ts'
import { fleetingPlace } from './fleeting-place.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    /** The maintenance database of the test server. */
    postgresUrl: string
    templateName: string
    /** The folder of a stopped server whose database is migrated, for tests that need a server of their own. */
    migratedCluster: string
  }
}

const PREFIX = 'crossdock-test-'
const TEMPLATE = 'template_crossdock'
/** Each worker has a house or several at a time, and a house has two pools. */
const CONNECTIONS = 300
const log = createLog({ level: 'error', clock, destination: process.stderr })

let dataDirectory = ''
let server: PostgresServer | undefined

export async function setup(project: TestProject): Promise<void> {
  await sweepKilledRuns()
  dataDirectory = join(fleetingPlace(), `${PREFIX}${process.pid}`)
  const migrated = join(dataDirectory, 'migrated')
  try {
    server = await startPostgres(throwAway(dataDirectory))
    await migrate(server.url)
    const cluster = dirname(await quickToEnter(server.url))
    await server.stop()
    await copyCluster(cluster, migrated)
    await appendFile(join(cluster, 'data', 'postgresql.auto.conf'), `max_connections = ${CONNECTIONS}\n`)
    server = await startPostgres(throwAway(dataDirectory))
    await makeTemplate(server.url)
  } catch (error) {
    await teardown()
    throw error
  }
  project.provide('postgresUrl', server.url)
  project.provide('templateName', TEMPLATE)
  project.provide('migratedCluster', join(migrated, 'cluster'))
}

export async function teardown(): Promise<void> {
  await server?.stop()
  await rm(dataDirectory, { recursive: true, force: true })
}

function throwAway(directory: string): EmbeddedOptions {
  return { dataDirectory: directory, durable: false, clock, log }
}

/** The same password, of which each of thousands of connections does not have to make 4,096 hashes; answers the folder. */
async function quickToEnter(url: string): Promise<string> {
  const { username, password } = new URL(url)
  const client = new Client({ connectionString: url })
  await client.connect()
  await client.query('set scram_iterations = 1')
  await client.query(
    `alter role ${client.escapeIdentifier(username)} password ${client.escapeLiteral(password)}`,
  )
  const { rows } = await client.query<{ data_directory: string }>('show data_directory')
  await client.end()
  return rows[0]!.data_directory
}

async function makeTemplate(url: string): Promise<void> {
  const own = new URL(url).pathname.slice(1)
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(`create database ${TEMPLATE} template ${own} strategy file_copy`)
    // A database in use cannot be cloned, so nobody may connect to it.
    await client.query(`alter database ${TEMPLATE} with is_template true allow_connections false`)
  } finally {
    await client.end()
  }
}

/** The server of a run that was killed lives on without anyone to stop it; its folder names the process that is gone. */
async function sweepKilledRuns(): Promise<void> {
  for (const name of await readdir(fleetingPlace())) {
    const pid = new RegExp(`^${PREFIX}(\\d+)$`).exec(name)?.[1]
    if (!pid || isAlive(Number(pid))) continue
    const directory = join(fleetingPlace(), name)
    // Another user's leftovers are that user's to sweep.
    await startPostgres(throwAway(directory))
      .then((left) => left.stop())
      .then(() => rm(directory, { recursive: true, force: true }))
      .catch(() => undefined)
  }
}
