/** What subscribers must have been told: at every moment nothing that is wrong, and in the end everything they asked for. */
import type { Query } from '#tests/support/books-rules.ts'
import type { Violation } from './checkers.ts'
import type { HeardEvent, Subscriber, Taken, Wanted } from './subscribers.ts'

const DOMAINS: Readonly<Record<string, string>> = {
  order: 'orders',
  fulfillment: 'shipments',
  shipment: 'shipments',
  invoice: 'billing',
  payment: 'billing',
}

/** `order.accepted` of `NWF`. */
type Kind = { readonly type: string; readonly company: string }

function isWanted({ types, domains, companies }: Wanted, { type, company }: Kind): boolean {
  const object = type.slice(0, type.indexOf('.'))
  return (
    (types?.some((one) => one === type || one === `${object}.*`) ?? true) &&
    (domains?.includes(DOMAINS[object] ?? '') ?? true) &&
    (companies?.includes(company) ?? true)
  )
}

/** `org.crossdock.orders.order.accepted.v1` without what is around it. */
const kindOf = ({ type, company }: HeardEvent): Kind => ({
  type: type.split('.').slice(3, 5).join('.'),
  company,
})

/** Of what came for the first time, each document's in the order of its versions. */
function overtaking(taken: readonly Taken[]): string[] {
  const last = new Map<string, string>()
  const seen = new Set<string>()
  return taken.flatMap(({ event: { id, partitionkey, sequence } }) => {
    if (seen.has(id)) return []
    seen.add(id)
    const before = last.get(partitionkey) ?? ''
    last.set(partitionkey, sequence)
    return before < sequence ? [] : [`${id} after ${before}`]
  })
}

function changed(taken: readonly Taken[]): string[] {
  const bodies = Map.groupBy(taken, ({ event }) => event.id)
  return [...bodies].flatMap(([id, all]) =>
    new Set(all.map(({ body }) => body)).size > 1 ? [`${id} was ${all.length} messages`] : [],
  )
}

/** At any moment. */
export function mistold(subscribers: readonly Subscriber[]): Record<string, string[]> {
  const of = (what: (subscriber: Subscriber) => readonly string[]): string[] =>
    subscribers.flatMap((subscriber) => what(subscriber).map((found) => `${subscriber.name}: ${found}`))
  return {
    'a subscriber is told under the name of the event, and just now': of(({ amiss }) => amiss),
    'a subscriber is told what it asked for alone': of(({ taken, wanted }) =>
      taken.flatMap(({ event }) => (isWanted(wanted, kindOf(event)) ? [] : [`${event.id} ${event.type}`])),
    ),
    'an event is the same however often it is told': of(({ taken }) => changed(taken)),
    'events of a document come in the order of its versions': of(({ taken }) => overtaking(taken)),
  }
}

const UNTOLD_YET = `
  select w.id from subscription.webhook w
  where exists (select from subscription.delivery d where d.subscription = w.id and d.state = 'waiting')
    or exists (select from log.event e where (e.generation, e.xid, e.position) > (w.generation, w.xid, w.position))`

export const areToldAll = async (query: Query): Promise<boolean> => (await query(UNTOLD_YET)).length === 0

const SINCE = `
  select 'evt_' || key || '_' || key_version as id, type, company, exists (
    select from subscription.delivery d where d.subscription = $1 and d.state = 'dead'
      and (d.key, d.key_version) = (e.key, e.key_version)) as "isDead"
  from log.event e
  where (generation, xid, position) > ($2::smallint, $3::text::xid8, $4::bigint) order by generation, xid, position`

type Recorded = Kind & { readonly id: string; readonly isDead: boolean }

/** When nothing is under way: what the log has and a subscriber has not heard, or the other way round. */
export async function unheard(query: Query, subscribers: readonly Subscriber[]): Promise<Violation[]> {
  const found = await Promise.all(
    subscribers.map(async ({ name, subscription, wanted, taken }) => {
      const [generation, xid, position] = subscription!.cursor.split('.')
      const recorded = await query<Recorded>(SINCE, [subscription!.id, generation, xid, position])
      const due = recorded.filter((event) => isWanted(wanted, event))
      const heard = new Set(taken.map(({ event }) => event.id))
      const missing = due.filter(({ id, isDead }) => !heard.has(id) && !isDead)
      const known = new Set(recorded.map(({ id }) => id))
      const invented = [...heard].filter((id) => !known.has(id))
      return [
        ...missing.map(({ id, type }) => `${name} never heard of ${id} ${type}`),
        ...invented.map((id) => `${name} was told ${id}, which is not in the log`),
      ]
    }),
  )
  const lines = found.flat()
  return lines.length > 0
    ? [{ invariant: 'a subscriber hears each event at least once', found: lines.join('; ') }]
    : []
}
