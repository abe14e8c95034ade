/** Orders from the API to the posted invoice: throughput beside its ceiling, latency at rest, memory in flight. */
import { setTimeout as sleep } from 'node:timers/promises'
import { openCeiling } from './ceiling.ts'
import { ROWS_OF_CLOSED } from './ceiling-tables.ts'
import type { Mode } from './config.ts'
import { closedLoad, openLoad, percentile } from './load.ts'
import type { OrdersResult } from './report.ts'
import { inTurns, type Run } from './run.ts'
import { openSmallCeiling } from './small-ceiling.ts'
import { asleep, drained, type Stage, WAREHOUSE_PACE } from './stage.ts'
import { orderMaker } from './world.ts'

/** With 64 of them the program waits for orders: alternating runs had a tenth fewer a second, and half again as many transactions. */
const CLIENTS = 160
const CALM_PER_SECOND = 50
const IN_FLIGHT = 10_000
const MB = 2 ** 20

type Lengths = {
  readonly warmOrders: number
  /** Ceiling and load take turns, so that a machine that is slower for a while is slower for both. */
  readonly rounds: number
  readonly ceilingSeconds: number
  readonly loadSeconds: number
  readonly calmSeconds: number
  readonly settleSeconds: number
  readonly halfSeconds: number
  readonly inFlight: number
}
const FULL: Lengths = {
  warmOrders: 2_000,
  rounds: 5,
  ceilingSeconds: 1.5,
  loadSeconds: 4,
  calmSeconds: 10,
  settleSeconds: 4,
  halfSeconds: 10,
  inFlight: IN_FLIGHT,
}
/** Every phase once and short: each figure but the memory is there, and none of them is to be quoted. */
const QUICK: Lengths = {
  warmOrders: 500,
  rounds: 1,
  ceilingSeconds: 0.4,
  loadSeconds: 1,
  calmSeconds: 1,
  settleSeconds: 0.3,
  halfSeconds: 0.7,
  inFlight: 0,
}

export async function orderToCash(stage: Stage, run: Run): Promise<OrdersResult[]> {
  const lengths = run.quick ? QUICK : FULL
  const results: OrdersResult[] = []
  for (const mode of run.modes) results.push(await inMode(stage, mode, lengths, run))
  const memory = lengths.inFlight > 0 ? await memoryInFlight(stage, run.modes[0]!, lengths, run) : undefined
  return results.map((result, at) => (at === 0 && memory ? { ...result, memory } : result))
}

async function inMode(stage: Stage, mode: Mode, lengths: Lengths, { say }: Run): Promise<OrdersResult> {
  say(`order-to-cash, ${mode}: starting, then ${lengths.warmOrders} orders to warm up`)
  const { client, world } = stage
  const { url } = await stage.play({ mode })
  await closedLoad(url, orderMaker(world, `${mode}-warm`), { count: lengths.warmOrders, clients: CLIENTS })
  await drained(client)
  await client.query('vacuum analyze')
  const smallCeilingPerSecond = await smallCeiling(stage, lengths.ceilingSeconds)
  const ceiling = await openCeiling(stage.databaseUrl, ROWS_OF_CLOSED, 'closed_at is not null')
  const saturated = await inTurns(
    { rounds: lengths.rounds, ceiling, ceilingSeconds: lengths.ceilingSeconds },
    (round) => {
      say(`order-to-cash, ${mode}: saturation, ${round} of ${lengths.rounds}`)
      return stage.measure(async () => {
        const orders = orderMaker(world, `${mode}-load-${round}`)
        const load = await closedLoad(url, orders, { seconds: lengths.loadSeconds, clients: CLIENTS })
        await drained(client)
        return load
      })
    },
  )
  await ceiling.end()
  // What saturation leaves to be vacuumed is no part of half its load.
  await client.query('vacuum analyze')
  await client.query('checkpoint')
  const perSecond = Math.round(saturated.perSecond / 2)
  return {
    scenario: 'order-to-cash',
    mode,
    ...saturated,
    smallCeilingPerSecond,
    halfSaturation: await half(stage, url, { mode, perSecond, ...lengths }, say),
    acceptedToPosted: await calm(stage, url, { mode, seconds: lengths.calmSeconds }, say),
    ceilingRowsPerOrder: ceiling.rowsPerOrder,
  }
}

