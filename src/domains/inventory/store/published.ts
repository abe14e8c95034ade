/** The SQL of what channels were told last. */
import { sql, type Transaction } from '#platform/database.ts'
import { formatQuantity, type Quantity } from '#platform/quantity.ts'

export type PublishedRow = {
  readonly itemId: number
  readonly channel: string
  readonly company: string
  readonly doc: number
  readonly version: number
  readonly available: Quantity
  readonly confidence: 'normal' | 'careful' | 'ask'
  readonly asOf: Date
}

const lock = sql(
  'inventory.lock_published',
  `select item_id as "itemId", channel, company, doc, version, available, confidence, as_of as "asOf"
   from inventory.published where item_id = any($1::int[]) and channel = any($2::text[])
   order by item_id, channel for update`,
)

export const lockPublished = (
  tx: Transaction,
  items: readonly number[],
  channels: readonly string[],
): Promise<PublishedRow[]> => tx.query<PublishedRow>(lock, [items, channels])

const save = sql(
  'inventory.save_published',
  `insert into inventory.published (item_id, channel, company, doc, version, available, confidence, as_of)
   select item_id, channel, company, doc, version, available, confidence, as_of
   from unnest($1::int[], $2::text[], $3::text[], $4::bigint[], $5::int[], $6::numeric[], $7::text[], $8::timestamptz[])
     as p(item_id, channel, company, doc, version, available, confidence, as_of)
   on conflict (item_id, channel) do update set version = excluded.version, available = excluded.available,
     confidence = excluded.confidence, as_of = excluded.as_of`,
)

export function savePublished(tx: Transaction, rows: readonly PublishedRow[]): void {
  if (rows.length === 0) return
  tx.send(save, [
    rows.map((row) => row.itemId),
    rows.map((row) => row.channel),
    rows.map((row) => row.company),
    rows.map((row) => row.doc),
    rows.map((row) => row.version),
    rows.map((row) => formatQuantity(row.available)),
    rows.map((row) => row.confidence),
    rows.map((row) => row.asOf),
  ])
}
