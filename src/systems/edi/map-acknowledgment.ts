/** Our answers to a purchase order in a partner's words: an 855 that answers every line. Pure. */
import type { OrderAcknowledgement } from '#capabilities/channel.ts'
import { formatQuantity } from '#platform/quantity.ts'
import { acknowledgedPrice, type SaidPrice } from './acknowledged-price.ts'
import type {
  AcknowledgmentType,
  LineAcknowledgment,
  LineStatus,
  OrderAcknowledgment,
  OrderAcknowledgmentLine,
} from './documents/855.ts'
import type { QualifiedDate } from './documents/parts.ts'
import type { PurchaseOrderDocument, PurchaseOrderLine } from './documents/purchase-order.ts'
import { partiesOf, unitOf } from './echo.ts'
import { requestedOf } from './map.ts'
import type { PartnerGuide } from './partner-guide.ts'

type AcknowledgedLine = OrderAcknowledgement['lines'][number]

/** Every line of the order is answered: by the house, or by the reason why it never reached the house. */
export function toOrderAcknowledgment(
  document: PurchaseOrderDocument,
  guide: PartnerGuide,
  answer: {
    readonly acknowledgement: OrderAcknowledgement
    readonly refusedLines: Ordered['refusedLines']
    readonly on: string
  },
): OrderAcknowledgment {
  const { acknowledgement, refusedLines, on } = answer
  const answered = new Map(acknowledgement.lines.map((line) => [line.line, line]))
  const refused = new Map(refusedLines.map((line) => [line.line, line]))
  const lines = document.lines.map((line): OrderAcknowledgmentLine => {
    const ours = answered.get(line.line)
    const no = refused.get(line.line)
    if (ours) return acknowledgedLine(line, ours, { guide, acknowledgement })
    return echo(line, no ? [rejection(line, no.code)] : [])
  })
  return {
    ...head(document, lines, { guide, on }),
    ...(acknowledgement.turn > 1 ? asResponse(guide, noteOf(acknowledgement)) : {}),
    sellerOrder: acknowledgement.order,
    currency: acknowledgement.currency,
    lines,
  }
}

/** What became of the request to cancel the order, or that lines of it were cancelled or are promised another day. */
function noteOf({ order, outcome, cancel, lines }: OrderAcknowledgement): string {
  if (outcome === 'rejected') return `Order ${order} is cancelled.`
  if (cancel === undefined && lines.every(({ cancelled, reason }) => cancelled === 0 || reason !== undefined))
    return `Order ${order}: what waits comes on another day, said for each line.`
  if (cancel === undefined)
    return `Lines of order ${order} were cancelled. What stands is said for each line.`
  if (cancel === 'refused') return tooLate(order)
  const isTouched = lines.some(({ cancelled, reason }) => cancelled > 0 && reason === undefined)
  return isTouched ? `Order ${order} is cancelled as far as it had not been picked.` : tooLate(order)
}

const tooLate = (order: string): string => `Too late to cancel. Order ${order} stands as said for each line.`

/** The answer to a cancellation that comes too late: what was shipped stands, and what is cancelled already is gone. */
export function toStanding(
  { document, refusedLines }: Ordered,
  guide: PartnerGuide,
  answer: {
    readonly acknowledgement: OrderAcknowledgement
    readonly reason: string
    readonly on: string
  },
): OrderAcknowledgment {
  const { acknowledgement, reason, on } = answer
  const told = toOrderAcknowledgment(document, guide, { acknowledgement, refusedLines, on })
  const ours = new Map(acknowledgement.lines.map((line) => [line.line, line]))
  const lines = told.lines.map((line, place) => {
    const { reserved = 0, cancelled = 0 } = ours.get(document.lines[place]!.line) ?? {}
    const [first] = line.acknowledgments
    if (!first || reserved === 0) return line
    const shipped = { status: 'AC', quantity: formatQuantity(reserved), reason: reasonOf(reason) } as const
    const gone = { status: 'ID', quantity: formatQuantity(cancelled) } as const
    const parts = cancelled > 0 ? [shipped, gone] : [shipped]
    return { ...line, acknowledgments: parts.map((part) => ({ unit: first.unit, productIds: [], ...part })) }
  })
  const isWhole = lines.every(({ acknowledgments }) => acknowledgments.every(({ status }) => status === 'AC'))
  return {
    ...told,
    ...asResponse(guide, tooLate(acknowledgement.order)),
    type: isWhole ? 'AD' : 'AC',
    lines,
  }
}

type Ordered = {
  readonly document: PurchaseOrderDocument
  readonly refusedLines: readonly { readonly line: string; readonly code: string }[]
}

/** The answer to a document of which nothing became ours: every line is rejected with its reason. */
export function toRejection(
  { document, refusedLines }: Ordered,
  guide: PartnerGuide,
  answer: {
    readonly reason: string
    readonly on: string
    /** Our number of the order that the document means, where there is one. */
    readonly sellerOrder?: string | undefined
  },
): OrderAcknowledgment {
  const { reason, on, sellerOrder } = answer
  const refused = new Map(refusedLines.map((line) => [line.line, line.code]))
  const lines = document.lines.map((line) => echo(line, [rejection(line, refused.get(line.line) ?? reason)]))
  const note = NOTES[reason]?.(sellerOrder ?? '')
  return {
    ...head(document, lines, { guide, on }),
    ...(note ? asResponse(guide, note) : {}),
    ...(sellerOrder ? { sellerOrder } : {}),
    type: 'RD',
    lines,
  }
}

/** What a rejection means for the order that stands: without it, a partner takes that for rejected too. */
const NOTES: Readonly<Record<string, (order: string) => string>> = {
  'orders.same_number_other_content': (order) =>
    `This number is order ${order} already, with other content. That order stands; nothing of this was taken.`,
  'orders.unknown': () => 'No order of this number is here. Nothing was cancelled.',
}

