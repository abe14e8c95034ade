/** What must hold of files of stock once all were read: each fact is in its place, and somebody has each line that was wrong. */
import { join } from 'node:path'
import type { Query } from '#tests/support/books-rules.ts'
import type { Violation } from './checkers.ts'
import type { Counterparts } from './counterparts.ts'
import { FEED, FOLDER } from './file-people.ts'
import type { MemoryFiles } from './memory-files.ts'
import { unequal } from './supply-checkers.ts'

const HEARD = `
  select location || ' ' || sku || ' ' || f.owner || ': ' || last_sequence as text
  from inventory.feed f join items.item i on i.id = f.item_id where f.source = $1 and last_sequence > 0`
const MISSING = `
  select cause as text from exceptions.exception where code = 'inventory.facts_missing' and closed_at is null
  union all select 'held ' || item_id || ' ' || sequence from inventory.feed_held where source = '${FEED}'`
const OWNED = `
  select split_part(cause, ':', 3) as name from exceptions.exception
  where code = 'inventory.lines_refused' and split_part(cause, ':', 2) = $1 and owner <> ''`

type Read = {
  readonly landscape: Counterparts
  readonly files: MemoryFiles
  /** Names of files of which a line cannot be taken. */
  readonly bad: readonly string[]
  /** By place and owner, how much was told of it. */
  readonly ofOthers: readonly string[]
}

export async function filesAmiss(
  query: Query,
  { landscape, files, bad, ofOthers }: Read,
): Promise<Violation[]> {
  const last = new Map<string, number>()
  for (const event of landscape.eastWms.truth().events)
    if ('stock_sequence' in event)
      last.set(`${String(event['site'])} ${String(event['sku'])} own`, Number(event['stock_sequence']))
  const told = [...[...last].map(([place, sequence]) => `${place}: ${sequence}`), ...ofOthers]
  const owned = new Set((await query<{ name: string }>(OWNED, [FEED])).map(({ name }) => name))
  const kept = new Set(files.below(join(FOLDER, 'refused')))
  const silent = bad
    .filter((name) => !owned.has(name) || !kept.has(join(FOLDER, 'refused', `${name}.json`)))
    .map((text) => ({ text }))
  return [
    ...unequal('all that files told of a place is in its books', await query(HEARD, [FEED]), told),
    ...unequal('nothing waits for what is missing', await query(MISSING), []),
    ...unequal('a line that cannot be taken is kept, and somebody is told of it', silent, []),
  ]
}
