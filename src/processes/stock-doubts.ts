/** Where books and shelves differ, as somebody is told of it. */
import type { Clock } from '#platform/clock.ts'
import type { Database, Transaction } from '#platform/database.ts'
import { closeExceptions } from '#platform/exceptions.ts'
import { openCausesOf } from '#platform/exceptions-views.ts'
import { formatQuantity } from '#platform/quantity.ts'
import { isOwn, ownerOf } from '#domains/inventory/contract/owners.ts'
import { type Shortfall, unreconciledAt } from '#domains/inventory/operations.ts'
import { settleDoubts } from '#domains/inventory/operations/doubts.ts'
import type { ProcessPorts } from './ports.ts'

export type StockDoubt = Pick<Shortfall, 'itemId' | 'location' | 'owner'>

const UNRECONCILED = 'inventory.unreconciled'
function causeOf({ itemId, location, ...of }: StockDoubt): string {
  const whose = isOwn(of) ? itemId : `${itemId}@${ownerOf(of)}`
  return `${UNRECONCILED}:${whose}:${location}`
}

function placeOf(cause: string): StockDoubt {
  const [, whose, ...location] = cause.split(':')
  const [itemId, owner] = whose!.split('@')
  return { itemId: Number(itemId), location: location.join(':'), owner }
}

/** Somebody must count where books and shelves differ; what has been explained meanwhile closes by itself. */
export async function reportStockDoubts(
  tx: Transaction,
  ports: Pick<ProcessPorts, 'openExceptions'>,
  doubtful: readonly StockDoubt[],
): Promise<void> {
  const places = await unreconciledAt(tx, doubtful)
  await ports.openExceptions(
    tx,
    places
      .filter(({ quantity }) => quantity !== 0)
      .map(({ company, itemId, location, owner, quantity }) => ({
        company,
        cause: causeOf({ itemId, location, owner }),
        code: UNRECONCILED,
        title:
          quantity < 0
            ? `More ${isOwn({ owner }) ? '' : `of ${owner} `}left ${location} than our books had`
            : `${location} did not find what our books have${isOwn({ owner }) ? '' : ` of ${owner}`}`,
        suggestedAction: 'Count the item, or find the receipt that was never told; then book the difference.',
        facts: { itemId, location, owner, quantity: formatQuantity(quantity) },
      })),
  )
  const explained = places.filter(({ quantity }) => quantity === 0)
  await closeExceptions(
    tx,
    explained.map(({ company, ...place }) => ({ company, cause: causeOf(place) })),
    'the difference is explained',
  )
}

type DoubtWatch = Pick<ProcessPorts, 'openExceptions'> & {
  readonly database: Database
  readonly clock: Clock
  readonly companies: readonly string[]
}

const PORTION = 500

/** One look at the places of which somebody was told: where claims beyond a count have ended, the doubt is over. */
export async function watchDoubts(watch: DoubtWatch): Promise<void> {
  const { database, clock, companies } = watch
  const told = await openCausesOf(database, companies, [UNRECONCILED])
  // nobody claims another owner's
  const places = told.map(({ cause }) => placeOf(cause)).filter(isOwn)
  for (let from = 0; from < places.length; from += PORTION) {
    await database.transaction(async (tx) => {
      const at = clock.now()
      const settling = { source: 'crossdock', sourceKey: `claims/${at.toISOString()}`, at }
      const settled = await settleDoubts(tx, places.slice(from, from + PORTION), settling)
      await reportStockDoubts(tx, watch, settled)
    })
  }
}
