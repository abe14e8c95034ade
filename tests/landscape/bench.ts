/** What landscape tests share: a clock that stands still, a small world, deliveries caught as they leave. */
import { startLandscape, type Landscape, type LandscapeOptions } from '#landscape/landscape.ts'
import type { Post } from '#landscape/webhooks.ts'
import { fakeClock, type FakeClock } from '#tests/support/clock.ts'
import { generateWorld } from '#landscape/world/generate.ts'

export type Sent = { url: string; headers: Readonly<Record<string, string>>; body: string }

export function mailbox(answer: (nth: number) => number = () => 200): { post: Post; sent: Sent[] } {
  const sent: Sent[] = []
  const post: Post = async (url, headers, body) => {
    sent.push({ url, headers, body })
    return answer(sent.length - 1)
  }
  return { post, sent }
}

export const smallWorld = (machines = 0) =>
  generateWorld({
    seed: 'test',
    today: '2026-11-02',
    plannedOrders: 100,
    customersPerCompany: 30,
    items: 100,
    machines,
  })

export type Bench = { landscape: Landscape; clock: FakeClock; sent: Sent[] }

export async function bench(options: Partial<LandscapeOptions> = {}): Promise<Bench> {
  const clock = fakeClock('2026-11-02T09:00:00Z')
  const { post, sent } = mailbox()
  const webhooks = { wms: 'http://us/wms', shop: 'http://us/shop', carrier: 'http://us/carrier' }
  const landscape = await startLandscape({
    clock,
    seed: 'test',
    world: smallWorld(),
    post,
    webhooks,
    ...options,
  })
  return { landscape, clock, sent }
}

export async function call(
  url: string,
  init: { method?: string; headers?: Record<string, string>; body?: unknown } = {},
) {
  const body =
    init.body === undefined || typeof init.body === 'string' ? init.body : JSON.stringify(init.body)
  const method = init.method ?? (body === undefined ? 'GET' : 'POST')
  const response = await fetch(url, {
    method,
    headers: init.headers ?? {},
    ...(body === undefined ? {} : { body }),
  })
  const text = await response.text()
  return { status: response.status, headers: response.headers, text, json: () => JSON.parse(text) }
}
