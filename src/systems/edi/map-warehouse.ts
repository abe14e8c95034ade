/** What a warehouse tells by 944, 945 and 947, in our words: each movement and each shipment by itself; pure. */
import type { StockReason } from '#capabilities/stock.ts'
import type { ShipmentConfirmed, ShippedLine, StockMoved, WarehouseMessage } from '#capabilities/wms.ts'
import { parseQuantity, type Quantity } from '#platform/quantity.ts'
import {
  type Advised,
  assertOurs,
  countIn,
  inBase,
  instantOf,
  latestOf,
  lineIn,
  ownerIn,
  ownerLoops,
  signedIn,
  skuIn,
  Unreadable,
} from './advice.ts'
import { parseReceiptAdvice, type ReceiptLine } from './documents/944.ts'
import { parseShippingAdvice, type ShippingAdvice, type ShippingLine } from './documents/945.ts'
import { parseAdjustmentAdvice } from './documents/947.ts'
import type { ProductId } from './documents/parts.ts'
import { type Loop, loopsOf } from './documents/structure.ts'
import { type Moment, momentOfDate, segmentsOf } from './documents/warehouse-parts.ts'
import type { Finding } from './findings.ts'
import type { PartnerGuide } from './partner-guide.ts'
import { toKilograms } from './units.ts'
import type { Segment } from './x12-segments.ts'

/** One thing that a document tells. */
export type WarehouseTold = {
  /** The warehouse's own name of it, the same however often and in whichever file it is sent. */
  readonly key: string
  /** What of the set says it: from this it can be read again. */
  readonly segments: readonly Segment[]
} & ({ readonly message: WarehouseMessage } | { readonly finding: Finding })

/** What a document does not say of its end or beginning. */
const FRAME: ReadonlySet<string> = new Set(['ST', 'SE', 'W03', 'W14'])

/** A line with what it needs of the document's head, whose goods it is about behind the first segment. */
function excerpt(root: Loop, loop: Loop): Segment[] {
  const [first, ...head] = root.segments.filter(({ id }) => !FRAME.has(id))
  return [first!, ...ownerLoops(root).flatMap(segmentsOf), ...head, ...segmentsOf(loop)]
}

const CANNOT_BE_NAMED = 'advice.number_missing'

function told(named: Pick<WarehouseTold, 'key' | 'segments'>, read: () => WarehouseMessage): WarehouseTold {
  try {
    return { ...named, message: read() }
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error
    return { ...named, finding: error.finding }
  }
}

/** Of a document without a number of its own there is one thing to tell: that it has none. */
const unnamed = (root: Loop, type: string, { at }: Advised): WarehouseTold[] => [
  {
    key: `${type}/unnamed`,
    segments: segmentsOf(root).filter(({ id }) => !FRAME.has(id)),
    finding: new Unreadable(CANNOT_BE_NAMED, at).finding,
  },
]

function at(moment: Moment | undefined, { guide, at: place }: Advised): Date {
  const instant = moment && instantOf(moment.date, moment.time, guide)
  if (!instant) throw new Unreadable('advice.date_unusable', place, moment && `(${moment.date})`)
  return instant
}

/**
 * Of what is told by its day alone nobody knows whether a count of that day has it in it. What came in counts from the
 * start of the day, so that no count contains it twice; what left, was lost or put aside, up to the last moment that it
 * can have, so that what a count still had is not sold twice.
 */
function goneBetween(moment: Moment | undefined, advised: Advised): { from?: Date; until: Date } {
  const from = at(moment, advised)
  const until = moment?.time === '' ? latestOf(moment.date, advised) : undefined
  return until ? { from, until } : { until: from }
}

function left(
  moment: Moment | undefined,
  advised: Advised,
): Pick<ShipmentConfirmed, 'shippedAt' | 'shippedFrom'> {
  const { from, until } = goneBetween(moment, advised)
  return from ? { shippedAt: until, shippedFrom: from } : { shippedAt: until }
}

function takenAway(moment: Moment | undefined, advised: Advised): Pick<StockMoved, 'at' | 'since'> {
  const { from, until } = goneBetween(moment, advised)
  return from ? { at: until, since: from } : { at: until }
}

type Counted = {
  readonly productIds: readonly ProductId[]
  readonly unit: string
  readonly quantity: string
}

/** In the item's base unit; of an item that we do not have as it is told, since nobody books it. */
function counted(line: Counted, place: Finding['at'], advised: Advised): { sku: string; quantity: Quantity } {
  const sku = skuIn({ ...line, at: place }, advised)
  return {
    sku,
    quantity: inBase(signedIn(line.quantity, place), { sku, unit: line.unit, at: place }, advised),
  }
}

/** What a warehouse tells of stock by its guide, beside its shipments. */
export const reasonsTold = ({
  receives,
  warehouse: { conditions, adjustments },
}: PartnerGuide): ReadonlySet<StockReason> =>
  new Set([
    ...(receives.includes('944') ? ['receipt' as const, ...Object.values(conditions)] : []),
    ...(receives.includes('947') ? Object.values(adjustments) : []),
  ])