async function smallCeiling(stage: Stage, seconds: number): Promise<number> {
  const small = await openSmallCeiling(stage.databaseUrl)
  const perSecond = await small.perSecond(seconds)
  await small.end()
  return perSecond
}

/** Told apart: the first seconds after a checkpoint, in which each page that is touched goes to the log whole. */
async function half(
  stage: Stage,
  url: string,
  { mode, perSecond, settleSeconds, halfSeconds }: { mode: Mode; perSecond: number } & Lengths,
  say: Run['say'],
): Promise<NonNullable<OrdersResult['halfSaturation']>> {
  say(`order-to-cash, ${mode}: ${perSecond} orders/s`)
  const atRate = async (run: string, seconds: number): Promise<readonly number[]> =>
    (await openLoad(url, orderMaker(stage.world, `${mode}-${run}`), { perSecond, seconds })).latenciesMs
  const settling = await atRate('settle', settleSeconds)
  const latenciesMs = await atRate('half', halfSeconds)
  await drained(stage.client)
  return {
    arrivalsPerSecond: perSecond,
    p50Ms: percentile(latenciesMs, 0.5),
    p99Ms: percentile(latenciesMs, 0.99),
    afterCheckpointP99Ms: percentile(settling, 0.99),
  }
}

/** By the clock of the database alone: from the acceptance to the transaction that knows of the posting. */
async function calm(
  stage: Stage,
  url: string,
  { mode, seconds }: { mode: Mode; seconds: number },
  say: Run['say'],
): Promise<NonNullable<OrdersResult['acceptedToPosted']>> {
  say(`order-to-cash, ${mode}: ${CALM_PER_SECOND} orders/s`)
  const run = `${mode}-calm`
  await openLoad(url, orderMaker(stage.world, run), { perSecond: CALM_PER_SECOND, seconds })
  await drained(stage.client)
  const { rows } = await stage.client.query<{ ms: number }>(
    `select 1000 * extract(epoch from i.posted_at - o.created_at)::float8 as ms from orders.sales_order o
     join billing.invoice i on i.order_id = o.id where o.customer_order like $1`,
    [`${run}-%`],
  )
  const times = rows.map(({ ms }) => ms)
  if (times.length < CALM_PER_SECOND * seconds * 0.99)
    throw new Error(`only ${times.length} calm orders were posted`)
  const counterpartsMs = WAREHOUSE_PACE.pickAfterMs + WAREHOUSE_PACE.shipAfterMs
  const p50Ms = percentile(times, 0.5)
  return {
    arrivalsPerSecond: CALM_PER_SECOND,
    p50Ms,
    p99Ms: percentile(times, 0.99),
    counterpartsMs,
    oursP50Ms: p50Ms - counterpartsMs,
  }
}

/** A warehouse that ships tomorrow: every order is accepted, released, and sleeps. */
async function memoryInFlight(
  stage: Stage,
  mode: Mode,
  { warmOrders, inFlight }: Lengths,
  { say }: Run,
): Promise<NonNullable<OrdersResult['memory']>> {
  say(`order-to-cash, ${mode}: ${inFlight} orders in flight`)
  const { url, app } = await stage.play({ mode, pace: { pickAfterMs: 86_400_000, shipAfterMs: 0 } })
  const megabytes = async (): Promise<number> => Math.round((await app.usage()).rss / MB)
  const load = (run: string, count: number) =>
    closedLoad(url, orderMaker(stage.world, run), { count, clients: CLIENTS })
  await load('flight-warm', warmOrders)
  await asleep(stage.client, warmOrders)
  const beforeMb = await megabytes()
  let [peakMb, isOver] = [beforeMb, false]
  const watching = (async () => {
    for (; !isOver; await sleep(200)) peakMb = Math.max(peakMb, await megabytes())
  })()
  await load('flight', inFlight - warmOrders)
  await asleep(stage.client, inFlight)
  isOver = true
  await watching
  return { ordersInFlight: inFlight, beforeMb, peakMb, heldMb: await megabytes() }
}
