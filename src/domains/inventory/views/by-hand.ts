/** What people entered for warehouses, as it is read. */
import { formatQuantity } from '#platform/quantity.ts'
import type { HandRow, HandView } from '../contract/by-hand.ts'

export type HandNumbers = {
  readonly document: (row: HandRow) => string
  readonly request: (doc: number) => string
}
type Named = { readonly sku: string; readonly baseUnit: string }

export const tellByHand = (row: HandRow, numbers: HandNumbers, { sku, baseUnit }: Named): HandView => ({
  kind: row.kind,
  document: numbers.document(row),
  ...(row.fulfillmentId !== null && { request: numbers.request(row.fulfillmentId), line: row.line! }),
  sku,
  location: row.location,
  ...(row.lot !== '' && { lot: row.lot }),
  quantity: formatQuantity(row.quantity),
  open: formatQuantity(row.open),
  unit: baseUnit,
  reference: row.reference,
  actor: row.actor,
  at: row.happenedAt.toISOString(),
  enteredAt: row.enteredAt.toISOString(),
  ...(row.outcome !== null && { outcome: row.outcome, endedAt: row.endedAt!.toISOString() }),
})
