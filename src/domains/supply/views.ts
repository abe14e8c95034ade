/** What is read of supply: what comes, when and where; what is late or does not add up. */
import { type Queries, sql } from '#platform/database.ts'
import { formatQuantity, type Quantity } from '#platform/quantity.ts'
import { NO_DAY } from './rules/coming.ts'
import { type ToldOfLine, toldOf } from './views/coming.ts'

/** A line of which something is still to come. */
export type SupplyLine = {
  readonly company: string
  readonly number: string
  readonly line: number
  readonly supplier: string
  readonly sku: string
  readonly location: string
  readonly ordered: Quantity
  readonly received: Quantity
  readonly cancelled: Quantity
  readonly open: Quantity
  /** ISO date; null where nobody has said. */
  readonly expectedOn: string | null
  readonly source: string
  /** When the source changed it, and when that was read. */
  readonly changedAt: Date
  readonly asOf: Date
}

const COLUMNS = `l.company, l.number, l.line, l.supplier, l.sku, l.location, l.ordered,
  greatest(l.told_received, l.carried + l.received) as received, l.cancelled, l.open,
  nullif(l.expected_on, 'infinity')::text as "expectedOn", l.source, l.changed_at as "changedAt", l.as_of as "asOf"`

// A line without a date stands at the end, and comes before no day.
const OPEN = `l.open > 0 and l.company = $1 and ($2::text is null or l.location = $2)
     and ($3::date is null or (l.expected_on < $3 and l.expected_on < 'infinity'))
     and (l.expected_on, l.number, l.line) > ($4::date, $5::text, $6::int)
   order by l.expected_on, l.number, l.line limit $7`

const listAll = sql('supply.list', `select ${COLUMNS} from supply.line l where ${OPEN}`)
const listOfItem = sql(
  'supply.list_of_item',
  `select ${COLUMNS} from supply.line l where l.item_id = $8 and ${OPEN}`,
)

export type SupplyFilter = {
  readonly company: string
  readonly itemId?: number | undefined
  readonly location?: string | undefined
  /** Only what is to come before that day; ISO date. */
  readonly expectedBefore?: string | undefined
}

/** Where a page of the list ended. */
export type SupplyPlace = Pick<SupplyLine, 'expectedOn' | 'number' | 'line'>

export type SupplyPage = { readonly after?: SupplyPlace | undefined; readonly limit: number }

/** What is to come, what is due first before the rest. */
export function listSupply(
  queries: Queries,
  { company, itemId, location, expectedBefore }: SupplyFilter,
  { after, limit }: SupplyPage,
): Promise<SupplyLine[]> {
  const from = after ? [after.expectedOn ?? 'infinity', after.number, after.line] : ['-infinity', '', 0]
  const values = [company, location ?? null, expectedBefore ?? null, ...from, limit]
  return itemId === undefined
    ? queries.query<SupplyLine>(listAll, values)
    : queries.query<SupplyLine>(listOfItem, [...values, itemId])
}

const supplied = sql(
  'supply.supplied',
  `select distinct company, case when $2::text is not null then item_id end as "itemId" from supply.line
   where open > 0 and ($1::text is null or company = $1) and ($2::text is null or sku = $2) order by company`,
)

/** Of which companies something is to come; with an item number, what it is there. Reads all that is open. */
export const suppliedOf = (
  queries: Queries,
  { company, sku }: { readonly company?: string | undefined; readonly sku?: string | undefined },
): Promise<{ company: string; itemId: number | null }[]> =>
  queries.query(supplied, [company ?? null, sku ?? null])

/** As programs and people outside read it: quantities as decimal text, times by ISO 8601. */
export const tellSupply = (line: SupplyLine) => ({
  purchaseOrder: line.number,
  line: line.line,
  supplier: line.supplier,
  item: line.sku,
  location: line.location,
  ordered: formatQuantity(line.ordered),
  received: formatQuantity(line.received),
  cancelled: formatQuantity(line.cancelled),
  open: formatQuantity(line.open),
  ...(line.expectedOn !== null && { expectedOn: line.expectedOn }),
  source: line.source,
  changedAt: line.changedAt.toISOString(),
  asOf: line.asOf.toISOString(),
})

const coming = sql(
  'supply.coming',
  `select ${COLUMNS}, l.item_id as "itemId" from supply.line l
   where l.item_id = any($1::int[]) and l.open > 0`,
)

export type ComingSupply = {
  readonly itemId: number
  readonly location: string
  /** By the ship notice, else by the supplier's answer, else as ordered: a day that has passed is late. Null: nobody knows. */
  readonly expectedOn: string | null
  /** In the base unit. */
  readonly quantity: Quantity
}

