/** Holds our books against what a source counts: what is missing is asked for first, then small differences are taken, others told. */
import type { StockSnapshot } from '#capabilities/stock.ts'
import type { StockPlace } from '#capabilities/wms.ts'
import type { Clock } from '#platform/clock.ts'
import type { Queries, Transaction } from '#platform/database.ts'
import type { Docket } from '#platform/process.ts'
import { type Quantity, units } from '#platform/quantity.ts'
import type { Count } from '#domains/inventory/contract/feeds.ts'
import type {
  DifferenceFound,
  ReconciliationFound,
  UnreadLine,
} from '#domains/inventory/contract/reconciliations.ts'
import { isOwn } from '#domains/inventory/contract/owners.ts'
import { endReconciliation, keepStanding } from '#domains/inventory/operations/reconciliations.ts'
import { inTotal, reasonOf } from './difference-reasons.ts'
import { stockedItems } from '#domains/inventory/views/feeds.ts'
import { isToldAlready } from '#domains/inventory/views/standing-differences.ts'
import { openExternalAt } from '#domains/inventory/views/external.ts'
import { compareCounts, type Compared, type Comparing } from '#domains/inventory/views/reconciliations.ts'
import type { SellingItem } from '#domains/items/contract.ts'
import { findItems, findItemsById } from '#domains/items/operations.ts'
import { worthOf } from './adjustment-value.ts'
import type { CompanyRules, ProcessPorts } from './ports.ts'
import { tellStanding } from './reconciliation-told.ts'
import { tellUnread } from './unread-counts.ts'
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
  /** Where it was asked for, before that. */
  readonly askedAt: Date | undefined
  /** Items of which a later count was told: they stay as they are. */
  readonly later: ReadonlySet<string>
  /** Lines that were not understood. */
  readonly unread: readonly UnreadLine[]
  /** It was to be of all that is there: what it does not name stays, since such lines may be of it. */
  readonly isCut: boolean
  /** An earlier count of the place waits for one without such lines. */
  readonly isAwaited: boolean
  /** It is the first word of the place: whatever it says opens the books. */
  readonly opens: boolean
  /** Who sees to lines that were not understood; by the rules of exceptions when absent. */
  readonly owner: string | undefined
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
  const whole = scope === 'location' && compared.superseded === compared.repeated
  const amountMinor = differences.reduce((sum, { valueMinor }) => sum + (valueMinor ?? 0), 0)
  const value = { amountMinor, currency: ports.company(one.company).currency }
  const { matched, superseded } = compared
  const unread = one.given?.unread ?? []
  const isCut = one.given?.isCut === true
  const notSaid = isCut ? await valued(ports, one, first, await compareNotNamed(queries, first)) : []
  const figures = { matched, superseded, recovered, notSaid: notSaid.length }
  const found = { takenAt, mark, whole, ...figures, unread, differences, value }
  const isAwaited = whole && one.given?.isAwaited === true
  if (one.given && !isAwaited && (await saysNothingNew(queries, one, first, found))) {
    await date(ports, one, first)
    return found
  }
  if (!one.dryRun) {
    await take(ports, one, first, { differences, lotsDiffer: compared.lotsDiffer })
    await date(ports, one, first)
  }
  await write(ports, one, first, { ...found, untold: compared.untold, kept: notSaid })
  return found
}

/** All that it names was counted then or later, or differs as it was told when the same count came before. */
async function saysNothingNew(
  queries: Queries,
  one: Reconciling,
  { counts, snapshot }: Taken,
  { superseded, unread, differences }: Reconciled,
): Promise<boolean> {
  if (superseded > 0 && superseded === counts.length) return true
  const told = differences.filter(({ outcome }) => outcome === 'told')
  if (unread.length > 0 || told.length === 0 || told.length + superseded < counts.length) return false
  return isToldAlready(queries, { ...one, takenAt: snapshot.takenAt }, told)
}

