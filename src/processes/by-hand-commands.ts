/** People enter what a warehouse did while its system is away: it acts as the warehouse's own word would, once per key. */
import { recordAudit } from '#platform/audit.ts'
import type { Queries, Transaction } from '#platform/database.ts'
import { Refusal } from '#platform/faults.ts'
import type { Claim, Replay } from '#platform/http.ts'
import { claim, record, settle } from '#platform/http-idempotency.ts'
import type { Cause } from '#platform/log.ts'
import type { Docket, Process } from '#platform/process.ts'
import { formatQuantity } from '#platform/quantity.ts'
import type { HandAnswer, HandRequest, NewHandRow } from '#domains/inventory/contract/by-hand.ts'
import { endRows, openOfDocument, rememberByHand } from '#domains/inventory/operations/by-hand.ts'
import { findItemsById } from '#domains/items/operations.ts'
import { linesOf, lockHeaders } from '#domains/orders/views.ts'
import type { Fulfillment } from '#domains/shipments/contract.ts'
import { noteByHand } from '#domains/shipments/operations/by-hand.ts'
import { tellOverrides } from '#domains/shipments/operations.ts'
import {
  fulfillmentsOf,
  linesOfFulfillments,
  linesOfShipments,
  shipmentsOfOrders,
} from '#domains/shipments/views.ts'
import type { AdjustmentWires } from './adjustment-commands.ts'
import { type HandLine, messageOf, readByHand } from './by-hand-request.ts'
import { BY_HAND } from './hand-books.ts'
import { closeUntold } from './hand-telling.ts'
import { applyTold } from './inbound.ts'
import { assertSerialsFit, type SaidAt } from './named-serials.ts'
import {
  documentNamed,
  fulfillmentNumber,
  orderNumber,
  parseNumber,
  type ProcessPorts,
  shipmentNumber,
} from './ports.ts'

export type HandWires = Pick<AdjustmentWires, 'runner'> & {
  readonly ports: ProcessPorts
  readonly shipment: Process
}
type By = {
  readonly actor: string
  readonly traceId?: string | undefined
  /** Absent where the caller does not repeat. */
  readonly claim?: Claim | undefined
}
export type HandCommand = By & { readonly request: HandRequest }
export type SettlingCommand = By & { readonly document: string; readonly reason: string }
type Answered = { readonly status: 200 | 201; readonly body: HandAnswer }
export type HandReached = Answered | Replay

/** Ends a dry run: the transaction that it is thrown in is rolled back. */
class Rehearsed extends Error {
  readonly answer: Answered
  constructor(body: HandAnswer) {
    super('a dry run is undone')
    this.answer = { status: 200, body }
  }
}

const causeOf = ({ actor, traceId }: By): Cause => ({ source: BY_HAND, actor, traceId })

/** Books it through the same books as what warehouses tell, and keeps it for the comparison with what they will tell. */
export async function enterByHand(
  queries: Queries,
  wires: HandWires,
  { request, ...by }: HandCommand,
): Promise<HandReached> {
  const found = await requestNamed(queries, wires.ports, request)
  try {
    return await wires.runner.transaction(causeOf(by), async (tx, turn) => {
      const earlier =
        request.dryRun || !by.claim ? undefined : settle((await claim(tx, [by.claim])).get(by.claim)!)
      if (earlier) return earlier
      // Whoever books anything of the order's requests holds it, so what is read here is what is booked on.
      tx.locking('document', [found.orderId])
      await lockHeaders(tx, [found.orderId])
      const lines = await readLines(tx, found, { request, now: wires.ports.clock.now() })
      await assertSerialsFit(tx, unitsShipped(found, lines))
      const doc = await book(tx, turn, wires, { request, found, lines, by })
      const body = answerOf(request, found, lines, doc)
      if (request.dryRun) throw new Rehearsed(body)
      const answer = { status: 201, body } as const
      if (by.claim) record(tx, [{ ...by.claim, ...answer }])
      return answer
    })
  } catch (error) {
    if (error instanceof Rehearsed) return error.answer
    throw error
  }
}

