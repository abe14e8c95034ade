/** Holds our books against what a source counts: what is missing is asked for first, then small differences are taken, others told. */
import type { StockSnapshot } from '#capabilities/stock.ts'
import type { StockPlace } from '#capabilities/wms.ts'
import type { Clock } from '#platform/clock.ts'
import type { Queries, Transaction } from '#platform/database.ts'
import type { Docket } from '#platform/process.ts'
import { type Quantity, units } from '#platform/quantity.ts'
import type { Count } from '#domains/inventory/contract/feeds.ts'
import type { DifferenceFound, ReconciliationFound } from '#domains/inventory/contract/reconciliations.ts'
import { endReconciliation, keepStanding } from '#domains/inventory/operations/reconciliations.ts'
import { inTotal, reasonOf } from './difference-reasons.ts'
import { stockedItems } from '#domains/inventory/views/feeds.ts'
import { openExternalAt } from '#domains/inventory/views/external.ts'
import { compareCounts, type Compared, type Comparing } from '#domains/inventory/views/reconciliations.ts'
import type { SellingItem } from '#domains/items/contract.ts'
import { findItems, findItemsById } from '#domains/items/operations.ts'
import { worthOf } from './adjustment-value.ts'
import type { CompanyRules, ProcessPorts } from './ports.ts'
import { tellStanding } from './reconciliation-told.ts'
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

export type ReconcilePorts = Pick<ProcessPorts, 'openExceptions' | 'countsStock' | 'tolerance'> & {
  readonly company: (code: string) => Pick<CompanyRules, 'code' | 'currency' | 'timeZone'>
  readonly clock: Clock
  readonly queries: Queries
  readonly transaction: <T>(
    source: string,
    work: (tx: Transaction, turn: Pick<Docket, 'wakeAfterwards'>) => Promise<T>,
  ) => Promise<T>
  /** All of it is one transaction, so that all places are locked at once; else portion by portion. */
  readonly isOneTransaction?: boolean
}

export type Reconciling = StockPlace & {
  readonly id: number
  readonly source: string
  readonly dryRun: boolean
  readonly counter: Counter
  /** Of a count that came by itself. */
  readonly given?: CountGiven
}

export type CountGiven = {
  /** Items of which something could not be read: they stay as they are. */
  readonly unread: ReadonlySet<string>
  /** It is the first word of the place: whatever it says opens the books. */
  readonly opens: boolean
  /** Writes down that it came, with what was found. */
  readonly begin: (tx: Transaction) => Promise<unknown>
}

export type Reconciled = ReconciliationFound & Pick<Compared, 'superseded'>

const PORTION = 1_000

/** A dry run shows the same and changes nothing. Of a count of which every item was counted later nothing is kept. */
export async function reconcile(ports: ReconcilePorts, one: Reconciling): Promise<Reconciled> {
  const { queries } = ports
  const first = await snapshotOf(ports, one)
  let compared = await compareAll(queries, first)
  let recovered = 0
  if (!one.dryRun && one.counter.recover && compared.untold.size > 0) {
    const skus = new Map([...first.items.values()].map(({ id, sku }) => [id, sku]))
    const missing = new Map([...compared.untold].map(([id, range]) => [skus.get(id)!, range]))
    recovered = await one.counter.recover(one, missing)
    if (recovered > 0) compared = await compareAll(queries, first)
  }
  const tolerates = toleratedBy(ports, one)
  const differences = (await valued(ports, one, first, compared)).map((found): DifferenceFound => ({
    ...found,
    outcome: one.dryRun ? 'shown' : tolerates(found) ? 'adjusted' : 'told',
  }))
  const { takenAt, mark, scope } = first.snapshot
  const whole = scope === 'location' && compared.superseded === 0
  const amountMinor = differences.reduce((sum, { valueMinor }) => sum + (valueMinor ?? 0), 0)
  const value = { amountMinor, currency: ports.company(one.company).currency }
  const { matched, superseded } = compared
  const found = { takenAt, mark, whole, matched, superseded, recovered, differences, value }
  if (superseded > 0 && superseded === first.counts.length) return found
  if (!one.dryRun) {
    await take(ports, one, first, { differences, lotsDiffer: compared.lotsDiffer })
    await date(ports, one, first)
  }
  await write(ports, one, first, { ...found, untold: compared.untold })
  return found
}

type Taken = {
  readonly snapshot: StockSnapshot
  readonly counts: readonly Count[]
  readonly items: ReadonlyMap<string, SellingItem>
  readonly taking: Comparing
}

/** One of the whole place with the items that it does not name and the books have. */
async function snapshotOf({ clock, queries }: ReconcilePorts, one: Reconciling): Promise<Taken> {
  const askedAt = clock.now()
  const snapshot = await one.counter.stockSnapshot(one)
  const { company, given } = one
  const told = new Set([...snapshot.lines.map(({ sku }) => sku), ...(given?.unread ?? [])])
  const named = await findItems(
    queries,
    [...told].map((sku) => ({ company, sku })),
  )
  const known = new Set([...named.values()].map(({ id }) => id))
  const here = snapshot.scope === 'location' ? await allStocked(queries, one) : []
  const absent = here.filter((id) => !known.has(id))
  const others = await findItemsById(queries, absent)
  const items = new Map([
    ...named,
    ...[...others.values()].map((item) => [`absent ${item.id}`, item] as const),
  ])
  const { counts } = countsOf(snapshot, named, absent)
  const { mark, takenAt } = snapshot
  const sourceKey = `reconciliation/${one.id}`
  const leavesKnown = given !== undefined
  const taking = { source: one.source, sourceKey, mark, takenAt, askedAt, leavesKnown }
  return { snapshot, counts, items, taking }
}

