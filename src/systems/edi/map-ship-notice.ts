/** What left the house in a partner's words: an 856. Pure. */
import { Decimal } from 'decimal.js'
import type { ShipNotice as CanonicalShipNotice } from '#capabilities/channel.ts'
import { formatQuantity } from '#platform/quantity.ts'
import type { PurchaseOrderDocument, PurchaseOrderLine } from './documents/purchase-order.ts'
import type { ShipNotice, ShipNoticeItem } from './documents/ship-notice.ts'
import { carries, descriptionOf, linesByNumber, ourParty, partiesOf, productIdsOf, unitOf } from './echo.ts'
import type { PartnerGuide } from './partner-guide.ts'
import { weightIn } from './units.ts'
import { wallClock } from './wall-clock.ts'

export function toShipNotice(
  notice: CanonicalShipNotice,
  document: PurchaseOrderDocument,
  guide: PartnerGuide,
): ShipNotice {
  const lines = linesByNumber(document)
  const { date, time } = wallClock(notice.shippedAt, guide)
  const weight = notice.packages.reduce((grams, pack) => grams + (pack.weightGrams ?? 0), 0)
  return {
    number: notice.shipment,
    date,
    time,
    shipment: {
      ...carrierOf(notice.carrier, guide),
      ...(weight > 0 ? { weight: weightOf(weight, guide) } : {}),
      references: [{ qualifier: 'VN', value: notice.order }],
      dates: [{ qualifier: '011', date }],
      parties: [
        ...partiesOf(document, guide, [guide.shipTo.role]),
        ...ourParty('SF', notice.location, guide),
      ],
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

/** By its SCAC, else by its name as routing text. */
function carrierOf(code: string, guide: PartnerGuide): Pick<ShipNotice['shipment'], 'carrier'> {
  const scac = guide.carriers[code] ?? (/^[A-Z]{2,4}$/.test(code) ? code : undefined)
  if (scac) return { carrier: { scac } }
  const routing = code.slice(0, ROUTING_MAX)
  return routing !== '' && carries(guide, routing) ? { carrier: { routing } } : {}
}
const ROUTING_MAX = 35

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
    ...(shipped.serials && { serials: shipped.serials }),
  }
}
