/** Where books and shelves differ, as somebody is told of it. */
import type { Transaction } from '#platform/database.ts'
import { closeExceptions } from '#platform/exceptions.ts'
import { formatQuantity } from '#platform/quantity.ts'
import { type Shortfall, unreconciledAt } from '#domains/inventory/operations.ts'
import type { ProcessPorts } from './ports.ts'

export type StockDoubt = Pick<Shortfall, 'itemId' | 'location'>

/** Somebody must count where books and shelves differ; what has been explained meanwhile closes by itself. */
export async function reportStockDoubts(
  tx: Transaction,
  ports: Pick<ProcessPorts, 'openExceptions'>,
  doubtful: readonly StockDoubt[],
): Promise<void> {
  const places = await unreconciledAt(tx, doubtful)
  const causeOf = ({ itemId, location }: StockDoubt): string => `inventory.unreconciled:${itemId}:${location}`
  await ports.openExceptions(
    tx,
    places
      .filter(({ quantity }) => quantity !== 0)
      .map(({ company, itemId, location, quantity }) => ({
        company,
        cause: causeOf({ itemId, location }),
        code: 'inventory.unreconciled',
        title:
          quantity < 0
            ? `More left ${location} than our books had`
            : `${location} did not find what our books have`,
        suggestedAction: 'Count the item, or find the receipt that was never told; then book the difference.',
        facts: { itemId, location, quantity: formatQuantity(quantity) },
      })),
  )
  const explained = places.filter(({ quantity }) => quantity === 0)
  await closeExceptions(
    tx,
    explained.map(({ company, ...place }) => ({ company, cause: causeOf(place) })),
    'the difference is explained',
  )
}
