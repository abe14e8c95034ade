/** What became of each order of the world, read from what the house answered and recorded at the door it came through. */
import type { Outcome, WorldOrder } from '#landscape/world/world.ts'
import type { Answer } from './house-doors.ts'
import type { Query } from './books-rules.ts'

/** Why nothing of an order could be sold, as the API, the shop's exception and the 855 all word it. */
const REASONS: Readonly<Record<string, Outcome>> = {
  'items.unknown': 'rejected_unknown_item',
  'orders.item_discontinued': 'rejected_discontinued',
  'items.unit_unknown': 'rejected_bad_unit',
  'orders.customer_unknown': 'rejected_unknown_customer',
}

type Kept = {
  readonly number: string
  readonly key: string
  readonly closed: boolean
  readonly waited: boolean
  /** Lots that were too old for its customer stay on the shelf from which it was sent others. */
  readonly passed: boolean
  readonly holds: string
}

type Message = {
  readonly key: string
  readonly state: string
  readonly known: boolean
  readonly exceptions: string
  readonly answer: string
}

const keyOf = ({ company, customer, poNumber }: WorldOrder): string => `${company} ${customer} ${poNumber}`

const KEPT = `
  select 'O-' || o.id as number, o.company || ' ' || o.customer || ' ' || o.customer_order as key,
    o.closed_at is not null as closed,
    exists (select from log.event e where e.key = o.id and e.type = 'order.allocated') as waited,
    exists (select from orders.line l join shipments.shipment s on s.order_id = o.id
      join shipments.shipment_line sl on sl.shipment_id = s.id and sl.line = l.n
      join inventory.position p on p.item_id = sl.item_id and p.location = s.location and p.available > 0
      join inventory.lot old on old.company = p.company and old.item_id = p.item_id and old.lot = p.lot
      where l.order_id = o.id and l.minimum_shelf_life_days is not null and old.expires_on < sl.expires_on
        and old.expires_on < s.shipped_at::date + l.minimum_shelf_life_days) as passed,
    coalesce((select string_agg(type || ': ' || reason, '; ') from orders.hold h where h.order_id = o.id and h.status = 'open'), '') as holds
  from orders.sales_order o`

// A purchase order's interchange carries its place in the stream plus one as control number; a shop's order its number.
const MESSAGES = `
  select case m.source when 'edi' then (split_part(message_id, '/', 2)::int - 1)::text else body::json ->> 'po_number' end as key,
    m.state, coalesce(m.detail ? 'known', false) as known,
    coalesce((select string_agg(e.code || ' ' || e.facts, ' ') from exceptions.exception e
      where e.closed_at is null and e.cause like '%' || m.message_id), '') as exceptions,
    coalesce((select string_agg(o.segments::text, ' ') from edi.outbound o where o.about = m.message_id and o.type = '855'), '') as answer
  from inbox.message m where source in ('edi', 'shop') and type in ('850', 'orders/create')`

/** By place in the stream; anything but an outcome of the world's is what was found instead. */
export async function outcomesOf(
  query: Query,
  orders: readonly WorldOrder[],
  answers: ReadonlyMap<number, Answer>,
): Promise<Map<number, string>> {
  const kept = new Map((await query<Kept>(KEPT)).map((order) => [order.key, order]))
  const messages = new Map((await query<Message>(MESSAGES)).map((message) => [message.key, message]))
  return new Map(
    orders.map((order) => {
      const answer = answers.get(order.nth)
      const message = messages.get(order.door === 'edi' ? String(order.nth) : order.poNumber)
      const known = kept.get(keyOf(order))
      if (order.door === 'api') return [order.nth, answer ? byAnswer(answer, known) : 'never answered']
      return [order.nth, message ? byMessage(message, known) : 'never heard']
    }),
  )
}

function byAnswer({ status, body }: Answer, kept: Kept | undefined): string {
  if (status === 201) return kept?.number === body.id && kept ? stateOf(kept) : 'accepted and lost'
  if (status === 200) return kept?.number === body.id ? 'duplicate_of_earlier' : 'taken for another order'
  if (status === 409 && body.code === 'orders.same_number_other_content') return 'conflict_with_earlier'
  return kept ? `refused with ${status} and kept` : reasonIn(JSON.stringify(body))
}

function byMessage({ state, known, exceptions, answer }: Message, kept: Kept | undefined): string {
  if (state === 'parked' && exceptions.startsWith('orders.same_number_other_content'))
    return 'conflict_with_earlier'
  if (known) return kept ? 'duplicate_of_earlier' : 'known and lost'
  if (kept) return stateOf(kept)
  return reasonIn(`${exceptions} ${answer}`)
}

const reasonIn = (text: string): string =>
  Object.entries(REASONS).find(([code]) => text.includes(code))?.[1] ?? `refused without a reason: ${text}`

function stateOf({ closed, waited, passed, holds }: Kept): string {
  if (closed && passed) return waited ? 'fills_with_later_lots' : 'ships_later_lots'
  if (closed) return waited ? 'fills_later' : 'ships_at_once'
  if (holds.startsWith('price_review')) return 'held_price'
  if (holds.includes('would exceed the limit')) return 'held_over_limit'
  return holds.startsWith('credit') ? 'held_credit_block' : `unfinished ${holds}`
}

/** How many there are of each. */
export function countOf(values: Iterable<string>): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1
  return counts
}
