/** Counts that come by themselves, by file or by EDI: held against the books like those that were asked for. */
import type { StockSnapshot } from '#capabilities/stock.ts'
import type { Transaction } from '#platform/database.ts'
import { localDate } from '#platform/time-zone.ts'
import type { UnreadItem, UnreadLine } from '#domains/inventory/contract/reconciliations.ts'
import { beginReconciliation, numberReconciliation } from '#domains/inventory/operations/reconciliations.ts'
import { hasBooks, isCountedWhole } from '#domains/inventory/views/reconciliations.ts'
import { toldOfLater } from '#domains/inventory/views/standing-differences.ts'
import { reconcile, type Reconciled, type ReconcilePorts } from './reconciliation.ts'
import { isCountAwaited } from './unread-counts.ts'
import { areItemsAwaited, tellUnreadItems } from './unread-items.ts'

export type CountThatCame = {
  readonly source: string
  readonly snapshot: StockSnapshot
  /** Lines that were not understood: of what it does not name nothing is said then, since they may be of it. */
  readonly unread?: readonly UnreadLine[]
  /** What its lines call the items that they name, beside their numbers. */
  readonly ids?: readonly string[]
  /** Who sees to such lines; by the rules of exceptions when absent. */
  readonly owner?: string | undefined
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
  const { source, snapshot } = told
  const later = new Set(await toldOfLater(ports.queries, { ...snapshot, source }, snapshot.takenAt))
  const held = await holdAgainst(ports, told, later)
  await keepItemsUnread(ports, told, later)
  return held
}

async function holdAgainst(
  ports: ReconcilePorts,
  told: CountThatCame,
  later: ReadonlySet<string>,
): Promise<CountHeld | undefined> {
  const { source, file, askedAt, askedBy = source, owner } = told
  const { company, location } = told.snapshot
  const { currency, timeZone } = ports.company(company)
  const place = { company, location, source }
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
      isCut: told.snapshot.scope === 'location' && unread.length > 0,
      isAwaited,
      owner,
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

/** What one of all that is there leaves open: nothing where a count that is not older has said all. */
async function unreadOf(
  { queries }: ReconcilePorts,
  { source, snapshot, unread = [] }: CountThatCame,
): Promise<readonly UnreadLine[]> {
  const isOver =
    unread.length > 0 && (await isCountedWhole(queries, { ...snapshot, source }, snapshot.takenAt))
  return isOver ? [] : unread
}

/** Items that one of single items left unread, until a count says what is there of them. */
async function keepItemsUnread(
  ports: ReconcilePorts,
  { source, snapshot, unread = [], ids = [], owner }: CountThatCame,
  later: ReadonlySet<string>,
): Promise<void> {
  const { company, location, takenAt, scope, lines } = snapshot
  const place = { company, location, source }
  const ofItems = unread.filter(
    (line): line is UnreadItem => line.item !== undefined && !later.has(line.item),
  )
  const left = scope === 'items' ? ofItems : []
  if (left.length === 0 && !(await areItemsAwaited(ports.queries, place))) return
  const said =
    scope === 'location' && unread.length === 0 ? undefined : [...lines.map(({ sku }) => sku), ...ids]
  await ports.transaction(source, (tx) =>
    tellUnreadItems(tx, ports, place, { takenAt, said, unread: left, owner }),
  )
}
