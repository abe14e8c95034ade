/** The documents on the desk, a page at a time: all that are under way, whoever works on them or none. */
import { type Queries, sql } from './database.ts'

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
