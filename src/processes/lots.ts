/** What warehouses tell of lots: a shipment that names none, and a lot that is told to expire on two days, are for a person. */
import type { Transaction } from '#platform/database.ts'
import { closeExceptions } from '#platform/exceptions.ts'
import { formatQuantity } from '#platform/quantity.ts'
import { learnExpiries } from '#domains/inventory/operations/lots.ts'
import type { ControlledItem } from '#domains/items/operations.ts'
import type { NewShipment } from '#domains/shipments/contract.ts'
import { type ProcessPorts, shipmentNumber } from './ports.ts'

/** What left has left, so it is booked all the same; somebody asks the warehouse which lots it was. */
export async function reportMissingLots(
  tx: Transaction,
  ports: ProcessPorts,
  shipments: readonly NewShipment[],
  controlled: ReadonlyMap<number, ControlledItem>,
): Promise<void> {
  const bare = shipments.flatMap((shipment) =>
    shipment.lines.flatMap((line) => (line.lot === null ? [{ shipment, line }] : [])),
  )
  await ports.openExceptions(
    tx,
    bare.flatMap(({ shipment: { doc, company, location }, line: { itemId, quantity } }) => {
      const { sku, lots = false } = controlled.get(itemId) ?? {}
      if (!lots) return []
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

/** A lot as it was told, with the day on which it expires. */
export type ToldLot = {
  readonly company: string
  readonly itemId: number
  readonly sku: string
  readonly lot: string
  readonly expiresOn: string
  readonly source: string
  readonly location: string
}

/** The first day that is told of a lot stands until a person says another. */
export async function learnLots(
  tx: Transaction,
  ports: Pick<ProcessPorts, 'openExceptions'>,
  told: readonly ToldLot[],
): Promise<void> {
  const differing = await learnExpiries(tx, told)
  if (differing.length === 0) return
  await ports.openExceptions(
    tx,
    differing.map(({ told: { company, itemId, sku, lot, expiresOn, source, location }, known }) => ({
      company,
      cause: expiryCause(itemId, lot),
      code: 'inventory.lot_expiry_differs',
      title: `${source} tells that lot ${lot} of ${sku} expires on ${expiresOn}; ${known} is known of it`,
      suggestedAction: 'Look at the goods or their papers, then say when the lot expires: POST …/lots:set',
      facts: { sku, lot, location, known, told: expiresOn, source },
    })),
  )
}

const expiryCause = (itemId: number, lot: string): string => `inventory.lot_expiry_differs:${itemId}:${lot}`

/** A person has said when it expires. */
export const settleExpiry = (
  tx: Transaction,
  { company, itemId, lot }: Pick<ToldLot, 'company' | 'itemId' | 'lot'>,
): Promise<unknown> =>
  closeExceptions(tx, [{ company, cause: expiryCause(itemId, lot) }], 'a person said when it expires')
