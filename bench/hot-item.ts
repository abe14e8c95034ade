/** Many who want the same few units at one moment, and carts that all hold one scarce item: never more granted than there is. */
import { Pool } from 'undici'
import { percentile } from './load.ts'
import type { HotItemResult } from './report.ts'
import type { Run } from './run.ts'
import type { Stage } from './stage.ts'
import { SITE } from './world.ts'

const CLIENTS = 64
const COMPANY = 'NWF'
const CART_LINES = 5
const PATH = '/process/available-to-promise/v1/reservations'
const TIMEOUTS = { headersTimeout: 15_000, bodyTimeout: 15_000 }

type Wave = {
  readonly run: string
  readonly buyers: number
  /** Item numbers of the cart of each. */
  readonly cart: (nth: number) => readonly string[]
}

export async function hotItem(stage: Stage, { quick, say }: Run): Promise<HotItemResult[]> {
  const buyers = quick ? 1_000 : 10_000
  say('hot-item: starting')
  const { url } = await stage.play({ mode: 'batch' })
  const skus = stage.world.items
    .filter(({ company, baseUnit }) => company === COMPANY && baseUnit === 'EA')
    .map(({ number }) => number)
  const [warm, single, shared, ...plenty] = skus
  await leaveOnHand(stage, single!, 100)
  await leaveOnHand(stage, shared!, buyers / 10)
  await reserveAll(url, { run: 'warm', buyers: 500, cart: () => [warm!] })
  await stage.client.query('vacuum analyze')

  say(`hot-item: ${buyers} buyers of 100 units`)
  const oneItem = await rush(
    stage,
    url,
    { mode: 'one item', supply: 100, sku: single! },
    {
      run: 'one',
      buyers,
      cart: () => [single!],
    },
  )
  say(`hot-item: ${buyers} carts of ${CART_LINES} lines that share an item of ${buyers / 10} units`)
  const others = (nth: number): string[] =>
    Array.from({ length: CART_LINES - 1 }, (_, at) => plenty[(nth * (CART_LINES - 1) + at) % plenty.length]!)
  const carts = await rush(
    stage,
    url,
    { mode: 'carts', supply: buyers / 10, sku: shared! },
    {
      run: 'cart',
      buyers,
      cart: (nth) => [...others(nth), shared!],
    },
  )
  return [oneItem, carts]
}

type Scarce = { readonly mode: string; readonly supply: number; readonly sku: string }

async function rush(
  stage: Stage,
  url: string,
  { mode, supply, sku }: Scarce,
  wave: Wave,
): Promise<HotItemResult> {
  const { buyers } = wave
  const before = await takenOneByOne(stage, buyers / 2, supply)
  const startedMs = performance.now()
  const { granted, refused, latenciesMs } = await reserveAll(url, wave)
  const drainSeconds = (performance.now() - startedMs) / 1_000
  const after = await takenOneByOne(stage, buyers / 2, supply)
  const reserved = await reservedOf(stage, sku)
  const perSecond = buyers / drainSeconds
  const ceilingPerSecond = (before + after) / 2
  return {
    scenario: 'hot-item',
    mode,
    perSecond,
    ceilingPerSecond,
    ratioToCeiling: perSecond / ceilingPerSecond,
    p50Ms: percentile(latenciesMs, 0.5),
    p99Ms: percentile(latenciesMs, 0.99),
    buyers,
    supply,
    granted,
    refused,
    oversold: Math.max(0, granted - supply, reserved - supply),
    drainSeconds,
  }
}

const SHELF = `drop table if exists bench_shelf;
  create table bench_shelf (item int primary key, on_hand int not null, reserved int not null,
    check (reserved >= 0 and reserved <= on_hand));`
const TAKE_ONE = {
  name: 'bench.take_one',
  text: 'update bench_shelf set reserved = reserved + 1 where item = $1 and reserved + 1 <= on_hand',
}

/** The ceiling: so many who come after each other, a second; each update is a transaction of its own. */
async function takenOneByOne({ client }: Stage, buyers: number, supply: number): Promise<number> {
  await client.query(SHELF)
  await client.query('insert into bench_shelf values (1, $1, 0)', [supply])
  const startedMs = performance.now()
  for (let nth = 0; nth < buyers; nth++) await client.query({ ...TAKE_ONE, values: [1] })
  const seconds = (performance.now() - startedMs) / 1_000
  await client.query('drop table bench_shelf')
  return buyers / seconds
}

/** Each of the buyers once; whoever is answered neither yes nor no ends the run. */
async function reserveAll(url: string, { run, buyers, cart }: Wave) {
  const pool = new Pool(url, { connections: CLIENTS, pipelining: 1, ...TIMEOUTS })
  const latenciesMs: number[] = []
  let [next, granted, refused] = [0, 0, 0]
  async function client(): Promise<void> {
    while (next < buyers) {
      const nth = next++
      const sentMs = performance.now()
      const response = await pool.request({
        method: 'POST',
        path: PATH,
        headers: { 'content-type': 'application/json', 'idempotency-key': `${run}-${nth}` },
        body: JSON.stringify({
          company: COMPANY,
          channel: 'portal',
          reference: `${run}-${nth}`,
          kind: 'firm',
          location: SITE,
          lines: cart(nth).map((sku, at) => ({ line: String(at + 1), sku, quantity: '1', unit: 'EA' })),
        }),
      })
      const answer = await response.body.text()
      latenciesMs.push(performance.now() - sentMs)
      if (response.statusCode === 201) granted++
      else if (response.statusCode === 409) refused++
      else throw new Error(`a buyer was answered ${response.statusCode}: ${answer.slice(0, 400)}`)
    }
  }
  await Promise.all(Array.from({ length: CLIENTS }, client))
  await pool.close()
  return { granted, refused, latenciesMs }
}

/** Takes the rest off the shelf, as a count would. */
async function leaveOnHand({ client }: Stage, sku: string, units: number): Promise<void> {
  await client.query(
    `with surplus as (
       select p.company, p.item_id, p.location, p.available - $3 as quantity from inventory.position p
       join items.item i on i.id = p.item_id
       where i.company = $1 and i.sku = $2 and p.location = $4 and p.lot = ''),
     counted as (
       insert into inventory.movement (company, item_id, location, from_bucket, to_bucket, quantity, reason, source, source_key, at)
       select company, item_id, location, 'available', 'adjustment', quantity, 'count', 'bench', $2, now() from surplus)
     update inventory.position p set available = p.available - s.quantity from surplus s
     where (p.item_id, p.location, p.lot) = (s.item_id, s.location, '')`,
    [COMPANY, sku, units, SITE],
  )
}

async function reservedOf({ client }: Stage, sku: string): Promise<number> {
  const { rows } = await client.query<{ reserved: string }>(
    `select p.reserved from inventory.position p join items.item i on i.id = p.item_id
     where i.company = $1 and i.sku = $2 and p.location = $3 and p.lot = ''`,
    [COMPANY, sku, SITE],
  )
  return Number(rows[0]!.reserved)
}
