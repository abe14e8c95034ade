/** Reconciliations as people and programs read them, and places as a snapshot is compared with them. */
import type { Queries } from '#platform/database.ts'
import { sql } from '#platform/database.ts'
import { formatAmount } from '#platform/money.ts'
import { formatQuantity, type Quantity } from '#platform/quantity.ts'
import type { Count, CountTaking, Difference } from '../contract/feeds.ts'
import type {
  CountedPlace,
  ReconciliationDifference,
  ReconciliationView,
  UnreadLine,
} from '../contract/reconciliations.ts'
import { leftByHand } from '../rules/by-hand.ts'
import { type LaterAt, laterByPlace, openedLater } from '../rules/later.ts'
import { ownedKey } from '../rules.ts'
import { agrees, asOf, type Held, inAll, NOTHING } from '../rules/counting.ts'
import { isContained } from '../rules/feeds.ts'
import { countedAsHeld } from '../rules/lots.ts'
import { selectAtPlaces } from '../store/by-hand.ts'
import { selectMovedLater } from '../store/feeds.ts'
import { selectHeld } from '../store/lots.ts'

const COLUMNS = `id, company, location, source, day::text as day, dry_run as "dryRun", state, asked_by as "askedBy",
  asked_at as "askedAt", finished_at as "finishedAt", taken_at as "takenAt", mark, whole, matched, differing,
  missing_here as "missingHere", missing_there as "missingThere", recovered, adjusted, told, not_said as "notSaid",
  unread, unread_lines as "unreadLines", value_minor as "valueMinor", currency, problem`

const list = sql(
  'inventory.reconciliations',
  `select ${COLUMNS} from inventory.reconciliation
   where company = $1 and ($2::text is null or location = $2) and ($3::date is null or day = $3) and id < $4
   order by id desc limit $5`,
)
const one = sql('inventory.reconciliation', `select ${COLUMNS} from inventory.reconciliation where id = $1`)
const ofDay = sql(
  'inventory.reconciled_on',
  `select 1 as found from inventory.reconciliation
   where company = $1 and location = $2 and source = $3 and day = $4 and state <> 'failed' and not dry_run
     and whole limit 1`,
)
const differences = sql(
  'inventory.reconciliation_differences',
  `select d.item_id as "itemId", d.sku, d.kind, d.ours_available as "oursAvailable", d.ours_hold as "oursHold",
     d.ours_damaged as "oursDamaged", d.theirs_available as "theirsAvailable", d.theirs_hold as "theirsHold",
     d.theirs_damaged as "theirsDamaged", d.value_minor as "valueMinor", d.outcome, r.currency
   from inventory.reconciliation_difference d join inventory.reconciliation r on r.id = d.reconciliation_id
   where d.reconciliation_id = $1 and d.item_id > $2 order by d.item_id limit $3`,
)
const held = sql(
  'inventory.compared_positions',
  `select k.item_id as "itemId", coalesce(p.available, 0) as available, coalesce(p.reserved, 0) as reserved,
     coalesce(p.quality_hold, 0) as "qualityHold", coalesce(p.damaged, 0) as damaged,
     coalesce(p.unreconciled, 0) as unreconciled, coalesce(f.last_sequence, 0) as "lastSequence",
     f.counted_mark as "countedMark", f.counted_at as "countedAt", p.counted_by as "lastBy", p.counted_at as "lastAt"
   from unnest($1::int[]) as k(item_id)
   left join lateral (
     select * from inventory.position p
     where p.item_id = k.item_id and p.location = $2 and p.lot = '' and p.owner = 'own' and p.company = $3 offset 0) p
     on true
   left join lateral (
     select * from inventory.feed f
     where f.item_id = k.item_id and f.location = $2 and f.source = $4 and f.owner = 'own' offset 0) f on true`,
)

const heldLots = sql(
  'inventory.compared_lots',
  `select p.item_id as "itemId", p.lot, p.available, p.reserved, p.quality_hold as "qualityHold", p.damaged, p.unreconciled
   from unnest($1::int[]) as k(item_id)
   cross join lateral (
     select * from inventory.position p
     where p.item_id = k.item_id and p.location = $2 and p.lot <> '' and p.owner = 'own' and p.company = $3 offset 0) p`,
)

type Row = Omit<
  ReconciliationView,
  'askedAt' | 'finishedAt' | 'takenAt' | 'mark' | 'value' | 'problem' | 'unreadLines'
> & {
  readonly askedAt: Date
  readonly finishedAt: Date | null
  readonly takenAt: Date | null
  readonly mark: number | null
  readonly valueMinor: number
  readonly problem: string | null
  readonly unreadLines: UnreadLine[]
}

const tell = ({
  askedAt,
  finishedAt,
  takenAt,
  mark,
  valueMinor,
  problem,
  unreadLines,
  ...row
}: Row): ReconciliationView => ({
  ...row,
  askedAt: askedAt.toISOString(),
  ...(finishedAt && { finishedAt: finishedAt.toISOString() }),
  ...(takenAt && { takenAt: takenAt.toISOString() }),
  ...(mark !== null && { mark }),
  ...(unreadLines.length > 0 && { unreadLines }),
  value: formatAmount(valueMinor, row.currency),
  ...(problem !== null && { problem }),
})

