/** What keeps the inbox small: old messages leave. */
import type { Database } from './database.ts'
import { sql } from './database.ts'

const RETENTION_MONTHS = 13
const PURGE_BATCH = 1_000

const purge = sql(
  'inbox.purge',
  `with gone as (
     delete from inbox.message where ctid = any (array(
       select ctid from inbox.message where received_at < now() - make_interval(months => $1)
         and state in ('applied', 'duplicate', 'superseded', 'replayed', 'discarded') limit $2 for update skip locked))
     returning 1)
   select count(*)::int as purged from gone`,
)

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
