/** What tells one database's log from another's. */
import { type Queries, sql } from './database.ts'

const founding = sql(
  'log.founding',
  'select started_at::text as at from log.generation order by generation limit 1',
)

/** The same in every copy and restore of this log; outside memories of it are kept under this name. */
export async function nameOfLog(queries: Queries): Promise<string> {
  const [row] = await queries.query<{ at: string }>(founding)
  if (!row) throw new Error('the log has no generation')
  return row.at.replaceAll(/\D/g, '')
}
