/** When versions of documents were made, from the log. */
import { type Queries, sql } from './database.ts'

// Only partitions since the document began are looked into, each by its key.
const made = sql(
  'log.versions_made',
  `select e.key, e.recorded_at as at
   from unnest($1::bigint[], $2::int[], $3::timestamptz[]) as k(key, version, since)
   cross join lateral (
     select key, recorded_at from log.event
     where key = k.key and key_version = k.version and recorded_at >= k.since offset 0) e`,
)

export type MadeVersion = { readonly doc: number; readonly version: number; readonly since: Date }

/** By document; `since` is no later than the version. One whose event is not kept any more is left out. */
export async function whenMade(
  queries: Queries,
  versions: readonly MadeVersion[],
): Promise<ReadonlyMap<number, Date>> {
  const rows = await queries.query<{ key: number; at: Date }>(made, [
    versions.map(({ doc }) => doc),
    versions.map(({ version }) => version),
    versions.map(({ since }) => since),
  ])
  return new Map(rows.map(({ key, at }) => [key, at]))
}
