/** The SQL of reconciliations: asked for, taken up, and what was found. */
import type { Queries, Transaction } from '#platform/database.ts'
import { sql } from '#platform/database.ts'
import { formatQuantity } from '#platform/quantity.ts'
import type { ReconciliationFound, ReconciliationView } from '../contract/reconciliations.ts'

const insert = sql(
  'inventory.ask_reconciliation',
  `insert into inventory.reconciliation (company, location, source, day, dry_run, asked_by, currency)
   values ($1, $2, $3, $4, $5, $6, $7) returning id`,
)
const number = sql(
  'inventory.number_reconciliation',
  `select nextval(pg_get_serial_sequence('inventory.reconciliation', 'id')) as id`,
)
const enter = sql(
  'inventory.enter_reconciliation',
  `insert into inventory.reconciliation (id, company, location, source, day, dry_run, asked_by, currency)
   overriding system value values ($8, $1, $2, $3, $4, $5, $6, $7)`,
)
const take = sql(
  'inventory.take_reconciliation',
  `select id, company, location, source, dry_run as "dryRun" from inventory.reconciliation
   where state = 'asked' and id > $1 order by id limit 1`,
)
const finish = sql(
  'inventory.finish_reconciliation',
  `update inventory.reconciliation set state = 'done', finished_at = now(), taken_at = $2, mark = $3, matched = $4,
     differing = $5, missing_here = $6, missing_there = $7, recovered = $8, adjusted = $9, told = $10, value_minor = $11,
     whole = $12, not_said = $13, unread = $14, unread_lines = $15
   where id = $1 and state = 'asked'`,
)
const fail = sql(
  'inventory.fail_reconciliation',
  `update inventory.reconciliation set state = 'failed', finished_at = now(), problem = $2
   where id = $1 and state = 'asked'`,
)
const insertDifferences = sql(
  'inventory.insert_differences',
  `insert into inventory.reconciliation_difference (reconciliation_id, item_id, sku, kind, ours_available, ours_hold,
     ours_damaged, theirs_available, theirs_hold, theirs_damaged, value_minor, outcome)
   select $1, * from unnest($2::int[], $3::text[], $4::text[], $5::numeric[], $6::numeric[], $7::numeric[], $8::numeric[],
     $9::numeric[], $10::numeric[], $11::bigint[], $12::text[])`,
)

const miss = sql(
  'inventory.miss_counts',
  `insert into inventory.reconciliation (company, location, source, day, dry_run, state, asked_by, finished_at, currency, problem)
   select k.company, k.location, k.source, k.day, false, 'failed', 'crossdock', now(), k.currency, k.problem
   from unnest($1::text[], $2::text[], $3::text[], $4::date[], $5::text[], $6::text[], $7::text[])
     as k(company, location, source, day, currency, zone, problem)
   where exists (
     select 1 from inventory.position p
     where p.company = k.company and p.location = k.location and p.owner = 'own' and (p.since at time zone k.zone)::date < k.day offset 0)
   and not exists (
     select 1 from inventory.reconciliation r
     where r.company = k.company and r.location = k.location and r.day = k.day and not r.dry_run offset 0)`,
)

export type NewReconciliation = Pick<
  ReconciliationView,
  'company' | 'location' | 'source' | 'dryRun' | 'askedBy' | 'currency'
> & {
  readonly day: string
}

export async function insertReconciliation(queries: Queries, asked: NewReconciliation): Promise<number> {
  const [row] = await queries.query<{ id: number }>(insert, columnsOf(asked))
  return row!.id
}

const columnsOf = ({ company, location, source, day, dryRun, askedBy, currency }: NewReconciliation) => [
  company,
  location,
  source,
  day,
  dryRun,
  askedBy,
  currency,
]

/** Of one that is written down when it is done. */
export async function reconciliationNumber(queries: Queries): Promise<number> {
  const [row] = await queries.query<{ id: number }>(number)
  return row!.id
}

export function enterReconciliation(tx: Transaction, id: number, given: NewReconciliation): void {
  tx.send(enter, [...columnsOf(given), id])
}

export type MissedCount = Pick<NewReconciliation, 'company' | 'location' | 'source' | 'day' | 'currency'> & {
  readonly timeZone: string
  readonly problem: string
}

/** Says of each place whose books had something before that day, and were held against no count on it, that there was none. */
export const insertMissed = (queries: Queries, missed: readonly MissedCount[]): Promise<unknown> =>
  queries.query(miss, [
    missed.map((one) => one.company),
    missed.map((one) => one.location),
    missed.map((one) => one.source),
    missed.map((one) => one.day),
    missed.map((one) => one.currency),
    missed.map((one) => one.timeZone),
    missed.map((one) => one.problem),
  ])

export type AskedReconciliation = Pick<NewReconciliation, 'company' | 'location' | 'source' | 'dryRun'> & {
  readonly id: number
}

/** The one that was asked for first. */
export async function nextAsked(queries: Queries): Promise<AskedReconciliation | undefined> {
  return (await queries.query<AskedReconciliation>(take, [0]))[0]
}

const LINES_KEPT = 50

export function finishReconciliation(tx: Transaction, id: number, found: ReconciliationFound): void {
  const { differences, value } = found
  const count = (of: (one: (typeof differences)[number]) => boolean): number => differences.filter(of).length
  tx.send(finish, [
    id,
    found.takenAt,
    found.mark ?? null,
    found.matched,
    count(({ kind }) => kind === 'differing'),
    count(({ kind }) => kind === 'missing_here'),
    count(({ kind }) => kind === 'missing_there'),
    found.recovered,
    count(({ outcome }) => outcome === 'adjusted'),
    count(({ outcome }) => outcome === 'told'),
    value.amountMinor,
    found.whole,
    found.notSaid,
    found.unread.length,
    JSON.stringify(found.unread.slice(0, LINES_KEPT)),
  ])
  if (differences.length === 0) return
  tx.send(insertDifferences, [
    id,
    differences.map((one) => one.itemId),
    differences.map((one) => one.sku),
    differences.map((one) => one.kind),
    differences.map((one) => formatQuantity(one.ours.available)),
    differences.map((one) => formatQuantity(one.ours.qualityHold)),
    differences.map((one) => formatQuantity(one.ours.damaged)),
    differences.map((one) => formatQuantity(one.theirs.available)),
    differences.map((one) => formatQuantity(one.theirs.qualityHold)),
    differences.map((one) => formatQuantity(one.theirs.damaged)),
    differences.map((one) => one.valueMinor),
    differences.map((one) => one.outcome),
  ])
}

export const failReconciliation = (queries: Queries, id: number, problem: string): Promise<unknown> =>
  queries.query(fail, [id, problem])
