/** What must hold of the engine's own tables at any moment; each answer lists where it does not, at most fifty. */
import type { Queries } from './database.ts'
import { sql } from './database.ts'

const gaps = sql(
  'soundness.event_gaps',
  `select key || ': ' || count(*) || ' events up to version ' || max(key_version) as broken from log.event
   where recorded_at >= now() - make_interval(days => $1) group by key
   having max(key_version) - min(key_version) + 1 <> count(*) limit 50`,
)
const ownerless = sql(
  'soundness.ownerless_exceptions',
  `select 'exception ' || id as broken from exceptions.exception
   where closed_at is null and (owner = '' or due_at is null or suggested_action = '') limit 50`,
)
const overdue = sql(
  'soundness.overdue_documents',
  `select process || ' ' || doc || ' due since ' || to_char(due_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI') as broken
   from desk.document where owner is null and due_at < now() - interval '5 minutes' order by due_at limit 50`,
)
const orphans = sql(
  'soundness.documents_of_the_dead',
  `select d.process || ' ' || d.doc || ' of process ' || d.owner as broken from desk.document d
   join desk.node n on n.epoch = d.owner where n.dead limit 50`,
)
const months = sql(
  'soundness.partitions_ahead',
  `select 'no partition for ' || to_char(month, 'YYYY-MM') as broken
   from generate_series(date_trunc('month', now() at time zone 'UTC'),
     date_trunc('month', now() at time zone 'UTC') + interval '1 month', interval '1 month') month
   where to_regclass('log.event_' || to_char(month, 'YYYYMM')) is null`,
)

const brokenBy = async (
  queries: Queries,
  statement: typeof gaps,
  values: readonly unknown[] = [],
): Promise<string[]> => (await queries.query<{ broken: string }>(statement, values)).map((row) => row.broken)

/** Documents whose events of these days have a hole. */
export const eventGaps = (queries: Queries, days: number): Promise<string[]> =>
  brokenBy(queries, gaps, [days])
export const ownerlessExceptions = (queries: Queries): Promise<string[]> => brokenBy(queries, ownerless)
/** Documents that nobody has looked at for five minutes although they are due. */
export const overdueDocuments = (queries: Queries): Promise<string[]> => brokenBy(queries, overdue)
export const documentsOfTheDead = (queries: Queries): Promise<string[]> => brokenBy(queries, orphans)
export const missingPartitions = (queries: Queries): Promise<string[]> => brokenBy(queries, months)