type Taken = {
  readonly snapshot: StockSnapshot
  readonly counts: readonly Count[]
  /** What a count with unread lines does not name, as if nothing of it were there. */
  readonly notNamed: readonly Count[]
  readonly items: ReadonlyMap<string, SellingItem>
  readonly taking: Comparing
}

/** One of our own stock at the whole place, or that was to be, with the items that it does not name and the books have. */
async function snapshotOf({ clock, queries }: ReconcilePorts, one: Reconciling): Promise<Taken> {
  const askedAt = one.given?.askedAt ?? clock.now()
  const all = await one.counter.stockSnapshot(one)
  const snapshot = { ...all, lines: all.lines.filter(isOwn) }
  const { company, given } = one
  const told = new Set([...snapshot.lines.map(({ sku }) => sku), ...(given?.later ?? [])])
  const named = await findItems(
    queries,
    [...told].map((sku) => ({ company, sku })),
  )
  const known = new Set([...named.values()].map(({ id }) => id))
  const isWhole = snapshot.scope === 'location'
  const here = isWhole || given?.isCut === true ? await allStocked(queries, one) : []
  const absent = here.filter((id) => !known.has(id))
  const others = await findItemsById(queries, absent)
  const items = new Map([
    ...named,
    ...[...others.values()].map((item) => [`absent ${item.id}`, item] as const),
  ])
  const { counts } = countsOf(snapshot, named, isWhole ? absent : [])
  const { counts: notNamed } = countsOf({ ...snapshot, lines: [] }, named, isWhole ? [] : absent)
  const { mark, takenAt } = snapshot
  const sourceKey = `reconciliation/${one.id}`
  const leavesKnown = given !== undefined
  const taking = { source: one.source, sourceKey, mark, takenAt, askedAt, leavesKnown }
  return { snapshot, counts, notNamed, items, taking }
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

const compareNotNamed = (queries: Queries, taken: Taken): Promise<Compared> =>
  compareAll(queries, { ...taken, counts: taken.notNamed })

async function compareAll(
  queries: Queries,
  { counts, snapshot, taking }: Pick<Taken, 'counts' | 'snapshot' | 'taking'>,
): Promise<Compared> {
  const parts: Compared[] = []
  for (let from = 0; from < counts.length; from += PORTION)
    parts.push(await compareCounts(queries, snapshot, counts.slice(from, from + PORTION), taking))
  return {
    matched: parts.reduce((sum, { matched }) => sum + matched, 0),
    superseded: parts.reduce((sum, { superseded }) => sum + superseded, 0),
    repeated: parts.reduce((sum, { repeated }) => sum + repeated, 0),
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

/**
 * By the rule of the source; what opens the books of a place is no difference yet. Without a rule a count that came by
 * itself is taken, and nothing of one that somebody asked for to compare.
 */
function toleratedBy(
  { tolerance }: ReconcilePorts,
  { source, company, given }: Reconciling,
): (found: Valued) => boolean {
  if (given?.opens === true) return () => true
  const rule = tolerance(source, company)
  if (!rule) return () => given !== undefined
  const { units: few, percent, mostMinor = Number.POSITIVE_INFINITY } = rule
  return (found) => {
    const most = Math.max(units(few), (inTotal(found.ours) * percent) / 100)
    return (found.valueMinor ?? Number.POSITIVE_INFINITY) <= mostMinor && sizeOf(found) <= most
  }
}

/**
 * What is within the tolerance becomes what was counted, as of that moment, and so do lots of what agrees in all. Of a
 * count that came by itself so does what agrees: it ends doubts, and facts that it contains count for nothing when they
 * come.
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
  {
    untold,
    kept,
    ...found
  }: ReconciliationFound & Pick<Compared, 'untold'> & { readonly kept: readonly Valued[] },
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
    const place = { ...one, currency: found.value.currency }
    await tellStanding(tx, ports, place)
    const unread = one.given?.isCut === false ? [] : found.unread
    await tellUnread(tx, ports, { ...place, owner: one.given?.owner }, { ...found, unread, kept })
  })
}
