/** The books of items, as what can be promised of them is reckoned from, and what others than orders have reserved. */
import type { Queries } from '#platform/database.ts'
import { sql } from '#platform/database.ts'
import type { Quantity } from '#platform/quantity.ts'
import { waitersOf } from '../operations/queue.ts'
import { stockKey } from '../rules.ts'
import { selectWaiting } from '../store.ts'
import { selectKept } from '../store/allocations.ts'
import type { StockFacts, StockHere } from './promising.ts'

const positions = sql(
  'inventory.stock_of_items',
  `select item_id as "itemId", location, available, reserved, quality_hold + quarantine + damaged + blocked as "onHold",
     in_transit as "inTransit", unreconciled, (extract(epoch from told_at) * 1000)::float8 as "toldMs"
   from inventory.position where item_id = any($1::int[]) and lot = '' and owner = 'own' order by item_id, location`,
)

/** By item; one that has no position, nothing kept and nobody who waits is absent. */
export async function stockFacts(
  queries: Queries,
  items: readonly number[],
): Promise<ReadonlyMap<number, StockFacts>> {
  const [rows, kept, totals] = await Promise.all([
    queries.query<StockHere & { itemId: number }>(positions, [items]),
    selectKept(queries, items),
    selectWaiting(queries, items),
  ])
  const waiting = await waitersOf(queries, kept, totals)
  const facts = new Map<number, { here: StockHere[]; kept: typeof kept; waiting: typeof waiting }>()
  const of = (item: number) => {
    const known = facts.get(item) ?? { here: [], kept: [], waiting: [] }
    facts.set(item, known)
    return known
  }
  for (const { itemId, ...row } of rows) of(itemId).here.push(row)
  for (const one of kept) of(one.itemId).kept.push(one)
  for (const one of waiting) of(one.itemId).waiting.push(one)
  return facts
}

const claims = sql(
  'inventory.claims_of_others',
  `select c.item_id as "itemId", c.location, r.kind, sum(c.quantity) as quantity from inventory.channel_claim c
   cross join lateral (select kind from inventory.channel_reservation where id = c.reservation_id offset 0) r
   where c.item_id = any($1::int[]) group by c.item_id, c.location, r.kind
   union all select item_id, location, 'external', sum(claimed) from inventory.external_reservation
   where item_id = any($1::int[]) group by item_id, location`,
)

/** What channels and other systems have reserved of these items, by kind, item and location. */
export async function reservedByOthers(
  queries: Queries,
  items: readonly number[],
): Promise<(kind: 'soft' | 'firm' | 'external', itemId: number, location: string) => Quantity> {
  type Row = { itemId: number; location: string; kind: string; quantity: Quantity }
  const rows = await queries.query<Row>(claims, [items])
  const sums = new Map(rows.map((row) => [`${row.kind} ${stockKey(row.itemId, row.location)}`, row.quantity]))
  return (kind, itemId, location) => sums.get(`${kind} ${stockKey(itemId, location)}`) ?? 0
}
