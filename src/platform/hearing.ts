/** When other systems were last heard: what they told by themselves, and what was read of them. */
import { type Queries, sql } from './database.ts'

// Read by the block ranges of the time in question: of what was told long before nothing is looked at.
const told = sql(
  'hearing.told',
  `select k.source, (select max(received_at) from inbox.message m where m.source = k.source and m.received_at > k.since)
     as at from unnest($1::text[], $2::timestamptz[]) as k(source, since)`,
)
const read = sql(
  'hearing.read',
  `select source, max(since) as at from reading.progress where source = any($1::text[]) group by source`,
)

type Heard = { readonly source: string; readonly at: Date | null }

const byName = (rows: readonly Heard[]): ReadonlyMap<string, Date> =>
  new Map(rows.flatMap(({ source, at }) => (at ? [[source, at] as const] : [])))

/** By source; one that has told nothing since then is absent. */
export async function lastTold(
  queries: Queries,
  sources: readonly { readonly source: string; readonly since: Date }[],
): Promise<ReadonlyMap<string, Date>> {
  const columns = [sources.map(({ source }) => source), sources.map(({ since }) => since)]
  return byName(await queries.query<Heard>(told, columns))
}

/** By source: until when all of its changes are known of what is read of it. */
export async function lastRead(
  queries: Queries,
  sources: readonly string[],
): Promise<ReadonlyMap<string, Date>> {
  return byName(await queries.query<Heard>(read, [sources]))
}
