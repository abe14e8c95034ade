/** The SQL of what other systems have sold of our stock. */
import type { Reading } from '#platform/copies.ts'
import type { Queries, Transaction } from '#platform/database.ts'
import { sql } from '#platform/database.ts'
import { formatQuantity, type Quantity } from '#platform/quantity.ts'
import type { ExternalReservation } from '../contract/external.ts'

const alone = sql(
  'inventory.read_sales_alone',
  `select pg_advisory_xact_lock(hashtextextended('sales of others ' || $1, 0))`,
)

/** What two sources tell of one sale is compared in one transaction after the other. */
export const readSalesAlone = (tx: Transaction, { company }: Pick<Reading, 'company'>): void =>
  tx.send(alone, [company])

const COLUMNS = `company, source, document, line, kind, owner, reference, item_id as "itemId", sku, location, wanted,
  claimed, since, changed_at as "changedAt", as_of as "asOf", ordered, shipped, gone`

export type ExternalKey = { readonly document: string; readonly line: string }
/** Of whichever source. */
export type SourceKey = ExternalKey & { readonly company: string; readonly source: string }

const given = (locking: '' | 'for no key update'): string =>
  `select e.* from unnest($1::text[], $2::text[], $3::text[], $4::text[]) as k(company, source, document, line)
   cross join lateral (
     select ${COLUMNS} from inventory.external_reservation e
     where e.company = k.company and e.source = k.source and e.document = k.document and e.line = k.line
     offset 0 ${locking}) e`

const known = sql('inventory.known_external', given(''))
const held = sql('inventory.held_external', given('for no key update'))

const columnsOf = (keys: readonly SourceKey[]): string[][] => [
  keys.map(({ company }) => company),
  keys.map(({ source }) => source),
  keys.map(({ document }) => document),
  keys.map(({ line }) => line),
]

/** What is known of these. */
export const selectExternal = (tx: Transaction, keys: readonly SourceKey[]): Promise<ExternalReservation[]> =>
  tx.query<ExternalReservation>(known, columnsOf(keys))

/** The same, locked in the order of the list; their positions are locked before. */
export const lockExternal = (tx: Transaction, keys: readonly SourceKey[]): Promise<ExternalReservation[]> =>
  tx.query<ExternalReservation>(held, columnsOf(keys))

const upsert = sql(
  'inventory.upsert_external',
  `insert into inventory.external_reservation (company, source, document, line, kind, owner, reference, item_id, sku,
     location, wanted, claimed, changed_at, as_of, ordered, shipped, gone)
   select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::int[],
     $9::text[], $10::text[], $11::numeric[], $12::numeric[], $13::timestamptz[], $14::timestamptz[], $15::numeric[],
     $16::numeric[], $17::numeric[])
   on conflict (company, source, document, line) do update set kind = excluded.kind, owner = excluded.owner,
     reference = excluded.reference, item_id = excluded.item_id, sku = excluded.sku, location = excluded.location,
     wanted = excluded.wanted, claimed = excluded.claimed, changed_at = excluded.changed_at, as_of = excluded.as_of,
     ordered = excluded.ordered, shipped = excluded.shipped, gone = excluded.gone`,
)

/** As they are to be; those that were known are locked. */
export function writeExternal(tx: Transaction, rows: readonly Omit<ExternalReservation, 'since'>[]): void {
  if (rows.length === 0) return
  tx.send(upsert, [
    rows.map((row) => row.company),
    rows.map((row) => row.source),
    rows.map((row) => row.document),
    rows.map((row) => row.line),
    rows.map((row) => row.kind),
    rows.map((row) => row.owner),
    rows.map((row) => row.reference),
    rows.map((row) => row.itemId),
    rows.map((row) => row.sku),
    rows.map((row) => row.location),
    rows.map((row) => formatQuantity(row.wanted)),
    rows.map((row) => formatQuantity(row.claimed)),
    rows.map((row) => row.changedAt),
    rows.map((row) => row.asOf),
    rows.map((row) => formatQuantity(row.ordered)),
    rows.map((row) => formatQuantity(row.shipped)),
    rows.map((row) => formatQuantity(row.gone)),
  ])
}

const unseen = sql(
  'inventory.unseen_external',
  `select ${COLUMNS} from inventory.external_reservation where company = $1 and source = $2 and as_of < $3
   order by company, source, document, line limit $4`,
)
const remove = sql(
  'inventory.remove_external',
  `delete from inventory.external_reservation e using unnest($3::text[], $4::text[]) as k(document, line)
   where e.company = $1 and e.source = $2 and e.document = k.document and e.line = k.line`,
)

/** Those that no reading since then has named; at most so many. */
export const selectUnseen = (
  tx: Transaction,
  { company, source, asOf }: Reading,
  limit: number,
): Promise<ExternalReservation[]> => tx.query<ExternalReservation>(unseen, [company, source, asOf, limit])

