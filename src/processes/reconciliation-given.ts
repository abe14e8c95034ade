/** Counts that come by themselves, by file or by EDI: held against the books like those that were asked for. */
import type { StockSnapshot } from '#capabilities/stock.ts'
import type { Transaction } from '#platform/database.ts'
import { localDate } from '#platform/time-zone.ts'
import type { UnreadLine } from '#domains/inventory/contract/reconciliations.ts'
import { beginReconciliation, numberReconciliation } from '#domains/inventory/operations/reconciliations.ts'
import { hasBooks, isCountedWhole } from '#domains/inventory/views/reconciliations.ts'
import { toldOfLater } from '#domains/inventory/views/standing-differences.ts'
import { reconcile, type Reconciled, type ReconcilePorts } from './reconciliation.ts'
import { isCountAwaited } from './unread-counts.ts'

export type CountThatCame = {
  readonly source: string
  readonly snapshot: StockSnapshot
  /** Lines that were not understood: of what it does not name nothing is said then, since they may be of it. */
  readonly unread?: readonly UnreadLine[]
  /** Where it was asked for, before that, and by whom; else it came unasked. */
  readonly askedAt?: Date
  readonly askedBy?: string
  /** Files what brought it, in the transaction that writes the result down. */
  readonly file?: (tx: Transaction) => Promise<unknown>
}

export type CountHeld = Reconciled & {
  /** Of its report; absent where a later count has told of all that it names. */
  readonly id?: number
}

type Turn = Parameters<Parameters<ReconcilePorts['transaction']>[1]>[1]

export type CountPorts = Omit<ReconcilePorts, 'queries' | 'transaction' | 'isOneTransaction'>

/** All that a count comes to stands or falls with the transaction. */
export const within = (ports: CountPorts, tx: Transaction, turn: Turn): ReconcilePorts => ({
  ...ports,
  queries: tx,
  transaction: (_, work) => work(tx, turn),
  isOneTransaction: true,
})

/** Of items that a later count has told of it says nothing; where that is all, nothing is kept of it. */
export async function reconcileGiven(
  ports: ReconcilePorts,
  told: CountThatCame,
): Promise<CountHeld | undefined> {
  const { source, file, askedAt, askedBy = source } = told
  const { company, location, takenAt } = told.snapshot
  const { currency, timeZone } = ports.company(company)
  const place = { company, location, source }
  const later = new Set(await toldOfLater(ports.queries, place, takenAt))
  const lines = told.snapshot.lines.filter(({ sku }) => !later.has(sku))
  if (lines.length === 0 && told.snapshot.lines.length > 0) return undefined
  const scope = told.unread?.length ? 'items' : told.snapshot.scope
  const unread = await unreadOf(ports, told)
  const isAwaited = scope === 'location' && (await isCountAwaited(ports.queries, place))
  const snapshot = { ...told.snapshot, scope, lines }
  const id = await numberReconciliation(ports.queries)
  const day = localDate(ports.clock.now(), timeZone)
  const entered = { ...place, day, dryRun: false, askedBy, currency }
  const opens = !(await hasBooks(ports.queries, place))
  let isKept = false
  const found = await reconcile(ports, {
    ...place,
    id,
    dryRun: false,
    counter: { stockSnapshot: () => Promise.resolve(snapshot) },
    given: {
      askedAt,
      later,
      unread,
      isAwaited,
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

/** What one of all that is there leaves open; nothing where a count that is not older has said all. */
async function unreadOf(
  { queries }: ReconcilePorts,
  { source, snapshot, unread = [] }: CountThatCame,
): Promise<readonly UnreadLine[]> {
  const isOver =
    snapshot.scope === 'items' ||
    unread.length === 0 ||
    (await isCountedWhole(queries, { ...snapshot, source }, snapshot.takenAt))
  return isOver ? [] : unread
}
