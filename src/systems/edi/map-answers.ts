/** Canonical answers in a partner's words: acknowledgment to 855, ship notice to 856. Pure. */
import { Decimal } from 'decimal.js'
import type { OrderAcknowledgement, ShipNotice as CanonicalShipNotice } from '#capabilities/channel.ts'
import { minorDigits } from '#platform/money.ts'
import { formatQuantity } from '#platform/quantity.ts'
import type {
  AcknowledgmentType,
  LineAcknowledgment,
  LineStatus,
  OrderAcknowledgment,
  OrderAcknowledgmentLine,
} from './documents/855.ts'
import type { DocumentParty } from './documents/parts.ts'
import type { PurchaseOrderDocument, PurchaseOrderLine } from './documents/purchase-order.ts'
import type { ShipNotice, ShipNoticeItem } from './documents/ship-notice.ts'
import { descriptionOf, linesByNumber, partiesOf, productIdsOf, unitOf } from './echo.ts'
import type { RefusedLine } from './map.ts'
import { priceOf } from './map.ts'
import type { PartnerGuide } from './partner-guide.ts'
import { weightIn } from './units.ts'

type AcknowledgedLine = OrderAcknowledgement['lines'][number]

/** Every line of the order is answered: by the house, or by the reason why it never reached the house. */
export function toOrderAcknowledgment(
  document: PurchaseOrderDocument,
  guide: PartnerGuide,
  answer: {
    readonly acknowledgement: OrderAcknowledgement
    readonly refusedLines: readonly RefusedLine[]
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
    ...head(document, lines, on),
    sellerOrder: acknowledgement.order,
    currency: acknowledgement.currency,
    lines,
  }
}

/** The answer to an order of which nothing can be ordered: every line is rejected with its reason. */
export function toRejection(
  document: PurchaseOrderDocument,
  refusedLines: readonly { readonly line: string; readonly code: string }[],
  answer: { readonly reason: string; readonly on: string },
): OrderAcknowledgment {
  const refused = new Map(refusedLines.map((line) => [line.line, line.code]))
  const lines = document.lines.map((line) =>
    echo(line, [rejection(line, refused.get(line.line) ?? answer.reason)]),
  )
  return { ...head(document, lines, answer.on), type: 'RD', lines }
}

