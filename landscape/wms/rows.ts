/** What the WMS lists beside orders and stock: what is expected, and its sites. */
import type { Fields } from '../fields.ts'
import { purchaseOrderOf, type World } from '../world/world.ts'
import { uom } from './shapes.ts'
import type { Warehouse } from './store.ts'

export const unitsOf = (world: World): Map<string, string> =>
  new Map(world.items.map((item) => [item.number, uom(item.baseUnit)]))

export function inboundRows(warehouse: Warehouse, world: World, owner: string | null): Fields[] {
  const units = unitsOf(world)
  return [...warehouse.inbound]
    .filter(([, receipt]) => owner === null || receipt.company === owner)
    .map(([asn_id, receipt]) => ({
      asn_id,
      po_number: purchaseOrderOf(receipt).number,
      po_line: purchaseOrderOf(receipt).line,
      owner: receipt.company,
      site: receipt.site,
      sku: receipt.item,
      qty: receipt.quantity,
      uom: units.get(receipt.item) ?? 'EA',
      lot: receipt.lot,
      expected_at: receipt.expectedOn,
      status: receipt.came === receipt.quantity ? 'RECEIVED' : 'EXPECTED',
    }))
}

export const siteRows = (world: World): Fields[] =>
  world.sites.map(({ code, name, timeZone, cutOff, country, region, postalCode, city, street }) => ({
    site: code,
    name,
    time_zone: timeZone,
    cut_off: cutOff,
    country,
    region,
    postal_code: postalCode,
    city,
    address: street,
  }))
