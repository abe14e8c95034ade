/** A program of its own that runs an embedded server, for tests that kill it: says `{url, adopted}` and stays. */
import { systemClock as clock } from '#platform/clock.ts'
import { startPostgres } from '#platform/postgres-server.ts'
import { createLog } from '#platform/telemetry-log.ts'

const [dataDirectory = ''] = process.argv.slice(2)
const log = createLog({ level: 'error', clock, destination: process.stderr })
const { url, adopted, stop } = await startPostgres({
  dataDirectory,
  durable: false,
  clock,
  log,
})
process.once('SIGTERM', () => void stop().then(() => process.exit(0)))
process.stdout.write(`${JSON.stringify({ url, adopted })}\n`)
