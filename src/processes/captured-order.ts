/** An order as it is captured: from what it is worth and what stock gives it to its rows, its answer and its facts; pure. */
import { formatAmount } from '#platform/money.ts'
import { convertQuantity, formatQuantity } from '#platform/quantity.ts'
import type { Allocation } from '#domains/inventory/contract.ts'
import {
  HOLDS,
  type LineOutcome,
  type OrderAnswer,
  type OrderRequest,
  type ShipTo,
} from '#domains/orders/contract.ts'
import { type CapturedOrder, decideOutcome, worthOf } from '#domains/orders/operations.ts'
import type { ShipToSnapshot } from '#domains/orders/views.ts'
import type { Withholding } from './care.ts'
import type { OrderFacts } from './order-facts.ts'
import type { ValuedLine, ValuedOrder } from './order-pricing.ts'
import { holdNumber, orderNumber } from './ports.ts'
import { lifeWanted } from './shelf-life.ts'

/** An order as a door brings it. */
export type Arrival = {
  readonly request: OrderRequest
  /** The client, shop or partner it came from; part of its natural key. */
  readonly sender: string
  /** Who is bound to what is his own. */
  readonly partner?: string | undefined
  readonly externalId?: string | undefined
  /** What tells recurring purchase order numbers apart; the year of the order when absent. */
  readonly period?: string | undefined
  /** How far its prices may be from ours, where that is more than the company's own tolerance. */
  readonly priceTolerancePpm?: number | undefined
  /** Why a person must compare the order with what its partner sent. */
  readonly mismatch?: string | undefined
  readonly actor: string
  readonly traceId?: string | undefined
}

export type Candidate = { readonly arrival: Arrival; readonly doc: number; readonly valued: ValuedOrder }

export type Decided = Candidate & {
  readonly captured: CapturedOrder
  readonly allocations: readonly (readonly Allocation[])[]
  /** By sold line, where what waits of it is withheld. */
  readonly withheld: readonly (Withholding | undefined)[]
  readonly answer: OrderAnswer
}

export function holdsOf({ doc, arrival, valued }: Candidate, creditReason: string | undefined) {
  const reviews = valued.lines.flatMap((line) =>
    line.kind === 'sold' && line.priceReview ? [line.priceReview] : [],
  )
  const hold = (type: 'credit' | 'price_review' | 'address' | 'edi_mismatch', reason: string) => ({
    doc,
    company: arrival.request.company,
    type,
    reason,
    blocks: HOLDS[type].blocks,
    raisedBy: 'accept',
    owner: HOLDS[type].owner,
  })
  return [
    ...(creditReason === undefined ? [] : [hold('credit', creditReason)]),
    ...(reviews.length === 0 ? [] : [hold('price_review', reviews.join('; '))]),
    ...(valued.addressReview === undefined ? [] : [hold('address', valued.addressReview)]),
    ...(arrival.mismatch === undefined ? [] : [hold('edi_mismatch', arrival.mismatch)]),
  ]
}

type Shares = {
  readonly allocations: readonly (readonly Allocation[])[]
  readonly kept: readonly { readonly reserve: number; readonly backorder: number; readonly cancel: number }[]
  readonly holds: CapturedOrder['holds']
  readonly withheld: Decided['withheld']
  /** By sold line, why what is there is not given to it: it does not live long enough. */
  readonly tooOld: readonly (string | undefined)[]
}

