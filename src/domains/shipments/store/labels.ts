/** The SQL of labels that are bought for packed goods. */
import type { Queries, Transaction } from '#platform/database.ts'
import { sql } from '#platform/database.ts'
import type { BoughtLabel, Packing, PackingKey, PackingState } from '../contract/labels.ts'

const packingRows = sql(
  'shipments.packings',
  `select fulfillment_id as doc, number, carrier, ask, state, label, tracking, content from shipments.packing
   where fulfillment_id = any($1::bigint[]) order by fulfillment_id, number`,
)
export const selectPackings = (queries: Queries, docs: readonly number[]): Promise<Packing[]> =>
  queries.query<Packing>(packingRows, [docs])

const insertPackingRows = sql(
  'shipments.insert_packings',
  `insert into shipments.packing (fulfillment_id, number, carrier, ask)
   select * from unnest($1::bigint[], $2::text[], $3::text[], $4::jsonb[])`,
)
export function insertPackings(
  tx: Transaction,
  rows: readonly Pick<Packing, 'doc' | 'number' | 'carrier' | 'ask'>[],
): void {
  tx.send(insertPackingRows, [
    rows.map(({ doc }) => doc),
    rows.map(({ number }) => number),
    rows.map(({ carrier }) => carrier),
    rows.map(({ ask }) => JSON.stringify(ask)),
  ])
}

const setPackingStates = sql(
  'shipments.set_packing_states',
  `update shipments.packing p set state = k.state, content = null
   from unnest($1::bigint[], $2::text[], $3::text[]) as k(doc, number, state)
   where p.fulfillment_id = k.doc and p.number = k.number`,
)
/** What was to be printed is not kept: the warehouse has it, or nobody needs it. */
export function updatePackingStates(
  tx: Transaction,
  rows: readonly (PackingKey & { readonly state: PackingState })[],
): void {
  tx.send(setPackingStates, [
    rows.map(({ doc }) => doc),
    rows.map(({ number }) => number),
    rows.map(({ state }) => state),
  ])
}

const setLabels = sql(
  'shipments.set_labels',
  `update shipments.packing p set label = k.label, tracking = k.tracking, charge_minor = k.charge, currency = k.currency,
     state = case when p.state = 'unwanted' then 'orphaned' else 'bought' end,
     content = case when p.state <> 'unwanted' then k.content end
   from unnest($1::bigint[], $2::text[], $3::text[], $4::jsonb[], $5::bigint[], $6::text[], $7::jsonb[])
     as k(doc, number, label, tracking, charge, currency, content)
   where p.fulfillment_id = k.doc and p.number = k.number`,
)
export function updateLabels(tx: Transaction, rows: readonly BoughtLabel[]): void {
  tx.send(setLabels, [
    rows.map(({ doc }) => doc),
    rows.map(({ number }) => number),
    rows.map(({ label }) => label),
    rows.map(({ content }) => JSON.stringify(content.map(({ tracking }) => tracking))),
    rows.map(({ chargeMinor }) => chargeMinor),
    rows.map(({ currency }) => currency),
    rows.map(({ content }) => JSON.stringify(content)),
  ])
}
