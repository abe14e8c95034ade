/** What systems tell us: filed in the inbox, put in order, applied, all in the transaction of one list. */
import type { RequestMessage, StockMoved, WarehouseMessage } from '#capabilities/wms.ts'
import type { Transaction } from '#platform/database.ts'
import type { DeskRow } from '#platform/desk.ts'
import { Refusal } from '#platform/faults.ts'
import { type Settlement, settleMessages } from '#platform/inbox.ts'
import type { InboundDoor, InboundMessage } from '#platform/inbound.ts'
import type { Cause } from '#platform/log.ts'
import type { Docket, Process } from '#platform/process.ts'
import { fillableOrders } from '#domains/inventory/operations.ts'
import { headersOf, type OrderHeader } from '#domains/orders/views.ts'
import { tellStockByHand } from './hand-telling.ts'
import { learnLots } from './lots.ts'
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
import { serialsTogether, trackSerials } from './serials.ts'
import { reportStockDoubts, type StockDoubt } from './stock-doubts.ts'
import { bookDue, type FeedTold, placeStock, wakeRow } from './stock-feed.ts'
import { type Answered, bookTold } from './warehouse-booking.ts'
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
  const {
    settlements,
    behind,
    waiting: early,
  } = await apply(tx, turn, ports, { due, taken, shipment, cause })
  await settleMessages(tx, [...settlements.values()])
  await stopBehind(tx, asideOf(settlements), { behind, taken })
  for (const { told: one } of [...behind, ...early]) waiting.set(one, 'waiting')
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
  /** Stock that is told before something of the same item that is missing. */
  readonly waiting: readonly Due[]
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
  const waiting: Due[] = []
  const dueStock = await placeTold(tx, stock, { settlements, waiting, now: ports.clock.now() })
  const confirmed = await applyToRequests(tx, ports, { due: requests, ...applying }, settlements)
  const moved = await bookDue(tx, ports.countsStock, dueStock)
  const doubtful = [...confirmed.doubtful, ...moved.doubtful]
  const dated = await learnLots(tx, ports, moved.lots)
  await tellStockByHand(tx, ports, moved.byHand)
  await trackSerials(tx, ports, serialsTogether(confirmed.serials, moved.serials))
  const items = [...moved.items, ...dated, ...confirmed.dated]
  await wakeAfter(tx, turn, ports, { ...confirmed, doubtful, items })
  return { settlements, behind: confirmed.behind, waiting }
}

type Happened = {
  readonly begun: Awaited<ReturnType<typeof beginShipments>>
  readonly orders: readonly OrderHeader[]
  readonly doubtful: readonly StockDoubt[]
  readonly stopped: readonly DeskRow[]
  /** Of which there may be more for sale. */
  readonly items: readonly number[]
}

/** Tells of doubts, begins what has begun, and wakes whoever goes on or may have more now. */
async function wakeAfter(
  tx: Transaction,
  turn: Docket,
  ports: ProcessPorts,
  { begun, orders, doubtful, items, stopped }: Happened,
): Promise<void> {
  await reportStockDoubts(tx, ports, doubtful)
  const gained = new Set([...items, ...doubtful.map(({ itemId }) => itemId)])
  const filled = await headersOf(tx, await fillableOrders(tx, [...gained]))
  turn.begin(begun)
  // These documents are not locked yet, which comes before desk rows.
  const afterwards = new Set(filled.map(({ doc }) => doc))
  await turn.wake(orders.filter(({ doc }) => !afterwards.has(doc)).map(wakeRow))
  turn.wakeAfterwards(filled.map(wakeRow))
  turn.wakeAfterwards(stopped)
}

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
  const { answers, ...booked } = await bookTold(tx, ports, [...confirmations.keys()], cause)
  const applied: AppliedToRequest[] = []
  const behind: Due[] = []
  for (const [confirmation, answer] of answers) {
    const filed = confirmations.get(confirmation)!
    const { source, messageId } = filed
    if (answer.kind === 'refused') settlements.set(filed, parkedAs(filed, answer.refusal))
    else if (answer.kind === 'behind') behind.push(filed)
    else if (answer.kind === 'superseded')
      settlements.set(filed, { source, messageId, outcome: 'superseded' })
    else applied.push(answer)
  }
  const orders = applied.map(({ order }) => order)
  return { ...booked, orders, behind, begun: await begin(tx, ports, shipment, applied) }
}

type AppliedToRequest = Extract<Answered, { readonly kind: 'applied' }>

/** Shipments whose channel wants to hear of them. */
const begin = (
  tx: Transaction,
  ports: ProcessPorts,
  shipment: Process,
  applied: readonly AppliedToRequest[],
) =>
  beginShipments(
    tx,
    shipment,
    applied
      .flatMap(({ shipment: doc, order }) => (doc === undefined ? [] : [{ doc, order }]))
      .filter(({ order }) => ports.wishes(order).shipNotice),
  )

/** What is told of requests outside the inbox: booked, with all that comes of it. */
export async function applyTold(
  tx: Transaction,
  turn: Docket,
  ports: ProcessPorts,
  { told, shipment, cause }: Pick<Hearing, 'shipment' | 'cause'> & { readonly told: readonly Confirmation[] },
): Promise<ReadonlyMap<Confirmation, Answered>> {
  const { answers, ...booked } = await bookTold(tx, ports, told, cause)
  await trackSerials(tx, ports, booked.serials)
  const applied = [...answers.values()].flatMap((answer) => (answer.kind === 'applied' ? [answer] : []))
  const begun = await begin(tx, ports, shipment, applied)
  const orders = applied.map(({ order }) => order)
  await wakeAfter(tx, turn, ports, { ...booked, begun, orders, items: booked.dated })
  return answers
}

type Placing = {
  readonly settlements: Map<Filed<Told>, Settlement>
  readonly waiting: Due[]
  readonly now: Date
}

/** What of stock is due now, be it told now or before. What came too early is kept by its feed. */
async function placeTold(
  tx: Transaction,
  stock: readonly Due[],
  { settlements, waiting, now }: Placing,
): Promise<readonly FeedTold[]> {
  const told = new Map(
    stock.map((filed): [FeedTold, Due] => {
      const { source, messageId, company = '', message } = filed
      const { type: _, ...fact } = message as StockMoved
      return [{ source, sourceKey: messageId, company, ...fact }, filed]
    }),
  )
  const { standings, due } = await placeStock(tx, [...told.keys()], now)
  for (const [one, standing] of standings) {
    const filed = told.get(one)!
    const { source, messageId } = filed
    if (standing instanceof Refusal) settlements.set(filed, parkedAs(filed, standing))
    else if (standing === 'waiting') waiting.push(filed)
    else if (standing !== 'due') settlements.set(filed, { source, messageId, outcome: 'superseded' })
  }
  return due
}
