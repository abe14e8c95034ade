/** Who has events of the log sent to an address: kept with filter, position and state; changed by people only here. */
import { sql } from './database.ts'
import type { Queries, Transaction } from './database.ts'
import { refusals } from './http-catalogue.ts'
import type { Payload } from './cloud-events.ts'
import type { Cursor } from './log.ts'
import type { EventFilter } from './subscription-filter.ts'

export const subscriptionRefusals = refusals({
  'subscriptions.not_found': {
    status: 404,
    title: 'No such subscription',
    cause: 'The id names no subscription, or it belongs to another partner.',
    fix: 'List subscriptions and use an id from there.',
  },
  'subscriptions.address_refused': {
    status: 422,
    title: 'The address cannot be called',
    cause: 'Webhooks go to public https addresses only, on ports that the operator allows.',
    fix: 'Give an https address with a public name and without user, password or fragment.',
  },
  'subscriptions.type_unknown': {
    status: 422,
    title: 'No event is called so',
    cause: 'A type names an object, or a domain a room, that the house does not have.',
    fix: 'Use types such as "order.accepted" or "order.*", and the domains orders, shipments and billing.',
  },
  'subscriptions.too_many': {
    status: 409,
    title: 'The client has as many subscriptions as it may',
    cause: 'Each client may keep 25 subscriptions.',
    fix: 'Delete one that is not needed, or widen the filter of another.',
  },
  'subscriptions.cursor_malformed': {
    status: 422,
    title: 'This is no position of the log',
    cause: 'The cursor was not given out by this house, or was cut off.',
    fix: 'Send a cursor as it was answered, or a time, or nothing to start at the beginning.',
  },
  'subscriptions.position_ahead': {
    status: 409,
    title: 'The position lies ahead',
    cause: 'A replay goes back; going ahead would leave events out.',
    fix: 'Name a position or a time that the subscription has passed.',
  },
  'subscriptions.not_stopped': {
    status: 409,
    title: 'The subscription is at work',
    cause: 'Only one that was paused, or that stopped by itself, can be resumed.',
    fix: 'Nothing needs to be done.',
  },
})

export const SUBSCRIPTION_STATES = ['active', 'paused', 'stopped'] as const
export type SubscriptionState = (typeof SUBSCRIPTION_STATES)[number]

/** What a person decides about it. */
export type SubscriptionSettings = EventFilter & {
  readonly name: string
  readonly url: string
  /** The queue that sees to what it does not take. */
  readonly owner: string
  readonly payload: Payload
}

export type NewSubscription = SubscriptionSettings & {
  readonly id: string
  readonly client: string
  /** It is told of this partner's events only. */
  readonly partner: string | undefined
  readonly cursor: Cursor
}

export type Subscription = SubscriptionSettings & {
  readonly id: string
  readonly client: string
  readonly partner: string | null
  readonly state: SubscriptionState
  /** Why it is not active. */
  readonly reason: string | null
  /** Raised whenever a person changes it. */
  readonly version: number
  readonly cursor: Cursor
  readonly moves: number
  readonly failures: number
  readonly succeededAt: Date | null
  readonly createdAt: Date
}

export const SUBSCRIPTION_COLUMNS = `w.id, w.name, w.url, w.client, w.partner, w.owner, w.types, w.domains, w.companies,
  w.payload, w.state, w.reason, w.version, w.generation, w.xid::text as xid, w.position, w.moves, w.failures,
  w.succeeded_at as "succeededAt", w.created_at as "createdAt"`

export type SubscriptionRow = Omit<Subscription, 'cursor'> & Cursor

export const toSubscription = ({ generation, xid, position, ...row }: SubscriptionRow): Subscription => ({
  ...row,
  cursor: { generation, xid, position },
})

