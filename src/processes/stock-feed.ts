/** Takes what sources tell of stock, however it comes: each fact once, in the order in which its source numbers it. */
import { notYet } from '#capabilities/told-time.ts'
import type { Transaction } from '#platform/database.ts'
import type { DeskRow } from '#platform/desk.ts'
import { Refusal } from '#platform/faults.ts'
import type { Docket } from '#platform/process.ts'
import type { Fact, Standing } from '#domains/inventory/contract/feeds.ts'
import { fillableOrders } from '#domains/inventory/operations.ts'
import { placeFacts } from '#domains/inventory/operations/feeds.ts'
import { itemKey } from '#domains/items/contract.ts'
import { findItems } from '#domains/items/operations.ts'
import { headersOf, type OrderHeader } from '#domains/orders/views.ts'
import { tellStockByHand } from './hand-telling.ts'
import { learnLots } from './lots.ts'
import type { ProcessPorts } from './ports.ts'
import { bookStock, incompleteness, type StockBooked, type StockTold } from './stock-booking.ts'
import { trackSerials } from './serials.ts'
import { reportStockDoubts } from './stock-doubts.ts'

/** What one source told, with its place in the order of that source. */
export type FeedTold = StockTold & { readonly sequence?: number | undefined }

export type PlacedStock = {
  /** Of each that was told: where it stands, or why it has no place. */
  readonly standings: ReadonlyMap<FeedTold, Standing | Refusal>
  /** What is to be booked in this transaction, in order. */
  readonly due: readonly FeedTold[]
}

/** Before anything else is locked: what is due now, with what waited for it. */
export async function placeStock(
  tx: Transaction,
  told: readonly FeedTold[],
  now: Date,
): Promise<PlacedStock> {
  if (told.length === 0) return { standings: new Map(), due: [] }
  const items = await findItems(tx, told)
  const standings = new Map<FeedTold, Standing | Refusal>()
  const facts = new Map<FeedFact, FeedTold>()
  for (const one of told) {
    const item = items.get(itemKey(one.company, one.sku))
    const refusal = item ? (incompleteness(one) ?? notYet(one.since ?? one.at, now)) : unknownItem(one)
    if (item && !refusal) facts.set(factOf(byNow(one, now), item.id), one)
    else if (refusal) standings.set(one, refusal)
  }
  const placed = await placeFacts(tx, [...facts.keys()])
  for (const [fact, standing] of placed.standings) standings.set(facts.get(fact)!, standing)
  return { standings, due: placed.due.map(restored) }
}

/** What may have happened until the end of today has by now. */
const byNow = (told: FeedTold, now: Date): FeedTold =>
  told.since && told.at > now ? { ...told, at: now } : told

const unknownItem = ({ company, sku }: FeedTold): Refusal =>
  new Refusal('inventory.item_unknown', `${company} has no item ${sku}`)

type FeedFact = Fact & { readonly payload: FeedTold }

const factOf = (told: FeedTold, itemId: number): FeedFact => {
  const { company, location, source, owner, sequence, mark, at } = told
  return { company, itemId, location, source, owner, sequence, mark, at, payload: told }
}

/** What waited was kept as JSON. */
export const restored = (payload: object): FeedTold => {
  const told = payload as FeedTold
  if (told.at instanceof Date) return told
  return { ...told, at: new Date(told.at), since: told.since && new Date(told.since) }
}

/** Books what is due, as far as its source moves stock by it. */
export async function bookDue(
  tx: Transaction,
  counts: ProcessPorts['countsStock'],
  due: readonly FeedTold[],
): Promise<Omit<StockBooked, 'refused'>> {
  const moving = due.filter(({ source, reason }) => counts(source, reason))
  const { refused, ...booked } = await bookStock(tx, moving)
  // an item that is gone since its fact was placed, in the same transaction
  for (const refusal of refused.values()) throw refusal
  return booked
}

export type FeedPorts = Pick<ProcessPorts, 'openExceptions' | 'countsStock'>

/** Tells people of doubts and wakes the orders that may have more now; positions are locked already. */
export async function afterStock(
  tx: Transaction,
  turn: Pick<Docket, 'wakeAfterwards'>,
  ports: FeedPorts,
  { items, doubtful, byHand, lots, serials }: Omit<StockBooked, 'refused'>,
): Promise<void> {
  const dated = await learnLots(tx, ports, lots)
  await tellStockByHand(tx, ports, byHand)
  await trackSerials(tx, ports, serials)
  await reportStockDoubts(tx, ports, doubtful)
  const gained = new Set([...items, ...dated, ...doubtful.map(({ itemId }) => itemId)])
  const filled = await headersOf(tx, await fillableOrders(tx, [...gained]))
  turn.wakeAfterwards(filled.map(wakeRow))
}

export const wakeRow = (order: OrderHeader): DeskRow => ({
  doc: order.doc,
  process: 'order-to-cash',
  company: order.company,
  priority: 2,
  share: order.customerId,
})
/** A list of one source that is not filed message by message. */
export async function takeMovements(
  tx: Transaction,
  turn: Pick<Docket, 'wakeAfterwards'>,
  ports: FeedPorts & Pick<ProcessPorts, 'clock'>,
  told: readonly FeedTold[],
): Promise<PlacedStock['standings']> {
  const { standings, due } = await placeStock(tx, told, ports.clock.now())
  const booked = await bookDue(tx, ports.countsStock, due)
  await afterStock(tx, turn, ports, booked)
  return standings
}
