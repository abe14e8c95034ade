/** The SQL of what shops have still to be told. */
import { type Queries, sql, type Transaction } from '#platform/database.ts'
import type { Quantity } from '#platform/quantity.ts'

export type ToTell = {
  readonly shop: string
  readonly itemId: number
  readonly company: string
  readonly channel: string
  readonly asOf: Date
}

const raise = sql(
  'inventory.raise_untold',
  `insert into inventory.untold as u (shop, item_id, company, channel, as_of, behind, due_at)
   select shop, item_id, company, channel, as_of, false, as_of
   from unnest($1::text[], $2::int[], $3::text[], $4::text[], $5::timestamptz[]) as r(shop, item_id, company, channel, as_of)
   on conflict (shop, item_id) do update set raised = u.raised + 1, as_of = greatest(u.as_of, excluded.as_of),
     behind = false, due_at = excluded.due_at`,
)

/** In the order of shops and items. */
export function raiseUntold(tx: Transaction, rows: readonly ToTell[]): void {
  if (rows.length === 0) return
  tx.send(raise, [
    rows.map((row) => row.shop),
    rows.map((row) => row.itemId),
    rows.map((row) => row.company),
    rows.map((row) => row.channel),
    rows.map((row) => row.asOf),
  ])
}

const raiseAll = sql(
  'inventory.raise_all_untold',
  `insert into inventory.untold as u (shop, item_id, company, channel, as_of, behind, due_at)
   select $1, item_id, company, channel, greatest(as_of, $4::timestamptz), true, $4
   from inventory.published where company = $2 and channel = $3 order by item_id
   on conflict (shop, item_id) do update set raised = u.raised + 1, as_of = greatest(u.as_of, excluded.as_of),
     due_at = least(u.due_at, excluded.due_at)
   returning item_id`,
)

type Audience = { readonly shop: string; readonly company: string; readonly channel: string }

export async function raiseAllUntold(
  tx: Transaction,
  { shop, company, channel }: Audience,
  now: Date,
): Promise<number> {
  return (await tx.query(raiseAll, [shop, company, channel, now])).length
}

export type Untold = Omit<ToTell, 'shop'> & {
  readonly raised: number
  readonly behind: boolean
  readonly attempts: number
  readonly refusal: string | null
  /** The document of the figure. */
  readonly doc: number
  readonly version: number
  readonly available: Quantity
}

const due = sql(
  'inventory.due_untold',
  `with due as (
     (select * from inventory.untold where shop = $1 and not behind and due_at <= $2 order by due_at limit $3)
     union all
     (select * from inventory.untold where shop = $1 and behind and due_at <= $2 order by due_at limit $3)
     limit $3)
   select d.item_id as "itemId", d.company, d.channel, d.raised, d.behind, d.attempts, d.refusal,
     greatest(d.as_of, p.as_of) as "asOf", p.doc, p.version, p.available
   from due d
   cross join lateral (
     select doc, version, available, as_of from inventory.published
     where item_id = d.item_id and channel = d.channel offset 0) p`,
)

/** What has changed first; with the figures that count now. */
export const dueUntold = (queries: Queries, shop: string, now: Date, limit: number): Promise<Untold[]> =>
  queries.query(due, [shop, now, limit])

const told = sql(
  'inventory.told',
  `delete from inventory.untold u using unnest($2::int[], $3::int[]) as k(item_id, raised)
   where u.shop = $1 and u.item_id = k.item_id and u.raised = k.raised`,
)

/** Unless there is more to tell by now. */
export function deleteTold(
  tx: Transaction,
  shop: string,
  rows: readonly { readonly itemId: number; readonly raised: number }[],
): void {
  if (rows.length === 0) return
  tx.send(told, [shop, rows.map((row) => row.itemId), rows.map((row) => row.raised)])
}

export type Postponed = {
  readonly itemId: number
  readonly raised: number
  readonly dueAt: Date
  /** What is told again is of this time at least. */
  readonly asOf: Date
  readonly refusal: string | null
}

const postpone = sql(
  'inventory.postpone_untold',
  `update inventory.untold u set attempts = u.attempts + 1, as_of = greatest(u.as_of, k.as_of), refusal = k.refusal,
     due_at = case when u.raised = k.raised then k.due_at else u.due_at end
   from unnest($2::int[], $3::int[], $4::timestamptz[], $5::timestamptz[], $6::text[])
     as k(item_id, raised, due_at, as_of, refusal)
   where u.shop = $1 and u.item_id = k.item_id`,
)

export function postponeUntold(tx: Transaction, shop: string, rows: readonly Postponed[]): void {
  if (rows.length === 0) return
  tx.send(postpone, [
    shop,
    rows.map((row) => row.itemId),
    rows.map((row) => row.raised),
    rows.map((row) => row.dueAt),
    rows.map((row) => row.asOf),
    rows.map((row) => row.refusal),
  ])
}
