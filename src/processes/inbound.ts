/** What systems tell us: filed in the inbox, put in order, applied, all in the transaction of one list. */
import type { RequestMessage, StockMoved, WarehouseMessage } from '#capabilities/wms.ts'
import type { Transaction } from '#platform/database.ts'
import { closeExceptions } from '#platform/exceptions.ts'
import type { DeskRow } from '#platform/desk.ts'
import { Refusal } from '#platform/faults.ts'
import { type Settlement, settleMessages } from '#platform/inbox.ts'
import type { InboundDoor, InboundMessage } from '#platform/inbound.ts'
import type { Cause } from '#platform/log.ts'
import type { Docket, Process } from '#platform/process.ts'
import { formatQuantity } from '#platform/quantity.ts'
import { itemKey } from '#domains/items/contract.ts'
import { findItems } from '#domains/items/operations.ts'
import {
  fillableOrders,
  move,
  type Shortfall,
  type StockChange,
  unreconciledAt,
} from '#domains/inventory/operations.ts'
import type { Bucket } from '#domains/inventory/contract.ts'
import type { SupplyReceipt } from '#domains/supply/contract.ts'
import { receiveSupply } from '#domains/supply/operations.ts'
import { headersOf, type OrderHeader } from '#domains/orders/views.ts'
import {
  endReplays,
  type Filed,
  fileOf,
  type Heard,
  takeIn,
  type TakenIn,
  type Telling,
} from './message-filing.ts'
import { inTheirOrder, stopBehind, streamBehind } from './message-order.ts'
import type { ProcessPorts } from './ports.ts'
import { beginShipments } from './shipment.ts'
import { bookTold } from './warehouse-booking.ts'
import type { Confirmation } from './warehouse-books.ts'
import { openWarehouseExceptions } from './warehouse-trouble.ts'

export type WarehouseDoor = Pick<InboundDoor<WarehouseMessage>, 'instance' | 'order' | 'restore' | 'askAgain'>

/** A message at the door, with where it came from. */
export type Told = Telling<WarehouseDoor, InboundMessage<WarehouseMessage>>

/** One that is understood. */
type Due = Filed<Told> & { readonly message: WarehouseMessage }

type Hearing = {
  readonly told: readonly Told[]
  /** Lets one stream go on; answers what waited in it. */
  readonly goOn?: (tx: Transaction) => Promise<Filed<Told>[]>
  readonly shipment: Process
  readonly cause: Cause
}

/** Takes what warehouses told; answers each message by itself. A repetition changes nothing. */
export async function hearWarehouses(
  tx: Transaction,
  turn: Docket,
  ports: ProcessPorts,
  { told, goOn, shipment, cause }: Hearing,
): Promise<ReadonlyMap<Told, Heard>> {
  const filed = told.map((one) => fileOf(one))
  const taken = await takeIn(tx, filed)
  const fresh = filed.filter((message) => taken.verdicts.get(message) === 'new')
  const { due: inTurn, released: followers, passed } = await inTheirOrder(tx, fresh.filter(isReadable), taken)
  const released = goOn ? [...followers, ...(await goOn(tx))] : followers
  const unreadable = [...fresh, ...released].filter((message) => !isReadable(message)).map(quarantined)
  await settleMessages(
    tx,
    unreadable.map(([, settlement]) => settlement),
  )
  const due = [...inTurn, ...released].filter(isReadable)
  const waiting = new Map(passed)
  const { settlements, behind } = await apply(tx, turn, ports, { due, taken, shipment, cause })
  await settleMessages(tx, [...settlements.values()])
  await stopBehind(tx, asideOf(settlements), { behind, taken })
  for (const { told: one } of behind) waiting.set(one, 'waiting')
  const stopped = new Map<Filed<Told>, Settlement>([...unreadable, ...settlements])
  await openWarehouseExceptions(tx, ports, {
    settlements: [...stopped],
    conflicts: filed.filter((message) => taken.verdicts.get(message) === 'conflict'),
  })
  const answers = new Map(
    filed.map((message): [Told, Heard] => {
      const verdict = taken.verdicts.get(message)!
      if (verdict !== 'new') return [message.told, verdict]
      return [message.told, waiting.get(message.told) ?? stopped.get(message)?.outcome ?? 'applied']
    }),
  )
  await endReplays(tx, taken, answers)
  return answers
}

