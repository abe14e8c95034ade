/** What channels tell: orders placed and taken back, filed in the inbox and applied in the transaction of one list. */
import type { ChannelMessage, OrderPlaced, StockCounted } from '#capabilities/channel-messages.ts'
import { notYet } from '#capabilities/told-time.ts'
import type { StockSnapshot } from '#capabilities/stock.ts'
import type { Transaction } from '#platform/database.ts'
import { type Settlement, settleMessages } from '#platform/inbox.ts'
import type { Cause } from '#platform/log.ts'
import type { Docket, Process } from '#platform/process.ts'
import { headersOf } from '#domains/orders/views.ts'
import { acceptOrders, type Captured, type Gathered } from './accept.ts'
import type { Arrival } from './captured-order.ts'
import { openChannelExceptions } from './channel-trouble.ts'
import type { ChannelTold, Decided, Filed } from './channel-words.ts'
import { endReplays, fileOf, type Heard, takeIn } from './message-filing.ts'
import { inTheirOrder } from './message-order.ts'
import type { ProcessPorts } from './ports.ts'
import { type CountHeld, reconcileGiven, within } from './reconciliation-given.ts'
import { type SupplierWord, takeSupplierWords } from './supplier-messages.ts'
import { type IsKnown, readOf } from './told-counts.ts'
import { withdraw } from './withdrawals.ts'

type Hearing = {
  readonly told: readonly ChannelTold[]
  /** What each order that was told comes to, gathered before the transaction. */
  readonly arrivals: ReadonlyMap<ChannelTold, Arrival>
  readonly gathered: Gathered
  readonly process: Process
  readonly cause: Cause
}

/** Orders as their door brings them. */
export const arrivalsOf = (told: readonly ChannelTold[]): ReadonlyMap<ChannelTold, Arrival> =>
  new Map(
    told.flatMap((one): [ChannelTold, Arrival][] => {
      const { message } = one.inbound
      return message?.type === 'order-placed' ? [[one, arrivalOf(one, message)]] : []
    }),
  )

function arrivalOf({ door, traceId }: ChannelTold, placed: OrderPlaced): Arrival {
  const { order: request, sender = door.instance, ...said } = placed
  const { externalId, period, priceTolerancePpm, mismatch } = said
  return { request, sender, externalId, period, priceTolerancePpm, mismatch, actor: sender, traceId }
}

/** Takes what channels told; answers each message by itself. A repetition changes nothing. */
export async function hearChannels(
  tx: Transaction,
  turn: Docket,
  ports: ProcessPorts,
  hearing: Hearing,
): Promise<ReadonlyMap<ChannelTold, Heard>> {
  const filed = hearing.told.map((one) => fileOf(one))
  const taken = await takeIn(tx, filed)
  const fresh = filed.filter((message) => taken.verdicts.get(message) === 'new')
  const { due, passed } = await inTheirOrder(tx, fresh.filter(isReadable), taken)
  const inTurn = new Set(due)
  const decisions = await decide(tx, turn, ports, {
    ...hearing,
    due: fresh.filter((message) => inTurn.has(message) || !isReadable(message)),
  })
  await settleMessages(
    tx,
    [...decisions].map(([message, decision]) => settlementOf(message, decision)),
  )
  await tellConnectors(tx, decisions)
  await openChannelExceptions(tx, ports, {
    decisions,
    conflicts: filed.filter((message) => taken.verdicts.get(message) === 'conflict'),
  })
  const answers = new Map(
    filed.map((message): [ChannelTold, Heard] => {
      const verdict = taken.verdicts.get(message)!
      if (verdict !== 'new') return [message.told, verdict]
      return [message.told, passed.get(message.told) ?? heardAs(message, decisions.get(message)!)]
    }),
  )
  await endReplays(tx, taken, answers)
  return answers
}

const isReadable = ({ message }: Filed): boolean => message !== undefined

/** The sender learns that his message was taken; who replays it, whether its order was here before. */
const heardAs = ({ told }: Filed, { outcome, known }: Decided): Heard =>
  told.parked && outcome === 'applied' && known ? 'duplicate' : outcome

type Deciding = Hearing & { readonly due: readonly Filed[] }

async function decide(
  tx: Transaction,
  turn: Docket,
  ports: ProcessPorts,
  { due, arrivals, gathered, process, cause }: Deciding,
): Promise<ReadonlyMap<Filed, Decided>> {
  const ofType = (...types: ChannelMessage['type'][]): Filed[] =>
    due.filter(({ told }) => told.inbound.message && types.includes(told.inbound.message.type))
  const placed = ofType('order-placed')
  const captured = await acceptOrders(tx, turn, ports, {
    arrivals: placed.map(({ told }) => arrivals.get(told)!),
    gathered,
    process,
    cause,
  })
  const known = await knownNumbers(tx, [...captured.values()])
  const withdrawn = await withdraw(tx, turn, ofType('order-withdrawn', 'purchase-order-withdrawn'), cause)
  const supplied = await hearSuppliers(tx, ofType('supply-answered', 'supply-shipped'))
  const counted = await hearCounts(tx, turn, ports, ofType('stock-counted'))
  return new Map(
    due.map((message): [Filed, Decided] => {
      const arrival = arrivals.get(message.told)
      if (arrival) return [message, decisionOf(message, captured.get(arrival)!, known)]
      return [
        message,
        withdrawn.get(message) ?? supplied.get(message) ?? counted.get(message) ?? undecided(message),
      ]
    }),
  )
}

