/** Who waits for stock, whose turn it is, and how much of what is free each may take. */
import type { Queries } from '#platform/database.ts'
import type { Quantity } from '#platform/quantity.ts'
import type { Kept } from '../contract.ts'
import { freeOf, type FreeStock, partsOf, stockKey } from '../rules.ts'
import { type ChannelStock, sharedItems, stockOfItems, type Waiter } from '../rules/channel-stock.ts'
import { selectKept } from '../store/allocations.ts'
import {
  type FillableLine,
  type QueuedLine,
  type QueuedTogether,
  selectAvoided,
  selectFillable,
  selectFree,
  selectQueueByChannel,
  selectQueued,
  selectSourcedBy,
} from '../store/queue.ts'

export type { QueuedLine }

/** The version that each of these orders was sourced by when it came; those without one are absent. */
export const sourcedBy = selectSourcedBy

type StockHere = {
  readonly kept: readonly Kept[]
  readonly places: readonly string[]
  readonly of: (items: Iterable<number>) => ChannelStock
}

/** What is free of these items, for whom: at these places, or wherever they lie. */
export async function readStock(
  queries: Queries,
  items: readonly number[],
  locations: readonly string[] | null,
): Promise<StockHere> {
  const [free, kept] = await Promise.all([selectFree(queries, items, locations), selectKept(queries, items)])
  const places = locations ?? [...new Set(free.map(({ location }) => location))]
  return { kept, places, of: stockOfItems({ free, kept }) }
}

type Total = { readonly itemId: number; readonly quantity: Quantity }

/** For whom something is set aside of these items: by channel where it matters who of them it is. */
export async function waitersOf(
  queries: Queries,
  kept: readonly Kept[],
  totals: readonly Total[],
): Promise<Waiter[]> {
  const shared = sharedItems(kept)
  const items = totals.flatMap(({ itemId }) => (shared.has(itemId) ? [itemId] : []))
  const byChannel = items.length > 0 ? await selectQueueByChannel(queries, items) : []
  const others = totals.filter(({ itemId }) => !shared.has(itemId))
  return [...others.map((one) => ({ ...one, channel: NOBODYS })), ...byChannel]
}

/** Of a channel for which nothing is kept. */
const NOBODYS = ''

export type Waiting = {
  readonly queued: readonly QueuedLine[]
  /** What is free of these items, for whom. */
  readonly stockOf: (items: Iterable<number>) => ChannelStock
  /** Of items of which something is kept for channels, or is to live long, everybody in the order of the queue. */
  readonly lines: ReadonlyMap<number, readonly QueuedTogether[]>
  /** Items of which somebody waits for what lives long. */
  readonly living: readonly number[]
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
  const [queued, stock, avoided] = await Promise.all([
    selectQueued(queries, docs, items),
    readStock(queries, items, locations),
    selectAvoided(queries, docs),
  ])
  const living = queued.flatMap(({ itemId, inTurns }) => (inTurns ? [itemId] : []))
  const shared = [...new Set([...sharedItems(stock.kept), ...living])]
  const together = shared.length > 0 ? await selectQueueByChannel(queries, shared, docs) : []
  const places = Map.groupBy(avoided, ({ doc, line }) => lineKey(doc, line))
  return {
    queued,
    stockOf: stock.of,
    living: [...new Set(living)],
    lines: Map.groupBy(together, ({ itemId }) => itemId),
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
  const places = locations.filter((location) => !avoided?.has(location))
  const left = leftBy(waiting, line, { ahead: aheadOf(waiting, line), locations: places })
  const there = places.map((location) => Math.max(0, left.get(stockKey(line.itemId, location)) ?? 0))
  return partsOf(there, line.quantity, part).reduce((sum, taken) => sum + taken, 0)
}

/**
 * What others in the queue leave an order of a line's item, place by place, where channels have something of their own
 * or somebody wants what lives long: one place is not as good as another there. Undefined where they have nothing.
 */
export function leftByOthers(
  waiting: Waiting,
  line: QueuedLine,
  locations: readonly string[],
): FreeStock | undefined {
  if (!waiting.lines.has(line.itemId)) return undefined
  const ahead = aheadOf(waiting, line).filter(({ doc }) => doc !== line.doc)
  return leftBy(waiting, line, { ahead, locations })
}

type Leaving = { readonly ahead: readonly Waiter[]; readonly locations: readonly string[] }

function leftBy(
  { stockOf }: Waiting,
  { channel, ...line }: QueuedLine,
  { ahead, locations }: Leaving,
): FreeStock {
  const stock = stockOf([line.itemId])
  stock.setAside(ahead, locations)
  return stock.for(channel, [line], locations)
}

type Ahead = Waiter & { readonly doc: number | null }

function aheadOf({ lines }: Waiting, { itemId, ahead: quantity, doc, line }: QueuedLine): readonly Ahead[] {
  const all = lines.get(itemId)
  if (!all) return quantity > 0 ? [{ itemId, channel: NOBODYS, quantity, doc: null }] : []
  const at = all.findIndex((one) => one.doc === doc && one.line === line)
  return at < 0 ? all : all.slice(0, at)
}

/** Orders whom the stock of these items may reach past those before them in the queue. */
export async function reachedOrders(queries: Queries, itemIds: readonly number[]): Promise<number[]> {
  const lines = await selectFillable(queries, itemIds)
  const shared = lines.filter((line) => line.shared)
  const isReached = shared.length > 0 ? await reachedByChannel(queries, shared) : () => true
  return [...new Set(lines.flatMap((line) => (!line.shared || isReached(line) ? [line.doc] : [])))]
}

/**
 * Whom what his channel may have reaches past those of it before him, wherever others are served from; asked in their
 * order. Who wants lots to live long is before nobody else.
 */
async function reachedByChannel(
  queries: Queries,
  lines: readonly FillableLine[],
): Promise<(line: FillableLine) => boolean> {
  const items = [...new Set(lines.map(({ itemId }) => itemId))]
  const { of, places } = await readStock(queries, items, null)
  const stock = of(items)
  const left = new Map<string, Quantity>()
  return ({ itemId, channel, quantity, minimumShelfLifeDays }) => {
    const key = `${itemId} ${channel}`
    const here = left.get(key) ?? freeOf(stock.of(channel, [itemId], places), itemId, places)
    left.set(key, minimumShelfLifeDays === null ? here - quantity : here)
    return here > 0
  }
}
