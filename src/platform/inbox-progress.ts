/** How far the streams of a source have been applied, for who asks it what came after. */
import { type Queries, sql } from './database.ts'

export type StreamProgress = { readonly lastSequence: number | null; readonly lastTakenAt: Date | null }

const progress = sql(
  'inbox.stream_progress',
  `select stream, last_sequence as "lastSequence", last_taken_at as "lastTakenAt"
   from inbox.stream where source = $1 and stream = any($2::text[])`,
)

/** By stream; one of which nothing was heard is left out. */
export async function streamProgress(
  queries: Queries,
  source: string,
  streams: readonly string[],
): Promise<ReadonlyMap<string, StreamProgress>> {
  const rows = await queries.query<StreamProgress & { stream: string }>(progress, [source, streams])
  return new Map(rows.map((row) => [row.stream, row]))
}
