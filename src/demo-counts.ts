/** What the demo's warehouse has, asked once before anybody orders: its ERPs open the books and know nothing of lots. */
import type { World } from '#landscape/world/world.ts'
import type { Clock } from '#platform/clock.ts'
import type { HttpClient } from '#platform/http-client.ts'

type Asking = { readonly http: HttpClient; readonly clock: Clock; readonly signal: AbortSignal }
type Answer = { readonly id: number; readonly state: string; readonly problem?: string }

const PATH = '/process/inventory/v1/reconciliations'
const TIMEOUT_MS = 30_000
const LOOK_EVERY_MS = 100

/** Resolves when the books of every place have been held against its count. */
export async function countFirst(url: string, world: World, asking: Asking): Promise<void> {
  const places = new Map(
    world.stock.map(({ company, site: location }) => [`${company}-${location}`, { company, location }]),
  )
  await Promise.all([...places].map(([key, place]) => counted(url, { key, place }, asking)))
}

type Place = { readonly key: string; readonly place: object }

async function counted(url: string, { key, place }: Place, { http, clock, signal }: Asking): Promise<void> {
  const headers = { 'content-type': 'application/json', 'idempotency-key': `demo-first-count-${key}` }
  const body = JSON.stringify({ ...place, dryRun: false })
  const wanted = { method: 'POST' as const, url: `${url}${PATH}`, headers, body, timeoutMs: TIMEOUT_MS }
  const asked = await http.request(wanted)
  if (asked.status !== 202) throw new Error(`the house answers ${asked.status}: ${asked.text()}`)
  let answer = asked.json() as Answer
  while (answer.state === 'asked' && !signal.aborted) {
    await clock.sleep(LOOK_EVERY_MS, signal)
    const look = { method: 'GET' as const, url: `${url}${PATH}/${answer.id}`, timeoutMs: TIMEOUT_MS }
    answer = (await http.request(look)).json() as Answer
  }
  if (answer.state === 'failed') throw new Error(`${key} was not counted: ${answer.problem}`)
}
