/** Between our words and those of the Depot WMS; pure. */
import type { Address, OpenOrderLine } from '#capabilities/erp.ts'
import type { CountedStock, PurchaseOrderReference, StockReason } from '#capabilities/stock.ts'
import { partsByLot } from '#capabilities/lot-parts.ts'
import type {
  FulfillmentRequest,
  FulfillmentRequestLine,
  HandledLine,
  LabelGiving,
  PackingConfirmed,
  PickedLine,
  PickingConfirmed,
  PickingStarted,
  ShipmentConfirmed,
  ShippedLine,
  ShippedPackage,
  StockMoved,
  WarehouseMessage,
} from '#capabilities/wms.ts'
import { codeList } from '#platform/connector-codes.ts'
import {
  type Fields,
  fieldsOf,
  filledText,
  instant,
  integer,
  list,
  listOf,
  number,
  optionalInteger,
  optionalText,
  quantity,
  quantityNumber,
  text,
  truth,
  Unexpected,
} from '#platform/fields.ts'
import type { DepotAddress, DepotLabels, DepotOrder, DepotStockRow } from './wire.ts'

/** UN/ECE to Depot. */
export const units = codeList('unit', { EA: 'EA', CA: 'CS', BX: 'BX', XPX: 'PLT', KGM: 'KG', XBG: 'BAG' })

export function toDepotOrder(request: FulfillmentRequest): DepotOrder {
  return {
    external_ref: request.number,
    owner: request.company,
    site: request.location,
    customer_ref: request.customerOrder,
    ship_to: toDepotAddress(request.shipTo),
    ship_by: request.requestedDate ?? null,
    lines: request.lines.flatMap(toDepotLines),
  }
}

const toDepotLines = (line: FulfillmentRequestLine): DepotOrder['lines'] =>
  partsByLot(line).map(({ lot = null, quantity: part }) => ({
    line_no: line.line,
    sku: line.sku,
    qty: quantityNumber(part),
    uom: units.theirs(line.unit),
    lot,
    min_expiry: line.minimumExpiry ?? null,
    ship_by: line.requestedDate ?? null,
  }))

const toDepotAddress = (address: Address): DepotAddress => ({
  name: address.name ?? '',
  address: (address.lines ?? []).join(', '),
  city: address.city ?? '',
  region: address.region ?? '',
  postal_code: address.postalCode ?? '',
  country: address.country ?? '',
})

export function toMessage(event: Fields): WarehouseMessage {
  const type = filledText(event, 'type')
  switch (type) {
    case 'shipment.confirmed':
      return toShipment(event)
    case 'order.short':
      return toNothingFound(event)
    case 'order.picking_started':
      return toPickingStarted(event)
    case 'order.picked':
      return toPicking(event)
    case 'order.packed':
      return toPacking(event)
    case 'inventory.adjusted':
    case 'inventory.received':
    case 'inventory.shipped':
      return toStockMoved(event)
    default:
      throw new Unexpected(`"${type}" is no known event`)
  }
}

function toShipment(event: Fields): ShipmentConfirmed {
  return {
    type: 'shipment-confirmed',
    shipment: filledText(event, 'shipment_id'),
    fulfillment: filledText(event, 'external_ref'),
    shippedAt: instant(event, 'shipped_at'),
    carrier: filledText(event, 'carrier'),
    service: optionalText(event, 'service'),
    packages: listOf(event, 'packages', toPackage),
    final: truth(event, 'final'),
    mark: optionalInteger(event, 'sequence'),
  }
}

const GRAMS_PER_KG = 1_000

const toPackage = (parcel: Fields): ShippedPackage => ({
  sscc: optionalText(parcel, 'sscc'),
  tracking: optionalText(parcel, 'tracking_number'),
  weightGrams: absent(parcel, 'weight_kg')
    ? undefined
    : Math.round(number(parcel, 'weight_kg') * GRAMS_PER_KG),
  lines: listOf(parcel, 'contents', toShippedLine),
})

