/** The SQL of inventory; the only file that writes its tables. */
import type { Queries, Transaction } from '#platform/database.ts'
import { sql } from '#platform/database.ts'
import { formatQuantity, type Quantity } from '#platform/quantity.ts'
import type { Movement } from './contract.ts'
import { isOwn, type Owned, ownerOf } from './contract/owners.ts'
import { letWaitersBegin } from './store/first-stock.ts'

/** What `unreconciled` lacks is minus; what it has too much is nobody's to sell until somebody has explained it. */
const lockPositions = sql(
  'inventory.lock_positions',
  `select item_id as "itemId", location, available - reserved + least(unreconciled, 0) as free
   from inventory.position
   where item_id = any($1::int[]) and location = any($2::text[]) and lot = '' and owner = 'own'
   order by item_id, location for no key update`,
)

export type PositionRow = { readonly itemId: number; readonly location: string; readonly free: Quantity }

export function selectFreeForUpdate(
  tx: Transaction,
  itemIds: readonly number[],
  locations: readonly string[],
): Promise<PositionRow[]> {
  return tx.query<PositionRow>(lockPositions, [itemIds, locations])
}

const reserve = sql(
  'inventory.reserve',
  `update inventory.position p set reserved = p.reserved + s.quantity
   from unnest($1::int[], $2::text[], $3::text[], $4::numeric[]) as s(item_id, location, company, quantity)
   where p.item_id = s.item_id and p.location = s.location and p.lot = '' and p.owner = 'own' and p.company = s.company`,
)

export type ReservedChange = {
  readonly itemId: number
  readonly location: string
  readonly company: string
  readonly quantity: Quantity
}

/** Adds to (or with negative quantities takes from) what is reserved. The CHECK refuses to oversell. */
export function updateReserved(tx: Transaction, changes: readonly ReservedChange[]): void {
  if (changes.length === 0) return
  tx.send(reserve, [
    changes.map((change) => change.itemId),
    changes.map((change) => change.location),
    changes.map((change) => change.company),
    changes.map((change) => formatQuantity(change.quantity)),
  ])
}

const insertBackorderRows = sql(
  'inventory.insert_backorders',
  `insert into inventory.backorder (item_id, doc, line, company, channel, quantity, minimum_shelf_life_days)
   select item_id, doc, line, company, channel, quantity, days
   from unnest($1::int[], $2::bigint[], $3::smallint[], $4::text[], $5::text[], $6::numeric[], $7::int[])
     as b(item_id, doc, line, company, channel, quantity, days)
   on conflict (item_id, doc, line) do update set quantity = excluded.quantity`,
)

export type BackorderRow = {
  readonly itemId: number
  readonly doc: number
  readonly line: number
  readonly company: string
  readonly channel: string
  readonly quantity: Quantity
  readonly minimumShelfLifeDays?: number | null | undefined
}

/** What a line still waits for; its place in the queue is kept. */
export function upsertBackorders(tx: Transaction, rows: readonly BackorderRow[]): void {
  if (rows.length === 0) return
  tx.send(insertBackorderRows, [
    rows.map((row) => row.itemId),
    rows.map((row) => row.doc),
    rows.map((row) => row.line),
    rows.map((row) => row.company),
    rows.map((row) => row.channel),
    rows.map((row) => formatQuantity(row.quantity)),
    rows.map((row) => row.minimumShelfLifeDays ?? null),
  ])
}

const deleteBackorderRows = sql(
  'inventory.delete_backorders',
  `delete from inventory.backorder where item_id = any($1::int[]) and doc || ' ' || line = any($2::text[])`,
)

export function deleteBackorders(
  tx: Transaction,
  rows: readonly { readonly itemId: number; readonly doc: number; readonly line: number }[],
): void {
  if (rows.length === 0) return
  const items = [...new Set(rows.map((row) => row.itemId))]
  tx.send(deleteBackorderRows, [items, rows.map((row) => `${row.doc} ${row.line}`)])
}

const waitingQuantities = sql(
  'inventory.waiting_quantities',
  `select item_id as "itemId", sum(quantity) as quantity from inventory.backorder
   where item_id = any($1::int[]) and minimum_shelf_life_days is null group by item_id`,
)

/**
 * How much lines wait for; an item for which none waits is absent. What is to live long is left out: what is there is not
 * kept for who cannot use it, and what comes is given to him in the same transaction.
 */
export function selectWaiting(
  queries: Queries,
  itemIds: readonly number[],
): Promise<{ itemId: number; quantity: Quantity }[]> {
  return queries.query(waitingQuantities, [itemIds])
}

