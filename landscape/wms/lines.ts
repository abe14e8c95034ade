/** The lines of an order that is sent to the warehouse; refuses what it does not know. */
import { type Fields, text } from '../fields.ts'
import type { Floor } from './picking.ts'
import { WmsRefusal } from './refusal.ts'
import { baseFactor, type OrderLine, unitOf } from './shapes.ts'

export function linesIn(items: Floor['items'], fields: Fields): OrderLine[] {
  const given = fields['lines']
  if (!Array.isArray(given) || given.length === 0) throw new WmsRefusal(422, 'VALIDATION', { field: 'lines' })
  return (given as Fields[]).map((line, nth) => {
    const field = `lines/${nth}`
    const sku = text(line['sku'])
    const item = items.get(sku)
    if (!item || item.company !== fields['owner'])
      throw new WmsRefusal(422, 'UNKNOWN_SKU', { field: `${field}/sku` })
    const code = text(line['uom'])
    if (!unitOf(code) || !baseFactor(item, code))
      throw new WmsRefusal(422, 'UNKNOWN_UOM', { field: `${field}/uom` })
    const qty = Number(line['qty'])
    if (!(qty > 0)) throw new WmsRefusal(422, 'VALIDATION', { field: `${field}/qty` })
    const ship_by = text(line['ship_by']) || null
    const lot = text(line['lot']) || null
    const min_expiry = text(line['min_expiry']) || null
    const line_no = Number(line['line_no'])
    return { line_no, sku, qty, uom: code, lot, min_expiry, ship_by, shipped_qty: 0, short_qty: 0 }
  })
}
