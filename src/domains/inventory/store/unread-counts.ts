/** The SQL of items that counts left unread, until a later count says what is there. */
import type { Transaction } from '#platform/database.ts'
import { sql } from '#platform/database.ts'
import type { CountedPlace, UnreadItem } from '../contract/reconciliations.ts'

const forget = sql(
  'inventory.forget_unread',
  `delete from inventory.unread_count
   where company = $1 and location = $2 and source = $3 and taken_at <= $4 and ($5::text[] is null or item = any($5::text[]))`,
)
// What was unread before stays with what it was told with.
const keep = sql(
  'inventory.keep_unread',
  `insert into inventory.unread_count as u (company, location, source, taken_at, cause, item, line, text, reason, cure)
   select $1, $2, $3, $4, $5, k.item, k.line, k.text, k.reason, k.cure
   from unnest($6::text[], $7::int[], $8::text[], $9::text[], $10::text[]) as k(item, line, text, reason, cure)
   order by k.item
   on conflict (company, location, source, item) do update set taken_at = excluded.taken_at, line = excluded.line,
     text = excluded.text, reason = excluded.reason, cure = excluded.cure
   where u.taken_at <= excluded.taken_at
   returning u.cause`,
)

export type CountRead = {
  readonly takenAt: Date
  /** By whatever name; all where it is of all that is there. */
  readonly said: readonly string[] | undefined
  /** One line of each item of which it says nothing. */
  readonly unread: readonly UnreadItem[]
  /** Under which items are told that were not unread before. */
  readonly cause: string
}

/** Answers under which causes the unread ones are told. */
export async function writeUnread(
  tx: Transaction,
  { company, location, source }: CountedPlace,
  { takenAt, said, unread, cause }: CountRead,
): Promise<readonly string[]> {
  const count = [company, location, source, takenAt]
  tx.send(forget, [...count, said ?? null])
  if (unread.length === 0) return []
  const rows = await tx.query<{ cause: string }>(keep, [
    ...count,
    cause,
    unread.map(({ item }) => item),
    unread.map(({ line }) => line),
    unread.map(({ text }) => text),
    unread.map(({ reason }) => reason),
    unread.map((each) => each.cure),
  ])
  return rows.map((row) => row.cause)
}
