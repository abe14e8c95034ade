/** What a request still holds at the warehouse; pure. */
import type { Quantity } from '#platform/quantity.ts'
import type { FulfillmentLine, LotPart } from './contract.ts'

/** The buckets of an order's line that stand for goods at a warehouse. */
export type AtWarehouse = {
  readonly released: Quantity
  readonly picked: Quantity
  readonly packed: Quantity
}

type Told = Pick<FulfillmentLine, 'quantity' | 'shipped' | 'short' | 'picked' | 'packed'>

/** What of a request's line has neither shipped nor come up short. */
export const leftOf = ({ quantity, shipped, short }: Told): Quantity => quantity - shipped - short

/**
 * How far what is left has come. Picked and packed are told in all, and what ships was picked and packed first: so it
 * comes to the same in whatever order a warehouse tells of picks, packages and shipments, and whether it does or not.
 */
export function atWarehouse(line: Told): AtWarehouse {
  const left = leftOf(line)
  const within = (told: Quantity): Quantity => Math.min(Math.max(told - line.shipped, 0), left)
  const packed = within(line.packed)
  const taken = Math.max(within(line.picked), packed)
  return { released: left - taken, picked: taken - packed, packed }
}

/** What is taken first is gone first, whichever lots left: what is open of a line is of those that come last. */
export function lotsLeft<Part extends LotPart>(lots: readonly Part[], left: Quantity): Part[] {
  let open = left
  const kept = lots.toReversed().flatMap((part): Part[] => {
    const quantity = Math.min(part.quantity, open)
    open -= quantity
    return quantity > 0 ? [{ ...part, quantity }] : []
  })
  return kept.toReversed()
}