export type ReconciliationFilter = {
  readonly company: string
  readonly location?: string | undefined
  readonly day?: string | undefined
}

/** The newest first, those before this number. */
export async function listReconciliations(
  queries: Queries,
  { company, location, day }: ReconciliationFilter,
  page: { readonly before: number; readonly limit: number },
): Promise<ReconciliationView[]> {
  const values = [company, location ?? null, day ?? null, page.before, page.limit]
  return (await queries.query<Row>(list, values)).map(tell)
}

export async function reconciliationOf(
  queries: Queries,
  id: number,
): Promise<ReconciliationView | undefined> {
  const [row] = await queries.query<Row>(one, [id])
  return row && tell(row)
}

const lastOfPlaces = sql(
  'inventory.last_reconciliations',
  `select r.* from unnest($1::text[], $2::text[]) as k(company, location)
   cross join lateral (
     select ${COLUMNS} from inventory.reconciliation r
     where r.company = k.company and r.location = k.location and not r.dry_run and r.state <> 'asked'
     order by r.day desc, r.whole desc, r.id desc limit 1) r
   order by 2, 3`,
)

/** The last one of each place that has been held against a count, or should have been: of its last day one of all that is there. */
export async function lastReconciliations(
  queries: Queries,
  places: readonly Pick<ReconciliationView, 'company' | 'location'>[],
): Promise<ReconciliationView[]> {
  const values = [places.map(({ company }) => company), places.map(({ location }) => location)]
  return (await queries.query<Row>(lastOfPlaces, values)).map(tell)
}

const firstStocked = sql(
  'inventory.first_stocked',
  `select coalesce(
     (select since from inventory.position where company = $1 and location = $2 and owner = 'own'
      order by item_id, lot limit 1),
     (select since from inventory.position where company = $1 and owner = 'own' order by location, item_id, lot limit 1)) as since`,
)

/** Since when the books know of the place, by the item with the lowest number; of the company where they have nothing there. */
export async function stockedSince(
  queries: Queries,
  { company, location }: Pick<ReconciliationView, 'company' | 'location'>,
): Promise<Date | undefined> {
  const [row] = await queries.query<{ since: Date | null }>(firstStocked, [company, location])
  return row?.since ?? undefined
}

/** Whether the books of a place were, or are to be, held that day against all that its source has there. */
export async function isReconciled(
  queries: Queries,
  { company, location, source }: Pick<ReconciliationView, 'company' | 'location' | 'source'>,
  day: string,
): Promise<boolean> {
  return (await queries.query(ofDay, [company, location, source, day])).length > 0
}

type DifferenceRow = Pick<ReconciliationDifference, 'sku' | 'kind' | 'outcome'> &
  Readonly<Record<`${'ours' | 'theirs'}${'Available' | 'Hold' | 'Damaged'}`, Quantity>> & {
    readonly itemId: number
    readonly valueMinor: number | null
    readonly currency: string
  }

/** In the order of items, those after this one. */
export async function differencesOf(
  queries: Queries,
  id: number,
  page: { readonly after: number; readonly limit: number },
): Promise<(ReconciliationDifference & { readonly itemId: number })[]> {
  const rows = await queries.query<DifferenceRow>(differences, [id, page.after, page.limit])
  return rows.map((row) => ({
    itemId: row.itemId,
    sku: row.sku,
    kind: row.kind,
    ours: statuses(row.oursAvailable, row.oursHold, row.oursDamaged),
    theirs: statuses(row.theirsAvailable, row.theirsHold, row.theirsDamaged),
    ...(row.valueMinor !== null && { value: formatAmount(row.valueMinor, row.currency) }),
    outcome: row.outcome,
  }))
}

const statuses = (available: Quantity, hold: Quantity, damaged: Quantity) => ({
  available: formatQuantity(available),
  qualityHold: formatQuantity(hold),
  damaged: formatQuantity(damaged),
})

const openedAt = sql(
  'inventory.books_opened',
  "select 1 as found from inventory.position where company = $1 and location = $2 and owner = 'own' limit 1",
)

const countedWhole = sql(
  'inventory.counted_whole',
  `select 1 as found from inventory.reconciliation
   where company = $1 and location = $2 and source = $3 and day >= ($4::timestamptz - interval '1 day')::date
     and taken_at >= $4 and whole and state = 'done' and not dry_run limit 1`,
)

/** Whether the source has counted all that is there as of that moment or later. */
export const isCountedWhole = async (
  queries: Queries,
  { company, location, source }: CountedPlace,
  takenAt: Date,
): Promise<boolean> => (await queries.query(countedWhole, [company, location, source, takenAt])).length > 0

/** Whether the books have ever had anything of the company at the place. */
export const hasBooks = async (
  queries: Queries,
  { company, location }: Pick<ReconciliationView, 'company' | 'location'>,
): Promise<boolean> => (await queries.query(openedAt, [company, location])).length > 0

