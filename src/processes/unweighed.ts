/** Goods that are priced by weight and left without one: billed by what they weigh nominally, and for a person. */
import type { Transaction } from '#platform/database.ts'
import { formatQuantity, type UnitFactor } from '#platform/quantity.ts'
import { itemKey } from '#domains/items/contract.ts'
import { findItems } from '#domains/items/operations.ts'
import type { ShipmentLine } from '#domains/shipments/contract.ts'
import type { ShipmentHeader } from '#domains/shipments/views.ts'
import { KILOGRAM } from './nominal-weight.ts'
import type { OrderFacts } from './order-facts.ts'
import { type ProcessPorts, shipmentNumber } from './ports.ts'

export type Unweighed = {
  readonly shipment: ShipmentHeader
  readonly sku: string
  /** The kilograms of one base unit. */
  readonly perBase: UnitFactor
}

type Shipped = {
  readonly shipment: ShipmentHeader
  readonly facts: Pick<OrderFacts, 'lines'>
  readonly lines: readonly ShipmentLine[]
}

/** By the line that was not weighed. Reads nothing where everything was. */
export async function unweighedIn(
  tx: Transaction,
  shipped: readonly Shipped[],
): Promise<ReadonlyMap<ShipmentLine, Unweighed>> {
  const bare = shipped.flatMap(({ shipment, facts, lines }) =>
    lines.flatMap((line) => {
      const ordered = line.catchWeight === null && facts.lines.find(({ n }) => n === line.line)
      if (!ordered || ordered.priceUnit !== KILOGRAM || ordered.unit === KILOGRAM) return []
      return [{ shipment, line, sku: ordered.sku }]
    }),
  )
  const items = await findItems(
    tx,
    bare.map(({ shipment: { company }, sku }) => ({ company, sku })),
  )
  return new Map(
    bare.map(({ shipment, line, sku }): [ShipmentLine, Unweighed] => {
      const weight = items.get(itemKey(shipment.company, sku))?.units.get(KILOGRAM)
      // it had a weight when it was ordered; bad master data since is for a person, as is what cannot be worked on
      if (!weight) throw new Error(`${sku} was sold by weight and has none any more`)
      const perBase = { numerator: weight.denominator, denominator: weight.numerator }
      return [line, { shipment, sku, perBase }]
    }),
  )
}

export async function reportUnweighed(
  tx: Transaction,
  ports: ProcessPorts,
  unweighed: ReadonlyMap<ShipmentLine, Unweighed>,
): Promise<void> {
  await ports.openExceptions(
    tx,
    [...unweighed].map(
      ([
        { quantity },
        {
          shipment: { doc, company, location },
          sku,
        },
      ]) => ({
        company,
        cause: `billing.weight_missing:${location}:${sku}`,
        code: 'billing.weight_missing',
        title: `${location} ships ${sku} without its weight`,
        suggestedAction:
          'It is billed by its nominal weight. Ask the warehouse what it weighed; credit or charge the difference in the ERP.',
        facts: { sku, shipment: shipmentNumber(doc), quantity: formatQuantity(quantity) },
        affects: { doc, kind: 'shipment' },
      }),
    ),
  )
}
