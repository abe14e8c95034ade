/** The SQL of serials: where each is, what was told of it, and how many of them a place has. */
import type { Queries, Transaction } from '#platform/database.ts'
import { sql } from '#platform/database.ts'
import type { Quantity } from '#platform/quantity.ts'
import { type Owned, ownerOf } from '../contract/owners.ts'
import {
  SERIAL_BUCKETS,
  type SerialBucket,
  type SerialKey,
  type SerialRow,
  type SerialTold,
} from '../contract/serials.ts'
import type { SerialCount } from '../rules/serials.ts'

const COLUMNS = `s.company, s.item_id as "itemId", s.serial, s.location, s.bucket, s.owner, s.lot,
  s.shipment_id as "shipmentId", s.order_id as "orderId", s.told_at as "toldAt", s.doubt,
  s.doubt_location as "doubtLocation", s.doubt_owner as "doubtOwner"`

const ensure = sql(
  'inventory.ensure_serials',
  `insert into inventory.serial (company, item_id, serial, bucket)
   select company, item_id, serial, 'supplier' from unnest($1::text[], $2::int[], $3::text[]) as k(company, item_id, serial)
   on conflict do nothing`,
)
const lock = sql(
  'inventory.lock_serials',
  `select s.* from unnest($1::text[], $2::int[], $3::text[]) as k(company, item_id, serial)
   cross join lateral (
     select ${COLUMNS} from inventory.serial s
     where s.company = k.company and s.serial = k.serial and s.item_id = k.item_id offset 0 for no key update) s`,
)
const find = sql(
  'inventory.serials',
  `select s.* from unnest($1::text[], $2::int[], $3::text[]) as k(company, item_id, serial)
   cross join lateral (
     select ${COLUMNS} from inventory.serial s
     where s.company = k.company and s.serial = k.serial and s.item_id = k.item_id offset 0) s`,
)

const keysOf = (keys: readonly SerialKey[]): [string[], number[], string[]] => [
  keys.map(({ company }) => company),
  keys.map(({ itemId }) => itemId),
  keys.map(({ serial }) => serial),
]

/** Makes those that are not there yet and locks all of them, in the order of the list. */
export function lockSerials(tx: Transaction, keys: readonly SerialKey[]): Promise<SerialRow[]> {
  tx.send(ensure, keysOf(keys))
  return tx.query<SerialRow>(lock, keysOf(keys))
}

/** Those of which something was told. */
export const selectSerials = (queries: Queries, keys: readonly SerialKey[]): Promise<SerialRow[]> =>
  queries.query<SerialRow>(find, keysOf(keys))

const write = sql(
  'inventory.write_serials',
  `update inventory.serial s set location = n.location, bucket = n.bucket, lot = n.lot, shipment_id = n.shipment_id,
     order_id = n.order_id, told_at = n.told_at, doubt = n.doubt, doubt_location = n.doubt_location, owner = n.owner,
     doubt_owner = n.doubt_owner
   from unnest($1::text[], $2::int[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::bigint[],
     $9::timestamptz[], $10::text[], $11::text[], $12::text[], $13::text[])
     as n(company, item_id, serial, location, bucket, lot, shipment_id, order_id, told_at, doubt, doubt_location, owner,
       doubt_owner)
   where s.company = n.company and s.serial = n.serial and s.item_id = n.item_id`,
)

/** As they are now; locked before. */
export function updateSerials(tx: Transaction, rows: readonly SerialRow[]): void {
  if (rows.length === 0) return
  tx.send(write, [
    ...keysOf(rows),
    rows.map(({ location }) => location),
    rows.map(({ bucket }) => bucket),
    rows.map(({ lot }) => lot),
    rows.map(({ shipmentId }) => shipmentId),
    rows.map(({ orderId }) => orderId),
    rows.map(({ toldAt }) => toldAt),
    rows.map(({ doubt }) => doubt),
    rows.map(({ doubtLocation }) => doubtLocation),
    rows.map(({ owner }) => owner),
    rows.map(({ doubtOwner }) => doubtOwner),
  ])
}

