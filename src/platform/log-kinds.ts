/** Events of some kinds of one company, for who comes back from time to time for those alone. */
import { type Queries, sql } from './database.ts'
import { type Cursor, LOG_COLUMNS, type LogRow, recorded, type RecordedEvent } from './log.ts'

export type KindsBetween = {
  readonly company: string
  readonly types: readonly string[]
  readonly after: Cursor
  /** Where the log stood long enough ago that no transaction of before is still open. */
  readonly until: Cursor
}

const ofKinds = sql(
  'log.of_kinds',
  `select ${LOG_COLUMNS} from log.event
   where (generation, xid, position) > ($1::smallint, $2::xid8, $3::bigint)
     and (generation, xid, position) <= ($4::smallint, $5::xid8, $6::bigint)
     and company = $7 and type = any($8::text[])
   order by generation, event.xid, position limit $9`,
)

/** The oldest first. */
export async function eventsOfKinds(
  queries: Queries,
  { company, types, after, until }: KindsBetween,
  limit: number,
): Promise<RecordedEvent[]> {
  const between = [after, until].flatMap(({ generation, xid, position }) => [generation, xid, position])
  return (await queries.query<LogRow>(ofKinds, [...between, company, types, limit])).map(recorded)
}