/** The answer to a change of an order that was not here: it waits for a person, line by line. */
export function toHeld(
  { document, refusedLines }: Ordered,
  guide: PartnerGuide,
  on: string,
): OrderAcknowledgment {
  const refused = new Map(refusedLines.map((line) => [line.line, line.code]))
  const lines = document.lines.map((line) => {
    const no = refused.get(line.line)
    if (no) return echo(line, [rejection(line, no)])
    return echo(line, [{ ...rejection(line, 'orders.unknown'), status: 'IH' }])
  })
  const note = 'No order of this number was here. It is taken as a new one and waits for a person.'
  return { ...head(document, lines, { guide, on }), ...asResponse(guide, note), type: 'AH', lines }
}

/** Not the answer to an order, but to what was asked of one or done to it. */
const asResponse = ({ responsePurpose }: PartnerGuide, note: string) => ({
  purpose: responsePurpose,
  notes: [note],
})

function head(
  document: PurchaseOrderDocument,
  lines: readonly OrderAcknowledgmentLine[],
  { guide, on }: { readonly guide: PartnerGuide; readonly on: string },
) {
  return {
    purpose: '00' as const,
    type: typeOf(lines),
    number: document.number,
    ...(document.release ? { release: document.release } : {}),
    date: document.date,
    acknowledgedOn: on,
    references: [],
    notes: [],
    parties: partiesOf(document, guide, [guide.shipTo.role, 'BY']),
  }
}

function typeOf(lines: readonly OrderAcknowledgmentLine[]): AcknowledgmentType {
  const statuses = new Set(lines.flatMap((line) => line.acknowledgments.map(({ status }) => status)))
  if (statuses.size === 1 && statuses.has('IA')) return 'AD'
  return statuses.size === 1 && statuses.has('IR') ? 'RD' : 'AC'
}

/** The line as the partner wrote it, so that their system finds it again. */
function echo(
  line: PurchaseOrderLine,
  acknowledgments: readonly LineAcknowledgment[],
  { price, priceBasis }: SaidPrice = line,
): OrderAcknowledgmentLine {
  return {
    ...(line.assignedId ? { assignedId: line.assignedId } : {}),
    quantity: line.quantity ?? '0',
    unit: line.unit ?? 'EA',
    ...(price ? { price } : {}),
    ...(price && priceBasis ? { priceBasis } : {}),
    productIds: line.productIds.slice(0, 10),
    acknowledgments,
  }
}

function rejection(line: PurchaseOrderLine, reason: string): LineAcknowledgment {
  const quantity = line.quantity ?? '0'
  return { status: 'IR', quantity, unit: line.unit ?? 'EA', reason: reasonOf(reason), productIds: [] }
}

/** ACK29 has thirty characters: a longer code goes without its domain. */
const reasonOf = (code: string): string =>
  code.length <= REASON_MAX ? code : code.slice(code.indexOf('.') + 1).slice(0, REASON_MAX)
const REASON_MAX = 30

function acknowledgedLine(
  line: PurchaseOrderLine,
  ours: AcknowledgedLine,
  { guide, acknowledgement }: { guide: PartnerGuide; acknowledgement: OrderAcknowledgement },
): OrderAcknowledgmentLine {
  const unit = unitOf(ours.unit, guide, line.unit)
  const price = acknowledgedPrice(line, { ...ours, currency: acknowledgement.currency }, guide)
  const acknowledgments = statusesOf(ours, price.isAsAsked, acknowledgement.turn).map(
    ([status, quantity]): LineAcknowledgment => ({
      status,
      quantity: formatQuantity(quantity),
      unit,
      ...(ours.requestedDate && KEPT.has(status) ? { date: scheduledFor(line, ours.requestedDate) } : {}),
      ...(ours.promisedDate && status === 'IB'
        ? { date: { qualifier: '068', date: ours.promisedDate } }
        : {}),
      ...(ours.reason && status !== 'IA' ? { reason: reasonOf(ours.reason) } : {}),
      productIds: [],
    }),
  )
  return echo(line, acknowledgments, price)
}

/** What goods are kept for; the rest is shipped on the day that it is promised, where one is known. */
const KEPT: ReadonlySet<LineStatus> = new Set(['IA', 'IP', 'IQ', 'BP'])

/** X12 374: as the partner asked, a day to ship or one to deliver. */
const scheduledFor = ({ dates }: PurchaseOrderLine, date: string): QualifiedDate => {
  const isToShip = requestedOf(dates)?.qualifier === '010'
  return { qualifier: isToShip ? '068' : '067', date }
}

/** What becomes of each part of the quantity, in X12 668. */
function statusesOf(
  { ordered, reserved, backordered, cancelled, reason }: AcknowledgedLine,
  samePrice: boolean,
  turn: number,
): (readonly [LineStatus, number])[] {
  const gone: LineStatus = turn > 1 && reason === undefined ? 'ID' : 'IR'
  if (cancelled >= ordered) return [[gone, ordered]]
  if (reserved === ordered) return [[samePrice ? 'IA' : 'IP', ordered]]
  const parts: (readonly [LineStatus, number])[] = []
  if (reserved + backordered === 0) parts.push(['IH', ordered - cancelled])
  if (reserved > 0) parts.push([backordered > 0 ? 'BP' : 'IQ', reserved])
  if (backordered > 0) parts.push(['IB', backordered])
  // at capture less than was ordered says by itself that the rest is gone
  if (cancelled > 0 && (backordered > 0 || gone === 'ID')) parts.push([gone, cancelled])
  return parts
}
