/** Who waits for stock, whose turn it is, and how much of what is free each may take. */
import type { Queries } from '#platform/database.ts'
import type { Quantity } from '#platform/quantity.ts'
import { type FreeStock, shareOf, stockKey } from '../rules.ts'
import { type QueuedLine, selectAvoided, selectQueued, selectRest, selectSourcedBy } from '../store/queue.ts'

export type { QueuedLine }

/** The version that each of these orders was sourced by when it came; those without one are absent. */
export const sourcedBy = selectSourcedBy

export type Waiting = {
  readonly queued: readonly QueuedLine[]
  /** What is free of the items and kept for nobody. */
  readonly free: FreeStock
  /** By line, as `lineKey` names it: where a pick found too little, and nobody has told anything since. */
  readonly avoided: ReadonlyMap<string, ReadonlySet<string>>
}

const lineKey = (doc: number, line: number): string => `${doc} ${line}`

/** The waiting lines of these orders, with what decides how much each may have. */
export async function readWaiting(
  queries: Queries,
  lines: readonly { readonly doc: number; readonly itemId: number }[],
  locations: readonly string[],
): Promise<Waiting> {
  const docs = [...new Set(lines.map((line) => line.doc))]
  const items = [...new Set(lines.map((line) => line.itemId))]
  const [queued, rest, avoided] = await Promise.all([
    selectQueued(queries, docs, items),
    selectRest(queries, items, locations),
    selectAvoided(queries, docs),
  ])
  const places = Map.groupBy(avoided, ({ doc, line }) => lineKey(doc, line))
  return {
    queued,
    free: new Map(rest.map(({ itemId, location, free }) => [stockKey(itemId, location), free])),
    avoided: new Map([...places].map(([key, some]) => [key, new Set(some.map(({ location }) => location))])),
  }
}

export const avoidedBy = ({ avoided }: Waiting, { doc, line }: QueuedLine): ReadonlySet<string> | undefined =>
  avoided.get(lineKey(doc, line))

/** How much a line may take at these locations when those before it have theirs; in whole parts. */
export function shareFor(
  waiting: Waiting,
  line: QueuedLine,
  { locations, part }: { readonly locations: readonly string[]; readonly part: Quantity },
): Quantity {
  const avoided = avoidedBy(waiting, line)
  const rest = locations
    .filter((location) => !avoided?.has(location))
    .map((location) => waiting.free.get(stockKey(line.itemId, location)) ?? 0)
  return shareOf(rest, { ahead: line.ahead, quantity: line.quantity, part })
}
