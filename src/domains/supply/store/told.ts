/** The SQL of what suppliers tell; beside `store.ts` the only file that writes the tables of supply. */
import { sql, type Transaction } from '#platform/database.ts'
import { formatQuantity } from '#platform/quantity.ts'
import type { ShipNotice, SupplierAnswer } from '../contract/told.ts'
import { NO_DAY } from '../rules/coming.ts'

/** The line that is named, if it is of that item, else the first line of the item. */
const lineOf = (told: string): string => `coalesce(
     (select l.line from supply.line l where l.company = ${told}.company and l.number = ${told}.number
        and l.line = ${told}.named_line and l.item_id = ${told}.item_id),
     (select min(l.line) from supply.line l where l.company = ${told}.company and l.number = ${told}.number
        and l.item_id = ${told}.item_id))`

const answer = sql(
  'supply.answer',
  `insert into supply.answer as a (company, number, item_id, named_line, line, supplier, source, document, told_at,
     parts, refused, tolerated_days, tolerated_ppm)
   select company, number, item_id, named_line, ${lineOf('r')}, supplier, source, document, told_at, parts, refused,
     tolerated_days, tolerated_ppm
   from unnest($1::text[], $2::text[], $3::int[], $4::int[], $5::text[], $6::text[], $7::text[], $8::timestamptz[],
     $9::jsonb[], $10::numeric[], $11::int[], $12::int[])
     as r(company, number, item_id, named_line, supplier, source, document, told_at, parts, refused, tolerated_days,
       tolerated_ppm)
   on conflict (company, number, item_id, named_line) do update set supplier = excluded.supplier,
     source = excluded.source, document = excluded.document, told_at = excluded.told_at, parts = excluded.parts,
     refused = excluded.refused, tolerated_days = excluded.tolerated_days, tolerated_ppm = excluded.tolerated_ppm
   where a.told_at < excluded.told_at or (a.told_at = excluded.told_at and (a.parts, a.refused, a.tolerated_days,
     a.tolerated_ppm) is distinct from (excluded.parts, excluded.refused, excluded.tolerated_days,
     excluded.tolerated_ppm))
   returning 1 as one`,
)

/** One answer for each line and item. Answers how many were written: a later one that is there stays. */
export async function upsertAnswers(tx: Transaction, answers: readonly SupplierAnswer[]): Promise<number> {
  const rows = await tx.query(answer, [
    answers.map(({ company }) => company),
    answers.map(({ number }) => number),
    answers.map(({ itemId }) => itemId),
    answers.map(({ line }) => line ?? 0),
    answers.map(({ supplier }) => supplier),
    answers.map(({ source }) => source),
    answers.map(({ document }) => document),
    answers.map(({ at }) => at),
    answers.map(({ parts }) =>
      JSON.stringify(parts.map((part) => ({ ...part, quantity: formatQuantity(part.quantity) }))),
    ),
    answers.map(({ refused }) => formatQuantity(refused)),
    answers.map(({ tolerance }) => tolerance.days),
    answers.map(({ tolerance }) => tolerance.ppm),
  ])
  return rows.length
}

export type NoticeKey = { readonly company: string; readonly supplier: string; readonly notice: string }

const header = sql(
  'supply.notice',
  `insert into supply.notice as s (company, supplier, notice, source, document, told_at)
   select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[])
   on conflict (company, supplier, notice) do update set source = excluded.source, document = excluded.document,
     told_at = excluded.told_at
   where s.told_at < excluded.told_at or (s.told_at = excluded.told_at and s.document <> excluded.document)
   returning company, supplier, notice`,
)

/** Answers those that are newer than what was known. */
export const upsertNotices = (tx: Transaction, notices: readonly ShipNotice[]): Promise<NoticeKey[]> =>
  tx.query<NoticeKey>(header, [
    notices.map(({ company }) => company),
    notices.map(({ supplier }) => supplier),
    notices.map(({ notice }) => notice),
    notices.map(({ source }) => source),
    notices.map(({ document }) => document),
    notices.map(({ at }) => at),
  ])

const clear = sql(
  'supply.clear_shipped',
  `delete from supply.shipped s using unnest($1::text[], $2::text[], $3::text[]) as k(company, supplier, notice)
   where s.company = k.company and s.supplier = k.supplier and s.notice = k.notice`,
)
const shipped = sql(
  'supply.shipped',
  `insert into supply.shipped (company, supplier, notice, n, number, item_id, named_line, line, quantity, expected_on,
     lot, expires_on, sscc, tolerated_days)
   select company, supplier, notice, n, number, item_id, named_line, ${lineOf('r')}, quantity, expected_on, lot,
     expires_on, sscc, tolerated_days
   from unnest($1::text[], $2::text[], $3::text[], $4::int[], $5::text[], $6::int[], $7::int[], $8::numeric[],
     $9::date[], $10::text[], $11::date[], $12::text[], $13::int[])
     as r(company, supplier, notice, n, number, item_id, named_line, quantity, expected_on, lot, expires_on, sscc,
       tolerated_days)`,
)

/** In place of what these notices said before. */
export function replaceShipped(tx: Transaction, notices: readonly ShipNotice[]): void {
  const keys = [
    notices.map(({ company }) => company),
    notices.map(({ supplier }) => supplier),
    notices.map(({ notice }) => notice),
  ]
  tx.send(clear, keys)
  const rows = notices.flatMap(({ lines, ...notice }) => lines.map((line, n) => ({ ...notice, ...line, n })))
  if (rows.length === 0) return
  tx.send(shipped, [
    rows.map(({ company }) => company),
    rows.map(({ supplier }) => supplier),
    rows.map(({ notice }) => notice),
    rows.map(({ n }) => n),
    rows.map(({ number }) => number),
    rows.map(({ itemId }) => itemId),
    rows.map(({ line }) => line ?? 0),
    rows.map(({ quantity }) => formatQuantity(quantity)),
    rows.map(({ expectedOn }) => expectedOn ?? NO_DAY),
    rows.map(({ lot }) => lot ?? null),
    rows.map(({ expiresOn }) => expiresOn ?? null),
    rows.map(({ sscc }) => sscc ?? null),
    rows.map(({ tolerance }) => tolerance.days),
  ])
}

const placeAnswers = sql(
  'supply.place_answers',
  `update supply.answer a set line = p.line
   from (select r.company, r.number, r.item_id, r.named_line, ${lineOf('r')} as line
         from supply.answer r where r.line is null) p
   where a.company = p.company and a.number = p.number and a.item_id = p.item_id and a.named_line = p.named_line
     and p.line is not null`,
)
const placeShipped = sql(
  'supply.place_shipped',
  `update supply.shipped s set line = p.line
   from (select r.company, r.supplier, r.notice, r.n, ${lineOf('r')} as line
         from supply.shipped r where r.line is null) p
   where s.company = p.company and s.supplier = p.supplier and s.notice = p.notice and s.n = p.n
     and p.line is not null`,
)

/** Puts on lines that have been read since what came before them. */
export function placeTold(tx: Transaction): void {
  tx.send(placeAnswers, [])
  tx.send(placeShipped, [])
}