const unitsShipped = ({ company, location }: Fulfillment, lines: readonly HandLine[]): SaidAt[] =>
  lines.flatMap(({ itemId, sku, lot, serials }, line) =>
    serials.map((serial, place) => ({
      company,
      itemId,
      sku,
      serial,
      kind: 'shipped',
      location,
      status: 'available',
      lot,
      pointer: `/lines/${line}/serials/${place}`,
    })),
  )

async function requestNamed(
  queries: Queries,
  ports: ProcessPorts,
  { company, request }: HandRequest,
): Promise<Fulfillment> {
  const { code } = ports.findCompany(company)
  const doc = parseNumber(request, 'F')
  const [found] = doc === undefined ? [] : await fulfillmentsOf(queries, [doc])
  if (found?.company === code) return found
  throw new Refusal('inventory.request_unknown', `${code} has no request ${request}`, {}, '/request')
}

async function readLines(
  tx: Transaction,
  found: Fulfillment,
  { request, now }: { readonly request: HandRequest; readonly now: Date },
): Promise<HandLine[]> {
  const [lines, orderLines, shipments] = await Promise.all([
    linesOfFulfillments(tx, [found.doc]),
    linesOf(tx, [found.orderId]),
    shipmentsOfOrders(tx, [found.orderId]),
  ])
  const mine = shipments.filter(({ fulfillmentId }) => fulfillmentId === found.doc)
  const [items, shipped] = await Promise.all([
    findItemsById(tx, [...new Set(lines.map(({ itemId }) => itemId))]),
    linesOfShipments(
      tx,
      mine.map(({ doc }) => doc),
    ),
  ])
  const known = mine.filter(({ number }) => number === keyOf(request))
  if (request.kind === 'shipped' && known.length > 0) throw nothingNew(request)
  const read = readByHand(request, { lines, orderLines, items }, now)
  if (request.kind === 'shipped' && request.further !== true) {
    const own = mine.filter(({ number }) => !number.startsWith(`${request.request}/`))
    const same = own.find(({ doc }) =>
      isSame(
        read,
        shipped.filter((row) => row.doc === doc),
      ),
    )
    if (same)
      throw new Refusal(
        'inventory.told_by_warehouse',
        `the warehouse told of the same as its shipment ${same.number}`,
        { shipment: shipmentNumber(same.doc) },
      )
  }
  return read
}

type Content = { readonly line: number; readonly lot: string | null; readonly quantity: number }
const contentOf = ({ line, lot, quantity }: Content): string => `${line} ${lot ?? ''} ${quantity}`
function isSame(read: readonly Content[], shipped: readonly Content[]): boolean {
  const [ours, theirs] = [read, shipped].map((rows) => rows.map(contentOf).toSorted().join('\n'))
  return read.length > 0 && ours === theirs
}

/** A paper stands once for each request. */
const keyOf = ({ request, reference }: HandRequest): string => `${request}/${reference}`

const nothingNew = ({ request, reference }: HandRequest): Refusal =>
  new Refusal('inventory.paper_known', `${reference} tells nothing new of ${request}`, {}, '/reference')

type Booking = {
  readonly request: HandRequest
  readonly found: Fulfillment
  readonly lines: readonly HandLine[]
  readonly by: By
}

