/** Warehouses that pick of a lot which is held: they cannot be stopped by a message, so somebody calls them. */
import type { Transaction } from '#platform/database.ts'
import { closeExceptions, type Occurrence } from '#platform/exceptions.ts'
import { heldLots } from '#domains/inventory/operations/lots.ts'
import { lotsOfRequests } from '#domains/shipments/operations/lots.ts'
import type { FulfillmentFacts } from './fulfillment-facts.ts'
import { fulfillmentNumber, type ProcessPorts } from './ports.ts'

type Lot = { readonly company: string; readonly itemId: number; readonly lot: string }
type Picked = Lot & {
  readonly sku: string
  readonly doc: number
  readonly orderId: number
  readonly location: string
}

const CODE = 'inventory.lot_at_warehouse'
const causeOf = ({ itemId, lot }: Lot): string => `${CODE}:${itemId}:${lot}`

export const tellOfPicks = (
  tx: Transaction,
  ports: Pick<ProcessPorts, 'openExceptions'>,
  picked: readonly Picked[],
): Promise<unknown> => ports.openExceptions(tx, picked.map(occurrenceOf))

const occurrenceOf = ({ company, sku, doc, orderId, location, ...of }: Picked): Occurrence => ({
  company,
  cause: causeOf({ company, ...of }),
  code: CODE,
  title: `${location} picks of lot ${of.lot} of ${sku}, which is held, and cannot be stopped`,
  suggestedAction: `Call the warehouse, so that it takes the lot out of ${fulfillmentNumber(doc)} and others of these orders before they leave.`,
  facts: { sku, lot: of.lot, location, request: fulfillmentNumber(doc) },
  affects: { doc: orderId, kind: 'order' },
})

/** Of requests that a warehouse would not take back. */
export async function tellOfUnstopped(
  tx: Transaction,
  ports: Pick<ProcessPorts, 'openExceptions'>,
  requests: readonly FulfillmentFacts[],
): Promise<void> {
  const of = new Map(requests.map((facts) => [facts.doc, facts]))
  const asked = (await lotsOfRequests(tx, [...of.keys()]))
    .filter(({ lot }) => lot !== '')
    .map((row) => ({ ...row, facts: of.get(row.doc)! }))
  const lots = asked.map(({ itemId, lot, facts: { company } }) => ({ company, itemId, lot }))
  const isHeld = await heldLots(tx, lots)
  const picked = asked.flatMap(({ facts, itemId, lot, line, doc }): Picked[] => {
    if (!isHeld(itemId, lot)) return []
    const { company, request, lines } = facts
    const { sku } = lines.find((one) => one.line === line)!
    return [{ company, itemId, lot, sku, doc, orderId: request.orderId, location: request.location }]
  })
  if (picked.length > 0) await tellOfPicks(tx, ports, picked)
}

/** The lot is good. */
export const settlePicks = (tx: Transaction, lot: Lot): Promise<unknown> =>
  closeExceptions(tx, [{ company: lot.company, cause: causeOf(lot) }], 'the lot was released')