const isReadable = (filed: Filed<Told>): filed is Due => filed.message !== undefined

function quarantined(filed: Filed<Told>): [Filed<Told>, Settlement] {
  const { source, messageId } = filed
  const { code = 'inbound.message_unreadable', message = 'unreadable' } = filed.told.inbound.unreadable ?? {}
  return [filed, { source, messageId, outcome: 'quarantined', cause: { code, message } }]
}

const asideOf = (settlements: ReadonlyMap<Filed<Told>, Settlement>): Filed<Told>[] =>
  [...settlements].flatMap(([message, { outcome }]) => (outcome === 'parked' ? [message] : []))

type Applying = {
  readonly due: readonly Due[]
  readonly taken: Pick<TakenIn<Told>, 'reopened'>
  readonly shipment: Process
  readonly cause: Cause
}

type Applied = {
  /** Of what turned out otherwise than applied. */
  readonly settlements: Map<Filed<Told>, Settlement>
  /** What waits now, since an earlier one of its stream was put aside. */
  readonly behind: readonly Due[]
}

/** Applies by kind, set by set. */
async function apply(
  tx: Transaction,
  turn: Docket,
  ports: ProcessPorts,
  { due, ...applying }: Applying,
): Promise<Applied> {
  const settlements = new Map<Filed<Told>, Settlement>()
  const requests = due.filter(({ message }) => message.type !== 'stock-moved')
  const stock = due.filter(({ message }) => message.type === 'stock-moved')
  const confirmed = await applyToRequests(tx, ports, { due: requests, ...applying }, settlements)
  const moved = await applyStock(tx, stock, settlements)
  const doubtful = [...confirmed.doubtful, ...moved.doubtful]
  await reportDoubts(tx, ports, doubtful)
  const gained = new Set([...moved.items, ...doubtful.map(({ itemId }) => itemId)])
  const filled = await headersOf(tx, await fillableOrders(tx, [...gained]))
  turn.begin(confirmed.begun)
  // Sharing out stock locks documents and positions, which come before desk rows.
  const fillable = new Set(filled.map(({ doc }) => doc))
  await turn.wake(confirmed.orders.filter(({ doc }) => !fillable.has(doc)).map(wakeRow))
  turn.wakeAfterwards(filled.map(wakeRow))
  return { settlements, behind: confirmed.behind }
}

const wakeRow = (order: OrderHeader): DeskRow => ({
  doc: order.doc,
  process: 'order-to-cash',
  company: order.company,
  priority: 2,
  share: order.customerId,
})

const parkedAs = ({ source, messageId }: Due, { code, message, facts }: Refusal): Settlement => ({
  source,
  messageId,
  outcome: 'parked',
  cause: { code, message, facts },
})

async function applyToRequests(
  tx: Transaction,
  ports: ProcessPorts,
  { due, taken, shipment, cause }: Applying,
  settlements: Map<Filed<Told>, Settlement>,
) {
  const confirmations = new Map(
    due.map((filed): [Confirmation, Due] => [
      {
        source: filed.source,
        key: filed.messageId,
        message: filed.message as RequestMessage,
        stream: streamBehind(filed, taken),
      },
      filed,
    ]),
  )
  const { answers, doubtful } = await bookTold(tx, ports, [...confirmations.keys()], cause)
  const orders: OrderHeader[] = []
  const behind: Due[] = []
  const shipped: { doc: number; order: OrderHeader }[] = []
  for (const [confirmation, answer] of answers) {
    const filed = confirmations.get(confirmation)!
    const { source, messageId } = filed
    if (answer.kind === 'refused') settlements.set(filed, parkedAs(filed, answer.refusal))
    else if (answer.kind === 'behind') behind.push(filed)
    else if (answer.kind === 'superseded')
      settlements.set(filed, { source, messageId, outcome: 'superseded' })
    else {
      orders.push(answer.order)
      if (answer.shipment !== undefined) shipped.push({ doc: answer.shipment, order: answer.order })
    }
  }
  const wanted = shipped.filter(({ order }) => ports.wishes(order).shipNotice)
  return { orders, behind, doubtful, begun: await beginShipments(tx, shipment, wanted) }
}