const toShippedLine = (content: Fields): ShippedLine => ({
  line: integer(content, 'line_no'),
  sku: filledText(content, 'sku'),
  quantity: quantity(content, 'base_qty'),
  lot: optionalText(content, 'lot'),
  expiresOn: optionalText(content, 'expires_on'),
  serials: serialsIn(content),
  catchWeight: absent(content, 'catch_weight_kg') ? undefined : quantity(content, 'catch_weight_kg'),
})

/** Of items whose units have serials. */
function serialsIn(fields: Fields): string[] | undefined {
  if (absent(fields, 'serials')) return undefined
  return list(fields, 'serials').map((serial) => {
    if (typeof serial !== 'string' || serial.trim() === '')
      throw new Unexpected('serials has something else than text')
    return serial.trim()
  })
}

const absent = (fields: Fields, name: string): boolean => fields[name] === undefined || fields[name] === null

/** Nothing could be picked: a request that ends without a shipment. It goes under the number of Depot's order. */
const toNothingFound = (event: Fields): ShipmentConfirmed => ({
  type: 'shipment-confirmed',
  shipment: filledText(event, 'wms_order_id'),
  fulfillment: filledText(event, 'external_ref'),
  shippedAt: instant(event, 'occurred_at'),
  carrier: '',
  packages: [],
  final: true,
  mark: optionalInteger(event, 'sequence'),
})

const toPickingStarted = (event: Fields): PickingStarted => ({
  type: 'picking-started',
  fulfillment: filledText(event, 'external_ref'),
  at: instant(event, 'occurred_at'),
})

/** Depot tells a pick once it is all done, so what it tells of a line is all of it. */
const toPicking = (event: Fields): PickingConfirmed => ({
  type: 'picking-confirmed',
  fulfillment: filledText(event, 'external_ref'),
  at: instant(event, 'occurred_at'),
  lines: listOf(event, 'picks', toPickedLine),
  short: listOf(event, 'short_lines', (line) => toHandledLine(line, 'short_base_qty')),
})

const toPacking = (event: Fields): PackingConfirmed => ({
  type: 'packing-confirmed',
  fulfillment: filledText(event, 'external_ref'),
  at: instant(event, 'occurred_at'),
  lines: listOf(event, 'cartons', (carton) =>
    listOf(carton, 'contents', (content) => toHandledLine(content, 'base_qty')),
  ).flat(),
  packing: absent(event, 'packing_id') ? undefined : toPackages(event),
})

/** Of sites that wait for labels. */
const toPackages = (event: Fields): PackingConfirmed['packing'] => ({
  number: filledText(event, 'packing_id'),
  packages: listOf(event, 'cartons', (carton) => ({
    sscc: filledText(carton, 'sscc'),
    weightGrams: Math.round(number(carton, 'weight_kg') * GRAMS_PER_KG),
  })),
})

export const toDepotLabels = ({ carrier, labels }: LabelGiving): DepotLabels => ({
  carrier,
  labels: labels.map(({ sscc, tracking, format, contentBase64 }) => ({
    sscc,
    tracking_number: tracking,
    format,
    data: contentBase64,
  })),
})

const toHandledLine = (line: Fields, base: string): HandledLine => ({
  line: integer(line, 'line_no'),
  sku: filledText(line, 'sku'),
  quantity: quantity(line, base),
})

const toPickedLine = (pick: Fields): PickedLine => ({
  ...toHandledLine(pick, 'base_qty'),
  lot: optionalText(pick, 'lot'),
})

const REASONS: Readonly<Record<string, StockReason>> = {
  COUNT: 'count',
  PICK_SHORT: 'pick-short',
  DAMAGE: 'damage',
  HOLD: 'quality-hold',
  RELEASE: 'quality-release',
}

/** What other events are reasons of by themselves. */
const REASON_OF_EVENT: Readonly<Record<string, StockReason>> = {
  'inventory.received': 'receipt',
  'inventory.shipped': 'ship-other',
}

