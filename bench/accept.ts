/** Orders until their answer: every outside system is paused, so that nothing happens to them afterwards. */
import { setTimeout as sleep } from 'node:timers/promises'
import { openCeiling } from './ceiling.ts'
import { ROWS_OF_ACCEPTED } from './ceiling-tables.ts'
import { closedLoad, openLoad, percentile } from './load.ts'
import type { OrdersResult } from './report.ts'
import { inTurns, type Run } from './run.ts'
import type { Stage } from './stage.ts'
import { orderMaker } from './world.ts'

const CLIENTS = 64
const ARRIVALS_PER_SECOND = 500
/** Every process reads the state of the systems once a second. */
const PAUSE_TAKES_MS = 2_500

export async function accept(stage: Stage, { quick, say }: Run): Promise<OrdersResult[]> {
  const seconds = quick ? { load: 1.5, rate: 1.5, ceiling: 0.5 } : { load: 3, rate: 10, ceiling: 1.5 }
  const rounds = quick ? 1 : 5
  say('accept: starting')
  const { url } = await stage.play({ mode: 'batch' })
  const { client, world } = stage
  await client.query(
    `update policies.system set paused_until = now() + interval '1 hour', paused_reason = 'benchmark', revision = revision + 1`,
  )
  await sleep(PAUSE_TAKES_MS)
  await closedLoad(url, orderMaker(world, 'accept-warm'), { count: quick ? 500 : 1_000, clients: CLIENTS })
  await client.query('vacuum analyze')
  const ceiling = await openCeiling(stage.databaseUrl, ROWS_OF_ACCEPTED, 'closed_at is null')
  const saturated = await inTurns({ rounds, ceiling, ceilingSeconds: seconds.ceiling }, (round) => {
    say(`accept: saturation, ${round} of ${rounds}`)
    const orders = orderMaker(world, `accept-load-${round}`)
    return stage.measure(() => closedLoad(url, orders, { seconds: seconds.load, clients: CLIENTS }))
  })
  await ceiling.end()
  say(`accept: ${ARRIVALS_PER_SECOND} orders/s`)
  const rate = { perSecond: ARRIVALS_PER_SECOND, seconds: seconds.rate }
  const { latenciesMs } = await openLoad(url, orderMaker(world, 'accept-rate'), rate)
  return [
    {
      scenario: 'accept',
      mode: 'http',
      ...saturated,
      p50Ms: percentile(latenciesMs, 0.5),
      p99Ms: percentile(latenciesMs, 0.99),
      arrivalsPerSecond: ARRIVALS_PER_SECOND,
      ceilingRowsPerOrder: ceiling.rowsPerOrder,
    },
  ]
}
