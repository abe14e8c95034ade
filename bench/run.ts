/** What every scenario is told, and the figures that all of them share. */
import type { Ceiling } from './ceiling.ts'
import type { Mode } from './config.ts'
import { type Load, percentile } from './load.ts'
import type { OrdersResult } from './report.ts'
import type { Used } from './stage.ts'

export type Run = {
  readonly modes: readonly Mode[]
  readonly quick: boolean
  /** Progress. */
  readonly say: (text: string) => void
}

type Turns = { readonly rounds: number; readonly ceiling: Ceiling; readonly ceilingSeconds: number }
type Measured = { readonly result: Load; readonly used: Used }
type Saturated = Pick<
  OrdersResult,
  | 'perSecond'
  | 'ceilingPerSecond'
  | 'ratioToCeiling'
  | 'p50Ms'
  | 'p99Ms'
  | 'transactionsPerOrder'
  | 'walBytesPerOrder'
  | 'cpuSecondsPer1000'
>

/** Ceiling, load, ceiling, load, …, ceiling: the medians, each load beside the mean of the ceilings around it. */
export async function inTurns(
  { rounds, ceiling, ceilingSeconds }: Turns,
  load: (round: number) => Promise<Measured>,
): Promise<Saturated> {
  const ceilings = [await ceiling.perSecond(ceilingSeconds)]
  const loads: Measured[] = []
  for (let round = 1; round <= rounds; round++) {
    loads.push(await load(round))
    ceilings.push(await ceiling.perSecond(ceilingSeconds))
  }
  const rates = loads.map(({ result, used }) => result.accepted / used.seconds)
  const around = rates.map((_, at) => (ceilings[at]! + ceilings[at + 1]!) / 2)
  const orders = loads.reduce((sum, { result }) => sum + result.accepted, 0)
  const latenciesMs = loads.flatMap(({ result }) => result.latenciesMs)
  return {
    perSecond: median(rates),
    ceilingPerSecond: median(around),
    ratioToCeiling: median(rates.map((rate, at) => rate / around[at]!)),
    p50Ms: percentile(latenciesMs, 0.5),
    p99Ms: percentile(latenciesMs, 0.99),
    ...perOrder(
      loads.map(({ used }) => used),
      orders,
    ),
  }
}

const median = (values: readonly number[]): number => percentile(values, 0.5)

function perOrder(
  used: readonly Used[],
  orders: number,
): Pick<OrdersResult, 'transactionsPerOrder' | 'walBytesPerOrder' | 'cpuSecondsPer1000'> {
  const sum = (value: (one: Used) => number): number => used.reduce((total, one) => total + value(one), 0)
  const cpu = (of: 'app' | 'counterparts' | 'driver'): number =>
    (1000 * sum((one) => one.cpuSeconds[of])) / orders
  const isTold = used.every(({ cpuSeconds }) => cpuSeconds.postgres !== null)
  return {
    transactionsPerOrder: sum((one) => one.transactions) / orders,
    walBytesPerOrder: sum((one) => one.walBytes) / orders,
    cpuSecondsPer1000: {
      postgres: isTold ? (1000 * sum((one) => one.cpuSeconds.postgres!)) / orders : null,
      app: cpu('app'),
      counterparts: cpu('counterparts'),
      driver: cpu('driver'),
    },
  }
}
