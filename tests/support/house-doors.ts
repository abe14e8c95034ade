/** Orders of the world brought to the house as their customers bring them: by API, by the shop's webhook, as a file. */
import { vi } from 'vitest'
import type { Landscape } from '#landscape/landscape.ts'
import type { WorldOrder } from '#landscape/world/world.ts'
import type { PartnerGuide } from '#systems/edi/partner-guide.ts'
import { dropFile, partnerOf, toInterchange } from '../../src/demo-edi.ts'
import { toOrderRequest } from '../../src/demo.ts'

/** How many callers of the API there are at once. */
const CALLERS = 16
/** Callers who ask a house that is down in vain take the processor from its start. */
const RETRY_MS = 400

export type Answer = {
  readonly status: number
  readonly body: { readonly id?: string; readonly outcome?: string; readonly code?: string }
  readonly replayed: boolean
}

const ORDERS = '/process/order-to-cash/v1/orders'

export async function submit(url: string, order: WorldOrder, key: string): Promise<Answer> {
  const response = await fetch(`${url}${ORDERS}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': key },
    body: JSON.stringify(toOrderRequest(order)),
  })
  const body = (await response.json()) as Answer['body']
  return { status: response.status, body, replayed: response.headers.has('idempotency-replayed') }
}

/** As a client does who must know: the same key at every attempt, again while nobody answers or is able to. */
export async function submitUntilAnswered(
  url: string,
  order: WorldOrder,
  withinMs = 60_000,
): Promise<Answer> {
  const attempt = async (): Promise<Answer> => {
    const answer = await submit(url, order, `arrival-${order.nth}`)
    if (answer.status >= 500 || answer.status === 429) throw new Error(`the house answers ${answer.status}`)
    return answer
  }
  return vi.waitFor(attempt, { timeout: withinMs, interval: RETRY_MS })
}

/** Does `work` for all of them, so many at once, each worker with its next as soon as it is done with one. */
export async function inParallel<T>(
  items: readonly T[],
  callers: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const queue = items.values()
  const caller = async (): Promise<void> => {
    for (const item of queue) await work(item)
  }
  await Promise.all(Array.from({ length: callers }, caller))
}

export type Doors = {
  readonly url: string
  readonly landscape: Landscape
  readonly guides: readonly PartnerGuide[]
  readonly inbox: string
}

/** Brings each order through the door its customer uses; answers what the API said, by place in the stream. */
export async function bring(
  { url, landscape, guides, inbox }: Doors,
  orders: readonly WorldOrder[],
): Promise<Map<number, Answer>> {
  const answers = new Map<number, Answer>()
  const doors = Map.groupBy(orders, ({ door }) => door)
  const guideOf = new Map(guides.map((guide) => [guide.partner, guide]))
  for (const order of doors.get('shop') ?? []) landscape.shop.place(order)
  for (const order of doors.get('edi') ?? []) {
    const guide = guideOf.get(partnerOf({ number: order.customer }))!
    dropFile(inbox, `${order.nth}.edi`, toInterchange(order, guide))
  }
  await inParallel(doors.get('api') ?? [], CALLERS, async (order) => {
    answers.set(order.nth, await submit(url, order, `arrival-${order.nth}`))
  })
  return answers
}