async function allStocked(queries: Queries, place: StockPlace): Promise<number[]> {
  const here: number[] = []
  for (let after = 0; ;) {
    const page = await stockedItems(queries, place, { after, limit: PORTION })
    here.push(...page)
    if (page.length < PORTION) return here
    after = page.at(-1)!
  }
}

async function compareAll(queries: Queries, { counts, snapshot, taking }: Taken): Promise<Compared> {
  const parts: Compared[] = []
  for (let from = 0; from < counts.length; from += PORTION)
    parts.push(await compareCounts(queries, snapshot, counts.slice(from, from + PORTION), taking))
  return {
    matched: parts.reduce((sum, { matched }) => sum + matched, 0),
    superseded: parts.reduce((sum, { superseded }) => sum + superseded, 0),
    differences: parts.flatMap(({ differences }) => differences),
    lotsDiffer: parts.flatMap(({ lotsDiffer }) => lotsDiffer),
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
  const worth = await worthOf(ports.queries, ports.company(company), concerned, ports.clock.now())
  return differences.map((found) => ({
    ...found,
    sku: byId.get(found.itemId)?.sku ?? String(found.itemId),
    valueMinor: worth(found.itemId, sizeOf(found)) ?? null,
  }))
}

/** How much lies elsewhere than the books say, or is not there, or more. */
const sizeOf = ({ ours, theirs }: Pick<Valued, 'ours' | 'theirs'>): Quantity =>
  Math.max(
    Math.abs(ours.available - theirs.available),
    Math.abs(ours.qualityHold - theirs.qualityHold),
    Math.abs(ours.damaged - theirs.damaged),
  )

/** By the rule of the source; what opens the books of a place is no difference yet. */
function toleratedBy(
  { tolerance }: ReconcilePorts,
  { source, company, given }: Reconciling,
): (found: Valued) => boolean {
  if (given?.opens === true) return () => true
  const { units: few, percent, mostMinor = Number.POSITIVE_INFINITY } = tolerance(source, company)
  return (found) => {
    const most = Math.max(units(few), (inTotal(found.ours) * percent) / 100)
    return (found.valueMinor ?? Number.POSITIVE_INFINITY) <= mostMinor && sizeOf(found) <= most
  }
}

/**
 * What is within the tolerance becomes what was counted, as of that moment, and so do lots of what agrees in all. Of a count that came by itself so does what
 * agrees: it ends doubts, and facts that it contains count for nothing when they come.
 */
async function take(
  { transaction, isOneTransaction = false, ...ports }: ReconcilePorts,
  { source, given }: Reconciling,
  { snapshot, counts, items, taking }: Taken,
  { differences, lotsDiffer }: Pick<Compared, 'lotsDiffer'> & { differences: readonly DifferenceFound[] },
): Promise<void> {
  const told = new Set(differences.flatMap(({ itemId, outcome }) => (outcome === 'told' ? [itemId] : [])))
  const others = new Set([...differences.map(({ itemId }) => itemId), ...lotsDiffer])
  const taken = counts.filter(
    ({ itemId }) => !told.has(itemId) && (given !== undefined || others.has(itemId)),
  )
  const skus = new Map([...items.values()].map(({ id, sku }) => [id, sku]))
  const counted = Map.groupBy(snapshot.lines, ({ sku }) => sku)
  const size = isOneTransaction ? taken.length : PORTION
  for (let from = 0; from < taken.length; from += size) {
    const portion = taken.slice(from, from + size).map(({ itemId }) => itemId)
    const lines = portion.flatMap((itemId) => counted.get(skus.get(itemId)!) ?? [])
    const absent = portion.filter((itemId) => !counted.has(skus.get(itemId)!))
    const count = { ...taking, snapshot: { ...snapshot, scope: 'items' as const, lines }, absent }
    await transaction(source, (tx, turn) => takeSnapshot(tx, turn, ports, count))
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

/** The result and who is told of it, in one transaction; what agrees now closes by itself. */
async function write(
  { queries, transaction, ...ports }: ReconcilePorts,
  one: Reconciling,
  { snapshot, counts }: Taken,
  { untold, ...found }: ReconciliationFound & Pick<Compared, 'untold'>,
): Promise<void> {
  const differing = found.differences.filter(({ outcome }) => outcome === 'told')
  const sold = Map.groupBy(await openExternalAt(queries, differing), ({ itemId }) => itemId)
  const told = differing.map((each) => {
    const { itemId } = each
    return { itemId, reason: reasonOf(each, { isUntold: untold.has(itemId), sold: sold.get(itemId) ?? [] }) }
  })
  const counted = snapshot.scope === 'items' ? counts.map(({ itemId }) => itemId) : undefined
  await transaction(one.source, async (tx) => {
    await one.given?.begin(tx)
    endReconciliation(tx, one.id, found)
    if (one.dryRun) return
    keepStanding(tx, one, { id: one.id, counted, told })
    await tellStanding(tx, ports, { ...one, currency: found.value.currency })
  })
}