export function removeExternal(
  tx: Transaction,
  { company, source }: Pick<Reading, 'company' | 'source'>,
  keys: readonly ExternalKey[],
): void {
  tx.send(remove, [company, source, keys.map(({ document }) => document), keys.map(({ line }) => line)])
}

const openOf = sql(
  'inventory.open_external_documents',
  `select distinct document from inventory.external_reservation
   where company = $1 and source = $2 and document = any($3::text[]) and wanted > 0`,
)

/** Those of these documents of a source of which something is open. */
export async function selectOpenDocuments(
  tx: Transaction,
  { company, source }: Pick<Reading, 'company' | 'source'>,
  documents: readonly string[],
): Promise<ReadonlySet<string>> {
  const rows = await tx.query<{ document: string }>(openOf, [company, source, documents])
  return new Set(rows.map(({ document }) => document))
}

const referring = sql(
  'inventory.external_referring',
  `select e.* from unnest($3::text[]) as k(reference)
   cross join lateral (
     select ${COLUMNS} from inventory.external_reservation e
     where e.company = $1 and e.reference = k.reference and e.source <> $2 and e.wanted > 0 offset 0) e
   order by e.company, e.source, e.document, e.line`,
)

/** What is open elsewhere of orders that refer to one of these documents of a source. */
export const selectReferring = (
  tx: Transaction,
  { company, source }: Pick<Reading, 'company' | 'source'>,
  documents: readonly string[],
): Promise<ExternalReservation[]> => tx.query<ExternalReservation>(referring, [company, source, documents])

const short = sql(
  'inventory.short_external',
  `select ${COLUMNS} from inventory.external_reservation where claimed < wanted
   order by company, source, document, line`,
)

/** All that want more than they have: as few as there are clashes. */
export const selectShort = (tx: Transaction): Promise<ExternalReservation[]> =>
  tx.query<ExternalReservation>(short)

const counted = sql(
  'inventory.external_counted',
  `select ${COLUMNS} from inventory.external_reservation e
   where gone < shipped and exists (
     select from inventory.feed f where f.item_id = e.item_id and f.location = e.location and f.source = e.source
       and f.owner = 'own' and f.counted_at >= e.changed_at offset 0)`,
)

/** Of which more left than was told, before their source counted the place: as few as there are lost messages. */
export const selectCountedGone = (tx: Transaction): Promise<ExternalReservation[]> =>
  tx.query<ExternalReservation>(counted)

const at = sql(
  'inventory.external_at',
  `select e.* from unnest($1::int[], $2::text[]) as k(item_id, location)
   cross join lateral (
     select ${COLUMNS} from inventory.external_reservation e
     where e.item_id = k.item_id and e.location = k.location and e.wanted > 0 offset 0) e
   order by e.since, e.document, e.line`,
)

/** What is open at these places. */
export const selectExternalAt = (
  queries: Queries,
  places: readonly { readonly itemId: number; readonly location: string }[],
): Promise<ExternalReservation[]> =>
  queries.query<ExternalReservation>(at, [
    places.map(({ itemId }) => itemId),
    places.map(({ location }) => location),
  ])

const unguard = sql(
  'inventory.remove_guards',
  `delete from inventory.allocation a
   where a.item_id = any($1::int[]) and a.item_id || ' ' || a.location = any($2::text[]) and a.guards = $3
     and (a.quantity <> $4 or not exists (
       select from inventory.external_reservation e where e.item_id = a.item_id and e.location = a.location
         and e.source = $3 and e.wanted > 0 offset 0))`,
)
// A name that is longer than any that people can give.
const guard = sql(
  'inventory.insert_guards',
  `insert into inventory.allocation (company, item_id, location, name, kind, channels, quantity, set_by, guards)
   select $5, k.item_id, k.location, 'until what ' || $3 || ' sold by itself has been read', 'safety', '{}', $4::numeric, $3, $3
   from unnest($1::int[], $2::text[]) as k(item_id, location)
   where exists (
     select from inventory.external_reservation e where e.item_id = k.item_id and e.location = k.location
       and e.source = $3 and e.wanted > 0 offset 0)
   on conflict (item_id, location, name) do nothing`,
)

type Guarding = { readonly company: string; readonly source: string; readonly quantity: Quantity }

/** So much is kept back where the source has something open, and nothing elsewhere. */
export function writeGuards(
  tx: Transaction,
  places: readonly { readonly itemId: number; readonly location: string }[],
  { company, source, quantity }: Guarding,
): void {
  if (places.length === 0) return
  const items = places.map(({ itemId }) => itemId)
  const names = places.map(({ itemId, location }) => `${itemId} ${location}`)
  tx.send(unguard, [items, names, source, formatQuantity(quantity)])
  if (quantity === 0) return
  const locations = places.map(({ location }) => location)
  tx.send(guard, [items, locations, source, formatQuantity(quantity), company])
}
