/** Lots: what is recalled by its lot must be found by it, so a shipment that names none is for a person. */
import type { Transaction } from '#platform/database.ts'
import { formatQuantity } from '#platform/quantity.ts'
import { lotControlledItems } from '#domains/items/operations.ts'
import type { NewShipment } from '#domains/shipments/contract.ts'
import { type ProcessPorts, shipmentNumber } from './ports.ts'

/** What left has left, so it is booked all the same; somebody asks the warehouse which lots it was. */
export async function reportMissingLots(
  tx: Transaction,
  ports: ProcessPorts,
  shipments: readonly NewShipment[],
): Promise<void> {
  const bare = shipments.flatMap((shipment) =>
    shipment.lines.flatMap((line) => (line.lot === null ? [{ shipment, line }] : [])),
  )
  const controlled = await lotControlledItems(tx, [...new Set(bare.map(({ line }) => line.itemId))])
  if (controlled.size === 0) return
  await ports.openExceptions(
    tx,
    bare.flatMap(({ shipment: { doc, company, location }, line: { itemId, quantity } }) => {
      const sku = controlled.get(itemId)
      if (sku === undefined) return []
      return [
        {
          company,
          cause: `shipments.lot_missing:${location}:${itemId}`,
          code: 'shipments.lot_missing',
          title: `${location} ships ${sku} without saying which lots`,
          suggestedAction:
            'Ask the warehouse which lots left and note them; a recall finds the goods by nothing else.',
          facts: { sku, shipment: shipmentNumber(doc), quantity: formatQuantity(quantity) },
          affects: { doc, kind: 'shipment' },
        },
      ]
    }),
  )
}
