/** The SQL of sources that are silent, and of what was promised meanwhile. */
import { type Queries, sql, type Statement, type Transaction } from '#platform/database.ts'
import { formatQuantity, type Quantity } from '#platform/quantity.ts'
import type { KnownSource, SourceState } from '../contract/freshness.ts'
import { type KeptRule, setRule } from './freshness-rules.ts'

const COLUMNS = `source, flow, doc, version, heard_at as "heardAt", silent_since as "silentSince",
  marked_until as "markedUntil", rule_version as "ruleVersion", rule_set_at as "ruleSetAt", rule`

const states = sql(
  'inventory.source_states',
  `select ${COLUMNS} from inventory.source_state order by source, flow`,
)

type SourceRow = Omit<KnownSource, 'rule'> & { readonly rule: KeptRule | null }
const known = (row: SourceRow): KnownSource => ({ ...row, rule: row.rule && setRule(row.rule) })

export const selectSources = async (queries: Queries): Promise<KnownSource[]> =>
  (await queries.query<SourceRow>(states)).map(known)

const lockStates = sql(
  'inventory.lock_source_states',
  `select ${COLUMNS} from inventory.source_state order by source, flow for update`,
)

export const lockSources = async (tx: Transaction): Promise<KnownSource[]> =>
  (await tx.query<SourceRow>(lockStates)).map(known)

const saveStates = sql(
  'inventory.save_source_states',
  `insert into inventory.source_state (source, flow, doc, version, heard_at, silent_since, marked_until)
   select source, flow, doc, version, heard_at, silent_since, marked_until
   from unnest($1::text[], $2::text[], $3::bigint[], $4::int[], $5::timestamptz[], $6::timestamptz[], $7::timestamptz[])
     as s(source, flow, doc, version, heard_at, silent_since, marked_until)
   on conflict (source, flow) do update set version = excluded.version, heard_at = excluded.heard_at,
     silent_since = excluded.silent_since, marked_until = excluded.marked_until`,
)

export function saveSources(tx: Transaction, rows: readonly SourceState[]): void {
  if (rows.length === 0) return
  tx.send(saveStates, [
    rows.map((row) => row.source),
    rows.map((row) => row.flow),
    rows.map((row) => row.doc),
    rows.map((row) => row.version),
    rows.map((row) => row.heardAt),
    rows.map((row) => row.silentSince),
    rows.map((row) => row.markedUntil),
  ])
}

// Once for each silence, and by the block ranges of the last day alone.
const rates = sql(
  'inventory.count_sell_rates',
  `insert into inventory.sell_rate as r (item_id, location, per_hour)
   select item_id, location, round(sum(quantity) / 24, 4) from inventory.movement
   where recorded_at >= now() - interval '1 day' and to_bucket = 'shipped' and location = any($1::text[]) and owner = 'own'
   group by item_id, location order by item_id, location
   on conflict (item_id, location) do update set per_hour = excluded.per_hour`,
)

/** What an hour sells at these locations, by the last day. */
export const countSellRates = (tx: Transaction, locations: readonly string[]): Promise<unknown> =>
  tx.query(rates, [locations])

const facts = sql(
  'inventory.care_facts',
  `select item_id as "itemId", location, sum(per_hour) as "perHour", sum(promised) as promised
   from (
     select item_id, location, per_hour, 0 as promised from inventory.sell_rate where item_id = any($1::int[])
     union all
     select item_id, location, 0, quantity from inventory.doubt
     where item_id = any($1::int[]) and outcome is null) k
   group by item_id, location`,
)

export type CareRow = {
  readonly itemId: number
  readonly location: string
  readonly perHour: Quantity
  readonly promised: Quantity
}

export const selectCare = (queries: Queries, items: readonly number[]): Promise<CareRow[]> =>
  queries.query<CareRow>(facts, [items])

const doubtsBy = (quantity: string): string =>
  `insert into inventory.doubt as d (doc, item_id, location, kind, company, quantity)
   select doc, item_id, location, kind, company, quantity
   from unnest($1::bigint[], $2::int[], $3::text[], $4::text[], $5::text[], $6::numeric[])
     as n(doc, item_id, location, kind, company, quantity)
   on conflict (doc, item_id, location) do update set quantity = ${quantity}, checked_at = null, outcome = null`
const addDoubts = sql('inventory.add_doubts', doubtsBy('greatest(d.quantity, excluded.quantity)'))
const raiseDoubts = sql(
  'inventory.raise_doubts',
  doubtsBy('excluded.quantity + case when d.outcome is null then d.quantity else 0 end'),
)

export type NewDoubt = {
  readonly doc: number
  readonly itemId: number
  readonly location: string
  readonly kind: 'order' | 'reservation'
  readonly company: string
  readonly quantity: Quantity
}

/** What documents are promised in all. */
export const insertDoubts = (tx: Transaction, rows: readonly NewDoubt[]): void =>
  writeDoubts(tx, rows, addDoubts)

/** What documents are promised beside what they were before. */
export const increaseDoubts = (tx: Transaction, rows: readonly NewDoubt[]): void =>
  writeDoubts(tx, rows, raiseDoubts)

function writeDoubts(tx: Transaction, rows: readonly NewDoubt[], statement: Statement): void {
  if (rows.length === 0) return
  tx.send(statement, [
    rows.map((row) => row.doc),
    rows.map((row) => row.itemId),
    rows.map((row) => row.location),
    rows.map((row) => row.kind),
    rows.map((row) => row.company),
    rows.map((row) => formatQuantity(row.quantity)),
  ])
}

// Short is a place of which more is claimed than there is: what is missing stands in `unreconciled`.
const check = sql(
  'inventory.check_doubts',
  `update inventory.doubt d set checked_at = now(), outcome = case when coalesce((
       select p.available - p.reserved + least(p.unreconciled, 0) from inventory.position p
       where p.item_id = d.item_id and p.location = d.location and p.lot = '' and p.owner = 'own'), 0) < 0
     then 'short' else 'kept' end
   where d.outcome is null and not d.location = any($1::text[])
   returning d.doc, d.item_id as "itemId", d.location, d.kind, d.company, d.quantity, d.outcome`,
)

export type CheckedDoubt = NewDoubt & { readonly outcome: 'kept' | 'short' }

/** Checks what was promised of places that are heard again; `silent` are those that are not. */
export const checkDoubts = (tx: Transaction, silent: readonly string[]): Promise<CheckedDoubt[]> =>
  tx.query<CheckedDoubt>(check, [silent])

const forget = sql(
  'inventory.forget_doubts',
  `delete from inventory.doubt where checked_at < now() - interval '30 days' and checked_at is not null`,
)
const open = sql(
  'inventory.open_doubts',
  `select count(*)::int as count from inventory.doubt where outcome is null`,
)

export const forgetDoubts = (tx: Transaction): void => tx.send(forget)

export async function countOpenDoubts(queries: Queries): Promise<number> {
  const [row] = await queries.query<{ count: number }>(open)
  return row?.count ?? 0
}
