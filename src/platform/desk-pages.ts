/** The documents on the desk, a page at a time: all that are under way, whoever works on them or none. */
import { type Queries, sql } from './database.ts'
import type { DeskRow } from './desk.ts'

const page = sql(
  'desk.page',
  `select doc from desk.document where doc > $2 and process = $1 order by doc limit $3`,
)

/** Those of a process, by number after this one. */
export async function documentsOnDesk(
  queries: Queries,
  process: string,
  { after, limit }: { readonly after: number; readonly limit: number },
): Promise<number[]> {
  return (await queries.query<{ doc: number }>(page, [process, after, limit])).map(({ doc }) => doc)
}

const rows = sql(
  'desk.rows',
  `select doc, process, company, priority, share, version from desk.document where doc = any($1::bigint[]) order by doc`,
)

/** Of these documents those that are on the desk, whoever works on them. */
export const deskRowsOf = (
  queries: Queries,
  docs: readonly number[],
): Promise<(DeskRow & { readonly version: number })[]> => queries.query(rows, [docs])