/** What comes of these items, by location and day; what is due first before the rest. */
export async function supplyFor(queries: Queries, items: readonly number[]): Promise<ComingSupply[]> {
  if (items.length === 0) return []
  const lines = await queries.query<SupplyLine & { readonly itemId: number }>(coming, [items])
  const parts = [...(await toldOf(queries, lines))].flatMap(([{ itemId, location }, told]) =>
    told.coming.parts.map((part) => ({ ...part, itemId, location })),
  )
  const sums = new Map<string, (typeof parts)[number]>()
  for (const part of parts) {
    const key = `${String(part.itemId).padStart(10, '0')}\0${part.location}\0${part.expectedOn}`
    const sum = sums.get(key)
    sums.set(key, sum ? { ...sum, quantity: sum.quantity + part.quantity } : part)
  }
  return [...sums]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { itemId, location, expectedOn, quantity }]) => {
      return { itemId, location, expectedOn: expectedOn === NO_DAY ? null : expectedOn, quantity }
    })
}

// What people are told of -----------------------------------------------------------------------------------------------

// Late by the order, or told of by the supplier: then his word says whether it is late.
const watched = sql(
  'supply.watched',
  `select ${COLUMNS} from unnest($1::text[], $2::date[]) as k(company, today)
   cross join lateral (
     select * from supply.line l where l.company = k.company and l.open > 0 and (l.expected_on < k.today
       or exists (
         select from supply.answer a where a.company = l.company and a.number = l.number and a.line = l.line offset 0)
       or exists (
         select from supply.shipped s where s.company = l.company and s.number = l.number and s.line = l.line offset 0))
     offset 0) l
   order by l.company, l.expected_on, l.number, l.line`,
)
const waiting = sql(
  'supply.waiting',
  `select company, number, min(supplier) as supplier, jsonb_agg(distinct item_id) as items, min(recorded_at) as since
   from (select company, number, supplier, item_id, recorded_at from supply.answer where line is null
         union all
         select company, number, supplier, item_id, recorded_at from supply.shipped where line is null) t
   where company = any($1::text[]) and recorded_at <= $2 group by company, number order by company, number`,
)
const exceeded = sql(
  'supply.exceeded',
  `select ${COLUMNS}, l.excess from supply.line l
   where l.company = any($1::text[]) and l.excess > 0 and l.received > 0 order by l.company, l.number, l.line`,
)
const unplaced = sql(
  'supply.unplaced',
  `select company, number, case when number = '' then location end as location,
     jsonb_agg(distinct item_id) as items, min(at) as since, sum(quantity) as quantity
   from supply.receipt where company = any($1::text[]) and line = 0 and recorded_at <= $2
   group by company, number, case when number = '' then location end order by 1, 2, 3`,
)

export type ExceededLine = SupplyLine & { readonly excess: Quantity }

export type UnplacedReceipts = {
  readonly company: string
  /** The purchase order that nobody knows; empty where the warehouse named none. */
  readonly number: string
  /** Of receipts that name no order. */
  readonly location: string | null
  readonly items: readonly number[]
  readonly since: Date
  /** Minus where more was taken back than had come; in base units, of all its items. */
  readonly quantity: Quantity
}

/** A purchase order that a supplier tells of, and that nobody has read with these items. */
export type WaitingTold = {
  readonly company: string
  readonly number: string
  readonly supplier: string
  readonly items: readonly number[]
  readonly since: Date
}

export type WatchedLine = SupplyLine & { readonly told: ToldOfLine }

export type SupplyTroubles = {
  /** Open by the order's day, or by what its supplier told. */
  readonly watched: readonly WatchedLine[]
  readonly waiting: readonly WaitingTold[]
  /** Of which warehouses received more than is wanted. */
  readonly exceeded: readonly ExceededLine[]
  readonly unplaced: readonly UnplacedReceipts[]
}

/**
 * What may not go as it was ordered, as it stands now; `today` of each company by its own clock. Of receipts and of
 * suppliers' words that stand on no line those that were told by `toldBy`: the order of a later one may not be read yet.
 */
export async function troublesOf(
  queries: Queries,
  today: ReadonlyMap<string, string>,
  toldBy: Date,
): Promise<SupplyTroubles> {
  const companies = [...today.keys()]
  const [lines, exceededLines, receipts, words] = await Promise.all([
    queries.query<SupplyLine>(watched, [companies, [...today.values()]]),
    queries.query<ExceededLine>(exceeded, [companies]),
    queries.query<UnplacedReceipts>(unplaced, [companies, toldBy]),
    queries.query<WaitingTold>(waiting, [companies, toldBy]),
  ])
  const told = await toldOf(queries, lines)
  return {
    watched: lines.map((line) => ({ ...line, told: told.get(line)! })),
    exceeded: exceededLines,
    unplaced: receipts,
    waiting: words,
  }
}
