/** The SQL of what is known of lots. */
import type { Queries, Transaction } from '#platform/database.ts'
import { sql } from '#platform/database.ts'
import type { Quantity } from '#platform/quantity.ts'
import { lotKey } from '../rules/lots.ts'

export type LotKey = { readonly company: string; readonly itemId: number; readonly lot: string }

const hold = sql(
  'inventory.hold_lot',
  `insert into inventory.lot as l (company, item_id, lot, held_by, held_at, held_reason) values ($1, $2, $3, $4, now(), $5)
   on conflict (company, item_id, lot) do update
     set held_by = excluded.held_by, held_at = excluded.held_at, held_reason = excluded.held_reason
   where l.held_by is null`,
)
const release = sql(
  'inventory.release_lot',
  `update inventory.lot set held_by = null, held_at = null, held_reason = null
   where company = $1 and item_id = $2 and lot = $3`,
)
const describe = sql(
  'inventory.describe_lot',
  `insert into inventory.lot (company, item_id, lot, expires_on) values ($1, $2, $3, $4)
   on conflict (company, item_id, lot) do update set expires_on = excluded.expires_on`,
)

/** Whoever held it first stays named. */
export const holdLot = (
  tx: Transaction,
  { company, itemId, lot }: LotKey,
  by: string,
  reason: string,
): void => tx.send(hold, [company, itemId, lot, by, reason])
export const releaseLot = (tx: Transaction, { company, itemId, lot }: LotKey): void =>
  tx.send(release, [company, itemId, lot])
export const describeLot = (tx: Transaction, { company, itemId, lot }: LotKey, expiresOn: string): void =>
  tx.send(describe, [company, itemId, lot, expiresOn])

const lock = sql(
  'inventory.lock_lot',
  `select location, lot, available, reserved, quality_hold as "qualityHold", held, unreconciled from inventory.position
   where item_id = $1 and company = $2 and owner = 'own' order by item_id, location, lot for no key update`,
)

export type LotPosition = {
  readonly location: string
  readonly lot: string
  readonly available: Quantity
  readonly reserved: Quantity
  readonly qualityHold: Quantity
  readonly held: Quantity
  readonly unreconciled: Quantity
}

/** Every position of an item, locked in the order in which everybody locks. */
export const lockItem = (tx: Transaction, itemId: number, company: string): Promise<LotPosition[]> =>
  tx.query<LotPosition>(lock, [itemId, company])

const places = sql(
  'inventory.places_of_item',
  `select distinct location from inventory.position where item_id = $1 and company = $2 and owner = 'own' order by location`,
)
export const placesOfItem = async (queries: Queries, itemId: number, company: string): Promise<string[]> =>
  (await queries.query<{ location: string }>(places, [itemId, company])).map(({ location }) => location)

// Reads what is claimed now, which is as little as the work under way: no index is kept for it.
const claims = sql(
  'inventory.claims_on_item',
  `select 'order' as kind, doc, location from inventory.reservation where item_id = $1 and location = any($2::text[])
   union select 'reservation', reservation_id, location from inventory.channel_claim
   where item_id = $1 and location = any($2::text[]) order by 3, 1, 2`,
)

export type ClaimOnItem = {
  readonly kind: 'order' | 'reservation'
  readonly doc: number
  readonly location: string
}

export const claimsOnItem = (
  queries: Queries,
  itemId: number,
  locations: readonly string[],
): Promise<ClaimOnItem[]> => queries.query<ClaimOnItem>(claims, [itemId, locations])

const placesHavingLot = sql(
  'inventory.places_of_lot',
  `select distinct location from inventory.position where item_id = $1 and lot = $2 and company = $3 and owner = 'own'
   order by location`,
)
export const placesOfLot = async (queries: Queries, { itemId, lot, company }: LotKey): Promise<string[]> =>
  (await queries.query<{ location: string }>(placesHavingLot, [itemId, lot, company])).map(
    ({ location }) => location,
  )

const lots = sql(
  'inventory.lots_at',
  `select p.lot, p.location, l.expires_on::text as "expiresOn", l.held_by is not null as held, p.available,
     p.quality_hold as "qualityHold"
   from inventory.position p
   left join inventory.lot l on l.company = p.company and l.item_id = p.item_id and l.lot = p.lot
   where p.item_id = $1 and p.location = any($2::text[]) and p.company = $3 and p.owner = 'own' and p.lot <> ''
     and (p.available > 0 or p.quality_hold > 0)`,
)

export type LotRow = {
  readonly lot: string
  readonly location: string
  readonly expiresOn: string | null
  readonly held: boolean
  readonly available: Quantity
  readonly qualityHold: Quantity
}

