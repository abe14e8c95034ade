/** The SQL of pricing; the only file that writes its table. */
import type { HeldCopy, Reading } from '#platform/copies.ts'
import type { Queries, Transaction } from '#platform/database.ts'
import { sql } from '#platform/database.ts'
import { formatQuantity, type Quantity } from '#platform/quantity.ts'
import { contractList, type PriceQuestion, type SellingPrice } from './contract.ts'

// A lateral with a limit cannot be flattened, so the questions drive and the table is always met by its primary key,
// even when it was analyzed while empty. The contract comes before the list, then the deepest break, then the youngest.
const find = sql(
  'pricing.find',
  `select k.place, p.* from unnest($1::text[], $2::int[], $3::text[], $4::text[], $5::text[], $6::text[], $7::numeric[],
     $8::date[]) with ordinality
     as k(company, item_id, contract, price_list, unit, currency, quantity, date, place)
   cross join lateral (
     select amount_minor as "amountMinor", unit, list, min_quantity as "minQuantity", source, as_of as "asOf"
     from pricing.price
     where item_id = k.item_id and list = any(array[k.contract, k.price_list]) and unit = k.unit
       and currency = k.currency and min_quantity <= k.quantity and valid_from <= k.date
       and (valid_to is null or valid_to >= k.date) and company = k.company
     order by (list = k.contract) desc, min_quantity desc, valid_from desc limit 1) p`,
)

/** `place` counts the questions from 1; one without a price has no answer. */
export type AnsweredPrice = SellingPrice & { readonly place: number }

export function selectPrices(
  queries: Queries,
  questions: readonly PriceQuestion[],
): Promise<AnsweredPrice[]> {
  return queries.query(find, [
    questions.map((question) => question.company),
    questions.map((question) => question.itemId),
    questions.map((question) => contractList(question.customerNumber)),
    questions.map((question) => question.priceList),
    questions.map((question) => question.unit),
    questions.map((question) => question.currency),
    questions.map((question) => formatQuantity(question.quantity)),
    questions.map((question) => question.date),
  ])
}

const highest = sql(
  'pricing.highest',
  `select k.item_id as "itemId", p.unit, max(p."amountMinor") as "amountMinor" from unnest($2::int[]) as k(item_id)
   cross join lateral (
     select unit, amount_minor as "amountMinor" from pricing.price
     where item_id = k.item_id and company = $1 and currency = $3 and valid_from <= $4
       and (valid_to is null or valid_to >= $4) offset 0) p
   group by k.item_id, p.unit`,
)

export type HighestPrice = { readonly itemId: number; readonly unit: string; readonly amountMinor: number }

/** Of any list or contract of a company that counts on that day; one for each unit that is priced. */
export const selectHighest = (
  queries: Queries,
  company: string,
  items: readonly number[],
  { currency, date }: { readonly currency: string; readonly date: string },
): Promise<HighestPrice[]> => queries.query<HighestPrice>(highest, [company, items, currency, date])

// Loading ---------------------------------------------------------------------------------------------------------------

export type PriceRow = {
  readonly itemId: number
  readonly list: string
  readonly unit: string
  readonly currency: string
  readonly minQuantity: Quantity
  readonly validFrom: string
  readonly validTo: string | null
  readonly amountMinor: number
}

const held = sql(
  'pricing.held',
  `select p.* from unnest($1::int[], $2::text[], $3::text[], $4::text[], $5::numeric[], $6::date[])
     as k(item_id, list, unit, currency, min_quantity, valid_from)
   cross join lateral (
     select item_id as "itemId", list, unit, currency, min_quantity as "minQuantity", valid_from::text as "validFrom",
       valid_to::text as "validTo", amount_minor as "amountMinor", as_of as "asOf"
     from pricing.price
     where item_id = k.item_id and list = k.list and unit = k.unit and currency = k.currency
       and min_quantity = k.min_quantity and valid_from = k.valid_from limit 1) p`,
)

const keyColumns = (rows: readonly PriceRow[]): unknown[] => [
  rows.map((row) => row.itemId),
  rows.map((row) => row.list),
  rows.map((row) => row.unit),
  rows.map((row) => row.currency),
  rows.map((row) => formatQuantity(row.minQuantity)),
  rows.map((row) => row.validFrom),
]

export async function selectHeld(tx: Transaction, rows: readonly PriceRow[]): Promise<HeldCopy<PriceRow>[]> {
  const found = await tx.query<PriceRow & { asOf: Date }>(held, keyColumns(rows))
  return found.map(({ asOf, ...record }) => ({ asOf, record }))
}

const upsert = sql(
  'pricing.upsert',
  `insert into pricing.price as p (item_id, list, unit, currency, min_quantity, valid_from, valid_to, amount_minor,
     company, source, as_of)
   select r.*, $9, $10, $11
   from unnest($1::int[], $2::text[], $3::text[], $4::text[], $5::numeric[], $6::date[], $7::date[], $8::bigint[]) as r
   on conflict (item_id, list, unit, currency, min_quantity, valid_from) do update set valid_to = excluded.valid_to,
     amount_minor = excluded.amount_minor, source = excluded.source, as_of = excluded.as_of
   where p.as_of <= excluded.as_of
   returning p.item_id as "itemId", p.list, p.unit, p.currency, p.min_quantity as "minQuantity",
     p.valid_from::text as "validFrom"`,
)

export type PriceIdentity = Pick<
  PriceRow,
  'itemId' | 'list' | 'unit' | 'currency' | 'minQuantity' | 'validFrom'
>

/** Answers those that were written: a newer copy that came in between stays. */
export function upsertRows(
  tx: Transaction,
  { company, source, asOf }: Reading,
  rows: readonly PriceRow[],
): Promise<PriceIdentity[]> {
  const more = [rows.map((row) => row.validTo), rows.map((row) => row.amountMinor), company, source, asOf]
  return tx.query(upsert, [...keyColumns(rows), ...more])
}

// Reads the whole table: once after a full reading, never while an order waits.
const retire = sql(
  'pricing.retire',
  `with gone as (
     delete from pricing.price where company = $1 and source = $2 and as_of < $3
     and exists (select from pricing.price where company = $1 and source = $2 and as_of >= $3) returning 1)
   select count(*)::int as count from gone`,
)

export async function deleteUnread(queries: Queries, { company, source, asOf }: Reading): Promise<number> {
  const [row] = await queries.query<{ count: number }>(retire, [company, source, asOf])
  return row?.count ?? 0
}
