/** Crossdock as the benchmark drives it, in a process of its own. */
import { createApp } from '../src/app.ts'
import { loadConfig } from '../src/config.ts'
import type { ConfigInput } from '../src/config-schema.ts'
import type { AvailabilityAnswer } from '#domains/inventory/contract/availability.ts'
import { systemClock } from '#platform/clock.ts'
import { openHttpClient } from '#platform/http-client.ts'
import { databaseIds, systemChance } from '#platform/ids.ts'
import { openConnections } from '#platform/postgres-connections.ts'
import { openListening } from '#platform/postgres-listening.ts'
import { createLog } from '#platform/telemetry-log.ts'
import { createMetrics } from '#platform/telemetry-metrics.ts'
import { openConstant } from './constant.ts'

const { url, config: defaults } = JSON.parse(process.argv[2]!) as {
  url: string
  config: Partial<ConfigInput>
}

const pool = (plans: 'hot' | 'screen', size: number) =>
  openConnections({
    url,
    size,
    statementTimeoutMs: 30_000,
    lockTimeoutMs: 10_000,
    idleInTransactionTimeoutMs: 30_000,
    plans,
    onError: (error) => console.error(error),
  })

const log = createLog({
  level: 'warn',
  clock: systemClock,
  destination: { write: (line) => void process.stderr.write(line) },
})
const app = createApp(loadConfig({ environment: {}, defaults }), {
  connections: pool('hot', 6),
  screens: pool('screen', 2),
  notices: openListening({ url, clock: systemClock, onEvent: (message) => console.error(message) }),
  clock: systemClock,
  http: openHttpClient({ clock: systemClock }),
  log,
  metrics: createMetrics({ process: false }),
  openOnLoopback: true,
})
await app.worker.start()
const { failures } = await app.sync(
  (p) => process.env['BENCH_DEBUG'] && console.error(p.company, p.resource, p.read, Math.round(p.durationMs)),
)
if (failures.length > 0) throw failures[0]
// Behind it, so that what a first start copies into memory is copied before anything is measured.
app.keepUp()
const constant = await openConstant({
  clock: systemClock,
  log,
  metrics: createMetrics({ process: false }),
  ids: databaseIds(app.database, systemChance),
})
const { url: address } = await app.server.listen({ host: '127.0.0.1', port: 0 })

process.on('message', (message: { kind: string; answer?: AvailabilityAnswer }) => {
  if (message.kind === 'usage') {
    process.send!({
      kind: 'usage',
      cpu: process.cpuUsage(),
      rss: process.memoryUsage.rss(),
      owned: app.worker.runner().owned,
    })
  }
  if (message.kind === 'constant') constant.answer(message.answer!)
  if (message.kind === 'stop') void app.stop().then(() => process.exit(0))
})
process.on('disconnect', () => process.exit(0))
process.send!({ kind: 'ready', url: address, urls: { constant: constant.url } })
