/** Turns at delivering a subscription: one process at a time, its outcome written in one transaction, and nothing else. */
import { sql } from './database.ts'
import type { Database, Queries, Transaction } from './database.ts'
import type { Cursor } from './log.ts'
import type { EventName } from './log-batches.ts'
import {
  type Subscription,
  SUBSCRIPTION_COLUMNS,
  type SubscriptionRow,
  toSubscription,
} from './subscriptions.ts'

const TURNS_MAX = 200

// Due are those with something to send or to read. A holder that is dead or gone has ended its turn.
const take = sql(
  'subscriptions.take_turns',
  `update subscription.webhook w set holder = $1
   where w.id = any(array(
     select c.id from subscription.webhook c
     where c.state = 'active' and c.due_at <= $2 and not c.id = any($3::text[])
       and ((c.generation, c.xid, c.position) < ($4::smallint, $5::text::xid8, $6::bigint) or exists (
         select from subscription.delivery d
         where d.subscription = c.id and d.state = 'waiting' and d.due_at <= $2))
       and (c.holder is null or c.holder = $1
         or not exists (select from desk.node n where n.epoch = c.holder and not n.dead))
     order by c.due_at limit ${TURNS_MAX} for update of c skip locked))
   returning ${SUBSCRIPTION_COLUMNS}`,
)

export type TurnTaker = {
  /** The epoch of the process. */
  readonly holder: number
  readonly now: Date
  /** Those that this process delivers already. */
  readonly busy: readonly string[]
  readonly head: Cursor
}

export async function takeSubscriptionTurns(
  queries: Queries,
  { holder, now, busy, head }: TurnTaker,
): Promise<Subscription[]> {
  const place = [head.generation, head.xid, head.position]
  return (await queries.query<SubscriptionRow>(take, [holder, now, busy, ...place])).map(toSubscription)
}

/** A message that was read from the log before and is still to be delivered. */
export type Waiting = EventName & {
  readonly attempts: number
  readonly dueAt: Date
  readonly firstFailedAt: Date | null
}

const waiting = sql(
  'subscriptions.waiting',
  `select key, key_version as "keyVersion", attempts, due_at as "dueAt", first_failed_at as "firstFailedAt"
   from subscription.delivery where subscription = $1 and state = 'waiting' order by generation, xid, position`,
)

export const waitingOf = (queries: Queries, subscription: string): Promise<Waiting[]> =>
  queries.query<Waiting>(waiting, [subscription])

/** How one attempt went. */
export type Attempt = EventName & {
  readonly type: string
  readonly number: number
  readonly at: Date
  readonly tookMs: number
  readonly outcome: 'delivered' | 'failed'
  readonly status?: number | undefined
  readonly cause?: string | undefined
}

/** What is not delivered yet, or never will be by itself. */
export type Kept = EventName & {
  readonly type: string
  readonly cursor: Cursor
  readonly state: 'waiting' | 'dead'
  readonly attempts: number
  readonly dueAt: Date
  readonly firstFailedAt: Date | null
  readonly lastFailedAt: Date | null
  readonly cause: string | null
}

/** What came of a turn. */
export type TurnEnd = {
  readonly subscription: Pick<Subscription, 'id' | 'moves'>
  readonly holder: number
  readonly attempts: readonly Attempt[]
  readonly delivered: readonly EventName[]
  readonly kept: readonly Kept[]
  readonly cursor: Cursor
  readonly failures: number
  readonly succeededAt: Date | null
  readonly dueAt: Date
  /** Nothing may be sent before, whoever wants it. */
  readonly leaveAloneUntil: Date | undefined
  /** The receiver has come back: what failed while it was away is due at this time. */
  readonly revivedAt?: Date | undefined
  /** It stops by itself, for this reason. */
  readonly stop?: string | undefined
}

