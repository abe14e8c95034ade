/** What moved at places, booked in stock and on the purchase orders that it is of. */
import type { StockReason } from '#capabilities/stock.ts'
import type { StockMoved } from '#capabilities/wms.ts'
import type { Transaction } from '#platform/database.ts'
import { Refusal } from '#platform/faults.ts'
import type { Quantity } from '#platform/quantity.ts'
import type { Bucket } from '#domains/inventory/contract.ts'
import { move, type Shortfall, type StockChange } from '#domains/inventory/operations.ts'
import { type ExternalShipment, shipExternal } from '#domains/inventory/operations/external.ts'
import { takeTransfers, type TransferTold } from '#domains/inventory/operations/transfers.ts'
import { isOwn } from '#domains/inventory/contract/owners.ts'
import { itemKey } from '#domains/items/contract.ts'
import { findItems } from '#domains/items/operations.ts'
import type { SupplyReceipt } from '#domains/supply/contract.ts'
import { receiveSupply } from '#domains/supply/operations.ts'
import type { ToldLot } from './lots.ts'
import type { SerialsDue } from './serials.ts'
import { besideHand } from './stock-by-hand.ts'
import { ownerRefusal } from './stock-owners.ts'
import { serialsOfStock } from './told-serials.ts'
import type { StockDiffers } from './hand-telling.ts'
import type { StockDoubt } from './stock-doubts.ts'

/** What a source told of stock, under its own id. */
export type StockTold = Omit<StockMoved, 'type' | 'sequence'> & {
  readonly source: string
  readonly sourceKey: string
  readonly company: string
}

export type StockBooked = {
  /** Why single ones were not booked, by their place in the list. */
  readonly refused: ReadonlyMap<number, Refusal>
  /** Of which there may be more for sale now. */
  readonly items: number[]
  readonly doubtful: readonly StockDoubt[]
  /** What people had entered of it before. */
  readonly byHand: readonly StockDiffers[]
  /** Lots that were told with the day on which they expire. */
  readonly lots: readonly ToldLot[]
  /** Of items whose units have serials: to be booked once no further position is locked. */
  readonly serials: SerialsDue
}

/** In the order of the list; what cannot be read is answered and left out, the rest is booked. */
export async function bookStock(tx: Transaction, told: readonly StockTold[]): Promise<StockBooked> {
  const items = await findItems(tx, told)
  const refused = new Map<number, Refusal>()
  const readable = told.flatMap((one, place) => {
    const item = items.get(itemKey(one.company, one.sku))
    const refusal = item
      ? incompleteness(one)
      : new Refusal('inventory.item_unknown', `${one.company} has no item ${one.sku}`)
    if (refusal) refused.set(place, refusal)
    return item && !refusal ? [{ one, itemId: item.id }] : []
  })
  const transfers = new Map(
    readable.flatMap(({ one, itemId }) => {
      const step = transferOf(one, itemId)
      return step ? [[one, step] as const] : []
    }),
  )
  const transferred = await takeTransfers(tx, [...transfers.values()])
  const { known, byHand } = await besideHand(tx, readable)
  const changes = known.flatMap(({ one, itemId }) => {
    const step = transfers.get(one)
    return step ? transferred.get(step)! : stockChanges(one, itemId)
  })
  const receipts = known.flatMap(({ one, itemId }) => receiptOf(one, itemId))
  const moving = changes.length > 0 ? move(tx, changes) : []
  const uncovered = await shipForOthers(tx, known, moving)
  // Sent together: positions are locked before purchase orders.
  const [shortfalls] = await Promise.all([
    moving,
    receipts.length > 0 ? receiveSupply(tx, receipts) : undefined,
  ])
  const lots = known.flatMap(({ one, itemId }) => toldLot(one, itemId))
  const gained = changes
    .filter((change) => change.to === 'available' && isOwn(change))
    .map(({ itemId }) => itemId)
  const explained = changes.filter(({ from, to }) => from === 'unreconciled' || to === 'unreconciled')
  const doubtful = [...uncovered, ...shortfalls, ...explained]
  const tracked = readable.flatMap(({ one, itemId }, place) => {
    if (!items.get(itemKey(one.company, one.sku))!.serialControlled) return []
    const moves = transfers.has(one) ? undefined : bucketsOf(one, itemId)
    return [{ one, itemId, moves, step: transfers.get(one), again: known[place]!.one !== one }]
  })
  return { refused, items: [...new Set(gained)], doubtful, byHand, lots, serials: serialsOfStock(tracked) }
}

const bucketsOf = (one: StockTold, itemId: number): Pick<StockChange, 'from' | 'to'> | undefined =>
  one.reason === 'ship-other' ? { from: 'available', to: 'shipped' } : stockChanges(one, itemId).at(-1)

function toldLot({ company, sku, lot, expiresOn, source, location }: StockTold, itemId: number): ToldLot[] {
  if (lot === undefined || expiresOn === undefined) return []
  return [{ company, itemId, sku, lot, expiresOn, source, location }]
}

