/** Counts that come by themselves, by file or by EDI: held against the books like those that were asked for. */
import type { StockSnapshot } from '#capabilities/stock.ts'
import type { Transaction } from '#platform/database.ts'
import { localDate } from '#platform/time-zone.ts'
import { beginReconciliation, numberReconciliation } from '#domains/inventory/operations/reconciliations.ts'
import { hasBooks } from '#domains/inventory/views/reconciliations.ts'
import { toldOfLater } from '#domains/inventory/views/standing-differences.ts'
import { reconcile, type Reconciled, type ReconcilePorts } from './reconciliation.ts'

export type CountThatCame = {
  readonly source: string
  readonly snapshot: StockSnapshot
  /** Items of which something could not be read: they stay as they are. */
  readonly unread?: ReadonlySet<string>
  /** Files what brought it, in the transaction that writes the result down. */
  readonly file?: (tx: Transaction) => Promise<unknown>
}

export type CountHeld = Reconciled & {
  /** Of its report; absent where a later count has told of all that it names. */
  readonly id?: number
}

/** Of items that a later count has told of it says nothing; where that is all, nothing is kept of it. */
export async function reconcileGiven(
  ports: ReconcilePorts,
  told: CountThatCame,
): Promise<CountHeld | undefined> {
  const { source, file } = told
  const { company, location, takenAt } = told.snapshot
  const { currency, timeZone } = ports.company(company)
  const place = { company, location, source }
  const later = new Set(await toldOfLater(ports.queries, place, takenAt))
  const lines = told.snapshot.lines.filter(({ sku }) => !later.has(sku))
  if (lines.length === 0 && told.snapshot.lines.length > 0) return undefined
  const snapshot = { ...told.snapshot, lines }
  const unread = new Set([...(told.unread ?? []), ...later])
  const id = await numberReconciliation(ports.queries)
  const day = localDate(ports.clock.now(), timeZone)
  const entered = { ...place, day, dryRun: false, askedBy: source, currency }
  const opens = !(await hasBooks(ports.queries, place))
  let isKept = false
  const found = await reconcile(ports, {
    ...place,
    id,
    dryRun: false,
    counter: { stockSnapshot: () => Promise.resolve(snapshot) },
    given: {
      unread,
      opens,
      async begin(tx) {
        isKept = true
        beginReconciliation(tx, id, entered)
        await file?.(tx)
      },
    },
  })
  return isKept ? { ...found, id } : found
}