/** What becomes of a candidate with the stock and the holds it gets. */
export function compose(
  candidate: Candidate,
  { allocations, kept, holds, withheld, tooOld }: Shares,
): Decided {
  const { arrival, doc, valued } = candidate
  const { request } = arrival
  let sold = 0
  // positions of the sold lines among all lines, since rejected ones keep their place and take no stock
  const places = valued.lines.map((line) => (line.kind === 'sold' ? sold++ : -1))
  const share = places.map((place) => kept[place])
  const outcomes = share.map(outcomeOfShare)
  const outcome = decideOutcome(outcomes, holds.length > 0)
  const lines = valued.lines.map((line, place) =>
    newLine(line, place + 1, { ...valued.customer, share: share[place] }),
  )
  const captured: CapturedOrder = {
    doc,
    company: request.company,
    customerId: valued.customer.id,
    customer: valued.customer.number,
    termsDays: valued.customer.termsDays,
    taxId: valued.customer.taxId,
    taxExempt: valued.customer.taxExempt,
    channel: request.channel,
    sender: arrival.sender,
    externalId: arrival.externalId ?? null,
    customerOrder: request.customerOrder,
    orderDate: request.orderDate ?? null,
    requestedDate: request.requestedDate ?? earliest(request.lines),
    currency: valued.customer.currency,
    shipToCode: valued.shipToCode,
    shipTo: valued.shipToCode === null ? (request.shipTo ?? null) : null,
    shippingRule: request.shippingRule ?? valued.customer.shippingRule,
    note: request.note ?? null,
    totalMinor: valued.totalMinor,
    exposureMinor: valued.customer.countsOpenOrders
      ? lines.reduce((sum, line) => sum + worthOf(line, line.ordered - line.cancelled), 0)
      : 0,
    traceId: arrival.traceId ?? null,
    outcome,
    lines,
    holds,
  }
  const waits = places.map((place) => {
    const silent = withheld[place]?.message
    if (silent !== undefined) return { code: SOURCE_SILENT, message: silent }
    const { backorder = 0, cancel = 0 } = kept[place] ?? {}
    const old = backorder + cancel > 0 ? tooOld[place] : undefined
    return old === undefined ? undefined : { code: SHELF_LIFE_SHORT, message: old }
  })
  const answer = answerOf(captured, valued.lines, { outcomes, waits })
  return { ...candidate, captured, allocations, withheld, answer }
}

/** ISO dates sort as they follow each other. */
const earliest = (lines: OrderRequest['lines']): string | null =>
  lines.flatMap(({ requestedDate }) => requestedDate ?? []).toSorted()[0] ?? null

function outcomeOfShare(share: Shares['kept'][number] | undefined): LineOutcome {
  if (!share) return 'rejected'
  if (share.reserve === 0) return share.backorder > 0 ? 'backordered' : 'rejected'
  return share.backorder + share.cancel > 0 ? 'partially-reserved' : 'reserved'
}

/** A rejected line stands in the order as cancelled, with its reason. */
function newLine(
  line: ValuedLine,
  n: number,
  {
    share,
    minimumShelfLifeDays,
  }: {
    readonly share: Shares['kept'][number] | undefined
    readonly minimumShelfLifeDays: number | null
  },
): CapturedOrder['lines'][number] {
  const { requested, item } = line
  const common = {
    n,
    customerLine: requested.line,
    itemId: item?.id ?? 0,
    sku: requested.sku,
    baseUnit: item?.baseUnit ?? requested.unit,
    taxClass: item?.taxClass ?? '',
    unit: requested.unit,
    requestedDate: requested.requestedDate ?? null,
    minimumShelfLifeDays: item ? lifeWanted({ minimumShelfLifeDays }, item) : null,
  }
  if (line.kind === 'rejected') {
    return { ...common, ...NOTHING, rejection: line.refusal.code, priceUnit: requested.unit }
  }
  const { quantity, factor, base, priceMinor, priceUnit, netMinor } = line
  return {
    ...common,
    ...factor,
    quantity,
    priceMinor,
    priceUnit,
    netMinor,
    rejection: null,
    ordered: base,
    reserved: share!.reserve,
    backordered: share!.backorder,
    cancelled: share!.cancel,
  }
}

const NOTHING = {
  quantity: 0,
  numerator: 1,
  denominator: 1,
  priceMinor: 0,
  netMinor: 0,
  ordered: 0,
  reserved: 0,
  backordered: 0,
  cancelled: 0,
} as const

const SOURCE_SILENT = 'inventory.source_silent'
const SHELF_LIFE_SHORT = 'inventory.shelf_life_short'

