/** The PostgreSQL server of this program: the one in DATABASE_URL, or an embedded one that starts and stops with it. */
import { Client } from 'pg'
import type { Clock } from './clock.ts'
import { Misconfiguration } from './misconfiguration.ts'
import { assertDurable, assertSupported } from './postgres-checks.ts'
import { type Folder, hasCluster, openFolder } from './postgres-folder.ts'
import { claim, type Claim, DATABASE, urlOf } from './postgres-owner.ts'
import { findRunning, type Running, startServer, stopServer } from './postgres-process.ts'
import { findPrograms } from './postgres-programs.ts'
import type { Log } from './telemetry-log.ts'

export type PostgresServer = {
  /** With the password: never log it. */
  readonly url: string
  /** True when a server was found running that a killed program had left. */
  readonly adopted: boolean
  /** Ends an embedded server after its open transactions are rolled back; leaves any other one alone. */
  stop(): Promise<void>
}

export type Surroundings = { readonly clock: Clock; readonly log: Log }

export type EmbeddedOptions = Surroundings & {
  readonly dataDirectory: string
  /** False only for clusters that are deleted after the run: commits are not flushed. */
  readonly durable?: boolean
}

const START_ATTEMPTS = 10
const RETRY_FIRST_MS = 50
const RETRY_MOST_MS = 5_000

/** Opens the server in `url`, or the embedded one when there is none; refuses one that is too old or not durable. */
export async function openPostgres(
  options: EmbeddedOptions & { readonly url?: string | undefined },
): Promise<PostgresServer> {
  if (options.url === undefined) return startPostgres(options)
  await checkServer(options.url, options.durable ?? true)
  return { url: options.url, adopted: false, stop: () => Promise.resolve() }
}

/**
 * Starts an embedded server on the data folder, or adopts the one that a killed program left there. While the
 * program lives the server is kept running on the same port, also after a crash. A second program on the same folder
 * is refused.
 */
export async function startPostgres(options: EmbeddedOptions): Promise<PostgresServer> {
  const durable = options.durable ?? true
  const folder = await openFolder(options.dataDirectory, await findPrograms(), durable)
  const found = await findRunning(folder, options.clock, options.log)
  const first = await hold(folder, options, found?.port)
  const url = urlOf(folder, first)
  try {
    await makeDatabase(first.claim)
    await checkServer(url, durable)
  } catch (error) {
    await stopServer(folder, options.log)
    throw error
  }
  const adopted = found?.pid === first.pid
  options.log.info('PostgreSQL is running', { pid: first.pid, port: first.port, data: folder.named, adopted })
  return { url, adopted, stop: keepRunning(folder, first, options) }
}

/** The address of the embedded server that is running on a data folder, for commands beside the running program. */
export async function findPostgres(options: EmbeddedOptions): Promise<string | undefined> {
  if (!(await hasCluster(options.dataDirectory))) return undefined
  const folder = await openFolder(options.dataDirectory, await findPrograms(), options.durable ?? true)
  const running = await findRunning(folder, options.clock, options.log)
  return running && urlOf(folder, running)
}

type Held = Running & { readonly claim: Claim }

/** Finds or starts the server and claims it. It may vanish between the two: then once more from the start. */
async function hold(folder: Folder, { clock, log }: Surroundings, preferredPort?: number): Promise<Held> {
  for (let attempt = 0; attempt < START_ATTEMPTS; attempt++) {
    if (attempt > 0) await clock.sleep(retryMs(attempt))
    const found = await findRunning(folder, clock, log)
    if (!found) await startServer(folder, preferredPort)
    const running = found ?? (await findRunning(folder, clock, log))
    const claimed = running && (await claim(folder, running.port, clock))
    if (claimed) return { ...running, claim: claimed }
  }
  throw new Misconfiguration({
    problem: `PostgreSQL starts on ${folder.named} but cannot be connected to.`,
    cure: `See the log in ${folder.data}/log.`,
  })
}

function retryMs(attempt: number): number {
  return Math.min(RETRY_FIRST_MS * 2 ** (attempt - 1), RETRY_MOST_MS)
}

/** Watches the claim and brings the server back when it is lost; answers what stops both. */
function keepRunning(folder: Folder, first: Held, surroundings: Surroundings): () => Promise<void> {
  const { clock, log } = surroundings
  const stopping = new AbortController()

  async function bringBack(): Promise<Held | undefined> {
    for (let attempt = 1; !stopping.signal.aborted; attempt++) {
      try {
        const held = await hold(folder, surroundings, first.port)
        log.warn('PostgreSQL is running again', { pid: held.pid, port: held.port })
        if (held.port !== first.port)
          log.error('its port was taken meanwhile: restart the program', { port: first.port })
        return held
      } catch (error) {
        log.error('PostgreSQL could not be started again; trying on', { error })
        await clock.sleep(retryMs(attempt), stopping.signal)
      }
    }
    return undefined
  }

  async function watch(): Promise<void> {
    let held: Held | undefined = first
    while (held) {
      await held.claim.lost
      if (stopping.signal.aborted) return
      log.error('PostgreSQL has ended the connection of its owner', { pid: held.pid })
      held = await bringBack()
      // The stop came while the server was being started, and found nothing to stop.
      if (stopping.signal.aborted) return stopServer(folder, log)
    }
  }

  const watching = watch()
  let stopped: Promise<void> | undefined
  return () => {
    stopping.abort()
    stopped ??= stopServer(folder, log).then(() => watching)
    return stopped
  }
}

async function makeDatabase({ client }: Claim): Promise<void> {
  const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [DATABASE])
  if (!rowCount) await client.query(`create database ${DATABASE}`)
}

async function checkServer(url: string, durable: boolean): Promise<void> {
  const client = new Client({
    connectionString: url,
    application_name: 'crossdock check',
    connectionTimeoutMillis: 10_000,
  })
  client.on('error', () => undefined)
  try {
    await client.connect()
  } catch (cause) {
    const explanation = {
      problem: 'The database server cannot be reached.',
      reason:
        cause instanceof Error
          ? cause.message || String((cause as NodeJS.ErrnoException).code)
          : String(cause),
      cure: 'Check host, port, user and password in DATABASE_URL, or unset it to use the embedded server.',
    }
    throw new Misconfiguration(explanation, cause)
  }
  try {
    await assertSupported(client)
    if (durable) await assertDurable(client)
  } finally {
    await client.end()
  }
}
