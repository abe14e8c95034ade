/** The secrets that webhooks are signed with: sealed, shown once, exchanged without a gap. */
import { sql } from './database.ts'
import type { Queries, Transaction } from './database.ts'
import type { SecretBox } from './secret-box.ts'

const insert = sql(
  'subscriptions.add_secret',
  'insert into subscription.secret (subscription, sealed, made_at) values ($1, $2, $3)',
)
const expire = sql(
  'subscriptions.expire_secrets',
  'update subscription.secret set until = $2 where subscription = $1 and (until is null or until > $2)',
)
const forget = sql(
  'subscriptions.forget_secrets',
  'delete from subscription.secret where subscription = $1 and until <= $2',
)
const usable = sql(
  'subscriptions.usable_secrets',
  `select sealed from subscription.secret where subscription = $1 and (until is null or until > $2)
   order by until is not null, id desc`,
)

export type NewSecret = {
  readonly subscription: string
  readonly secret: string
  readonly now: Date
}

/** The secrets before it sign until `keepUntil` beside it. */
export function addSecret(
  tx: Transaction,
  box: SecretBox,
  { subscription, secret, now }: NewSecret,
  keepUntil = now,
): void {
  tx.send(forget, [subscription, now])
  tx.send(expire, [subscription, keepUntil])
  tx.send(insert, [subscription, box.seal(secret, subscription), now])
}

/** Those that sign now, the newest first; undefined where one cannot be opened. */
export async function secretsOf(
  queries: Queries,
  box: SecretBox,
  subscription: string,
  now: Date,
): Promise<string[] | undefined> {
  const rows = await queries.query<{ sealed: Buffer }>(usable, [subscription, now])
  const opened = rows.map(({ sealed }) => box.open(sealed, subscription))
  return opened.every((secret) => secret !== undefined) ? opened : undefined
}
