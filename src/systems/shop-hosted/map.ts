/** Between the hosted shop's orders and fulfillments and our words; pure. */
import type { OrderPlaced, OrderWithdrawn } from '#capabilities/channel-messages.ts'
import type { OrderAcknowledgement, ShipNotice, StockLevel } from '#capabilities/channel.ts'
import { OrderRequest } from '#domains/orders/contract.ts'
import { codeList } from '#platform/connector-codes.ts'
import { Refusal } from '#platform/faults.ts'
import {
  type Fields,
  fieldsOf,
  filledText,
  instant,
  integer,
  listOf,
  optionalText,
  Unexpected,
} from '#platform/fields.ts'
import { formatQuantity, type Quantity, units as wholeUnits } from '#platform/quantity.ts'
import type { ShopFulfillment } from './wire.ts'

/** UN/ECE to the suffix of a sku. */
const units = codeList('unit', { EA: 'EA', CA: 'CA', BX: 'BX', XPX: 'PL', KGM: 'KG', XBG: 'BG', DZN: 'DZ' })

const CATCH_WEIGHT_PRICE_UNIT = 'KG'

export function toOrderPlaced(order: Fields, company: string): OrderPlaced {
  const request = {
    company,
    customer: filledText(fieldsOf(order['customer'], 'customer'), 'external_id'),
    customerOrder: optionalText(order, 'po_number') ?? filledText(order, 'name'),
    orderDate: filledText(order, 'created_at').slice(0, 10),
    channel: 'shop',
    currency: filledText(order, 'currency'),
    ...given('requestedDate', optionalText(order, 'requested_delivery_date')),
    shipTo: shipTo(fieldsOf(order['shipping_address'], 'shipping_address')),
    ...given('note', optionalText(order, 'note')),
    lines: listOf(order, 'line_items', toLine),
  }
  const checked = OrderRequest.safeParse(request)
  if (!checked.success) {
    const [issue] = checked.error.issues
    throw new Unexpected(`${issue?.path.join('/') ?? ''}: ${issue?.message ?? ''}`)
  }
  return { type: 'order-placed', company, externalId: String(integer(order, 'id')), order: checked.data }
}

const given = (name: string, value: string | undefined): Record<string, string> =>
  value === undefined ? {} : { [name]: value }

function shipTo(address: Fields): Record<string, unknown> {
  const street = optionalText(address, 'address1')
  return {
    ...given('code', optionalText(address, 'code')),
    ...given('name', optionalText(address, 'name')),
    ...(street !== undefined && { lines: [street] }),
    ...given('city', optionalText(address, 'city')),
    ...given('region', optionalText(address, 'province_code')),
    ...given('postalCode', optionalText(address, 'zip')),
    ...given('country', optionalText(address, 'country_code')),
  }
}

/** The sku of the shop is item and unit, `10012-CA`; its line's own number is ours for the customer's line. */
function toLine(item: Fields): Record<string, unknown> {
  const [, sku, code] = /^(.+)-([A-Z0-9]{2,3})$/.exec(filledText(item, 'sku')) ?? []
  if (sku === undefined || code === undefined) throw new Unexpected('sku is not item and unit')
  const priceUnit = optionalText(item, 'price_unit') ?? code
  // What is sold by weight is priced by weight everywhere; any other unit would be another price.
  if (priceUnit !== code && priceUnit !== CATCH_WEIGHT_PRICE_UNIT) {
    throw new Unexpected(`the price is for ${priceUnit}, the quantity in ${code}`)
  }
  return {
    line: String(integer(item, 'id')),
    sku,
    quantity: String(integer(item, 'quantity')),
    unit: units.ours(code),
    price: filledText(item, 'price'),
  }
}

export const toOrderWithdrawn = (order: Fields, company: string): OrderWithdrawn => ({
  type: 'order-withdrawn',
  company,
  externalId: String(integer(order, 'id')),
  at: instant(order, 'cancelled_at'),
})

/** What the shop calls a shipment; the tracking number of the first parcel stands for all. */
export function toFulfillment(notice: ShipNotice): ShopFulfillment {
  const shipped = new Map<string, Quantity>()
  for (const { line, asOrdered, quantity, unit } of notice.packages.flatMap((parcel) => parcel.lines)) {
    if (asOrdered === undefined) throw unrepresentable(quantity, unit)
    shipped.set(line, (shipped.get(line) ?? 0) + asOrdered.quantity)
  }
  const tracking = notice.packages.find((parcel) => parcel.tracking !== undefined)?.tracking
  return {
    external_id: notice.shipment,
    tracking_info: { company: notice.carrier, ...(tracking !== undefined && { number: tracking }) },
    line_items: [...shipped].map(([line, quantity]) => ({ id: lineId(line), quantity: whole(quantity) })),
  }
}

function lineId(line: string): number {
  if (/^\d{1,15}$/.test(line)) return Number(line)
  throw new Refusal('connector.reference_missing', `"${line}" is no line number of the shop.`)
}

/** The shop counts in whole units of its sku. */
function whole(quantity: Quantity): number {
  const count = quantity / wholeUnits(1)
  if (Number.isInteger(count)) return count
  throw unrepresentable(quantity, 'units')
}

const unrepresentable = (quantity: Quantity, unit: string): Refusal =>
  new Refusal(
    'connector.value_unrepresentable',
    `The shop cannot be told of ${formatQuantity(quantity)} ${unit}.`,
  )

export type ShopLevel = {
  readonly inventory_item_id: string
  readonly location_id: string
  readonly available: number
  readonly as_of: string
}

/** A level for each unit that the shop has a word for; it shows whole ones, and never less than none. */
export function toLevels({ sku, asOf, levels }: StockLevel, location: string): ShopLevel[] {
  const sold = levels.filter(({ unit }) => units.knows(unit))
  if (sold.length === 0) units.theirs(levels[0]?.unit ?? '')
  return sold.map(({ unit, quantity }) => ({
    inventory_item_id: `${sku}-${units.theirs(unit)}`,
    location_id: location,
    available: Math.max(0, Math.floor(quantity / wholeUnits(1))),
    as_of: asOf.toISOString(),
  }))
}

const TAG_PREFIX = 'order-'

/** The buyer's note and the shop's own tags stay; what we said before is replaced by what holds now. */
export function annotated(order: Fields, told: OrderAcknowledgement): { note: string; tags: string } {
  const mark = `${told.order}: `
  const note = (optionalText(order, 'note') ?? '')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith(mark))
  const tags = (optionalText(order, 'tags') ?? '').split(',').map((tag) => tag.trim())
  const kept = tags.filter((tag) => tag !== '' && !tag.startsWith(TAG_PREFIX))
  return {
    note: [...note, ...sentences(told).map((sentence) => `${mark}${sentence}`)].join('\n'),
    tags: [...kept, `${TAG_PREFIX}${told.outcome}`].join(', '),
  }
}

function sentences({ outcome, lines }: OrderAcknowledgement): string[] {
  const waiting = lines.filter((line) => line.backordered > 0)
  const dropped = lines.filter((line) => line.cancelled > 0)
  return [
    outcome,
    ...waiting.map(
      ({ sku, backordered, unit, promisedDate }) =>
        `${sku}: ${formatQuantity(backordered)} ${unit} on backorder${promisedDate ? `, expected on ${promisedDate}` : ''}`,
    ),
    ...dropped.map(
      (line) =>
        `${line.sku}: ${formatQuantity(line.cancelled)} ${line.unit} cancelled${line.reason ? `, ${line.reason}` : ''}`,
    ),
  ]
}
