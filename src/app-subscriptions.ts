/** Events for whoever subscribes to them: the doors, and in a process that works their delivery. */
import type { Database } from '#platform/database.ts'
import type { OpenExceptions } from '#platform/exceptions.ts'
import type { Pages } from '#platform/http-cursor.ts'
import type { Route } from '#platform/http.ts'
import type { Ids } from '#platform/ids.ts'
import type { Job } from '#platform/schedule.ts'
import { purgeAttempts } from '#platform/subscription-log.ts'
import type { declareHouseMetrics } from '#platform/telemetry-metrics.ts'
import { createDispatcher } from '#platform/webhook-dispatch.ts'
import type { Worker } from '#platform/worker.ts'
import type { AppPorts } from './app-ports.ts'
import { describeError } from './app-systems.ts'
import type { Config } from './config-schema.ts'
import { subscriptionActRoutes } from './experiences/events/acts.ts'
import { readingRoutes } from './experiences/events/reading.ts'
import { subscriptionRoutes } from './experiences/events/subscriptions.ts'
import { eventWords, visibleTo } from './experiences/events/told.ts'

type RouteWires = {
  readonly config: Config
  readonly ports: AppPorts
  readonly ids: Ids
  readonly database: Database
  readonly screens: Database
}

export function eventRoutes({ config, ports, ids, database, screens }: RouteWires, pages: Pages): Route[] {
  const { clock, outward } = ports
  const words = eventWords(config.subscriptions.typePrefix)
  const reading = readingRoutes({ queries: screens, clock, words })
  if (!outward) return reading
  const doors = { queries: screens, database, pages, clock, words, chance: ids, ...outward }
  return [...reading, ...subscriptionRoutes(doors), ...subscriptionActRoutes(doors)]
}

type DeliveryWires = Omit<RouteWires, 'screens'> & {
  readonly worker: Worker
  readonly openExceptions: OpenExceptions
  readonly metrics: Pick<ReturnType<typeof declareHouseMetrics>, 'webhookAttempts'>
}

export type Deliveries = {
  readonly jobs: readonly Job[]
  stop(): Promise<void>
}

const LOOK_MS = 500
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

export function deliveriesOf(wires: DeliveryWires): Deliveries {
  const { config, ports, ids, database, worker, openExceptions, metrics } = wires
  const { clock, outward, log } = ports
  if (!outward) return { jobs: [], stop: async () => undefined }
  const dispatcher = createDispatcher({
    database,
    clock,
    http: outward.http,
    box: outward.box,
    random: () => ids.random(),
    words: eventWords(config.subscriptions.typePrefix),
    visible: visibleTo,
    openExceptions,
    holder: () => (worker.life?.mayStillSend() ? worker.life.epoch : undefined),
    onAttempt: (outcome) => metrics.webhookAttempts.add({ outcome }),
    onError: (subscription, error) =>
      log.warn('a subscription could not be delivered', { subscription, error: describeError(error) }),
  })
  const keptMs = config.subscriptions.logDays * DAY_MS
  return {
    jobs: [
      { name: 'subscriptions', everyMs: LOOK_MS, run: () => dispatcher.dispatch() },
      {
        name: 'delivery log past retention',
        everyMs: HOUR_MS,
        run: () => purgeAttempts(database, new Date(clock.now().getTime() - keptMs)),
      },
    ],
    stop: () => dispatcher.stop(),
  }
}