const remember = sql(
  'inventory.insert_serial_facts',
  `insert into inventory.serial_fact (company, item_id, serial, from_bucket, from_location, to_bucket, to_location, lot,
     reason, source, source_key, doc, at, moved, from_owner, to_owner)
   select * from unnest($1::text[], $2::int[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
     $9::text[], $10::text[], $11::text[], $12::bigint[], $13::timestamptz[], $14::boolean[], $15::text[], $16::text[])`,
)

export type SerialFact = SerialTold & { readonly moved: boolean }

export function insertSerialFacts(tx: Transaction, facts: readonly SerialFact[]): void {
  if (facts.length === 0) return
  tx.send(remember, [
    ...keysOf(facts),
    facts.map(({ from }) => from.bucket),
    facts.map(({ from }) => from.location),
    facts.map(({ to }) => to.bucket),
    facts.map(({ to }) => to.location),
    facts.map(({ lot }) => lot),
    facts.map(({ reason }) => reason),
    facts.map(({ source }) => source),
    facts.map(({ sourceKey }) => sourceKey),
    facts.map(({ doc }) => doc),
    facts.map(({ at }) => at),
    facts.map(({ moved }) => moved),
    facts.map(({ from }) => ownerOf(from)),
    facts.map(({ to }) => ownerOf(to)),
  ])
}

const COUNTED = SERIAL_BUCKETS.map(
  (bucket) => `count(*) filter (where bucket = '${bucket}')::int as ${bucket}_serials`,
).join(', ')

// What left although the books had less, or was not found, is of what is for sale.
const count = sql(
  'inventory.count_serials',
  `select k.company, k.item_id as "itemId", k.location, k.owner,
     coalesce(greatest(p.available + p.unreconciled, 0), 0) as available,
     coalesce(p.quality_hold, 0) as quality_hold, coalesce(p.quarantine, 0) as quarantine, coalesce(p.damaged, 0) as damaged,
     coalesce(p.blocked, 0) as blocked, coalesce(p.in_transit, 0) as in_transit, s.*
   from unnest($1::text[], $2::int[], $3::text[], $4::text[]) as k(company, item_id, location, owner)
   left join lateral (
     select * from inventory.position p where p.item_id = k.item_id and p.location = k.location and p.lot = ''
       and p.owner = k.owner and p.company = k.company offset 0) p on true
   cross join lateral (
     select ${COUNTED} from inventory.serial s
     where s.item_id = k.item_id and s.location = k.location and s.company = k.company and s.owner = k.owner) s`,
)

/** What one owner has of an item at a place. */
export type SerialSite = Owned & {
  readonly company: string
  readonly itemId: number
  readonly location: string
}

const siteColumns = (sites: readonly SerialSite[]): unknown[] => [
  sites.map(({ company }) => company),
  sites.map(({ itemId }) => itemId),
  sites.map(({ location }) => location),
  sites.map(ownerOf),
]

type CountRow = SerialSite & { readonly owner: string } & Readonly<Record<SerialBucket, Quantity>> &
  Readonly<Record<`${SerialBucket}_serials`, number>>

/** What owners have at places, and how much of it is known by its serials. */
export async function countSerials(queries: Queries, sites: readonly SerialSite[]): Promise<SerialCount[]> {
  if (sites.length === 0) return []
  const rows = await queries.query<CountRow>(count, siteColumns(sites))
  const by = <T>(value: (bucket: SerialBucket) => T) =>
    Object.fromEntries(SERIAL_BUCKETS.map((bucket) => [bucket, value(bucket)])) as Record<SerialBucket, T>
  return rows.map(({ company, itemId, location, owner, ...row }) => ({
    company,
    itemId,
    location,
    owner,
    quantities: by((bucket) => row[bucket]),
    serials: by((bucket) => row[`${bucket}_serials`]),
  }))
}

const doubted = sql(
  'inventory.doubted_serials',
  `select ${COLUMNS} from inventory.serial s
   where s.company = $1 and (s.item_id, s.serial) > ($2, $3) and s.doubt is not null
   order by s.company, s.item_id, s.serial limit $4`,
)