const insertMovementRows = sql(
  'inventory.insert_movements',
  `insert into inventory.movement (company, item_id, location, lot, from_bucket, to_bucket, quantity, reason, source,
     source_key, doc, at, mark, owner)
   select company, item_id, location, lot, from_bucket, to_bucket, quantity, reason, source, source_key, doc, at, mark,
     owner
   from unnest($1::text[], $2::int[], $3::text[], $4::text[], $5::text[], $6::text[], $7::numeric[], $8::text[],
     $9::text[], $10::text[], $11::bigint[], $12::timestamptz[], $13::bigint[], $14::text[])
     as m(company, item_id, location, lot, from_bucket, to_bucket, quantity, reason, source, source_key, doc, at, mark,
       owner)`,
)

export function insertMovements(tx: Transaction, movements: readonly Movement[]): void {
  if (movements.length === 0) return
  tx.send(insertMovementRows, [
    movements.map((row) => row.company),
    movements.map((row) => row.itemId),
    movements.map((row) => row.location),
    movements.map((row) => row.lot),
    movements.map((row) => row.from),
    movements.map((row) => row.to),
    movements.map((row) => formatQuantity(row.quantity)),
    movements.map((row) => row.reason),
    movements.map((row) => row.source),
    movements.map((row) => row.sourceKey),
    movements.map((row) => row.doc),
    movements.map((row) => row.at),
    movements.map((row) => row.mark ?? null),
    movements.map(ownerOf),
  ])
}

/** A change of one position's buckets; `lot` is empty for the item × location as a whole. */
export type PositionChange = Owned & {
  readonly company: string
  readonly itemId: number
  readonly location: string
  readonly lot: string
  readonly available: Quantity
  readonly reserved: Quantity
  readonly qualityHold: Quantity
  /** What of it we hold ourselves; of lots. */
  readonly held: Quantity
  readonly quarantine: Quantity
  readonly damaged: Quantity
  readonly blocked: Quantity
  readonly inTransit: Quantity
  readonly unreconciled: Quantity
  /** What its last snapshot contains, where it is a whole that was counted. */
  readonly countedBy?: string | null | undefined
  readonly countedMark?: number | null | undefined
  readonly countedAt?: Date | null | undefined
}

const changePositions = sql(
  'inventory.change_positions',
  `update inventory.position p set available = p.available + c.available, reserved = p.reserved + c.reserved,
     quality_hold = p.quality_hold + c.quality_hold, damaged = p.damaged + c.damaged,
     unreconciled = p.unreconciled + c.unreconciled, in_transit = p.in_transit + c.in_transit,
     quarantine = p.quarantine + c.quarantine, blocked = p.blocked + c.blocked, held = p.held + c.held, told_at = now()
   from unnest($1::text[], $2::int[], $3::text[], $4::text[], $5::numeric[], $6::numeric[], $7::numeric[], $8::numeric[],
     $9::numeric[], $10::numeric[], $11::numeric[], $12::numeric[], $13::numeric[], $14::text[])
     as c(company, item_id, location, lot, available, reserved, quality_hold, damaged, unreconciled, in_transit,
       quarantine, blocked, held, owner)
   where p.item_id = c.item_id and p.location = c.location and p.lot = c.lot and p.owner = c.owner
     and p.company = c.company`,
)

const addPositions = sql(
  'inventory.add_positions',
  `insert into inventory.position (company, item_id, location, lot, owner)
   select company, item_id, location, lot, owner from unnest($1::text[], $2::int[], $3::text[], $4::text[], $5::text[])
     as c(company, item_id, location, lot, owner) on conflict do nothing
   returning item_id as "itemId", location, lot, owner`,
)

type PositionKey = Pick<PositionChange, 'company' | 'itemId' | 'location' | 'lot' | 'owner'>

const columnsOf = (keys: readonly PositionKey[]): unknown[] => [
  keys.map((key) => key.company),
  keys.map((key) => key.itemId),
  keys.map((key) => key.location),
  keys.map((key) => key.lot),
  keys.map(ownerOf),
]

/** Makes positions that do not exist yet, empty. */
export function ensurePositions(tx: Transaction, keys: readonly PositionKey[]): void {
  if (keys.length > 0) tx.send(addPositions, columnsOf(keys))
}

type MadePosition = Omit<PositionKey, 'company'>

/** As `ensurePositions`, for stock that comes; answers those that it made. */
export async function makePositions(
  tx: Transaction,
  keys: readonly PositionKey[],
): Promise<readonly MadePosition[]> {
  if (keys.length === 0) return []
  const made = await tx.query<MadePosition>(addPositions, columnsOf(keys))
  letWaitersBegin(tx, placesOf(made))
  return made
}

/** The items of places of ours that are made, not of lots alone. */
const placesOf = (made: readonly MadePosition[]): number[] =>
  made.flatMap(({ itemId, lot, owner }) => (lot === '' && isOwn({ owner }) ? [itemId] : []))

