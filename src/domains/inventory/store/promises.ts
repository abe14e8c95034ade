/** The SQL of promises to those who wait: whom each item's queue has, and what they are promised. */
import type { Queries, Transaction } from '#platform/database.ts'
import { sql } from '#platform/database.ts'
import { formatQuantity, type Quantity } from '#platform/quantity.ts'

const items = sql(
  'inventory.waited_items',
  `select distinct item_id as "itemId" from inventory.backorder where item_id > $1 order by item_id limit $2`,
)

/** Items that somebody waits for, page by page. */
export async function selectWaitedItems(queries: Queries, after: number, limit: number): Promise<number[]> {
  const rows = await queries.query<{ itemId: number }>(items, [after, limit])
  return rows.map(({ itemId }) => itemId)
}

const queue = sql(
  'inventory.queues_of_items',
  `select item_id as "itemId", doc, line, company, channel, quantity, minimum_shelf_life_days as "minimumShelfLifeDays",
     since, promised_on::text as "promisedOn",
     promised_at as "promisedAt", slipped_from::text as "slippedFrom"
   from inventory.backorder where item_id = any($1::int[]) order by item_id, since, doc, line`,
)

export type PromisedLine = {
  readonly itemId: number
  readonly doc: number
  readonly line: number
  readonly company: string
  readonly channel: string
  readonly quantity: Quantity
  readonly minimumShelfLifeDays: number | null
  readonly since: Date
  readonly promisedOn: string | null
  /** Null until somebody has looked. */
  readonly promisedAt: Date | null
  readonly slippedFrom: string | null
}

/** Who waits for these items, in the order of the queue. */
export const selectQueues = (queries: Queries, itemIds: readonly number[]): Promise<PromisedLine[]> =>
  queries.query<PromisedLine>(queue, [itemIds])

const promise = sql(
  'inventory.promise',
  `with made as materialized (
     select * from unnest($1::int[], $2::bigint[], $3::smallint[], $4::date[], $5::date[], $6::numeric[])
       as m(item_id, doc, line, promised_on, slipped_from, quantity))
   update inventory.backorder b set promised_on = m.promised_on, slipped_from = m.slipped_from, promised_at = now()
   from made m
   where b.item_id = any($1::int[]) and b.item_id = m.item_id and b.doc = m.doc and b.line = m.line
     and b.quantity = m.quantity
   returning b.doc, b.line`,
)

export type NewPromise = Pick<
  PromisedLine,
  'itemId' | 'doc' | 'line' | 'quantity' | 'promisedOn' | 'slippedFrom'
>

/** Promises to those of them who still wait for so much; answers whom. */
export const updatePromises = (
  tx: Transaction,
  promises: readonly NewPromise[],
): Promise<{ doc: number; line: number }[]> =>
  tx.query(promise, [
    promises.map((row) => row.itemId),
    promises.map((row) => row.doc),
    promises.map((row) => row.line),
    promises.map((row) => row.promisedOn),
    promises.map((row) => row.slippedFrom),
    promises.map((row) => formatQuantity(row.quantity)),
  ])
