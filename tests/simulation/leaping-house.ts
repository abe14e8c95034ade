/** The whole house and its counterparts on a clock that leaps: real PostgreSQL, no sockets, hours in seconds. */
import { createApp, type App } from '../../src/app.ts'
import { loadConfig } from '../../src/config.ts'
import type { ConfigInput } from '../../src/config-schema.ts'
import { type Landscape, startLandscape, type SystemName } from '#landscape/landscape.ts'
import { hash } from '#landscape/random.ts'
import type { Silence } from '#landscape/server.ts'
import type { World } from '#landscape/world/world.ts'
import { Answer, type HttpClient, type HttpRequest, NotSent, Unanswered } from '#platform/http-client.ts'
import type { Call, Called } from '#platform/http-server.ts'
import { openConnections } from '#platform/postgres-connections.ts'
import { createLog } from '#platform/telemetry-log.ts'
import { createMetrics } from '#platform/telemetry-metrics.ts'
import type { Cluster } from './cluster.ts'
import { type LeapingClock, leapingClock, leapingConnections } from './leaping-clock.ts'

export type HouseParts = {
  readonly cluster: Cluster
  readonly world: World
  readonly config: (urls: Readonly<Record<SystemName, string>>) => Partial<ConfigInput>
  /** Told of each call that a counterpart gets, and of its answer's status; 0: none. */
  readonly heard?: (call: Heard) => void
  /** Carried facts, lock order and answers are checked; costs half as much again. */
  readonly checks: boolean
  readonly drowsy?: number
  /** Of which sleeps that holds. */
  readonly longMs?: number
}

export type Heard = {
  readonly system: string
  readonly path: string
  readonly body: string
  readonly atMs: number
  readonly status: number
}

export type LeapingHouse = {
  readonly app: App
  readonly clock: LeapingClock
  readonly landscape: Landscape
  readonly complaints: readonly string[]
  /** A client sends an order. */
  order(key: string, body: string): Promise<Called>
  visit(call: Call): Promise<Called>
  /** Lets so much time pass, also for who looks into the database. */
  pass(ms: number): Promise<void>
  /** Lets as much time pass as the work takes. */
  during<T>(work: Promise<T>): Promise<T>
  end(): Promise<void>
}

/** As many sessions as could ever be wanted at once: who waited for one would wait while time stands still. */
const SESSIONS = 12
const READ_WITHIN_MS = 600_000
const STOP_WITHIN_MS = 60_000
const WORK_WITHIN_MS = 60_000

export async function openLeapingHouse(parts: HouseParts): Promise<LeapingHouse> {
  const { cluster, world, checks } = parts
  const clock = leapingClock(parts.drowsy, parts.longMs)
  const complaints: string[] = []
  const landscape = await startLandscape({
    clock,
    seed: 'leaping',
    world,
    ports: 'none',
    endlessStock: true,
    pace: { pickAfterMs: 20_000, shipAfterMs: 10_000 },
    post: async (url, headers, body) =>
      (await visit({ method: 'POST', url: new URL(url).pathname, headers, body })).status,
  })
  const pool = (plans: 'hot' | 'screen') =>
    openConnections({
      url: cluster.url,
      size: SESSIONS,
      statementTimeoutMs: 60_000,
      lockTimeoutMs: 10_000,
      idleInTransactionTimeoutMs: 60_000,
      plans,
      onError: (error) => void complaints.push(String(error)),
    })
  const [hot, screen] = [pool('hot'), pool('screen')]
  const systems = Object.fromEntries(SYSTEMS.map((name) => [name, landscape[name].url]))
  const defaults = parts.config(systems as Record<SystemName, string>)
  const app = createApp(loadConfig({ environment: {}, file: undefined, defaults }), {
    connections: leapingConnections(hot, clock),
    screens: leapingConnections(screen, clock),
    notices: { on: () => undefined, tell: () => undefined },
    clock,
    chance: chanceOf('leaping'),
    http: networkOf(landscape, clock, parts.heard),
    log: createLog({ level: 'warn', clock, destination: { write: (line) => void complaints.push(line) } }),
    metrics: createMetrics({ process: false }),
    openOnLoopback: true,
    checks,
  })
  const visit = (call: Call): Promise<Called> => app.server.call(call)
  await passing(clock, open(app, clock), READ_WITHIN_MS)
  landscape.deliverTo({ wms: 'http://crossdock.invalid/system/wms/v1/events' })
  return {
    app,
    clock,
    landscape,
    complaints,
    order: (key, body) => visit({ method: 'POST', url: ORDERS, headers: headersOf(key), body }),
    visit,
    async pass(ms) {
      const untilMs = clock.monotonicMs() + ms
      clock.after(ms, () => undefined)
      await clock.run(() => clock.monotonicMs() >= untilMs, ms)
      await cluster.side.query(`select set_config('sim.now', $1, false)`, [clock.now().toISOString()])
    },
    during: (work) => passing(clock, work, WORK_WITHIN_MS),
    async end() {
      await passing(clock, app.stop(), STOP_WITHIN_MS)
      await landscape.stop()
      await Promise.all([hot.end(), screen.end()])
    },
  }
}

