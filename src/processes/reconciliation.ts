/** Holds our books against what a source counts: what is missing is asked for first, then small differences are taken, others told. */
import type { CountedStock, StockSnapshot } from '#capabilities/stock.ts'
import type { StockPlace } from '#capabilities/wms.ts'
import type { Clock } from '#platform/clock.ts'
import type { Database, Transaction } from '#platform/database.ts'
import { type Cause, closeExceptions, type Occurrence } from '#platform/exceptions.ts'
import { openCausesOf } from '#platform/exceptions-views.ts'
import type { Docket } from '#platform/process.ts'
import { formatQuantity, type Quantity, units } from '#platform/quantity.ts'
import type { Count, CountTaking, Statuses } from '#domains/inventory/contract/feeds.ts'
import type {
  DifferenceFound,
  ReconciliationFound,
  Tolerance,
} from '#domains/inventory/contract/reconciliations.ts'
import type { ExternalReservation } from '#domains/inventory/contract/external.ts'
import { endReconciliation } from '#domains/inventory/operations/reconciliations.ts'
import { stockedItems } from '#domains/inventory/views/feeds.ts'
import { openExternalAt } from '#domains/inventory/views/external.ts'
import { compareCounts, type Compared } from '#domains/inventory/views/reconciliations.ts'
import type { SellingItem } from '#domains/items/contract.ts'
import { findItems, findItemsById } from '#domains/items/operations.ts'
import { worthOf } from './adjustment-value.ts'
import type { ProcessPorts } from './ports.ts'
import { countsOf, dateLots, takeSnapshot } from './stock-snapshots.ts'

/** Who can be asked what is there. */
export type Counter = {
  readonly stockSnapshot: (place: StockPlace) => Promise<StockSnapshot>
  /** Tells again what was never heard; absent where the source keeps no history. Answers how much that was. */
  readonly recover?: (
    place: StockPlace,
    missing: ReadonlyMap<string, { readonly from: number; readonly to: number }>,
  ) => Promise<number>
}

export type ReconcilePorts = Pick<ProcessPorts, 'company' | 'openExceptions' | 'countsStock'> & {
  readonly clock: Clock
  readonly database: Database
  readonly transaction: <T>(
    source: string,
    work: (tx: Transaction, turn: Pick<Docket, 'wakeAfterwards'>) => Promise<T>,
  ) => Promise<T>
}

export type Reconciling = StockPlace & {
  readonly id: number
  readonly source: string
  readonly dryRun: boolean
  readonly counter: Counter
  readonly tolerance: Tolerance
}

const PORTION = 1_000
const DIFFERS = 'inventory.books_differ'

/** A dry run shows the same and changes nothing. */
export async function reconcile(ports: ReconcilePorts, one: Reconciling): Promise<void> {
  const { database } = ports
  const first = await snapshotOf(ports, one)
  let compared = await compareAll(database, first)
  let recovered = 0
  if (!one.dryRun && one.counter.recover && compared.untold.size > 0) {
    const skus = new Map([...first.items.values()].map(({ id, sku }) => [id, sku]))
    const missing = new Map([...compared.untold].map(([id, range]) => [skus.get(id)!, range]))
    recovered = await one.counter.recover(one, missing)
    if (recovered > 0) compared = await compareAll(database, first)
  }
  const value = await valued(ports, one, first, compared)
  const ruled = value.map((found) => ruledOf(found, one))
  if (!one.dryRun) {
    await take(ports, one, first, ruled)
    await date(ports, one, first)
  }
  await write(ports, one, { first, matched: compared.matched, recovered, differences: ruled })
}

type Taken = {
  readonly snapshot: StockSnapshot
  readonly counts: readonly Count[]
  readonly items: ReadonlyMap<string, SellingItem>
  readonly taking: CountTaking
}

