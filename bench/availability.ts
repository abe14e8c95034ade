/** Questions about what can be promised, of one item and of fifty, beside the same server answering a constant of the same size. */
import { Pool } from 'undici'
import { percentile } from './load.ts'
import type { AvailabilityResult } from './report.ts'
import type { Run } from './run.ts'
import type { Stage } from './stage.ts'

const CLIENTS = 16
const COMPANY = 'NWF'
const PATH = '/process/available-to-promise/v1/availability:query'
const TIMEOUTS = { headersTimeout: 15_000, bodyTimeout: 15_000 }
const ROUND_MS = 1_000
const MANY = 50

export async function availability(stage: Stage, { quick, say }: Run): Promise<AvailabilityResult[]> {
  say('availability: starting')
  const { url, app } = await stage.play({ mode: 'batch' })
  const { constant } = app.ready.urls!
  const skus = stage.world.items.flatMap(({ company, number }) => (company === COMPANY ? [number] : []))
  const rounds = quick ? 3 : 10

  async function ask(mode: string, count: number): Promise<AvailabilityResult> {
    const items = skus.slice(0, count).map((sku) => ({ sku }))
    const body = JSON.stringify({ company: COMPANY, channel: 'shop', items })
    const pools = [url, constant!].map(
      (to) => new Pool(to, { connections: CLIENTS, pipelining: 1, ...TIMEOUTS }),
    )
    const [ours, bare] = [pools[0]!, pools[1]!]
    const answer = await post(ours, body)
    app.tell({ kind: 'constant', answer: JSON.parse(answer) as object })
    for (const pool of pools) await askFor(pool, body)
    const latenciesMs: number[] = []
    let [answered, constants] = [0, 0]
    // in turns, so that what else the machine does meets both alike
    for (let round = 0; round < rounds; round++) {
      const mine = await askFor(ours, body)
      latenciesMs.push(...mine)
      answered += mine.length
      constants += (await askFor(bare, body)).length
    }
    await Promise.all(pools.map((pool) => pool.close()))
    const seconds = (rounds * ROUND_MS) / 1_000
    return {
      scenario: 'availability',
      mode,
      items: count,
      bytes: answer.length,
      perSecond: answered / seconds,
      ceilingPerSecond: constants / seconds,
      ratioToCeiling: answered / constants,
      p50Ms: percentile(latenciesMs, 0.5),
      p99Ms: percentile(latenciesMs, 0.99),
    }
  }

  say('availability: of one item')
  const oneItem = await ask('one item', 1)
  say(`availability: of ${MANY} items`)
  return [oneItem, await ask(`${MANY} items`, MANY)]
}

/** How long each answer took of those that clients who ask again at once got in a round. */
async function askFor(pool: Pool, body: string): Promise<number[]> {
  const latenciesMs: number[] = []
  const untilMs = performance.now() + ROUND_MS
  async function client(): Promise<void> {
    while (performance.now() < untilMs) {
      const sentMs = performance.now()
      await post(pool, body)
      latenciesMs.push(performance.now() - sentMs)
    }
  }
  await Promise.all(Array.from({ length: CLIENTS }, client))
  return latenciesMs
}

async function post(pool: Pool, body: string): Promise<string> {
  const headers = { 'content-type': 'application/json' }
  const response = await pool.request({ method: 'POST', path: PATH, headers, body })
  const answer = await response.body.text()
  if (response.statusCode !== 200) throw new Error(`asked, it was answered ${answer.slice(0, 400)}`)
  return answer
}