/** What suppliers tell; one that names what we do not have waits for a person. */
async function hearSuppliers(tx: Transaction, told: readonly Filed[]): Promise<ReadonlyMap<Filed, Decided>> {
  if (told.length === 0) return new Map()
  const words = new Map(
    told.map((filed) => {
      const { source, messageId: document } = filed
      return [filed, { source, document, message: filed.message } as SupplierWord] as const
    }),
  )
  const { unusable } = await takeSupplierWords(tx, [...words.values()])
  return new Map(
    [...words].map(([filed, word]): [Filed, Decided] => {
      const refusal = unusable.get(word)
      return [filed, refusal ? { outcome: 'parked', refusal } : { outcome: 'applied' }]
    }),
  )
}

/** What is counted is held against the books; each by itself, since two may be of the same items. */
async function hearCounts(
  tx: Transaction,
  turn: Docket,
  ports: ProcessPorts,
  told: readonly Filed[],
): Promise<ReadonlyMap<Filed, Decided>> {
  const decisions = new Map<Filed, Decided>()
  for (const filed of told) {
    const counted = filed.message as StockCounted
    const { sender: source, snapshot, sent } = counted
    const refusal = notYet(snapshot.takenAt, ports.clock.now())
    if (refusal) {
      decisions.set(filed, { outcome: 'parked', refusal })
      continue
    }
    const { taken, unread, isKnown } = await readOf(tx, counted)
    const held = await reconcileGiven(within(ports, tx, turn), {
      source,
      snapshot: { ...snapshot, lines: taken },
      unread,
      ids: sent.map(({ ids }) => ids),
      owner: filed.told.inbound.owner,
    })
    decisions.set(filed, { outcome: 'applied', detail: detailOf(snapshot, isKnown, held) })
  }
  return decisions
}

/** What became of a count, and which of its items the company does not have. */
function detailOf({ lines }: StockSnapshot, isKnown: IsKnown, held: CountHeld | undefined) {
  const skus = [...new Set(lines.map(({ sku }) => sku))]
  const unknown = skus.filter((sku) => !isKnown(sku))
  if (!held) return { superseded: skus.length - unknown.length, unknown }
  const { id: reconciliation, matched, superseded, differences, notSaid, unread } = held
  const count = (ruled: string): number => differences.filter(({ outcome }) => outcome === ruled).length
  return {
    ...(reconciliation !== undefined && { reconciliation }),
    matched,
    corrected: count('adjusted'),
    told: count('told'),
    superseded,
    unknown,
    ...(unread.length > 0 && { notSaid, unread: unread.length }),
  }
}

/** By which numbers their channel knows orders that were here before. */
async function knownNumbers(
  tx: Transaction,
  captured: readonly Captured[],
): Promise<ReadonlyMap<number, string | null>> {
  const docs = captured.flatMap((each) => (each.kind === 'known' ? [each.doc] : []))
  if (docs.length === 0) return new Map()
  return new Map((await headersOf(tx, docs)).map(({ doc, externalId }) => [doc, externalId]))
}

function decisionOf({ told }: Filed, captured: Captured, known: ReadonlyMap<number, string | null>): Decided {
  if (captured.kind === 'new') return { outcome: 'applied', doc: captured.doc }
  if (captured.kind === 'known') {
    const { doc } = captured
    return {
      outcome: 'applied',
      doc,
      externalId: known.get(doc) ?? undefined,
      known: true,
      detail: { known: true },
    }
  }
  const { refusal } = captured
  if (told.door.answers?.(told.inbound, refusal) !== true) return { outcome: 'parked', refusal }
  return { outcome: 'applied', refusal, detail: { refused: refusal.code, message: refusal.message } }
}

/** What no process decides: remarks between a channel and its connector, and what says nothing we understand. */
function undecided({ told: { inbound } }: Filed): Decided {
  if (inbound.unreadable) return { outcome: 'quarantined', refusal: inbound.unreadable }
  return {
    outcome: 'applied',
    detail: inbound.message.type === 'remark' ? inbound.message.detail : undefined,
  }
}

function settlementOf({ source, messageId }: Filed, { outcome, doc, detail, refusal }: Decided): Settlement {
  const common = { source, messageId, doc, ...(detail ? { detail } : {}) }
  if (outcome === 'applied') return { ...common, outcome }
  const { code, message, facts } = refusal!
  return { ...common, outcome, cause: { code, message, facts } }
}

async function tellConnectors(tx: Transaction, decisions: ReadonlyMap<Filed, Decided>): Promise<void> {
  const byDoor = Map.groupBy(decisions, ([message]) => message.told.door)
  for (const [door, rows] of byDoor) {
    await door.decided?.(
      tx,
      rows.map(([{ told }, { detail: _, ...decision }]) => ({ ...decision, inbound: told.inbound })),
    )
  }
}