/** With the items that it does not name and the books have. */
async function snapshotOf({ clock, database }: ReconcilePorts, one: Reconciling): Promise<Taken> {
  const askedAt = clock.now()
  const snapshot = await one.counter.stockSnapshot(one)
  const { company } = one
  const named = await findItems(
    database,
    [...new Set(snapshot.lines.map(({ sku }) => sku))].map((sku) => ({ company, sku })),
  )
  const here: number[] = []
  for (let after = 0; ;) {
    const page = await stockedItems(database, one, { after, limit: PORTION })
    here.push(...page)
    if (page.length < PORTION) break
    after = page.at(-1)!
  }
  const known = new Set([...named.values()].map(({ id }) => id))
  const absent = here.filter((id) => !known.has(id))
  const others = await findItemsById(database, absent)
  const items = new Map([
    ...named,
    ...[...others.values()].map((item) => [`absent ${item.id}`, item] as const),
  ])
  const { counts } = countsOf(snapshot, named, absent)
  const { mark, takenAt } = snapshot
  const sourceKey = `reconciliation/${one.id}`
  return { snapshot, counts, items, taking: { source: one.source, sourceKey, mark, takenAt, askedAt } }
}

async function compareAll(database: Database, { counts, snapshot, taking }: Taken): Promise<Compared> {
  const parts: Compared[] = []
  for (let from = 0; from < counts.length; from += PORTION)
    parts.push(await compareCounts(database, snapshot, counts.slice(from, from + PORTION), taking))
  return {
    matched: parts.reduce((sum, { matched }) => sum + matched, 0),
    differences: parts.flatMap(({ differences }) => differences),
    untold: new Map(parts.flatMap(({ untold }) => [...untold])),
  }
}

type Valued = Omit<DifferenceFound, 'outcome'>

async function valued(
  ports: ReconcilePorts,
  { company }: Reconciling,
  { items }: Taken,
  { differences }: Compared,
): Promise<Valued[]> {
  if (differences.length === 0) return []
  const byId = new Map([...items.values()].map((item) => [item.id, item]))
  const concerned = differences.flatMap(({ itemId }) => byId.get(itemId) ?? [])
  const worth = await worthOf(ports.database, ports.company(company), concerned, ports.clock.now())
  return differences.map((found) => ({
    ...found,
    sku: byId.get(found.itemId)?.sku ?? String(found.itemId),
    valueMinor: worth(found.itemId, sizeOf(found)) ?? null,
  }))
}

const total = ({ available, qualityHold, damaged }: Statuses): Quantity => available + qualityHold + damaged

/** How much lies elsewhere than the books say, or is not there, or more. */
const sizeOf = ({ ours, theirs }: Pick<Valued, 'ours' | 'theirs'>): Quantity =>
  Math.max(
    Math.abs(ours.available - theirs.available),
    Math.abs(ours.qualityHold - theirs.qualityHold),
    Math.abs(ours.damaged - theirs.damaged),
  )

function ruledOf(found: Valued, { dryRun, tolerance }: Reconciling): DifferenceFound {
  if (dryRun) return { ...found, outcome: 'shown' }
  const most = Math.max(units(tolerance.units), (total(found.ours) * tolerance.percent) / 100)
  const { mostMinor = Number.POSITIVE_INFINITY } = tolerance
  const isCheap = (found.valueMinor ?? Number.POSITIVE_INFINITY) <= mostMinor
  return { ...found, outcome: isCheap && sizeOf(found) <= most ? 'adjusted' : 'told' }
}

/** What is within the tolerance becomes what was counted, as of that moment. */
async function take(
  { transaction, ...ports }: ReconcilePorts,
  { source }: Reconciling,
  { snapshot, taking }: Taken,
  ruled: readonly DifferenceFound[],
): Promise<void> {
  const taken = ruled.filter(({ outcome }) => outcome === 'adjusted')
  for (let from = 0; from < taken.length; from += PORTION) {
    const portion = taken.slice(from, from + PORTION)
    const skus = new Set(portion.map(({ sku }) => sku))
    const lines = snapshot.lines.filter(({ sku }): boolean => skus.has(sku)) satisfies CountedStock[]
    const named = new Set(lines.map(({ sku }) => sku))
    const absent = portion.filter(({ sku }) => !named.has(sku)).map(({ itemId }) => itemId)
    const told = { ...taking, snapshot: { ...snapshot, scope: 'items' as const, lines }, absent }
    await transaction(source, (tx, turn) => takeSnapshot(tx, turn, ports, told))
  }
}