const insert = sql(
  'subscriptions.create',
  `insert into subscription.webhook (id, name, url, client, partner, owner, types, domains, companies, payload,
     generation, xid, position, due_at, created_at)
   values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12::text::xid8, $13, $14, $14)`,
)
const countOf = sql(
  'subscriptions.count',
  'select count(*)::int as count from subscription.webhook where client = $1',
)
const find = sql(
  'subscriptions.find',
  `select ${SUBSCRIPTION_COLUMNS} from subscription.webhook w where w.id = $1`,
)
const lock = sql(
  'subscriptions.lock',
  `select ${SUBSCRIPTION_COLUMNS} from subscription.webhook w where w.id = $1 for update`,
)
const list = sql(
  'subscriptions.list',
  `select ${SUBSCRIPTION_COLUMNS} from subscription.webhook w
   where ($1::text is null or w.partner = $1) and ($2::text is null or w.id > $2) order by w.id limit $3`,
)
const change = sql(
  'subscriptions.change',
  `update subscription.webhook set version = version + 1, name = $2, url = $3, owner = $4, types = $5, domains = $6,
     companies = $7, payload = $8 where id = $1`,
)
const remove = sql('subscriptions.delete', 'delete from subscription.webhook where id = $1')
const setState = sql(
  'subscriptions.set_state',
  `update subscription.webhook set version = version + 1, state = $2, reason = $3, failures = 0, due_at = $4
   where id = $1`,
)
// Attempts count from the beginning: what failed while the receiver was away is nobody's fault any more.
const reviveWaiting = sql(
  'subscriptions.revive_waiting',
  `update subscription.delivery set attempts = 0, due_at = $2, first_failed_at = null
   where subscription = $1 and state = 'waiting'`,
)
const move = sql(
  'subscriptions.move',
  `update subscription.webhook set version = version + 1, moves = moves + 1, generation = $2, xid = $3::text::xid8,
     position = $4, due_at = $5 where id = $1`,
)
const forgetBehind = sql(
  'subscriptions.forget_behind',
  `delete from subscription.delivery
   where subscription = $1 and (generation, xid, position) > ($2::smallint, $3::text::xid8, $4::bigint)`,
)
const reviveDead = sql(
  'subscriptions.revive_dead',
  `update subscription.delivery set state = 'waiting', attempts = 0, due_at = $2, first_failed_at = null
   where subscription = $1 and state = 'dead' returning key`,
)
const wake = sql('subscriptions.wake', 'update subscription.webhook set due_at = $2 where id = $1')

const settingsOf = ({ name, url, owner, types, domains, companies, payload }: SubscriptionSettings) => ({
  name,
  url,
  owner,
  lists: [types, domains, companies],
  payload,
})

export function createSubscription(tx: Transaction, made: NewSubscription, now: Date): void {
  const { name, url, owner, lists, payload } = settingsOf(made)
  const { generation, xid, position } = made.cursor
  const whose = [made.client, made.partner ?? null, owner]
  tx.send(insert, [made.id, name, url, ...whose, ...lists, payload, generation, xid, position, now])
}

export async function countSubscriptions(queries: Queries, client: string): Promise<number> {
  const [row] = await queries.query<{ count: number }>(countOf, [client])
  return row?.count ?? 0
}

export async function findSubscription(queries: Queries, id: string): Promise<Subscription | undefined> {
  const [row] = await queries.query<SubscriptionRow>(find, [id])
  return row && toSubscription(row)
}

/** Locked until the transaction ends. */
export async function lockSubscription(tx: Transaction, id: string): Promise<Subscription | undefined> {
  const [row] = await tx.query<SubscriptionRow>(lock, [id])
  return row && toSubscription(row)
}

/** By id; `after` is the last of the page before. */
export async function listSubscriptions(
  queries: Queries,
  { partner, after, limit }: { partner?: string | undefined; after?: string | undefined; limit: number },
): Promise<Subscription[]> {
  const rows = await queries.query<SubscriptionRow>(list, [partner ?? null, after ?? null, limit])
  return rows.map(toSubscription)
}

export function changeSubscription(tx: Transaction, id: string, settings: SubscriptionSettings): void {
  const { name, url, owner, lists, payload } = settingsOf(settings)
  tx.send(change, [id, name, url, owner, ...lists, payload])
}

export const deleteSubscription = (tx: Transaction, id: string): void => tx.send(remove, [id])

export const pauseSubscription = (tx: Transaction, id: string, reason: string, now: Date): void =>
  tx.send(setState, [id, 'paused', reason, now])

/** It goes on exactly where it stood; what waits is due at once. */
export function resumeSubscription(tx: Transaction, id: string, now: Date): void {
  tx.send(setState, [id, 'active', null, now])
  tx.send(reviveWaiting, [id, now])
}

/** Everything behind `cursor` is sent again, dead letters too. */
export function moveSubscription(tx: Transaction, id: string, cursor: Cursor, now: Date): void {
  const place = [cursor.generation, cursor.xid, cursor.position]
  tx.send(move, [id, ...place, now])
  tx.send(forgetBehind, [id, ...place])
}

/** Answers how many dead letters are sent again. */
export async function replayDeadLetters(tx: Transaction, id: string, now: Date): Promise<number> {
  tx.send(wake, [id, now])
  return (await tx.query(reviveDead, [id, now])).length
}
