/** The WMS's shapes: snake case, its own unit codes and numbers, events that carry what was really picked. */
import type { Fields } from '../fields.ts'
import type { Item, StockStatus, Unit } from '../world/world.ts'

const UNIT: Record<Unit, string> = { EA: 'EA', CA: 'CS', BX: 'BX', PL: 'PLT', KG: 'KG', BG: 'BAG' }
const UNIT_BACK = new Map(Object.entries(UNIT).map(([ours, theirs]) => [theirs, ours as Unit]))
export const STATUS: Record<StockStatus, string> = { available: 'AVAIL', hold: 'HOLD', damaged: 'DAMAGED' }

export const uom = (unit: Unit): string => UNIT[unit]
export const unitOf = (code: string): Unit | undefined => UNIT_BACK.get(code)

/** How many base units one `code` is of this item. */
export function baseFactor(item: Item, code: string): { numerator: number; denominator: number } | undefined {
  const unit = unitOf(code)
  return unit && item.units.find((one) => one.unit === unit)
}

export type OrderLine = {
  line_no: number
  sku: string
  qty: number
  uom: string
  /** What it is bound to; the line stands once for each. */
  lot: string | null
  /** The earliest day on which what is picked may expire. */
  min_expiry: string | null
  ship_by: string | null
  shipped_qty: number
  short_qty: number
}

export type OrderStatus = 'ACCEPTED' | 'PICKING' | 'SHIPPED' | 'SHORT' | 'CANCELLED'

export type OutboundOrder = {
  wms_order_id: string
  external_ref: string
  owner: string
  site: string
  customer_ref: string
  ship_to: Fields
  status: OrderStatus
  created_at: string
  planned_ship_date: string
  lines: OrderLine[]
}

export type Content = {
  line_no: number
  sku: string
  qty: number
  uom: string
  base_qty: number
  lot: string | null
  expires_on: string | null
  catch_weight_kg: number | null
  /** Of an item whose units have them. */
  serials?: string[]
}

export type Package = { sscc: string; tracking_number: string; weight_kg: number; contents: Content[] }
export type ShortLine = {
  line_no: number
  sku: string
  ordered_qty: number
  shipped_qty: number
  uom: string
  reason: 'NOT_FOUND'
}

/** What was not found of a line while it was picked. */
export type PickShort = {
  line_no: number
  sku: string
  ordered_qty: number
  picked_qty: number
  uom: string
  short_base_qty: number
  reason: 'NOT_FOUND'
}

export type WmsEvent = Fields & {
  event_id: string
  transaction_id: string
  sequence: number
  type: string
  occurred_at: string
}
