/** The SQL of requests of which people have entered something by hand. */
import type { Queries, Transaction } from '#platform/database.ts'
import { sql } from '#platform/database.ts'

const mark = sql(
  'shipments.mark_by_hand',
  'update shipments.fulfillment set by_hand = true where id = any($1::bigint[]) and not by_hand',
)
export const markByHand = (tx: Transaction, docs: readonly number[]): void => tx.send(mark, [docs])

export type KnownByHand = {
  readonly source: string
  readonly sourceKey: string
  readonly fulfillmentId: number
}

const insertKnown = sql(
  'shipments.insert_known_by_hand',
  `insert into shipments.known_by_hand (source, source_key, fulfillment_id)
   select * from unnest($1::text[], $2::text[], $3::bigint[]) on conflict do nothing`,
)
export function insertKnownByHand(tx: Transaction, rows: readonly KnownByHand[]): void {
  if (rows.length === 0) return
  tx.send(insertKnown, [
    rows.map((row) => row.source),
    rows.map((row) => row.sourceKey),
    rows.map((row) => row.fulfillmentId),
  ])
}

const known = sql(
  'shipments.known_by_hand_of_requests',
  `select source, source_key as "sourceKey", fulfillment_id as "fulfillmentId" from shipments.known_by_hand
   where fulfillment_id = any($1::bigint[]) order by fulfillment_id`,
)
export const selectKnownByHand = (queries: Queries, docs: readonly number[]): Promise<KnownByHand[]> =>
  queries.query<KnownByHand>(known, [docs])
