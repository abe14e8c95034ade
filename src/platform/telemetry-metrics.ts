/** Prometheus metrics: declared once by name, with few label values; the only importer of the metrics library. */
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client'

type Labels<Name extends string> = Readonly<Record<Name, string>>

export interface Count<Name extends string> {
  add(labels: Labels<Name>, by?: number): void
}
export interface Level<Name extends string> {
  set(labels: Labels<Name>, value: number): void
}
export interface Distribution<Name extends string> {
  observe(labels: Labels<Name>, value: number): void
}

type Declaration<Name extends string> = {
  readonly name: string
  readonly help: string
  readonly labels: readonly Name[]
}

export interface Metrics {
  /** Only rises; its name ends in `_total`. */
  counter<Name extends string = never>(of: Declaration<Name>): Count<Name>
  /** Goes up and down. `read` runs at each scrape, for what is cheaper to look up than to keep. */
  gauge<Name extends string = never>(
    of: Declaration<Name> & { read?: (level: Level<Name>) => void | Promise<void> },
  ): Level<Name>
  /** Seconds or bytes in buckets; its name ends in `_seconds` or `_bytes`. */
  histogram<Name extends string = never>(
    of: Declaration<Name> & { buckets: readonly number[] },
  ): Distribution<Name>
  /** The text that Prometheus scrapes, and its content type. */
  scrape(): Promise<{ contentType: string; text: string }>
}

/** Buckets for things that take from a millisecond to ten seconds. */
export const FAST_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const

/** `process: true` adds memory, processor time and event loop lag of this process. */
export function createMetrics(options: { process: boolean }): Metrics {
  const registry = new Registry()
  if (options.process) collectDefaultMetrics({ register: registry })
  const base = (of: Declaration<string>, suffixes: readonly string[]) => {
    if (
      !/^[a-z][a-z0-9_]*$/.test(of.name) ||
      (suffixes.length > 0 && !suffixes.some((s) => of.name.endsWith(s)))
    ) {
      throw new Error(
        `metric "${of.name}" must be snake case and end in ${suffixes.join(' or ') || 'its unit'}`,
      )
    }
    return { name: of.name, help: of.help, labelNames: [...of.labels], registers: [registry] }
  }
  return {
    counter(of) {
      const counter = new Counter(base(of, ['_total']))
      return { add: (labels, by = 1) => counter.inc(labels, by) }
    },
    gauge(of) {
      const { read } = of
      const level = { set: (labels: Labels<string>, value: number) => gauge.set(labels, value) }
      const gauge = new Gauge({ ...base(of, []), ...(read ? { collect: async () => read(level) } : {}) })
      return level
    },
    histogram(of) {
      const histogram = new Histogram({ ...base(of, ['_seconds', '_bytes']), buckets: [...of.buckets] })
      return { observe: (labels, value) => histogram.observe(labels, value) }
    },
    scrape: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
  }
}

/** Buckets for what is done in milliseconds when all is well, and in hours when a system is away. */
const PATIENT_SECONDS = [
  0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3_600, 14_400,
] as const

/** The numbers by which the house is judged; declared in one place so that dashboards find them under one name. */
export function declareHouseMetrics(metrics: Metrics) {
  return {
    ordersStuck: metrics.gauge({
      name: 'orders_stuck',
      help: 'Documents that were due more than five minutes ago and that nobody works on',
      labels: ['company'],
    }),
    invariantViolations: metrics.gauge({
      name: 'invariant_violations',
      help: 'Places where an invariant did not hold at the last look, at most twenty',
      labels: ['invariant'],
    }),
    parkedDepth: metrics.gauge({ name: 'dlq_depth', help: 'Parked work', labels: ['kind'] }),
    parkedOldestSeconds: metrics.gauge({
      name: 'dlq_oldest_age_seconds',
      help: 'Age of the oldest parked work',
      labels: ['kind'],
    }),
    repairJobs: metrics.gauge({
      name: 'repair_jobs',
      help: 'Repair jobs that are at work, and that a person has paused',
      labels: ['state'],
    }),
    orderToErpSeconds: metrics.histogram({
      name: 'order_to_erp_seconds',
      help: 'From accepting an order to its ERP number, of orders that waited for nobody',
      labels: [],
      buckets: PATIENT_SECONDS,
    }),
    slaBreaches: metrics.counter({
      name: 'sla_breaches_total',
      help: 'Documents that were found late on their way through a flow',
      labels: ['flow'],
    }),
    systemRequests: metrics.counter({
      name: 'adapter_requests_total',
      help: 'Calls to other systems by outcome',
      labels: ['system', 'outcome'],
    }),
    contractViolations: metrics.counter({
      name: 'contract_violations_total',
      help: 'Fields of messages that are new, missing or of another type than recorded, of those that were compared',
      labels: ['system', 'type'],
    }),
    webhookAttempts: metrics.counter({
      name: 'webhook_attempts_total',
      help: 'Attempts to deliver events to subscribers, by outcome',
      labels: ['outcome'],
    }),
    parcelsAsked: metrics.counter({
      name: 'parcels_asked_total',
      help: 'Times that a carrier was asked about a tracking number of which nothing was heard, by outcome',
      labels: ['system', 'outcome'],
    }),
    parcelsSilent: metrics.gauge({
      name: 'parcels_silent',
      help: 'Parcels on their way that their carrier was asked about since the last news of them, by what people are told of them',
      labels: ['system', 'missed'],
    }),
    circuitState: metrics.gauge({
      name: 'circuit_state',
      help: 'Breaker of a system: 0 closed, 1 half open, 2 open',
      labels: ['system'],
    }),
  }
}
