/** One throw-away PostgreSQL for the whole test run, with a migrated template that each test file clones. */
import { readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import type { TestProject } from 'vitest/node'
import { systemClock as clock } from '#platform/clock.ts'
import { migrate } from '#platform/migrations.ts'
import { isAlive } from '#platform/postgres-folder.ts'
import { type EmbeddedOptions, type PostgresServer, startPostgres } from '#platform/postgres-server.ts'
import { createLog } from '#platform/telemetry-log.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    /** The maintenance database of the test server. */
    postgresUrl: string
    templateName: string
  }
}

const PREFIX = 'crossdock-test-'
const TEMPLATE = 'template_crossdock'
const log = createLog({ level: 'error', clock, destination: process.stderr })

let dataDirectory = ''
let server: PostgresServer | undefined

export async function setup(project: TestProject): Promise<void> {
  await sweepKilledRuns()
  dataDirectory = join(tmpdir(), `${PREFIX}${process.pid}`)
  try {
    server = await startPostgres(throwAway(dataDirectory))
    await makeTemplate(server.url)
  } catch (error) {
    await teardown()
    throw error
  }
  project.provide('postgresUrl', server.url)
  project.provide('templateName', TEMPLATE)
}

export async function teardown(): Promise<void> {
  await server?.stop()
  await rm(dataDirectory, { recursive: true, force: true })
}

function throwAway(directory: string): EmbeddedOptions {
  return { dataDirectory: directory, durable: false, clock, log }
}

async function makeTemplate(url: string): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(`create database ${TEMPLATE}`)
    const template = new URL(url)
    template.pathname = TEMPLATE
    await migrate(template.href)
    // A database in use cannot be cloned, so nobody may connect to it.
    await client.query(`alter database ${TEMPLATE} with is_template true allow_connections false`)
  } finally {
    await client.end()
  }
}

/** The server of a run that was killed lives on without anyone to stop it; its folder names the process that is gone. */
async function sweepKilledRuns(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const pid = new RegExp(`^${PREFIX}(\\d+)$`).exec(name)?.[1]
    if (!pid || isAlive(Number(pid))) continue
    const directory = join(tmpdir(), name)
    // Another user's leftovers are that user's to sweep.
    await startPostgres(throwAway(directory))
      .then((left) => left.stop())
      .then(() => rm(directory, { recursive: true, force: true }))
      .catch(() => undefined)
  }
}
