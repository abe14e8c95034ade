/** One company's ERP made 100 times slower: what the orders of the other company notice of it. */
import { setTimeout as sleep } from 'node:timers/promises'
import { openLoad, percentile } from './load.ts'
import type { SlowSystem, UnderLoad } from './report.ts'
import type { Run } from './run.ts'
import { drained, type Stage } from './stage.ts'
import { orderMaker } from './world.ts'

/** Of each company. */
const PER_SECOND = 20
const ANSWERS_MS = 20
const TIMES_SLOWER = 100
const [SLOWED, OTHER] = ['NWF', 'NWI'] as const
const POSTED_WITHIN_MS = 20_000
const LOOK_MS = 100

type Phase = { readonly run: string; readonly seconds: number }

/** Both companies order at the same rate all the time; only what the other one notices counts. */
export async function slowSystem(stage: Stage, { quick, say }: Run): Promise<SlowSystem> {
  const seconds = quick ? 3 : 15
  say('slow-system: starting')
  const { url } = await stage.play({ mode: 'batch' })
  const phase = async (run: string, slowedMs: number): Promise<UnderLoad> => {
    stage.answerAfter({ legacyErp: slowedMs, cloudErp: ANSWERS_MS, wms: ANSWERS_MS })
    say(`slow-system: ${2 * PER_SECOND} orders/s, the ERP of ${SLOWED} answers in ${slowedMs} ms`)
    return underLoad(stage, url, { run, seconds })
  }
  await phase('slow-warm', ANSWERS_MS)
  await drained(stage.client)
  await stage.client.query('vacuum analyze')
  const usual = await phase('slow-usual', ANSWERS_MS)
  await drained(stage.client)
  const slowed = await phase('slow-slowed', TIMES_SLOWER * ANSWERS_MS)
  return {
    arrivalsPerSecond: PER_SECOND,
    answersMs: ANSWERS_MS,
    timesSlower: TIMES_SLOWER,
    usual,
    slowed,
    changePercent: {
      postedPerSecond: change(usual.postedPerSecond, slowed.postedPerSecond),
      acceptP99: change(usual.acceptP99Ms, slowed.acceptP99Ms),
      postedP50: change(usual.postedP50Ms, slowed.postedP50Ms),
      postedP99: change(usual.postedP99Ms, slowed.postedP99Ms),
    },
  }
}

async function underLoad(stage: Stage, url: string, { run, seconds }: Phase): Promise<UnderLoad> {
  const load = (company: string) =>
    openLoad(url, ordersOf(stage, company, run), { perSecond: PER_SECOND, seconds })
  const [, other] = await Promise.all([load(SLOWED), load(OTHER)])
  const posted = await postedOf(stage, run, other.accepted)
  return {
    postedPerSecond: posted.times.length / posted.seconds,
    acceptP50Ms: percentile(other.latenciesMs, 0.5),
    acceptP99Ms: percentile(other.latenciesMs, 0.99),
    postedP50Ms: percentile(posted.times, 0.5),
    postedP99Ms: percentile(posted.times, 0.99),
  }
}

function ordersOf({ world }: Stage, company: string, run: string) {
  const customers = world.customers.filter((customer) => customer.company === company)
  return orderMaker({ ...world, customers }, `${run}-${company}`)
}

/** From the acceptance to the transaction that knows of the posting, by the clock of the database. */
async function postedOf({ client }: Stage, run: string, count: number) {
  const startedMs = performance.now()
  for (;;) {
    const { rows } = await client.query<{ ms: number; accepted: Date; posted: Date }>(
      `select 1000 * extract(epoch from i.posted_at - o.created_at)::float8 as ms,
         o.created_at as accepted, i.posted_at as posted
       from orders.sales_order o join billing.invoice i on i.order_id = o.id
       where o.customer_order like $1 and i.posted_at is not null order by i.posted_at`,
      [`${run}-${OTHER}-%`],
    )
    if (rows.length === count) {
      const firstMs = Math.min(...rows.map(({ accepted }) => accepted.getTime()))
      const seconds = (rows.at(-1)!.posted.getTime() - firstMs) / 1_000
      return { times: rows.map(({ ms }) => ms), seconds }
    }
    if (performance.now() - startedMs > POSTED_WITHIN_MS)
      throw new Error(`only ${rows.length} of ${count} orders of ${OTHER} were posted`)
    await sleep(LOOK_MS)
  }
}

const change = (before: number, after: number): number => Math.round((1_000 * (after - before)) / before) / 10