/** Lots that the count dates are dated, whether or not their quantities agree. */
async function date(
  { transaction }: ReconcilePorts,
  { source }: Reconciling,
  { snapshot, items }: Taken,
): Promise<void> {
  const dated = snapshot.lines.filter(({ expiresOn }) => expiresOn !== undefined)
  for (let from = 0; from < dated.length; from += PORTION) {
    const portion = { ...snapshot, lines: dated.slice(from, from + PORTION) }
    await transaction(source, (tx, turn) => dateLots(tx, turn, portion, items))
  }
}

type Written = {
  readonly first: Taken
  readonly matched: number
  readonly recovered: number
  readonly differences: readonly DifferenceFound[]
}

/** The result and who is told of it, in one transaction; what agrees now closes by itself. */
async function write(
  ports: ReconcilePorts,
  one: Reconciling,
  { first, matched, recovered, differences }: Written,
): Promise<void> {
  const { database, openExceptions } = ports
  const { currency } = ports.company(one.company)
  const amountMinor = differences.reduce((sum, { valueMinor }) => sum + (valueMinor ?? 0), 0)
  const { takenAt, mark } = first.snapshot
  const value = { amountMinor, currency }
  const found: ReconciliationFound = { takenAt, mark, matched, recovered, differences, value }
  const differing = differences.filter(({ outcome }) => outcome === 'told')
  const sold = Map.groupBy(await openExternalAt(database, differing), ({ itemId }) => itemId)
  const told = differing.map((each) => occurrenceOf(each, one, sold.get(each.itemId) ?? []))
  const known = one.dryRun ? [] : await openCausesOf(database, [one.company], [DIFFERS])
  const causes = new Set(told.map(({ cause }) => cause))
  const over = known.filter(({ cause }) => cause.startsWith(causeAt(one)) && !causes.has(cause))
  await database.transaction(async (tx) => {
    await openExceptions(tx, told)
    if (over.length > 0) await closeExceptions(tx, over satisfies Cause[], 'books and count agree')
    endReconciliation(tx, one.id, found)
  })
}

const NAMED = 10

/** What has left by the list of its source and was never told may be the difference. */
function soldLine({ source, document, owner, wanted, shipped, gone }: ExternalReservation): string {
  const untold = shipped - gone
  const left = untold > 0 ? `, of which ${formatQuantity(untold)} left and was not told` : ''
  return `${source} ${document} for ${owner}: ${formatQuantity(wanted)}${left}`
}

const causeAt = ({ source, location }: Reconciling): string => `${DIFFERS}:${source}:${location}:`

function occurrenceOf(
  found: DifferenceFound,
  one: Reconciling,
  sold: readonly ExternalReservation[],
): Occurrence {
  const { sku, ours, theirs, itemId, valueMinor } = found
  const { company, source, location } = one
  const figures = (statuses: Statuses) => ({
    available: formatQuantity(statuses.available),
    qualityHold: formatQuantity(statuses.qualityHold),
    damaged: formatQuantity(statuses.damaged),
  })
  return {
    company,
    cause: `${causeAt(one)}${itemId}`,
    code: DIFFERS,
    title: `${source} counts ${formatQuantity(total(theirs))} of ${sku} at ${location}, our books say ${formatQuantity(total(ours))}`,
    suggestedAction:
      'Find what was never told, or count the item and adjust whoever is wrong; it closes when the next reconciliation agrees.',
    facts: {
      itemId,
      sku,
      location,
      source,
      reconciliation: one.id,
      ours: figures(ours),
      theirs: figures(theirs),
      ...(valueMinor !== null && { valueMinor }),
      ...(sold.length > 0 && { soldByOthers: sold.slice(0, NAMED).map(soldLine) }),
    },
  }
}