const ORDERS = '/process/order-to-cash/v1/orders'

export const headersOf = (key: string) => ({ 'content-type': 'application/json', 'idempotency-key': key })

const SYSTEMS: readonly SystemName[] = ['legacyErp', 'cloudErp', 'wms', 'shop', 'carrier', 'tax']

async function open(app: App, clock: LeapingClock): Promise<void> {
  await app.worker.start()
  app.keepUp()
  for (;;) {
    const { known, failures } = await app.sync(() => undefined)
    if (failures.length > 0) throw failures[0]
    if (known) return
    await clock.sleep(1_000)
  }
}

/** Lets time pass until the work is done. */
async function passing<T>(clock: LeapingClock, work: Promise<T>, limitMs: number): Promise<T> {
  let isDone = false
  const ended = work.finally(() => (isDone = true))
  const [answer] = await Promise.all([ended, clock.run(() => isDone, limitMs)])
  return answer
}

function networkOf(landscape: Landscape, clock: LeapingClock, heard?: (call: Heard) => void): HttpClient {
  const handles = new Map(SYSTEMS.map((name) => [landscape[name].url, landscape[name]]))

  async function request({ timeoutMs, signal, ...asked }: HttpRequest): Promise<Answer> {
    const url = new URL(asked.url)
    const handle = handles.get(url.origin)
    if (!handle) throw new Error(`no simulated system answers at ${url.origin}`)
    const tell = (status: number): void =>
      heard?.({
        system: handle.system,
        path: url.pathname,
        body: String(asked.body ?? ''),
        atMs: clock.monotonicMs(),
        status,
      })
    if (handle.faults.refusing) {
      tell(0)
      throw new NotSent(url.host, 'connect')
    }
    const over = Promise.withResolvers<never>()
    const end = (reason: 'timeout' | 'aborted'): void => over.reject(new Unanswered(url.host, reason))
    const cancel = clock.after(timeoutMs, () => end('timeout'))
    signal?.addEventListener('abort', () => end('aborted'))
    try {
      const reply = await Promise.race([handle.answer(callOf(url, asked)), over.promise])
      tell('silent' in reply ? 0 : reply.status)
      if ('silent' in reply) return await silence(reply, url.host, over.promise)
      return new Answer(url.host, reply.status, lower(reply.headers), Buffer.from(reply.body))
    } finally {
      cancel()
    }
  }
  return { request }
}

const silence = ({ silent }: Silence, host: string, over: Promise<never>): Promise<never> =>
  silent === 'hang' ? over : Promise.reject(new Unanswered(host, 'reset'))

const callOf = (url: URL, { method, headers, body }: Pick<HttpRequest, 'method' | 'headers' | 'body'>) => ({
  method,
  path: url.pathname,
  query: url.search.slice(1),
  headers: lower(headers),
  body: body === undefined ? '' : Buffer.from(body).toString(),
})

const lower = (headers: Readonly<Record<string, string>> = {}): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))

/** The same draws in every house. */
function chanceOf(site: string) {
  let nth = 0
  const next = (): number => hash(`${site}/${nth++}`)
  return {
    random: () => next() / 0x1_0000_0000,
    token: (bytes: number) =>
      Array.from({ length: Math.ceil(bytes / 4) }, () => next().toString(16).padStart(8, '0'))
        .join('')
        .slice(0, 2 * bytes),
  }
}