const lockMine = sql(
  'subscriptions.lock_turn',
  'select moves from subscription.webhook where id = $1 and holder = $2 for update',
)
const logAttempts = sql(
  'subscriptions.log_attempts',
  `insert into subscription.attempt (subscription, key, key_version, type, number, at, took_ms, outcome, status, cause)
   select $1, * from unnest($2::bigint[], $3::int[], $4::text[], $5::smallint[], $6::timestamptz[], $7::int[],
     $8::text[], $9::smallint[], $10::text[])`,
)
const dropDelivered = sql(
  'subscriptions.drop_delivered',
  `delete from subscription.delivery d using unnest($2::bigint[], $3::int[]) as k(key, key_version)
   where d.subscription = $1 and d.key = k.key and d.key_version = k.key_version`,
)
const keep = sql(
  'subscriptions.keep',
  `insert into subscription.delivery (subscription, key, key_version, type, generation, xid, position, state, attempts,
     due_at, first_failed_at, last_failed_at, cause)
   select $1, key, key_version, type, generation, xid::xid8, position, state, attempts, due_at, first_failed_at,
     last_failed_at, cause
   from unnest($2::bigint[], $3::int[], $4::text[], $5::smallint[], $6::text[], $7::bigint[], $8::text[],
     $9::smallint[], $10::timestamptz[], $11::timestamptz[], $12::timestamptz[], $13::text[])
     as k(key, key_version, type, generation, xid, position, state, attempts, due_at, first_failed_at, last_failed_at,
       cause)
   on conflict (subscription, key, key_version) do update set state = excluded.state, attempts = excluded.attempts,
     due_at = excluded.due_at, first_failed_at = excluded.first_failed_at, last_failed_at = excluded.last_failed_at,
     cause = excluded.cause`,
)
const revive = sql(
  'subscriptions.revive',
  `update subscription.delivery set due_at = $2 where subscription = $1 and state = 'waiting' and due_at > $2`,
)
const stopped = (reason: string): string =>
  `state = case when ${reason}::text is null then state else 'stopped' end, reason = coalesce(${reason}, reason)`
const end = sql(
  'subscriptions.end_turn',
  `update subscription.webhook set holder = null, failures = $2, succeeded_at = $3, ${stopped('$4')},
     generation = $5, xid = $6::text::xid8, position = $7, due_at = $8 where id = $1`,
)
const letGo = sql(
  'subscriptions.let_go',
  `update subscription.webhook set holder = null, failures = $2, succeeded_at = $3, ${stopped('$4')},
     due_at = greatest(due_at, $5::timestamptz) where id = $1`,
)

/**
 * Writes what came of a turn; `more` does what belongs to it in the same transaction. False, and nothing is written,
 * where the subscription is another's by now or gone. Where a person moved the position meanwhile, the attempts are
 * logged and the new position counts: what lies behind it is read again, but not before the receiver asked, and not
 * where it wants to hear nothing any more.
 */
export function endSubscriptionTurn(
  database: Database,
  turn: TurnEnd,
  more: (tx: Transaction, found: { readonly isMoved: boolean }) => Promise<void>,
): Promise<boolean> {
  const { id, moves } = turn.subscription
  const { delivered, kept, cursor, failures, succeededAt, dueAt, stop } = turn
  const receiver = [id, failures, succeededAt, stop ?? null]
  return database.transaction(async (tx) => {
    const [mine] = await tx.query<{ moves: number }>(lockMine, [id, turn.holder])
    if (!mine) return false
    if (turn.attempts.length > 0) tx.send(logAttempts, [id, ...attemptColumns(turn.attempts)])
    if (mine.moves !== moves) {
      tx.send(letGo, [...receiver, turn.leaveAloneUntil ?? null])
      await more(tx, { isMoved: true })
      return true
    }
    if (delivered.length > 0)
      tx.send(dropDelivered, [
        id,
        delivered.map(({ key }) => key),
        delivered.map(({ keyVersion }) => keyVersion),
      ])
    if (kept.length > 0) tx.send(keep, [id, ...keptColumns(kept)])
    if (turn.revivedAt) tx.send(revive, [id, turn.revivedAt])
    const { generation, xid, position } = cursor
    tx.send(end, [...receiver, generation, xid, position, dueAt])
    await more(tx, { isMoved: false })
    return true
  })
}

const attemptColumns = (rows: readonly Attempt[]) => [
  rows.map((row) => row.key),
  rows.map((row) => row.keyVersion),
  rows.map((row) => row.type),
  rows.map((row) => row.number),
  rows.map((row) => row.at),
  rows.map((row) => row.tookMs),
  rows.map((row) => row.outcome),
  rows.map((row) => row.status ?? null),
  rows.map((row) => row.cause ?? null),
]

const keptColumns = (rows: readonly Kept[]) => [
  rows.map((row) => row.key),
  rows.map((row) => row.keyVersion),
  rows.map((row) => row.type),
  rows.map((row) => row.cursor.generation),
  rows.map((row) => row.cursor.xid),
  rows.map((row) => row.cursor.position),
  rows.map((row) => row.state),
  rows.map((row) => row.attempts),
  rows.map((row) => row.dueAt),
  rows.map((row) => row.firstFailedAt),
  rows.map((row) => row.lastFailedAt),
  rows.map((row) => row.cause),
]

const abandon = sql(
  'subscriptions.abandon_turn',
  'update subscription.webhook set holder = null, due_at = $3 where id = $1 and holder = $2',
)

/** Nothing came of it: whoever takes the next turn reads the same again. */
export const abandonSubscriptionTurn = (
  queries: Queries,
  id: string,
  holder: number,
  dueAt: Date,
): Promise<unknown> => queries.query(abandon, [id, holder, dueAt])
