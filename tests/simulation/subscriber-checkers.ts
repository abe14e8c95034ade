/** What subscribers must have been told: at every moment nothing that is wrong, and in the end everything they asked for. */
import type { Query } from '#tests/support/books-rules.ts'
import type { Violation } from './checkers.ts'
import type { Letter } from './network.ts'
import { type Act, TRIES } from './subscriber-people.ts'
import type { HeardEvent, Subscriber, Taken, Wanted } from './subscriber.ts'
import type { Subscribers } from './subscribers.ts'
import { BEGIN } from './virtual-clock.ts'

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

/**
 * Of what came for the first time, each document's in the order of its versions. What was tried to the end of the schedule
 * may have been given up, and comes behind what went on without it, in an order of its own.
 */
function overtaking({ taken }: Subscriber): string[] {
  const last = new Map<string, string>()
  const seen = new Set<string>()
  return taken.flatMap(({ event: { id, partitionkey, sequence }, tries }) => {
    if (seen.has(id)) return []
    seen.add(id)
    const queue = `${partitionkey} ${tries > TRIES}`
    const before = last.get(queue) ?? ''
    last.set(queue, sequence)
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
export function mistold({ all: subscribers, people }: Subscribers): Record<string, readonly string[]> {
  const of = (what: (subscriber: Subscriber) => readonly string[]): string[] =>
    subscribers.flatMap((subscriber) => what(subscriber).map((found) => `${subscriber.name}: ${found}`))
  return {
    'a subscriber is told under the name of the event, and just now': of(({ amiss }) => amiss),
    'a subscriber is told what it asked for alone': of(({ taken, wanted }) =>
      taken.flatMap(({ event }) => (isWanted(wanted, kindOf(event)) ? [] : [`${event.id} ${event.type}`])),
    ),
    'an event is the same however often it is told': of(({ taken }) => changed(taken)),
    'events of a document come in the order of its versions': of(overtaking),
    'an owner is told of what a subscriber is not, and can have it sent': people.wrong,
  }
}

/** What programs wrote down of answers that ask for silence: when the call began by their clocks, and what it took. */
const NOTED = `
  select 'evt_' || key || '_' || key_version as id, status, (extract(epoch from at) * 1000)::float8 as "atMs",
    took_ms as "tookMs"
  from subscription.attempt where subscription = $1 and status in (410, 429, 503)`
type Noted = { readonly id: string; readonly status: number; readonly atMs: number; readonly tookMs: number }

/** A program that dies before it writes down what it heard may leave another to send the same, so the nearest one counts. */
function letterOf({ id, status, atMs, tookMs }: Noted, letters: readonly Letter[]): Letter | undefined {
  const distance = ({ begun }: Letter): number => Math.abs(BEGIN.getTime() + begun.ms - atMs)
  return letters
    .filter(({ headers, begun, heard }) => {
      const isSame = headers['webhook-id'] === id && heard?.answer.status === status
      return isSame && heard.ms - begun.ms === tookMs
    })
    .toSorted((a, b) => distance(a) - distance(b))[0]
}

/** By so much clocks of programs may differ. */
const CLOCKS_MS = 600

/** Until when whoever answers so wants to be left alone. */
function silentUntilMs({ ms, answer: { status, headers } }: NonNullable<Letter['heard']>): number {
  if (status === 410) return Infinity
  const asked = headers['retry-after']
  if (asked === undefined) return ms
  return /^\d+$/.test(asked) ? ms + Number(asked) * 1_000 : Date.parse(asked) - BEGIN.getTime()
}

/** Whoever is cut off from the database without noticing has successors before he knows. */
const CUTS_OFF = /^(?:session-ended|database-restart)\//

type Silence = { readonly noted: readonly Noted[]; readonly acts: readonly Act[]; readonly isCutOff: boolean }

/** Where an answer came and was kept, nobody writes before it allows that, unless a person wanted it since. */
function pestered({ name, letters }: Subscriber, { noted, acts, isCutOff }: Silence): string[] {
  return noted.flatMap((note) => {
    const { heard, from: hearer } = letterOf(note, letters) ?? {}
    if (!heard) return [`${name} is said to have answered ${note.status} to ${note.id}`]
    const { status } = heard.answer
    const untilMs = silentUntilMs(heard) - CLOCKS_MS
    const early = letters.find(
      ({ from: sender, isSent, begun }) =>
        isSent &&
        (sender === hearer || !isCutOff) &&
        begun.step >= heard.step &&
        begun.ms < untilMs &&
        !acts.some(({ from, to }) => to >= heard.step && from <= begun.step),
    )
    if (!early) return []
    const what = `${early.headers['webhook-id']} at ${early.begun.ms} ms`
    return [`${name} answered ${status} at ${heard.ms} ms and was told ${what}, not after ${untilMs} ms`]
  })
}

/** At any moment. */
export async function pesteredOf(
  query: Query,
  { all, people }: Subscribers,
  struck: readonly string[],
): Promise<Violation[]> {
  const isCutOff = struck.some((name) => CUTS_OFF.test(name))
  const subscribed = all.filter(({ subscription }) => subscription)
  const found = await Promise.all(
    subscribed.map(async (subscriber) => {
      const acts = people.acts.filter((act) => act.subscriber === subscriber)
      const noted = await query<Noted>(NOTED, [subscriber.subscription!.id])
      return pestered(subscriber, { noted, acts, isCutOff })
    }),
  )
  const lines = found.flat()
  return lines.length > 0
    ? [{ invariant: 'a subscriber that asks to be left alone is left alone', found: lines.join('; ') }]
    : []
}

const UNTOLD_YET = `
  select w.id from subscription.webhook w
  where w.state <> 'active' or exists (select from subscription.delivery d where d.subscription = w.id)
    or exists (select from log.event e where (e.generation, e.xid, e.position) > (w.generation, w.xid, w.position))`

export const areToldAll = async (query: Query): Promise<boolean> => (await query(UNTOLD_YET)).length === 0

const SINCE = `
  select 'evt_' || key || '_' || key_version as id, type, company from log.event
  where (generation, xid, position) > ($1::smallint, $2::text::xid8, $3::bigint) order by generation, xid, position`

type Recorded = Kind & { readonly id: string }

/** When nothing is under way: what the log has and a subscriber has not heard, or the other way round. */
export async function unheard(query: Query, { all, people }: Subscribers): Promise<Violation[]> {
  const found = await Promise.all(
    all.map(async ({ name, subscription, wanted, taken }) => {
      const [generation, xid, position] = subscription!.cursor.split('.')
      const recorded = await query<Recorded>(SINCE, [generation, xid, position])
      const due = recorded.filter((event) => isWanted(wanted, event))
      const heard = new Set(taken.map(({ event }) => event.id))
      const missing = due.filter(({ id }) => !heard.has(id))
      const known = new Set(recorded.map(({ id }) => id))
      const invented = [...heard].filter((id) => !known.has(id))
      return [
        ...missing.map(({ id, type }) => `${name} never heard of ${id} ${type}`),
        ...invented.map((id) => `${name} was told ${id}, which is not in the log`),
      ]
    }),
  )
  const inVain = people.sentAgain.flatMap(({ subscriber: { name, taken }, id, takenBefore }) => {
    const times = taken.filter(({ event }) => event.id === id).length
    return times > takenBefore ? [] : [`${name} never took ${id}, which was sent again`]
  })
  const lines = [...found.flat(), ...inVain]
  return lines.length > 0
    ? [{ invariant: 'a subscriber hears each event at least once', found: lines.join('; ') }]
    : []
}