const openPositions = sql(
  'inventory.open_positions',
  `insert into inventory.position (company, item_id, location, lot, available, quality_hold, damaged)
   select company, item_id, location, lot, available, quality_hold, damaged
   from unnest($1::text[], $2::int[], $3::text[], $4::text[], $5::numeric[], $6::numeric[], $7::numeric[])
     as c(company, item_id, location, lot, available, quality_hold, damaged)
   on conflict do nothing returning company, item_id as "itemId", location, lot`,
)

/** Makes positions with what is on hand of them; answers those that did not exist yet. */
export async function insertPositions(
  tx: Transaction,
  rows: readonly PositionChange[],
): Promise<Pick<PositionChange, 'company' | 'itemId' | 'location' | 'lot'>[]> {
  if (rows.length === 0) return []
  const made = await tx.query<Pick<PositionChange, 'company' | 'itemId' | 'location' | 'lot'>>(
    openPositions,
    [
      rows.map((row) => row.company),
      rows.map((row) => row.itemId),
      rows.map((row) => row.location),
      rows.map((row) => row.lot),
      rows.map((row) => formatQuantity(row.available)),
      rows.map((row) => formatQuantity(row.qualityHold)),
      rows.map((row) => formatQuantity(row.damaged)),
    ],
  )
  letWaitersBegin(tx, placesOf(made))
  return made
}

export function updatePositions(tx: Transaction, changes: readonly PositionChange[]): void {
  if (changes.length === 0) return
  tx.send(changePositions, [
    changes.map((row) => row.company),
    changes.map((row) => row.itemId),
    changes.map((row) => row.location),
    changes.map((row) => row.lot),
    changes.map((row) => formatQuantity(row.available)),
    changes.map((row) => formatQuantity(row.reserved)),
    changes.map((row) => formatQuantity(row.qualityHold)),
    changes.map((row) => formatQuantity(row.damaged)),
    changes.map((row) => formatQuantity(row.unreconciled)),
    changes.map((row) => formatQuantity(row.inTransit)),
    changes.map((row) => formatQuantity(row.quarantine)),
    changes.map((row) => formatQuantity(row.blocked)),
    changes.map((row) => formatQuantity(row.held)),
    changes.map(ownerOf),
  ])
}

const positionsForUpdate = sql(
  'inventory.positions_for_update',
  `select company, item_id as "itemId", location, lot, owner, available, reserved, quality_hold as "qualityHold", held,
     quarantine, damaged, blocked, in_transit as "inTransit", unreconciled, counted_by as "countedBy",
     counted_mark as "countedMark", counted_at as "countedAt"
   from inventory.position where item_id = any($1::int[]) and location = any($2::text[]) and owner = any($3::text[])
   order by item_id, location, lot, owner for no key update`,
)

const unreconciled = sql(
  'inventory.unreconciled',
  `select company, item_id as "itemId", location, owner, unreconciled as quantity from inventory.position
   where item_id = any($1::int[]) and location = any($2::text[]) and lot = '' and owner = any($3::text[])
   order by item_id, location`,
)

export type UnreconciledStock = Owned & {
  readonly company: string
  readonly itemId: number
  readonly location: string
  readonly quantity: Quantity
}

export function selectUnreconciled(
  queries: Queries,
  itemIds: readonly number[],
  locations: readonly string[],
  owners: readonly string[],
): Promise<UnreconciledStock[]> {
  return queries.query<UnreconciledStock>(unreconciled, [itemIds, locations, owners])
}

const usedPlaces = sql(
  'inventory.used_places',
  `select k.item_id as "itemId", k.location from unnest($1::int[], $2::text[]) as k(item_id, location)
   where exists (select from inventory.movement m where m.item_id = k.item_id and m.location = k.location
     and m.owner = 'own' and (m.reason <> 'opening balance' or m.lot = '') offset 0)`,
)

/** Places that have a history of their own, or an opening balance that was not told by lot. */
export function selectUsedPlaces(
  queries: Queries,
  places: readonly { readonly itemId: number; readonly location: string }[],
): Promise<{ itemId: number; location: string }[]> {
  return queries.query(usedPlaces, [
    places.map((place) => place.itemId),
    places.map((place) => place.location),
  ])
}

export function selectPositionsForUpdate(
  tx: Transaction,
  itemIds: readonly number[],
  locations: readonly string[],
  owners: readonly string[],
): Promise<PositionChange[]> {
  return tx.query<PositionChange>(positionsForUpdate, [itemIds, locations, owners])
}

const ensurePartitionRows = sql(
  'inventory.ensure_partitions',
  `with alone as materialized (select pg_advisory_xact_lock(hashtext('inventory.ensure_partitions')))
   select inventory.ensure_partition((date_trunc('month', now() at time zone 'UTC') + make_interval(months => n))::date)
   from alone, generate_series(0, 3) n`,
)

/** Makes the ledger's partitions of this month and the three after it. */
export async function ensurePartitions(queries: Queries): Promise<void> {
  await queries.query(ensurePartitionRows)
}