function toStockMoved(event: Fields): StockMoved {
  const type = text(event, 'type')
  const reason = REASON_OF_EVENT[type] ?? reasonOf(text(event, 'reason'))
  const delta = quantity(event, type in REASON_OF_EVENT ? 'qty' : 'delta_qty')
  return {
    type: 'stock-moved',
    location: filledText(event, 'site'),
    sku: filledText(event, 'sku'),
    lot: optionalText(event, 'lot'),
    expiresOn: optionalText(event, 'expires_on'),
    serials: serialsIn(event),
    reason,
    // Depot tells what left a status; what is held or released only changes its status, so that much moves.
    quantity: reason === 'quality-hold' || reason === 'quality-release' ? Math.abs(delta) : delta,
    at: instant(event, 'occurred_at'),
    sequence: optionalInteger(event, 'stock_sequence'),
    mark: integer(event, 'sequence'),
    purchaseOrder: reason === 'receipt' ? purchaseOrderOf(event) : undefined,
    order: reason === 'ship-other' ? orderOf(fieldsOf(event['order'], 'order')) : undefined,
  }
}

/** Which line left, and how much of it in all, in base units. */
const orderOf = (order: Fields): StockMoved['order'] => ({
  number: filledText(order, 'wms_order_id'),
  line: String(integer(order, 'line_no')),
  shipped: quantity(order, 'shipped_qty'),
})

function purchaseOrderOf(event: Fields): PurchaseOrderReference | undefined {
  const number = optionalText(event, 'po_number')
  if (number === undefined) return undefined
  return { number, line: absent(event, 'po_line') ? undefined : integer(event, 'po_line') }
}

function reasonOf(code: string): StockReason {
  const reason = REASONS[code]
  if (!reason) throw new Unexpected(`"${code}" is no known reason of an adjustment`)
  return reason
}

/** The lines of an order of others. Nothing is open of what was cancelled; what has left is told as a movement besides. */
export function toOpenOrder(order: Fields): OpenOrderLine[] {
  const of = {
    number: filledText(order, 'wms_order_id'),
    reference: optionalText(order, 'external_ref'),
    kind: 'order' as const,
    customer: text(order, 'customer_ref'),
    location: filledText(order, 'site'),
    changedAt: instant(order, 'modified_at'),
  }
  const isCancelled = filledText(order, 'status') === 'CANCELLED'
  return listOf(order, 'lines', (line) => {
    const [ordered, shipped] = [quantity(line, 'qty'), quantity(line, 'shipped_qty')]
    return {
      ...of,
      line: String(integer(line, 'line_no')),
      sku: filledText(line, 'sku'),
      open: isCancelled ? 0 : Math.max(0, ordered - shipped),
      shipped,
      unit: units.ours(filledText(line, 'uom')),
    }
  })
}

type MutableLine = { -readonly [Key in keyof CountedStock]: CountedStock[Key] }
/** What is picked is in the building until it ships, and claimed. */
const STATUS_FIELDS = {
  AVAIL: 'available',
  PICKED: 'available',
  HOLD: 'qualityHold',
  DAMAGED: 'damaged',
} as const

/** One line for each item and lot, with what is in each status. */
export function toSnapshotLines(rows: readonly DepotStockRow[]): CountedStock[] {
  const lines = new Map<string, MutableLine>()
  for (const row of rows) {
    const field = STATUS_FIELDS[row.status as keyof typeof STATUS_FIELDS]
    if (!field) throw new Unexpected(`"${row.status}" is no known status of stock`)
    const key = `${row.sku} ${row.lot ?? ''}`
    let line = lines.get(key)
    if (!line) {
      const { sku, site: location, lot, stockSequence: sequence } = row
      line = { sku, location, lot, available: 0, qualityHold: 0, damaged: 0, sequence }
      lines.set(key, line)
    }
    line[field] += quantity(fieldsOf(row), 'qty')
    // what is picked already is told without it
    if (row.lot !== undefined) line.expiresOn ??= row.expiresOn
  }
  return [...lines.values()]
}