/** What a message of this reason has to say beside its quantity, and may not say of another owner's stock. */
export function incompleteness(told: StockTold): Refusal | undefined {
  const { reason, location, statuses, transfer } = told
  const misowned = ownerRefusal(told)
  if (misowned) return misowned
  if (reason === 'status-change' && (!statuses || statuses.from === statuses.to))
    return incomplete('a change of status names two of them')
  if (!(reason in ACTS)) return undefined
  if (!transfer) return incomplete('a transfer has a number')
  if (reason === 'transfer-out' && transfer.place === undefined)
    return incomplete(`transfer ${transfer.number} leaves ${location} for nowhere`)
  if (transfer.place === location)
    return incomplete(`transfer ${transfer.number} goes to where it comes from`)
  return undefined
}

const incomplete = (message: string): Refusal => new Refusal('inventory.movement_incomplete', message)

const MOVES: Readonly<Partial<Record<StockReason, readonly [from: Bucket, to: Bucket]>>> = {
  receipt: ['supplier', 'available'],
  return: ['shipped', 'quarantine'],
  count: ['adjustment', 'available'],
  damage: ['available', 'damaged'],
  'quality-hold': ['available', 'quality_hold'],
  'quality-release': ['quality_hold', 'available'],
  ship: ['available', 'shipped'],
  // of another owner: nobody claims it for an order
  'ship-other': ['available', 'shipped'],
}
/** Told with a minus, these go the other way; of all others the minus only says that they take something away. */
const TAKEN_BACK: ReadonlySet<StockReason> = new Set(['receipt', 'return', 'count'])

function stockChanges({ statuses, ...told }: StockTold, itemId: number): StockChange[] {
  const { company, reason, location, owner, lot = '', source, sourceKey, at, since, mark } = told
  const quantity = Math.abs(told.quantity)
  if (quantity === 0 || (reason === 'ship-other' && isOwn(told))) return []
  const common = {
    company,
    itemId,
    location,
    owner,
    reason,
    source,
    sourceKey,
    at,
    since,
    mark,
    quantity,
    isTold: true,
  }
  // The shipment that was short put it in doubt, without a lot. It may come before that shipment or after it.
  if (reason === 'pick-short') {
    const lost: StockChange = { ...common, lot, from: 'available', to: 'adjustment' }
    return isOwn(told) ? [{ ...common, lot: '', from: 'unreconciled', to: 'available' }, lost] : [lost]
  }
  const [from, to] = reason === 'status-change' ? [statuses!.from, statuses!.to] : MOVES[reason]!
  const isTakenBack = told.quantity < 0 && TAKEN_BACK.has(reason)
  return [{ ...common, lot, ...(isTakenBack ? { from: to, to: from } : { from, to }) }]
}

type Known = { readonly one: StockTold; readonly itemId: number }

/** Behind what moves: what came in may be what left. */
async function shipForOthers(
  tx: Transaction,
  known: readonly Known[],
  moving: PromiseLike<unknown> | readonly unknown[],
): Promise<Shortfall[]> {
  const left = known.flatMap(({ one, itemId }) => shipmentOf(one, itemId))
  if (left.length === 0) return []
  await moving
  return shipExternal(tx, left)
}

/** What left for orders that the source took itself. */
function shipmentOf(told: StockTold, itemId: number): ExternalShipment[] {
  if (told.reason !== 'ship-other' || told.quantity === 0 || !isOwn(told)) return []
  const { company, source, sourceKey, sku, location, lot = '', at, mark, order } = told
  const quantity = Math.abs(told.quantity)
  return [{ company, source, sourceKey, itemId, sku, location, lot, quantity, at, mark, order }]
}

/** What a receipt brings in is that much less to come; what it takes back is to come again. */
function receiptOf(told: StockTold, itemId: number): SupplyReceipt[] {
  const { company, source, sourceKey, reason, location, quantity, at, purchaseOrder } = told
  if (reason !== 'receipt' || quantity === 0 || !isOwn(told)) return []
  return [{ company, source, sourceKey, itemId, location, quantity, at, purchaseOrder }]
}

const ACTS = { 'transfer-out': 'sent', 'transfer-in': 'arrived', 'transfer-missing': 'missing' } as const

function transferOf(told: StockTold, itemId: number): TransferTold | undefined {
  const { company, reason, location, owner, lot = '', transfer, statuses, source, sourceKey, at } = told
  const act = ACTS[reason as keyof typeof ACTS] as TransferTold['act'] | undefined
  if (act === undefined) return undefined
  const { number, place } = transfer!
  const quantity: Quantity = Math.abs(told.quantity)
  const [from, to] = act === 'sent' ? [location, place!] : [place, location]
  const status = (act === 'sent' ? statuses?.from : statuses?.to) ?? 'available'
  return { company, number, itemId, owner, lot, from, to, act, quantity, status, source, sourceKey, at }
}
