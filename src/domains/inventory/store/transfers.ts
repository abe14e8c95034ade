/** The SQL of transfers between places. */
import type { Transaction } from '#platform/database.ts'
import { sql } from '#platform/database.ts'
import { formatQuantity } from '#platform/quantity.ts'
import { type Owned, ownerOf } from '../contract/owners.ts'
import type { TransferState } from '../rules/transfers.ts'

export type TransferKey = Owned & {
  readonly company: string
  /** As both places know it. */
  readonly number: string
  readonly itemId: number
  readonly lot: string
  readonly to: string
}

export type TransferRow = TransferKey &
  TransferState & {
    /** Null until the place that sends has told. */
    readonly from: string | null
  }

const ensure = sql(
  'inventory.ensure_transfers',
  `insert into inventory.transfer (company, number, item_id, lot, to_location, owner)
   select * from unnest($1::text[], $2::text[], $3::int[], $4::text[], $5::text[], $6::text[]) on conflict do nothing`,
)
const lock = sql(
  'inventory.lock_transfers',
  `select t.* from unnest($1::text[], $2::text[], $3::int[], $4::text[], $5::text[], $6::text[])
     as k(company, number, item_id, lot, place, owner)
   cross join lateral (
     select company, number, item_id as "itemId", lot, to_location as "to", owner, from_location as "from", sent, arrived,
       missing, ahead
     from inventory.transfer where company = k.company and number = k.number and item_id = k.item_id and lot = k.lot
       and to_location = k.place and owner = k.owner offset 0 for no key update) t`,
)

/** Makes those that are not there yet and locks all of them, in the order of the list. */
export function lockTransfers(tx: Transaction, keys: readonly TransferKey[]): Promise<TransferRow[]> {
  const columns = columnsOf(keys)
  tx.send(ensure, columns)
  return tx.query<TransferRow>(lock, columns)
}

const columnsOf = (keys: readonly TransferKey[]): unknown[] => [
  keys.map(({ company }) => company),
  keys.map(({ number }) => number),
  keys.map(({ itemId }) => itemId),
  keys.map(({ lot }) => lot),
  keys.map(({ to }) => to),
  keys.map(ownerOf),
]

const write = sql(
  'inventory.write_transfers',
  `update inventory.transfer t set from_location = s.from_location, sent = s.sent, arrived = s.arrived, missing = s.missing,
     ahead = s.ahead, changed_at = now()
   from unnest($1::text[], $2::text[], $3::int[], $4::text[], $5::text[], $6::text[], $7::text[], $8::numeric[],
     $9::numeric[], $10::numeric[], $11::numeric[])
     as s(company, number, item_id, lot, to_location, owner, from_location, sent, arrived, missing, ahead)
   where t.company = s.company and t.number = s.number and t.item_id = s.item_id and t.lot = s.lot
     and t.to_location = s.to_location and t.owner = s.owner`,
)

/** As they stand now; locked before. */
export const updateTransfers = (tx: Transaction, rows: readonly TransferRow[]): void =>
  tx.send(write, [
    ...columnsOf(rows),
    rows.map(({ from }) => from),
    rows.map(({ sent }) => formatQuantity(sent)),
    rows.map(({ arrived }) => formatQuantity(arrived)),
    rows.map(({ missing }) => formatQuantity(missing)),
    rows.map(({ ahead }) => formatQuantity(ahead)),
  ])
