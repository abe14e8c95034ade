/** Service level clocks: from the configuration to what processes start and stop, and the watch over them. */
import type { Clock } from '#platform/clock.ts'
import type { Database } from '#platform/database.ts'
import type { OpenExceptions } from '#platform/exceptions.ts'
import type { Job } from '#platform/schedule.ts'
import { createClocks, type Flow } from '#platform/sla-clocks.ts'
import { type Place, watchClocks } from '#platform/sla-watch.ts'
import type { declareHouseMetrics } from '#platform/telemetry-metrics.ts'
import { workingTimeOf } from './app-rules.ts'
import type { Config } from './config-schema.ts'
import { FLOW_WORDS, type Sla, type SlaFlow, valuesOfLate } from './processes/sla.ts'

type HouseMetrics = ReturnType<typeof declareHouseMetrics>

const MINUTE_MS = 60_000
const ALWAYS: ReturnType<Flow['calendarOf']> = {
  addBusinessMs: (at, ms) => new Date(at.getTime() + ms),
  businessMsBetween: (a, b) => b.getTime() - a.getTime(),
}

export function slaOf(config: Config, clock: Clock, metrics: HouseMetrics): Sla {
  const { orderToErpPosting, orderToInvoicePosting, pausedBy } = config.sla
  const workingTime = workingTimeOf(config)
  const flowOf = ({ warnMinutes, dueMinutes, hours }: typeof orderToErpPosting): Flow => ({
    warnMs: warnMinutes * MINUTE_MS,
    dueMs: dueMinutes * MINUTE_MS,
    calendarOf: hours === 'all' ? () => ALWAYS : workingTime,
  })
  const clocks = createClocks({
    clock,
    flows: {
      order_to_erp_posting: flowOf(orderToErpPosting),
      order_to_invoice_posting: flowOf(orderToInvoicePosting),
    },
    onStopped(flow, seconds) {
      if (flow === 'order_to_erp_posting')
        for (const took of seconds) metrics.orderToErpSeconds.observe({}, took)
    },
  })
  return { clocks, pausedBy: new Set(pausedBy) }
}

type WatchWires = {
  readonly config: Config
  readonly database: Database
  readonly openExceptions: OpenExceptions
  readonly metrics: HouseMetrics
}

const WATCH_MS = 2_000

export function slaWatch({ config, database, openExceptions, metrics }: WatchWires): Job {
  const watch = {
    database,
    companies: config.companies.map(({ code }) => code),
    openExceptions,
    flows: FLOW_WORDS,
    valuesOf: valuesOfLate,
    onBreach: (flow: SlaFlow, clocks: number) => metrics.slaBreaches.add({ flow }, clocks),
  }
  let place: Place | undefined
  return {
    name: 'service level clocks',
    everyMs: WATCH_MS,
    async run() {
      place = await watchClocks(watch, place)
    },
  }
}