async function applyStock(
  tx: Transaction,
  due: readonly Due[],
  settlements: Map<Filed<Told>, Settlement>,
): Promise<{ items: number[]; doubtful: readonly Doubt[] }> {
  const skus = due.map(({ company, message }) => ({
    company: company ?? '',
    sku: (message as StockMoved).sku,
  }))
  const items = await findItems(tx, skus)
  const changes: StockChange[] = []
  const receipts: SupplyReceipt[] = []
  for (const [place, filed] of due.entries()) {
    const { company, sku } = skus[place]!
    const item = items.get(itemKey(company, sku))
    if (item) {
      changes.push(...stockChanges(filed, item.id))
      receipts.push(...receiptOf(filed, item.id))
    } else
      settlements.set(
        filed,
        parkedAs(filed, new Refusal('inventory.item_unknown', `${company} has no item ${sku}`)),
      )
  }
  // Sent together: positions are locked before purchase orders.
  const [shortfalls] = await Promise.all([
    changes.length > 0 ? move(tx, changes) : [],
    receipts.length > 0 ? receiveSupply(tx, receipts) : undefined,
  ])
  const gained = changes.filter(({ to }) => to === 'available').map(({ itemId }) => itemId)
  const explained = changes.filter(({ reason }) => reason === 'pick-short')
  return { items: [...new Set(gained)], doubtful: [...shortfalls, ...explained] }
}

const MOVES: Readonly<
  Record<Exclude<StockMoved['reason'], 'pick-short'>, readonly [from: Bucket, to: Bucket]>
> = {
  receipt: ['supplier', 'available'],
  count: ['adjustment', 'available'],
  damage: ['available', 'damaged'],
  'quality-hold': ['available', 'quality_hold'],
  'quality-release': ['quality_hold', 'available'],
}

function stockChanges({ source, messageId, company, message }: Due, itemId: number): StockChange[] {
  const { reason, location, lot = '', quantity, at } = message as StockMoved
  const common = { company: company ?? '', itemId, location, reason, source, sourceKey: messageId, at }
  const change = (from: Bucket, to: Bucket, ofLot = lot): StockChange => ({
    ...common,
    lot: ofLot,
    from,
    to,
    quantity: Math.abs(quantity),
  })
  // The shipment that was short put it in doubt, without a lot. It may come before that shipment or after it.
  if (reason === 'pick-short')
    return [change('unreconciled', 'available', ''), change('available', 'adjustment')]
  const [from, to] = MOVES[reason]
  // a count that found less takes from stock; damage is told as what is lost
  return [quantity < 0 && reason === 'count' ? change(to, from) : change(from, to)]
}

/** What a movement brings in is that much less to come. */
function receiptOf({ source, messageId, company, message }: Due, itemId: number): SupplyReceipt[] {
  const { reason, location, quantity, at, purchaseOrder } = message as StockMoved
  if (reason !== 'receipt' || quantity === 0) return []
  const received = { itemId, location, quantity: Math.abs(quantity), at, purchaseOrder }
  return [{ company: company ?? '', source, sourceKey: messageId, ...received }]
}

type Doubt = Pick<Shortfall, 'itemId' | 'location'>

/** Somebody must count where books and shelves differ; what has been explained meanwhile closes by itself. */
async function reportDoubts(tx: Transaction, ports: ProcessPorts, doubtful: readonly Doubt[]): Promise<void> {
  const places = await unreconciledAt(tx, doubtful)
  const causeOf = ({ itemId, location }: Doubt): string => `inventory.unreconciled:${itemId}:${location}`
  await ports.openExceptions(
    tx,
    places
      .filter(({ quantity }) => quantity !== 0)
      .map(({ company, itemId, location, quantity }) => ({
        company,
        cause: causeOf({ itemId, location }),
        code: 'inventory.unreconciled',
        title:
          quantity < 0
            ? `More left ${location} than our books had`
            : `${location} did not find what our books have`,
        suggestedAction: 'Count the item, or find the receipt that was never told; then book the difference.',
        facts: { itemId, location, quantity: formatQuantity(quantity) },
      })),
  )
  const explained = places.filter(({ quantity }) => quantity === 0)
  await closeExceptions(
    tx,
    explained.map(({ company, ...place }) => ({ company, cause: causeOf(place) })),
    'the warehouse explained the difference',
  )
}
