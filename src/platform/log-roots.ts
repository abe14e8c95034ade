/** Which journeys documents belong to, as the log tells: an order mostly. */
import type { Queries } from './database.ts'
import { sql } from './database.ts'

const roots = sql(
  'log.roots',
  `select distinct key, correlation_id as root from log.event where key = any($1::bigint[]) and key_version = 1`,
)

/** By document; one that the log knows nothing of is left out. */
export async function rootsOf(
  queries: Queries,
  docs: readonly number[],
): Promise<ReadonlyMap<number, number>> {
  if (docs.length === 0) return new Map()
  const rows = await queries.query<{ key: number; root: number }>(roots, [[...new Set(docs)]])
  return new Map(rows.map(({ key, root }) => [key, root]))
}

const toldHere = sql(
  'log.told_here',
  `select key, type, correlation_id as root from log.event
   where xid = pg_current_xact_id() and generation = (select max(generation) from log.generation) order by position`,
)

/** What this transaction has told so far, in order. */
export const toldWithin = (
  queries: Queries,
): Promise<{ readonly key: number; readonly type: string; readonly root: number }[]> =>
  queries.query(toldHere)
