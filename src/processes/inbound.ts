/** What systems tell us: filed in the inbox, put in order, applied, all in the transaction of one list. */
import type { PickingStarted, ShipmentConfirmed, StockMoved, WarehouseMessage } from '#capabilities/wms.ts'
import type { Transaction } from '#platform/database.ts'
import { closeExceptions } from '#platform/exceptions.ts'
import type { DeskRow } from '#platform/desk.ts'
import { Refusal } from '#platform/faults.ts'
import {
  contentHash,
  type IncomingMessage,
  receiveMessages,
  type Settlement,
  settleMessages,
} from '#platform/inbox.ts'
import type { InboundDoor, InboundMessage } from '#platform/inbound.ts'
import { arrangeMessages } from '#platform/inbox-streams.ts'
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
import { headersOf, type OrderHeader } from '#domains/orders/views.ts'
import { changeFulfillments, lockRequests } from '#domains/shipments/operations.ts'
import { parseNumber, type ProcessPorts } from './ports.ts'
import { beginShipments } from './shipment.ts'
import { bookShipments, type Confirmation } from './shipping.ts'
import { openWarehouseExceptions } from './warehouse-trouble.ts'

export type WarehouseDoor = Pick<InboundDoor<WarehouseMessage>, 'instance' | 'order' | 'restore'>

/** A message at the door, with where it came from. */
export type Told = {
  readonly door: WarehouseDoor
  readonly inbound: InboundMessage<WarehouseMessage>
  readonly traceId?: string | undefined
}

export type Heard = 'applied' | 'duplicate' | 'conflict' | 'superseded' | 'waiting' | 'parked' | 'quarantined'

type Filed = IncomingMessage & {
  readonly door: WarehouseDoor
  readonly told: Told | undefined
  readonly message: WarehouseMessage
}

/** Takes what warehouses told; answers each message by itself. A repetition changes nothing. */
export async function hearWarehouses(
  tx: Transaction,
  turn: Docket,
  ports: ProcessPorts,
  { told, shipment, cause }: { told: readonly Told[]; shipment: Process; cause: Cause },
): Promise<ReadonlyMap<Told, Heard>> {
  const answers = new Map<Told, Heard>()
  const filed = told.map(fileOf)
  const verdicts = await receiveMessages(tx, filed, 'applied')
  const fresh: Filed[] = []
  for (const message of filed) {
    const verdict = verdicts.get(message)!
    if (verdict !== 'new') answers.set(message.told, verdict)
    else if (message.message) fresh.push(message as Filed)
    else answers.set(message.told, 'quarantined')
  }
  const unreadable = unreadableOf(
    filed.filter((message) => verdicts.get(message) === 'new' && !message.message),
  )
  await settleMessages(tx, [...unreadable.values()])
  const due = await inTheirOrder(tx, fresh, answers)
  const settlements = await apply(tx, turn, ports, { due, shipment, cause })
  await settleMessages(tx, [...settlements.values()])
  await openWarehouseExceptions(tx, ports, {
    settlements: [...unreadable, ...settlements],
    conflicts: filed.filter((message) => verdicts.get(message) === 'conflict'),
  })
  for (const message of due) {
    if (message.told) answers.set(message.told, settlements.get(message)?.outcome ?? 'applied')
  }
  return answers
}

function fileOf(told: Told) {
  const { door, inbound, traceId } = told
  const { messageId, type, company, stream, sequence, takenAt, body } = inbound
  return {
    source: door.instance,
    messageId,
    type,
    company,
    contentHash: contentHash(body),
    stream,
    sequence,
    takenAt,
    body,
    receivedTrace: traceId,
    door,
    told,
    message: inbound.message,
    unreadable: inbound.unreadable,
  }
}

type Unreadable = ReturnType<typeof fileOf>

function unreadableOf(messages: readonly Unreadable[]): Map<Unreadable, Settlement> {
  return new Map(
    messages.map((filed) => {
      const { source, messageId, unreadable } = filed
      const { code = 'inbound.message_unreadable', message = 'unreadable' } = unreadable ?? {}
      return [filed, { source, messageId, outcome: 'quarantined', cause: { code, message } }]
    }),
  )
}

/** What may be applied now, in the order its source declares; what came too early waits, what came too late is over. */
async function inTheirOrder(
  tx: Transaction,
  fresh: readonly Filed[],
  answers: Map<Told, Heard>,
): Promise<Filed[]> {
  const due: Filed[] = []
  const groups = Map.groupBy(fresh, ({ door, type }) => JSON.stringify(door.order[type] ?? { by: 'none' }))
  for (const [name, group] of groups) {
    const arranged = await arrangeMessages(tx, JSON.parse(name) as { by: 'none' }, group)
    for (const [message, ruling] of arranged.rulings) {
      if (ruling === 'apply') due.push(message)
      else
        answers.set(
          message.told!,
          ruling === 'wait' ? 'waiting' : ruling === 'superseded' ? 'superseded' : 'quarantined',
        )
    }
    const doors = new Map(group.map(({ door }) => [door.instance, door]))
    for (const stored of arranged.released) {
      const door = doors.get(stored.source)!
      due.push({
        ...(stored as unknown as IncomingMessage),
        door,
        told: undefined,
        message: door.restore(stored),
      })
    }
  }
  return due
}