export const selectLots = (
  queries: Queries,
  { itemId, company, locations }: { itemId: number; company: string; locations: readonly string[] },
): Promise<LotRow[]> => queries.query<LotRow>(lots, [itemId, locations, company])

const lotsToName = sql(
  'inventory.lots_to_name',
  `select p.item_id as "itemId", p.location, p.lot, p.available, l.expires_on::text as "expiresOn",
     l.held_by is not null as held
   from inventory.position p
   left join lateral (
     select * from inventory.lot l where l.company = p.company and l.item_id = p.item_id and l.lot = p.lot offset 0) l
     on true
   where p.item_id = any($1::int[]) and p.location = any($2::text[]) and p.owner = 'own' and p.lot <> ''
   order by p.item_id, p.location, p.lot for no key update of p`,
)

export type LotToName = Omit<LotRow, 'qualityHold'> & { readonly itemId: number }

/** Lots of these items at these places, locked, so that two who take of them see each other's part. */
export const lockLots = (
  tx: Transaction,
  items: readonly number[],
  locations: readonly string[],
): Promise<LotToName[]> => tx.query<LotToName>(lotsToName, [items, locations])

const heldAmong = sql(
  'inventory.held_among_lots',
  `select k.item_id as "itemId", k.lot from unnest($1::text[], $2::int[], $3::text[]) as k(company, item_id, lot)
   cross join lateral (
     select from inventory.lot l
     where l.company = k.company and l.item_id = k.item_id and l.lot = k.lot and l.held_by is not null offset 0) h`,
)

/** Those of the lots that somebody holds. */
export async function selectHeld(queries: Queries, lots: readonly LotKey[]): Promise<ReadonlySet<string>> {
  if (lots.length === 0) return new Set()
  const distinct = [...new Map(lots.map((one) => [lotKey(one), one])).values()]
  const rows = await queries.query<Pick<LotKey, 'itemId' | 'lot'>>(heldAmong, [
    distinct.map((row) => row.company),
    distinct.map((row) => row.itemId),
    distinct.map((row) => row.lot),
  ])
  return new Set(rows.map(lotKey))
}

const makeLots = sql(
  'inventory.make_lots',
  `insert into inventory.lot (company, item_id, lot)
   select k.company, k.item_id, k.lot from unnest($1::text[], $2::int[], $3::text[]) as k(company, item_id, lot)
   on conflict do nothing`,
)
const shareLotRows = sql(
  'inventory.share_lots',
  `select from unnest($1::text[], $2::int[], $3::text[]) as k(company, item_id, lot)
   cross join lateral (
     select from inventory.lot l where l.company = k.company and l.item_id = k.item_id and l.lot = k.lot for share) l`,
)

/** Until the transaction ends nobody begins to hold these lots, or lets them go. */
export async function shareLots(tx: Transaction, lots: readonly LotKey[]): Promise<void> {
  const keys = keysOf(
    [...new Map(lots.map((one) => [lotKey(one), one])).values()].toSorted(
      (a, b) => a.itemId - b.itemId || (a.lot < b.lot ? -1 : 1),
    ),
  )
  tx.send(makeLots, keys)
  await tx.query(shareLotRows, keys)
}

const expiries = sql(
  'inventory.expiries_of_lots',
  `select k.item_id as "itemId", k.lot, l.expires_on::text as "expiresOn"
   from unnest($1::text[], $2::int[], $3::text[]) as k(company, item_id, lot)
   cross join lateral (
     select expires_on from inventory.lot l
     where l.company = k.company and l.item_id = k.item_id and l.lot = k.lot and l.expires_on is not null offset 0) l`,
)
// What a person has said meanwhile stands.
const learn = sql(
  'inventory.learn_expiries',
  `insert into inventory.lot as l (company, item_id, lot, expires_on)
   select * from unnest($1::text[], $2::int[], $3::text[], $4::date[])
   on conflict (company, item_id, lot) do update set expires_on = excluded.expires_on where l.expires_on is null`,
)

export type DatedLot = LotKey & { readonly expiresOn: string }

const keysOf = (lots: readonly LotKey[]): [string[], number[], string[]] => [
  lots.map((row) => row.company),
  lots.map((row) => row.itemId),
  lots.map((row) => row.lot),
]

/** What is known of these lots, by `lotKey`. */
export async function selectExpiries(
  queries: Queries,
  lots: readonly LotKey[],
): Promise<ReadonlyMap<string, string>> {
  const rows = await queries.query<Omit<DatedLot, 'company'>>(expiries, keysOf(lots))
  return new Map(rows.map((row) => [lotKey(row), row.expiresOn]))
}

export const insertExpiries = (tx: Transaction, lots: readonly DatedLot[]): void =>
  tx.send(learn, [...keysOf(lots), lots.map((row) => row.expiresOn)])