/** What waits for an explanation, in pages. */
export const selectDoubted = (
  queries: Queries,
  company: string,
  after: Pick<SerialKey, 'itemId' | 'serial'>,
  limit: number,
): Promise<SerialRow[]> => queries.query<SerialRow>(doubted, [company, after.itemId, after.serial, limit])

const ofItem = sql(
  'inventory.serials_of_item',
  `select ${COLUMNS} from inventory.serial s
   where s.item_id = $1 and (s.location, s.serial) > ($2, $3) and s.company = $4
     and ($5::text is null or s.bucket = $5) and ($6::text is null or s.lot = $6) and ($8::text is null or s.owner = $8)
   order by s.item_id, s.location, s.serial limit $7`,
)
const atPlace = sql(
  'inventory.serials_at_place',
  `select ${COLUMNS} from inventory.serial s
   where s.item_id = $1 and s.location = $2 and s.serial > $3 and s.company = $4
     and ($5::text is null or s.bucket = $5) and ($6::text is null or s.lot = $6) and ($8::text is null or s.owner = $8)
   order by s.item_id, s.location, s.serial limit $7`,
)

export type SerialFilter = {
  readonly company: string
  readonly itemId: number
  readonly location?: string | undefined
  readonly bucket?: string | undefined
  readonly lot?: string | undefined
  /** Of all owners where none is named. */
  readonly owner?: string | undefined
}

/** Those that are with us, by location and serial, after the one where the page before ended. */
export function selectSerialsAt(
  queries: Queries,
  { company, itemId, location, bucket, lot, owner }: SerialFilter,
  after: { readonly location: string; readonly serial: string } | undefined,
  limit: number,
): Promise<SerialRow[]> {
  const { location: from, serial } = after ?? { location: '', serial: '' }
  const rest = [serial, company, bucket ?? null, lot ?? null, limit, owner ?? null]
  return location === undefined
    ? queries.query<SerialRow>(ofItem, [itemId, from, ...rest])
    : queries.query<SerialRow>(atPlace, [itemId, location, ...rest])
}

const present = sql(
  'inventory.serials_at_places',
  `select s.* from unnest($1::text[], $2::int[], $3::text[], $4::text[]) as k(company, item_id, location, owner)
   cross join lateral (
     select ${COLUMNS} from inventory.serial s
     where s.item_id = k.item_id and s.location = k.location and s.company = k.company and s.owner = k.owner offset 0) s`,
)

/** All that owners have of items at places. */
export async function selectPresent(queries: Queries, sites: readonly SerialSite[]): Promise<SerialRow[]> {
  if (sites.length === 0) return []
  return queries.query<SerialRow>(present, siteColumns(sites))
}

const named = sql(
  'inventory.serials_named',
  `select ${COLUMNS} from inventory.serial s where s.company = $1 and s.serial = $2 and s.told_at is not null
   order by s.company, s.serial, s.item_id limit 20`,
)

/** Of whatever items. */
export const selectNamed = (queries: Queries, company: string, serial: string): Promise<SerialRow[]> =>
  queries.query<SerialRow>(named, [company, serial])

const history = sql(
  'inventory.serial_history',
  `select id, from_bucket as "fromBucket", from_location as "fromLocation", to_bucket as "toBucket",
     to_location as "toLocation", from_owner as "fromOwner", to_owner as "toOwner", lot, reason, source,
     source_key as "sourceKey", doc, at, recorded_at as "recordedAt", moved
   from inventory.serial_fact where company = $1 and serial = $2 and item_id = $3
   order by company desc, serial desc, item_id desc, id desc limit $4`,
)

export type SerialFactRow = {
  readonly id: number
  readonly fromBucket: string
  readonly fromLocation: string | null
  readonly toBucket: string
  readonly toLocation: string | null
  readonly fromOwner: string
  readonly toOwner: string
  readonly lot: string
  readonly reason: string
  readonly source: string
  readonly sourceKey: string
  readonly doc: number | null
  readonly at: Date
  readonly recordedAt: Date
  readonly moved: boolean
}

/** The newest first. */
export const selectSerialFacts = (
  queries: Queries,
  { company, itemId, serial }: SerialKey,
  limit: number,
): Promise<SerialFactRow[]> => queries.query<SerialFactRow>(history, [company, serial, itemId, limit])
