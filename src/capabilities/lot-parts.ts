/** What a warehouse is asked for of a line, lot by lot. */
import type { Quantity } from '#platform/quantity.ts'
import type { FulfillmentRequestLine } from './wms.ts'

/** A line as one part for each lot that it is to come from, and one for what may come from any. */
export function partsByLot({
  lots = [],
  quantity,
}: Pick<FulfillmentRequestLine, 'lots' | 'quantity'>): readonly {
  readonly lot?: string | undefined
  readonly quantity: Quantity
}[] {
  const rest = lots.reduce((open, part) => open - part.quantity, quantity)
  return rest > 0 ? [...lots, { quantity: rest }] : lots
}