export type Comparing = CountTaking & {
  /** Items of which this count was taken before, or a later one of anybody, or that were opened since, are left out. */
  readonly leavesKnown: boolean
}

export type Compared = {
  readonly matched: number
  /** Items that were left out. */
  readonly superseded: number
  /** Those of them that were counted as of this very moment. */
  readonly repeated: number
  readonly differences: readonly (Difference & { readonly kind: ReconciliationDifference['kind'] })[]
  /** Items that agree in all, and of which other lots are there than the books have. */
  readonly lotsDiffer: readonly number[]
  /** Facts that a source counted and never told: of which item, from which number to which. */
  readonly untold: ReadonlyMap<number, { readonly from: number; readonly to: number }>
}

type HeldLot = Held & { readonly itemId: number; readonly lot: string }

type HeldRow = Held & {
  readonly itemId: number
  readonly lastSequence: number
  readonly countedMark: number | null
  readonly countedAt: Date | null
  /** Who has counted the place last. */
  readonly lastBy: string | null
  readonly lastAt: Date | null
}

/**
 * Counts of one location against the books as they were then, with what we know and the source does not: lots that we hold,
 * and what left by paper. Reads without locks and changes nothing.
 */
export async function compareCounts(
  queries: Queries,
  { company, location }: Pick<Count, 'company' | 'location'>,
  counts: readonly Count[],
  { source, mark, takenAt, askedAt, leavesKnown }: Comparing,
): Promise<Compared> {
  const items = counts.map(({ itemId }) => itemId)
  const byLot = counts.filter(({ lots }) => tellsLots(lots)).map(({ itemId }) => itemId)
  const [rows, lotRows, moved, entered, lotsOnHold] = await Promise.all([
    queries.query<HeldRow>(held, [items, location, company, source]),
    byLot.length > 0 ? queries.query<HeldLot>(heldLots, [byLot, location, company]) : [],
    selectMovedLater(queries, counts, { source, mark: mark ?? null, takenAt, askedAt }),
    selectAtPlaces(queries, counts),
    selectHeld(
      queries,
      counts.flatMap(({ lots, ...count }) => [...lots.keys()].map((lot) => ({ ...count, lot }))),
    ),
  ])
  const later = laterByPlace([...moved, ...leftByHand(entered, takenAt)], lotsOnHold)
  const byItem = new Map(rows.map((row) => [row.itemId, row]))
  const untold = new Map<number, { from: number; to: number }>()
  const told = { mark, at: takenAt }
  const opened = openedLater(moved)
  let repeated = 0
  const fresh = counts.filter(({ itemId }) => {
    const { countedMark, countedAt, lastBy, lastAt } = byItem.get(itemId)!
    if (!leavesKnown) return true
    const isCountedSince = lastBy !== source && lastAt !== null && takenAt <= lastAt
    if (isCountedSince || opened.has(ownedKey({ itemId, location }))) return false
    if (!isContained(told, { mark: countedMark, at: countedAt })) return true
    if (countedMark === (mark ?? null) && countedAt?.getTime() === takenAt.getTime()) repeated += 1
    return false
  })
  const found = fresh.flatMap((count) => {
    const { itemId, sequence = 0 } = count
    const row = byItem.get(itemId)!
    if (sequence > row.lastSequence) untold.set(itemId, { from: row.lastSequence + 1, to: sequence })
    const [ours, theirs] = [
      asOf(row, later({ itemId, location }, undefined)),
      inAll(countedAsHeld(count, lotsOnHold)),
    ]
    if (agrees(ours, theirs)) return []
    const kind = agrees(ours, NOTHING)
      ? 'missing_here'
      : agrees(theirs, NOTHING)
        ? 'missing_there'
        : 'differing'
    return [{ company, itemId, location, ours, theirs, kind } as const]
  })
  const differing = new Set(found.map(({ itemId }) => itemId))
  const lotsOf = Map.groupBy(lotRows, ({ itemId }) => itemId)
  const lotsDiffer = fresh
    .filter(({ itemId, lots }) => tellsLots(lots) && !differing.has(itemId))
    .filter((count) => !agreesByLot(countedAsHeld(count, lotsOnHold), lotsOf.get(count.itemId) ?? [], later))
    .map(({ itemId }) => itemId)
  const superseded = counts.length - fresh.length
  return {
    matched: fresh.length - found.length,
    superseded,
    repeated,
    differences: found,
    lotsDiffer,
    untold,
  }
}

const tellsLots = (lots: Count['lots']): boolean => [...lots.keys()].some((lot) => lot !== '')

function agreesByLot(count: Count, rows: readonly HeldLot[], later: LaterAt): boolean {
  const ours = new Map(rows.map((row) => [row.lot, asOf(row, later(count, row.lot))]))
  const lots = new Set([...ours.keys(), ...count.lots.keys()])
  lots.delete('')
  return [...lots].every((lot) => agrees(ours.get(lot) ?? NOTHING, count.lots.get(lot) ?? NOTHING))
}