function head(document: PurchaseOrderDocument, lines: readonly OrderAcknowledgmentLine[], on: string) {
  return {
    type: typeOf(lines),
    number: document.number,
    ...(document.release ? { release: document.release } : {}),
    date: document.date,
    acknowledgedOn: on,
    references: [],
    parties: [],
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
): OrderAcknowledgmentLine {
  return {
    ...(line.assignedId ? { assignedId: line.assignedId } : {}),
    quantity: line.quantity ?? '0',
    unit: line.unit ?? 'EA',
    ...(line.price ? { price: line.price } : {}),
    ...(line.price && line.priceBasis ? { priceBasis: line.priceBasis } : {}),
    productIds: line.productIds.slice(0, 10),
    acknowledgments,
  }
}

function rejection(line: PurchaseOrderLine, reason: string): LineAcknowledgment {
  const quantity = line.quantity ?? '0'
  return { status: 'IR', quantity, unit: line.unit ?? 'EA', reason: reason.slice(0, 30), productIds: [] }
}

function acknowledgedLine(
  line: PurchaseOrderLine,
  ours: AcknowledgedLine,
  { guide, acknowledgement }: { guide: PartnerGuide; acknowledgement: OrderAcknowledgement },
): OrderAcknowledgmentLine {
  const unit = unitOf(ours.unit, guide, line.unit)
  const per = (line.priceBasis && guide.priceBasis[line.priceBasis]) || 1
  const price = new Decimal(ours.priceMinor).div(new Decimal(10).pow(minorDigits(acknowledgement.currency)))
  const asked = priceOf(line, guide)
  const samePrice = asked === undefined || price.equals(asked)
  const acknowledgments = statusesOf(ours, samePrice, acknowledgement.turn).map(
    ([status, quantity]): LineAcknowledgment => ({
      status,
      quantity: formatQuantity(quantity),
      unit,
      ...(ours.reason && status !== 'IA' ? { reason: ours.reason.slice(0, 30) } : {}),
      productIds: [],
    }),
  )
  return { ...echo(line, acknowledgments), price: price.times(per).toFixed() }
}

/** What becomes of each part of the quantity, in X12 668. */
function statusesOf(
  { ordered, reserved, backordered, cancelled }: AcknowledgedLine,
  samePrice: boolean,
  turn: number,
): (readonly [LineStatus, number])[] {
  const gone: LineStatus = turn > 1 ? 'ID' : 'IR'
  if (cancelled >= ordered) return [[gone, ordered]]
  if (reserved + backordered === 0) return [['IH', ordered - cancelled]]
  if (reserved === ordered) return [[samePrice ? 'IA' : 'IP', ordered]]
  const parts: (readonly [LineStatus, number])[] = []
  if (reserved > 0) parts.push([backordered > 0 ? 'BP' : 'IQ', reserved])
  if (backordered > 0) parts.push(['IB', backordered])
  if (cancelled > 0 && backordered > 0) parts.push([gone, cancelled])
  return parts
}

export function toShipNotice(
  notice: CanonicalShipNotice,
  document: PurchaseOrderDocument,
  guide: PartnerGuide,
): ShipNotice {
  const lines = linesByNumber(document)
  const shippedAt = notice.shippedAt.toISOString()
  const scac =
    guide.carriers[notice.carrier] ?? (/^[A-Z]{2,4}$/.test(notice.carrier) ? notice.carrier : undefined)
  const weight = notice.packages.reduce((grams, pack) => grams + (pack.weightGrams ?? 0), 0)
  return {
    number: notice.shipment,
    date: shippedAt.slice(0, 10),
    time: shippedAt.slice(11, 16).replace(':', ''),
    shipment: {
      ...(scac ? { carrier: { scac } } : {}),
      ...(weight > 0 ? { weight: weightOf(weight, guide) } : {}),
      references: [{ qualifier: 'VN', value: notice.order }],
      dates: [{ qualifier: '011', date: shippedAt.slice(0, 10) }],
      parties: [...partiesOf(document, guide, [guide.shipTo.role]), shipFrom(notice.location)],
    },
    orders: [
      {
        number: document.number,
        ...(document.release ? { release: document.release } : {}),
        date: document.date,
        packages: notice.packages.map((pack) => ({
          sscc: pack.sscc ?? '',
          ...(pack.tracking ? { tracking: pack.tracking } : {}),
          ...(pack.weightGrams ? { weight: weightOf(pack.weightGrams, guide) } : {}),
          items: pack.lines.map((line) => shippedItem(line, lines.get(line.line), guide)),
        })),
      },
    ],
  }
}

/** Our location by a code of our own. */
const shipFrom = (location: string): DocumentParty => ({
  role: 'SF',
  id: { qualifier: '92', value: location },
  lines: [],
  references: [],
  contacts: [],
})

const weightOf = (grams: number, { weightUnit }: PartnerGuide) => ({
  value: weightIn(weightUnit, new Decimal(grams).div(1000)),
  unit: weightUnit,
})

function shippedItem(
  shipped: CanonicalShipNotice['packages'][number]['lines'][number],
  line: PurchaseOrderLine | undefined,
  guide: PartnerGuide,
): ShipNoticeItem {
  return {
    ...(line?.assignedId ? { assignedId: line.assignedId } : {}),
    productIds: productIdsOf(line, shipped.sku),
    quantity: formatQuantity(shipped.quantity),
    unit: unitOf(shipped.unit, guide, line?.unit),
    ...descriptionOf(line, guide),
    lots: shipped.lot ? [shipped.lot] : [],
  }
}
