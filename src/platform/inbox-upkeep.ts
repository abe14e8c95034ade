/** What keeps the inbox honest and small: messages nobody decided are found, old ones leave. */
import type { Database, Queries, Transaction } from './database.ts'
import { sql } from './database.ts'
import { MESSAGE_COLUMNS, type StoredMessage } from './inbox.ts'

const UNDECIDED_AFTER_MS = 5 * 60_000
const RETENTION_MONTHS = 13
const PURGE_BATCH = 1_000

const claimUndecidedMessages = sql(
  'inbox.claim_undecided',
  `select ${MESSAGE_COLUMNS} from inbox.message m
   where m.state = 'received' and m.received_at <= now() - make_interval(secs => $1::float8 / 1000)
   order by m.received_at, m.source, m.message_id limit $2 for update skip locked`,
)
const undecided = sql(
  'inbox.undecided',
  `select count(*)::int as count, min(received_at) as "oldestAt" from inbox.message
   where state = 'received' and received_at < now() - make_interval(secs => $1::float8 / 1000)`,
)
const purge = sql(
  'inbox.purge',
  `with gone as (
     delete from inbox.message where ctid = any (array(
       select ctid from inbox.message where received_at < now() - make_interval(months => $1)
         and state in ('applied', 'duplicate', 'superseded', 'replayed', 'discarded') limit $2 for update skip locked))
     returning 1)
   select count(*)::int as purged from gone`,
)

/** Takes messages that were filed but not decided, oldest first, for this transaction alone; others skip them. */
export function claimUndecided(
  tx: Transaction,
  options: { readonly limit: number; readonly olderThanMs: number },
): Promise<StoredMessage[]> {
  return tx.query<StoredMessage>(claimUndecidedMessages, [options.olderThanMs, options.limit])
}

/** How many messages have waited too long for a decision. Above zero somebody is paged. */
export async function countUndecided(
  queries: Queries,
  olderThanMs = UNDECIDED_AFTER_MS,
): Promise<{ count: number; oldestAt: Date | null }> {
  const [row] = await queries.query<{ count: number; oldestAt: Date | null }>(undecided, [olderThanMs])
  return row ?? { count: 0, oldestAt: null }
}

/**
 * Deletes decided messages past their retention, a batch a transaction. A message that is still parked or quarantined
 * stays. A delivery repeated after this long is met by the business key it carries.
 */
export async function purgeMessages(database: Database, months = RETENTION_MONTHS): Promise<number> {
  let total = 0
  for (;;) {
    const [row] = await database.query<{ purged: number }>(purge, [months, PURGE_BATCH])
    total += row?.purged ?? 0
    if ((row?.purged ?? 0) < PURGE_BATCH) return total
  }
}