type Applying = { readonly due: readonly Filed[]; readonly shipment: Process; readonly cause: Cause }

/** Applies by kind, set by set; answers what turned out otherwise than applied. */
async function apply(
  tx: Transaction,
  turn: Docket,
  ports: ProcessPorts,
  { due, shipment, cause }: Applying,
): Promise<Map<Filed, Settlement>> {
  const settlements = new Map<Filed, Settlement>()
  const ofType = (type: WarehouseMessage['type']): Filed[] =>
    due.filter(({ message }) => message.type === type)
  const confirmed = await applyShipments(
    tx,
    ports,
    { due: ofType('shipment-confirmed'), shipment, cause },
    settlements,
  )
  await applyPicking(tx, ofType('picking-started'), cause)
  const moved = await applyStock(tx, ofType('stock-moved'), settlements)
  const doubtful = [...confirmed.doubtful, ...moved.doubtful]
  await reportDoubts(tx, ports, doubtful)
  const gained = new Set([...moved.items, ...doubtful.map(({ itemId }) => itemId)])
  const filled = await headersOf(tx, await fillableOrders(tx, [...gained]))
  turn.begin(confirmed.begun)
  // Sharing out stock locks documents and positions, which come before desk rows.
  const fillable = new Set(filled.map(({ doc }) => doc))
  await turn.wake(confirmed.orders.filter(({ doc }) => !fillable.has(doc)).map(wakeRow))
  turn.wakeAfterwards(filled.map(wakeRow))
  return settlements
}

const wakeRow = (order: OrderHeader): DeskRow => ({
  doc: order.doc,
  process: 'order-to-cash',
  company: order.company,
  priority: 2,
  share: order.customerId,
})

const parkedAs = ({ source, messageId }: Filed, { code, message, facts }: Refusal): Settlement => ({
  source,
  messageId,
  outcome: 'parked',
  cause: { code, message, facts },
})

async function applyShipments(
  tx: Transaction,
  ports: ProcessPorts,
  { due, shipment, cause }: Applying,
  settlements: Map<Filed, Settlement>,
) {
  const confirmations = new Map(
    due.map((filed): [Confirmation, Filed] => [
      { source: filed.source, message: filed.message as ShipmentConfirmed },
      filed,
    ]),
  )
  const { answers, doubtful } = await bookShipments(tx, ports, [...confirmations.keys()], cause)
  const orders: OrderHeader[] = []
  const shipped: { doc: number; order: OrderHeader }[] = []
  for (const [confirmation, answer] of answers) {
    const filed = confirmations.get(confirmation)!
    const { source, messageId } = filed
    if (answer.kind === 'refused') settlements.set(filed, parkedAs(filed, answer.refusal))
    else if (answer.kind === 'superseded')
      settlements.set(filed, { source, messageId, outcome: 'superseded' })
    else {
      orders.push(answer.order)
      if (answer.shipment !== undefined) shipped.push({ doc: answer.shipment, order: answer.order })
    }
  }
  const wanted = shipped.filter(({ order }) => ports.wishes(order).shipNotice)
  return { orders, doubtful, begun: await beginShipments(tx, shipment, wanted) }
}

/** From now on the warehouse refuses to take the request back. */
async function applyPicking(tx: Transaction, due: readonly Filed[], cause: Cause): Promise<void> {
  const docs = due.flatMap(({ message }) => parseNumber((message as PickingStarted).fulfillment, 'F') ?? [])
  if (docs.length === 0) return
  const open = (await lockRequests(tx, docs)).filter(
    ({ state }) => state === 'requested' || state === 'accepted',
  )
  await changeFulfillments(
    tx,
    open.map((request) => ({ ...request, data: {} })),
    'picking',
    cause,
  )
}

async function applyStock(
  tx: Transaction,
  due: readonly Filed[],
  settlements: Map<Filed, Settlement>,
): Promise<{ items: number[]; doubtful: readonly Doubt[] }> {
  const skus = due.map(({ company, message }) => ({
    company: company ?? '',
    sku: (message as StockMoved).sku,
  }))
  const items = await findItems(tx, skus)
  const changes: StockChange[] = []
  for (const [place, filed] of due.entries()) {
    const { company, sku } = skus[place]!
    const item = items.get(itemKey(company, sku))
    if (item) changes.push(...stockChanges(filed, item.id))
    else
      settlements.set(
        filed,
        parkedAs(filed, new Refusal('inventory.item_unknown', `${company} has no item ${sku}`)),
      )
  }
  const shortfalls = changes.length > 0 ? await move(tx, changes) : []
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

function stockChanges({ source, messageId, company, message }: Filed, itemId: number): StockChange[] {
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
