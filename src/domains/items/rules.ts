/** Units of an item: exact conversion, and which of them are counted in whole numbers; pure. */
import { Refusal } from '#platform/faults.ts'
import { convertQuantity, formatQuantity, type Quantity, units } from '#platform/quantity.ts'
import type { SellingItem } from './contract.ts'

/** Measures of UN/ECE Recommendation 20 in use in wholesale: mass, volume, length, area, time. All else is counted. */
const MEASURES = new Set([
  'MGM',
  'GRM',
  'HGM',
  'KGM',
  'DTN',
  'TNE',
  'ONZ',
  'LBR',
  'STN',
  'LTN',
  'MLT',
  'CLT',
  'DLT',
  'LTR',
  'HLT',
  'MTQ',
  'DMQ',
  'CMQ',
  'OZA',
  'PTL',
  'QTL',
  'GLL',
  'OZI',
  'PTI',
  'GLI',
  'FTQ',
  'YDQ',
  'MMT',
  'CMT',
  'DMT',
  'MTR',
  'KMT',
  'INH',
  'FOT',
  'YRD',
  'MMK',
  'CMK',
  'DMK',
  'MTK',
  'INK',
  'FTK',
  'YDK',
  'SEC',
  'MIN',
  'HUR',
  'DAY',
  'KWH',
])

const WHOLE = units(1)

/** Pieces and packages come in whole numbers; kilograms and metres do not have to. */
export const isCounted = (unit: string): boolean => !MEASURES.has(unit)

/** The quantity in base units, exactly, or why there is none. */
export function toBase(item: SellingItem, quantity: Quantity, unit: string): Quantity | Refusal {
  const factor = item.units.get(unit)
  const facts = { sku: item.sku, unit, quantity: formatQuantity(quantity) }
  const asked = `${facts.quantity} ${unit} of ${item.sku}`
  if (!factor) {
    const known = [...item.units.keys()]
    const message = `${item.sku} is sold in ${known.join(', ')}, not in ${unit}`
    return new Refusal('items.unit_unknown', message, { ...facts, units: known })
  }
  if (quantity <= 0) return new Refusal('items.quantity_not_positive', `${asked} is nothing to order`, facts)
  if (isCounted(unit) && quantity % WHOLE !== 0) {
    return new Refusal('items.quantity_not_whole', `${asked}: ${unit} comes in whole numbers`, facts)
  }
  const base = convertQuantity(quantity, factor)
  if (base === undefined || (isCounted(item.baseUnit) && base % WHOLE !== 0)) {
    const message = `${asked} is no exact quantity of ${item.baseUnit}`
    return new Refusal('items.quantity_not_exact', message, { ...facts, baseUnit: item.baseUnit })
  }
  return base
}