export function toReceipts(root: Loop, advised: Advised): WarehouseTold[] {
  const document = parseReceiptAdvice(root)
  const moved = (line: ReceiptLine, count: Omit<Counted, 'productIds'>, place: Finding['at']) => ({
    type: 'stock-moved' as const,
    location: advised.guide.location,
    owner: ownerIn(root, advised),
    lot: line.lot,
    expiresOn: line.expiresOn,
    at: at({ ...momentOfDate(document.date), time: document.time ?? '' }, advised),
    ...counted({ ...count, productIds: line.productIds }, place, advised),
  })
  return loopsOf(root, 'W07').flatMap((loop, index): WarehouseTold[] => {
    const line = document.lines[index]!
    const place = loop.segments[0]!.at
    const key = `944/${document.receipt}#${index + 1}`
    const segments = excerpt(root, loop)
    const number = line.order ?? document.order
    const purchaseOrder = number === undefined ? undefined : { number, line: lineIn(line.orderLine) }
    return [
      told({ key, segments }, () => ({
        ...moved(line, line, place),
        serials: line.serials,
        reason: 'receipt',
        purchaseOrder,
      })),
      ...line.parts.map((part, nth) =>
        told({ key: `${key}.${nth + 1}`, segments }, () => {
          const reason = advised.guide.warehouse.conditions[part.condition]
          if (!reason) throw new Unreadable('advice.code_unknown', place, `(W13 ${part.condition})`)
          return { ...moved(line, part, place), serials: part.serials, reason }
        }),
      ),
    ]
  })
}

export function toAdjustments(root: Loop, advised: Advised): WarehouseTold[] {
  const document = parseAdjustmentAdvice(root)
  if (document.number === undefined) return unnamed(root, '947', advised)
  return loopsOf(root, 'W19').map((loop, index) => {
    const line = document.lines[index]!
    const place = loop.segments[0]!.at
    return told(
      { key: `947/${document.number}#${index + 1}`, segments: excerpt(root, loop) },
      (): StockMoved => {
        const reason = advised.guide.warehouse.adjustments[line.reason]
        if (!reason) throw new Unreadable('advice.code_unknown', place, `(W19 ${line.reason})`)
        const { sku, quantity } = counted(line, place, advised)
        // only a count can find less; of all others the quantity is what moves
        const moves = reason === 'count' ? quantity : Math.abs(quantity)
        const moment = document.at ?? momentOfDate(document.date)
        const isGone = moves < 0 || reason === 'damage' || reason === 'quality-hold'
        const when = isGone ? takenAway(moment, advised) : { at: at(moment, advised) }
        const { location } = advised.guide
        const owner = ownerIn(root, advised)
        const { lot, serials } = line
        return { type: 'stock-moved', location, sku, owner, lot, serials, reason, quantity: moves, ...when }
      },
    )
  })
}

export function toShipment(root: Loop, advised: Advised): WarehouseTold[] {
  const document = parseShippingAdvice(root)
  const { request, shipment } = document
  if (shipment === undefined) return unnamed(root, '945', advised)
  const segments = segmentsOf(root).filter(({ id }) => !FRAME.has(id))
  return [
    told({ key: `945/${shipment}/${request ?? ''}#1`, segments }, () => {
      if (request === undefined) throw new Unreadable('advice.order_missing', advised.at)
      assertOurs(root, advised)
      return shipmentOf({ ...document, request, shipment }, root, advised)
    }),
  ]
}

type Named = ShippingAdvice & { readonly request: string; readonly shipment: string }

function shipmentOf(document: Named, root: Loop, advised: Advised): ShipmentConfirmed {
  const { guide } = advised
  const { carriers, warehouse } = guide
  const { request, shipment, carrier = 'unknown', service, date } = document
  const ours = Object.entries(carriers).find(([, scac]) => scac === carrier)?.[0]
  const places = loopsOf(root, 'LX').map((loop) => loop.segments[0]!.at)
  const packages = document.packages.map(({ sscc, tracking = document.tracking, lines }, index) => ({
    sscc,
    tracking,
    lines: lines.flatMap((line) => shippedLine(line, places[index]!, advised)),
  }))
  const statuses = document.packages.flatMap(({ lines }) => lines.map(({ status }) => status))
  return {
    type: 'shipment-confirmed',
    // one shipment may carry several requests, and each is told by itself
    shipment: `${shipment}/${request}`,
    fulfillment: request,
    ...left(document.shippedAt ?? (date === undefined ? undefined : momentOfDate(date)), advised),
    carrier: ours ?? carrier,
    service,
    packages: packages.filter(({ lines }) => lines.length > 0),
    final: !statuses.some((status) => warehouse.moreFollows.includes(status)),
  }
}

/** Of a line that nothing was shipped of there is nothing to say: it was short. */
function shippedLine(line: ShippingLine, place: Finding['at'], advised: Advised): ShippedLine[] {
  if (countIn(line.shipped, place) === 0) return []
  const { sku, quantity } = counted({ ...line, quantity: line.shipped }, place, advised)
  const { lot, expiresOn, serials, weight } = line
  const weighed = weight && advised.unitsOf(sku)?.catchWeight && toKilograms(weight.value, weight.unit)
  const catchWeight = weighed ? parseQuantity(weighed) : undefined
  return [{ line: lineIn(line.line), sku, quantity, lot, expiresOn, serials, catchWeight }]
}
