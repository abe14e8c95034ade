/** The SQL of lines that wait for stock which is withheld while a source is silent. */
import { type Queries, sql, type Transaction } from '#platform/database.ts'
import type { Flow } from '../contract/freshness.ts'

const add = sql(
  'inventory.withhold',
  `insert into inventory.withheld (source, flow, doc, line)
   select source, flow, doc, line from unnest($1::text[], $2::text[], $3::bigint[], $4::smallint[])
     as w(source, flow, doc, line)
   on conflict (source, flow, doc, line) do nothing`,
)

export type WithheldLine = {
  readonly source: string
  readonly flow: Flow
  readonly doc: number
  readonly line: number
}

export function insertWithheld(tx: Transaction, lines: readonly WithheldLine[]): void {
  if (lines.length === 0) return
  tx.send(add, [
    lines.map((row) => row.source),
    lines.map((row) => row.flow),
    lines.map((row) => row.doc),
    lines.map((row) => row.line),
  ])
}

const end = sql(
  'inventory.end_withholding',
  `delete from inventory.withheld where ctid = any(array(
     select w.place from unnest($1::text[], $2::text[]) as s(source, flow)
     cross join lateral (
       select ctid as place from inventory.withheld
       where source = s.source and flow = s.flow and at < $3 order by doc, line limit $4 offset 0) w
     limit $4))
   returning doc`,
)

/** Forgets up to `limit` lines that these withheld before then; answers of which orders they are, one for each line. */
export async function deleteWithheld(
  tx: Transaction,
  sources: readonly { readonly source: string; readonly flow: Flow }[],
  { before, limit }: { readonly before: Date; readonly limit: number },
): Promise<number[]> {
  if (sources.length === 0) return []
  const rows = await tx.query<{ doc: number }>(end, [
    sources.map((row) => row.source),
    sources.map((row) => row.flow),
    before,
    limit,
  ])
  return rows.map(({ doc }) => doc)
}

const ofOrder = sql(
  'inventory.withheld_of_order',
  `select line, source, at from inventory.withheld where doc = $1 order by line, source, flow`,
)

export type Withheld = { readonly line: number; readonly source: string; readonly at: Date }

export const selectWithheld = (queries: Queries, doc: number): Promise<Withheld[]> =>
  queries.query<Withheld>(ofOrder, [doc])

const ofOrders = sql(
  'inventory.withheld_of_orders',
  `select source, flow, doc, line from inventory.withheld where doc = any($1::bigint[])`,
)

export const selectWithheldLines = (queries: Queries, docs: readonly number[]): Promise<WithheldLine[]> =>
  queries.query<WithheldLine>(ofOrders, [docs])
