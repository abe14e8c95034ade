/** Drives orders over HTTP: as fast as they are answered, or at a fixed rate whatever the answers do. */
import { setTimeout as sleep } from 'node:timers/promises'
import { Pool } from 'undici'
import type { BenchOrder } from './world.ts'

export type Load = {
  readonly accepted: number
  readonly refused: number
  readonly seconds: number
  readonly latenciesMs: readonly number[]
}

/** An answer that does not come ends the run instead of holding it up. */
const TIMEOUTS = { headersTimeout: 15_000, bodyTimeout: 15_000 }
const PATH = '/process/order-to-cash/v1/orders'

async function submit(pool: Pool, { key, body }: BenchOrder): Promise<number> {
  const response = await pool.request({
    method: 'POST',
    path: PATH,
    headers: { 'content-type': 'application/json', 'idempotency-key': key },
    body,
  })
  if (response.statusCode === 201) await response.body.dump()
  else process.stderr.write(`${response.statusCode} ${(await response.body.text()).slice(0, 400)}\n`)
  return response.statusCode
}

/** For so many orders, or for so long. */
export type Amount = { readonly count: number } | { readonly seconds: number }

/** `clients` callers, each sending its next order when the last one is answered. */
export async function closedLoad(
  url: string,
  orders: (nth: number) => BenchOrder,
  { clients, ...amount }: Amount & { readonly clients: number },
): Promise<Load> {
  const pool = new Pool(url, { connections: clients, pipelining: 1, ...TIMEOUTS })
  const latenciesMs: number[] = []
  let [next, accepted, refused] = [0, 0, 0]
  const startedMs = performance.now()
  const isOver = (): boolean =>
    'count' in amount ? next >= amount.count : performance.now() - startedMs >= amount.seconds * 1000
  async function client(): Promise<void> {
    while (!isOver()) {
      const order = orders(next++)
      const sentMs = performance.now()
      const status = await submit(pool, order)
      latenciesMs.push(performance.now() - sentMs)
      if (status === 201) accepted++
      else refused++
    }
  }
  await Promise.all(Array.from({ length: clients }, client))
  const seconds = (performance.now() - startedMs) / 1000
  await pool.close()
  return { accepted, refused, seconds, latenciesMs }
}

/** One order every 1/rate seconds; latency counts from when it should have been sent, so waiting is not hidden. */
export async function openLoad(
  url: string,
  orders: (nth: number) => BenchOrder,
  { perSecond, seconds }: { perSecond: number; seconds: number },
): Promise<Load> {
  const pool = new Pool(url, { connections: 128, pipelining: 1, ...TIMEOUTS })
  const latenciesMs: number[] = []
  const open: Promise<void>[] = []
  let [accepted, refused] = [0, 0]
  const startedMs = performance.now()
  for (let nth = 0; nth < perSecond * seconds; nth++) {
    const dueMs = startedMs + (nth * 1000) / perSecond
    const waitMs = dueMs - performance.now()
    if (waitMs > 1) await sleep(waitMs)
    open.push(
      (async () => {
        const status = await submit(pool, orders(nth))
        latenciesMs.push(performance.now() - dueMs)
        if (status === 201) accepted++
        else refused++
      })(),
    )
  }
  await Promise.all(open)
  const taken = (performance.now() - startedMs) / 1000
  await pool.close()
  return { accepted, refused, seconds: taken, latenciesMs }
}

/** The value below which a share of the values lies. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
}
