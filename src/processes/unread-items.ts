/** Lines of counts of single items that nobody understood: somebody is told until a count says what is there of each. */
import type { Queries, Transaction } from '#platform/database.ts'
import { closeExceptions, type Occurrence, restateExceptions } from '#platform/exceptions.ts'
import { openCausesOf } from '#platform/exceptions-views.ts'
import type { CountedPlace, UnreadItem } from '#domains/inventory/contract/reconciliations.ts'
import { type CountRead, keepUnread } from '#domains/inventory/operations/reconciliations.ts'
import { isCountedWhole } from '#domains/inventory/views/reconciliations.ts'
import { countedSinceAt, unreadItems, type UnreadTold } from '#domains/inventory/views/unread-counts.ts'
import { itemKey } from '#domains/items/contract.ts'
import { findItems } from '#domains/items/operations.ts'
import type { ProcessPorts } from './ports.ts'

const NOT_READ = 'inventory.items_not_counted'
const LISTED = 20

export type ItemsSaid = Pick<CountRead, 'takenAt' | 'said'> & {
  readonly unread: readonly UnreadItem[]
  /** Who is to see to it; by the rule of its code when absent. */
  readonly owner: string | undefined
}

const placeOf = ({ source, location }: CountedPlace): string => `${NOT_READ}:${source}:${location}:`

/** Under which causes somebody waits for items of the place to be counted. */
async function awaitedAt(queries: Queries, place: CountedPlace): Promise<string[]> {
  const open = await openCausesOf(queries, [place.company], [NOT_READ])
  return open.map(({ cause }) => cause).filter((cause) => cause.startsWith(placeOf(place)))
}

export const areItemsAwaited = async (queries: Queries, place: CountedPlace): Promise<boolean> =>
  (await awaitedAt(queries, place)).length > 0

/**
 * All that is unread of a source at a place is told with what is told already, so that what somebody won't fix hides
 * nothing that is unread later.
 */
export async function tellUnreadItems(
  tx: Transaction,
  { openExceptions }: Pick<ProcessPorts, 'openExceptions'>,
  place: CountedPlace,
  { takenAt, said, unread, owner }: ItemsSaid,
): Promise<void> {
  const { company } = place
  const open = await awaitedAt(tx, place)
  const fresh = await notCountedSince(tx, place, { takenAt, unread })
  const cause = open[0] ?? `${placeOf(place)}${takenAt.toISOString()}`
  const concerned = await keepUnread(tx, place, { takenAt, said, unread: fresh, cause })
  const causes = [...new Set([...open, ...concerned])]
  const standing = Map.groupBy(await unreadItems(tx, place, { causes, limit: LISTED }), (item) => item.cause)
  const told = [...standing.values()].map((items) => ({ ...occurrenceOf(place, items), owner }))
  restateExceptions(tx, told)
  await openExceptions(tx, told)
  const over = open.filter((one) => !standing.has(one))
  await closeExceptions(
    tx,
    over.map((one) => ({ company, cause: one })),
    'all of these items were counted',
  )
}

function occurrenceOf({ company, location, source }: CountedPlace, items: readonly UnreadTold[]): Occurrence {
  const { cause, inAll } = items[0]!
  const what = inAll === 1 ? 'An item' : `${inAll} items`
  return {
    company,
    cause,
    code: NOT_READ,
    title: `${what} that ${source} counts at ${location} could not be read: what our books have of ${inAll === 1 ? 'it' : 'them'} stays`,
    suggestedAction:
      'Mend what each line says, and have its item counted again; until then it is sold as before. It closes when later counts say what is there of each.',
    facts: {
      location,
      source,
      items: inAll,
      lines: items.map(({ line, item, text, reason, cure, takenAt }) => ({
        line,
        item,
        text,
        reason,
        cure,
        takenAt: takenAt.toISOString(),
      })),
    },
  }
}

/** One line of each item, of those that no other count of the source has said meanwhile. */
async function notCountedSince(
  queries: Queries,
  place: CountedPlace,
  { takenAt, unread }: Pick<ItemsSaid, 'takenAt' | 'unread'>,
): Promise<readonly UnreadItem[]> {
  if (unread.length === 0 || (await isCountedWhole(queries, place, takenAt))) return []
  const { company } = place
  const items = await findItems(
    queries,
    unread.map(({ item: sku }) => ({ company, sku })),
  )
  const itemIds = [...items.values()].map(({ id }) => id)
  const counted = await countedSinceAt(queries, place, { takenAt, itemIds })
  const first = new Map(unread.toReversed().map((line) => [line.item, line]))
  return [...first.values()].filter(({ item }) => !counted.has(items.get(itemKey(company, item))?.id ?? 0))
}
