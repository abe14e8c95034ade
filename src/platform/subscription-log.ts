/** What became of the messages of a subscription: every attempt, and the dead letters. */
import { sql } from './database.ts'
import type { Queries } from './database.ts'
import type { EventName } from './log-batches.ts'
import type { Attempt } from './subscription-turns.ts'

const PURGE_ROWS = 10_000

const listRows = sql(
  'subscriptions.attempts',
  `select id, key, key_version as "keyVersion", type, number, at, took_ms as "tookMs", outcome, status, cause
   from subscription.attempt
   where subscription = $1 and ($2::bigint is null or id < $2) and ($3::text is null or outcome = $3)
   order by id desc limit $4`,
)
const deadRows = sql(
  'subscriptions.dead_letters',
  `select key, key_version as "keyVersion", type, attempts, first_failed_at as "firstFailedAt",
     last_failed_at as "lastFailedAt", cause
   from subscription.delivery
   where subscription = $1 and state = 'dead' and (key, key_version) > ($2, $3) order by key, key_version limit $4`,
)
const undelivered = sql(
  'subscriptions.undelivered',
  `select d.subscription as id, count(*) filter (where d.state = 'waiting')::int as waiting,
     count(*) filter (where d.state = 'dead')::int as dead
   from subscription.delivery d where d.subscription = any($1::text[]) group by d.subscription`,
)
const purge = sql(
  'subscriptions.purge_attempts',
  `delete from subscription.attempt where ctid = any(array(
     select ctid from subscription.attempt where at < $1 limit $2))
   returning 1 as gone`,
)

export type LoggedAttempt = Attempt & { readonly id: number }

type AttemptFilter = {
  readonly outcome?: Attempt['outcome'] | undefined
  /** The last of the page before. */
  readonly before?: number | undefined
  readonly limit: number
}

/** The newest first. */
export const attemptsOf = (
  queries: Queries,
  subscription: string,
  { outcome, before, limit }: AttemptFilter,
): Promise<LoggedAttempt[]> =>
  queries.query<LoggedAttempt>(listRows, [subscription, before ?? null, outcome ?? null, limit])

export type DeadLetter = EventName & {
  readonly type: string
  readonly attempts: number
  readonly firstFailedAt: Date
  readonly lastFailedAt: Date
  readonly cause: string | null
}

/** By document and version. */
export const deadLettersOf = (
  queries: Queries,
  subscription: string,
  { after, limit }: { after?: EventName | undefined; limit: number },
): Promise<DeadLetter[]> =>
  queries.query<DeadLetter>(deadRows, [subscription, after?.key ?? 0, after?.keyVersion ?? 0, limit])

export type Undelivered = { readonly waiting: number; readonly dead: number }

export async function undeliveredOf(
  queries: Queries,
  subscriptions: readonly string[],
): Promise<ReadonlyMap<string, Undelivered>> {
  const rows = await queries.query<Undelivered & { id: string }>(undelivered, [subscriptions])
  return new Map(rows.map(({ id, waiting, dead }) => [id, { waiting, dead }]))
}

/** Deletes the attempts made before `until`, portion by portion. */
export async function purgeAttempts(queries: Queries, until: Date): Promise<void> {
  while ((await queries.query(purge, [until, PURGE_ROWS])).length > 0);
}