/** By line of the request. */
type Told = {
  readonly outcomes: readonly LineOutcome[]
  readonly waits: readonly ({ readonly code: string; readonly message: string } | undefined)[]
}

function answerOf(
  order: CapturedOrder,
  lines: readonly ValuedLine[],
  { outcomes, waits }: Told,
): OrderAnswer {
  return {
    id: orderNumber(order.doc),
    customerOrder: order.customerOrder,
    outcome: order.outcome,
    currency: order.currency,
    total: formatAmount(order.totalMinor, order.currency),
    holds: order.holds.map(({ id, type, reason, blocks }) => ({
      id: holdNumber(id),
      type,
      reason,
      blocks: [...blocks],
    })),
    lines: order.lines.map((line, place) => {
      const valued = lines[place]!
      const inUnit = (base: number): string =>
        formatQuantity(
          convertQuantity(base, { numerator: line.denominator, denominator: line.numerator }) ?? base,
        )
      return {
        line: line.customerLine,
        sku: line.sku,
        outcome: outcomes[place]!,
        quantity: valued.requested.quantity,
        unit: line.unit,
        reserved: inUnit(line.reserved),
        backordered: inUnit(line.backordered),
        ...(valued.kind === 'sold'
          ? { price: formatAmount(line.priceMinor, order.currency), priceUnit: line.priceUnit }
          : { reason: { code: valued.refusal.code, message: valued.refusal.message } }),
        ...(waits[place] && { reason: waits[place] }),
      }
    }),
  }
}

const snapshotOf = (doc: number, shipTo: ShipTo): ShipToSnapshot => ({
  doc,
  name: shipTo.name ?? null,
  lines: shipTo.lines ?? [],
  city: shipTo.city ?? null,
  region: shipTo.region ?? null,
  postalCode: shipTo.postalCode ?? null,
  country: shipTo.country ?? null,
})

/** The facts that a look would find, so that nobody has to look. */
export function factsOf({ captured, allocations }: Decided): OrderFacts {
  const { doc, company } = captured
  const sold = captured.lines.filter((line) => line.rejection === null)
  return {
    doc,
    company,
    correlationId: doc,
    version: 1,
    traceId: captured.traceId ?? undefined,
    order: {
      doc,
      company,
      customerId: captured.customerId,
      customer: captured.customer,
      termsDays: captured.termsDays,
      taxId: captured.taxId,
      taxExempt: captured.taxExempt,
      channel: captured.channel,
      sender: captured.sender,
      externalId: captured.externalId,
      customerOrder: captured.customerOrder,
      orderDate: captured.orderDate,
      requestedDate: captured.requestedDate,
      currency: captured.currency,
      shipToCode: captured.shipToCode,
      shippingRule: captured.shippingRule,
      totalMinor: captured.totalMinor,
      exposureMinor: captured.exposureMinor,
      erpNumber: null,
      erpCancelled: false,
      turn: 1,
      acknowledgedTurn: 0,
      traceId: captured.traceId,
      cancelRequested: false,
      cancelRefusedTurn: null,
      closed: false,
    },
    lines: captured.lines.map((line) => ({
      ...line,
      doc,
      open: 0,
      released: 0,
      picked: 0,
      packed: 0,
      shipped: 0,
      erpClosed: line.cancelled,
    })),
    holds: captured.holds
      .map(({ id, type, reason, blocks, expiresAt }) => ({ id, doc, type, reason, blocks, expiresAt }))
      .toSorted((a, b) => a.id - b.id),
    reservations: sold
      .flatMap((line, place) =>
        allocations[place]!.map(({ location, quantity }) => ({ line: line.n, location, quantity })),
      )
      .toSorted((a, b) => a.line - b.line || (a.location < b.location ? -1 : 1)),
    shipTo: captured.shipTo === null ? null : snapshotOf(doc, captured.shipTo),
    fulfillments: [],
    reclaimable: [],
    unbilled: [],
    fillable: [],
    withheld: [],
    promises: [],
  }
}