async function book(
  tx: Transaction,
  turn: Docket,
  { ports, shipment }: HandWires,
  { request, found, lines, by }: Booking,
): Promise<number> {
  const message = messageOf(request, lines, keyOf(request))
  const one = { source: BY_HAND, key: keyOf(request), message }
  const answers = await applyTold(tx, turn, ports, { told: [one], shipment, cause: causeOf(by) })
  const answer = answers.get(one)!
  if (answer.kind === 'refused') throw answer.refusal
  if (answer.kind !== 'applied') throw nothingNew(request)
  const doc = answer.shipment ?? found.doc
  rememberByHand(
    tx,
    lines.map((line) => rowOf(request, line, { found, doc, actor: by.actor })),
  )
  noteByHand(tx, [found.doc])
  const { kind, reference, note } = request
  const data = {
    act: 'complete',
    step: 'by hand',
    does: kind === 'shipped' ? 'ship the request' : 'pick the request',
    reference,
    ...(note !== undefined && { reason: note }),
  }
  const told = { kind: 'fulfillment', event: 'step_overridden' } as const
  await tellOverrides(tx, told, [{ ...found, data }], causeOf(by))
  const after = { request: request.request, reference, lines: lines.map(inWords) }
  const reason = note === undefined ? reference : `${reference}: ${note}`
  const { actor, traceId } = by
  const action = `inventory.${kind}_by_hand`
  recordAudit(tx, [
    { actor, traceId, action, company: found.company, kind: 'fulfillment', doc: found.doc, reason, after },
  ])
  return doc
}

const inWords = ({ line, sku, quantity, unit, lot, short }: HandLine): string =>
  [`line ${line}:`, short && 'short', formatQuantity(quantity), unit, sku, lot && `lot ${lot}`]
    .filter(Boolean)
    .join(' ')

const rowOf = (
  { kind, reference, at }: HandRequest,
  { line, itemId, lot, quantity, short }: HandLine,
  { found, doc, actor }: { readonly found: Fulfillment; readonly doc: number; readonly actor: string },
): NewHandRow => ({
  kind: kind === 'shipped' ? 'ship' : short ? 'short' : 'pick',
  company: found.company,
  location: found.location,
  itemId,
  lot,
  doc,
  fulfillmentId: found.doc,
  line,
  quantity,
  reference,
  actor,
  happenedAt: new Date(at),
  booked: true,
})

const answerOf = (
  { kind, dryRun }: HandRequest,
  { doc: request, orderId }: Fulfillment,
  lines: readonly HandLine[],
  doc: number,
): HandAnswer => ({
  document: kind === 'shipped' && doc !== request ? shipmentNumber(doc) : fulfillmentNumber(request),
  request: fulfillmentNumber(request),
  order: orderNumber(orderId),
  lines: lines.map(({ line, sku, quantity, unit, lot, serials, short }) => ({
    line,
    sku,
    quantity: formatQuantity(quantity),
    unit,
    ...(lot !== '' && { lot }),
    ...(serials.length > 0 && { serials: [...serials] }),
    short,
  })),
  dryRun,
})

/** The warehouse will tell no more of what was entered under this number: it stands as the paper says. */
export const settleByHand = (
  { runner }: HandWires,
  { document, reason, ...by }: SettlingCommand,
): Promise<{ readonly status: 200; readonly body: { readonly settled: number } } | Replay> =>
  runner.transaction(causeOf(by), async (tx) => {
    const earlier = by.claim && settle((await claim(tx, [by.claim])).get(by.claim)!)
    if (earlier) return earlier
    const rows = await openOfDocument(tx, documentNamed(document) ?? -1)
    if (rows.length === 0)
      throw new Refusal('inventory.by_hand_unknown', `nothing by hand is open of ${document}`)
    endRows(tx, rows, 'settled')
    await closeUntold(tx, rows, `${by.actor}: ${reason}`)
    const { company, doc } = rows[0]!
    const after = { document, lines: rows.length }
    recordAudit(tx, [
      {
        actor: by.actor,
        traceId: by.traceId,
        action: 'inventory.settle_by_hand',
        company,
        doc,
        reason,
        after,
      },
    ])
    const answer = { status: 200, body: { settled: rows.length } } as const
    if (by.claim) record(tx, [{ ...by.claim, ...answer }])
    return answer
  })
