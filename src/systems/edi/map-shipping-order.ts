/** A request to a warehouse in a partner's words: a 940. Pure. */
import type { Address } from '#capabilities/erp.ts'
import { partsByLot } from '#capabilities/lot-parts.ts'
import type { FulfillmentRequest } from '#capabilities/wms.ts'
import { formatQuantity } from '#platform/quantity.ts'
import type { ShippingOrder } from './documents/940.ts'
import { type DocumentParty, present } from './documents/parts.ts'
import { carries, ourParty, unitOf } from './echo.ts'
import type { PartnerGuide } from './partner-guide.ts'

/** X12 66. */
const ASSIGNED_BY_SELLER = '91'
const ID_MIN = 2
const PURCHASE_ORDER_MAX = 22

export function toShippingOrder(request: FulfillmentRequest, guide: PartnerGuide): ShippingOrder {
  const { number, order, customerOrder, location, customer, shipTo, requestedDate, lines } = request
  const qualifier = guide.items.find(({ is }) => is === 'sku')?.qualifier ?? 'VN'
  const isRepeated = customerOrder.length <= PURCHASE_ORDER_MAX && carries(guide, customerOrder)
  return {
    number,
    order,
    ...present({ purchaseOrder: isRepeated ? customerOrder : undefined, shipOn: requestedDate }),
    parties: [shipToOf(shipTo, customer), ...ourParty('SF', location, guide)],
    payment: guide.warehouse.shipping.payment,
    method: guide.warehouse.shipping.method,
    lines: lines.flatMap(({ sku, unit, requestedDate: shipOn, minimumExpiry, ...line }) =>
      partsByLot(line).map(({ lot, quantity }) => ({
        line: String(line.line),
        quantity: formatQuantity(quantity),
        unit: unitOf(unit, guide),
        productIds: [{ qualifier, value: sku }],
        ...present({ lot, shipOn, minimumExpiry }),
      })),
    ),
    quantity: formatQuantity(lines.reduce((sum, { quantity }) => sum + quantity, 0)),
  }
}

/** Goods go by it, so what cannot be written is refused by the writer instead of left out; X12 has two letters for a region. */
function shipToOf(
  { name, code, lines = [], region = '', ...place }: Address,
  customer: string,
): DocumentParty {
  const value = code ?? customer
  return {
    role: 'ST',
    ...(value.length >= ID_MIN ? { id: { qualifier: ASSIGNED_BY_SELLER, value } } : {}),
    ...present({ name, region: /^[A-Z]{2}$/.test(region) ? region : undefined }),
    lines,
    ...present({ city: place.city, postalCode: place.postalCode, country: place.country }),
    references: [],
    contacts: [],
  }
}
