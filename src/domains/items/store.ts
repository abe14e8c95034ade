/** The SQL of items; the only file that writes its tables. */
import type { HeldCopy, Reading } from '#platform/copies.ts'
import type { Queries, Transaction } from '#platform/database.ts'
import { sql } from '#platform/database.ts'
import type { UnitFactor } from '#platform/quantity.ts'
import type { ItemIdentifier, SellingItem } from './contract.ts'

// A lateral with a limit cannot be flattened, so the keys drive and the tables are always met by their indexes, even
// when they were analyzed while empty. Units come with their item: one row and one statement for a line's item.
const findBySku = sql(
  'items.find',
  `select i.*, u.units from unnest($1::text[], $2::text[]) as k(company, sku)
   cross join lateral (
     select id, company, sku, name, status, base_unit as "baseUnit", catch_weight as "catchWeight",
       lot_controlled as "lotControlled", serial_controlled as "serialControlled", tax_class as "taxClass", as_of as "asOf"
     from items.item where company = k.company and sku = k.sku limit 1) i
   cross join lateral (
     select json_object_agg(unit, json_build_array(numerator, denominator)) as units
     from items.unit where item_id = i.id) u`,
)

export type ItemKey = { readonly company: string; readonly sku: string }
type Row = Omit<SellingItem, 'units'> & { readonly units: Record<string, [number, number]> | null }

export async function selectItems(queries: Queries, keys: readonly ItemKey[]): Promise<SellingItem[]> {
  const rows = await queries.query<Row>(findBySku, [
    keys.map((key) => key.company),
    keys.map((key) => key.sku),
  ])
  return rows.map((row) => Object.assign(row, { units: unitsOf(row) }))
}

const findById = sql(
  'items.find_by_id',
  `select i.*, u.units from unnest($1::int[]) as k(id)
   cross join lateral (
     select id, company, sku, name, status, base_unit as "baseUnit", catch_weight as "catchWeight",
       lot_controlled as "lotControlled", serial_controlled as "serialControlled", tax_class as "taxClass", as_of as "asOf"
     from items.item where id = k.id limit 1) i
   cross join lateral (
     select json_object_agg(unit, json_build_array(numerator, denominator)) as units
     from items.unit where item_id = i.id) u`,
)

export async function selectItemsById(queries: Queries, ids: readonly number[]): Promise<SellingItem[]> {
  const rows = await queries.query<Row>(findById, [ids])
  return rows.map((row) => Object.assign(row, { units: unitsOf(row) }))
}

const idsAfter = sql('items.ids_after', 'select id from items.item where id > $1 order by id limit $2')

export const selectItemIds = (queries: Queries, after: number, limit: number): Promise<{ id: number }[]> =>
  queries.query(idsAfter, [after, limit])

function unitsOf({ baseUnit, units }: Row): ReadonlyMap<string, UnitFactor> {
  const factors = new Map<string, UnitFactor>([[baseUnit, { numerator: 1, denominator: 1 }]])
  for (const unit in units) {
    const [numerator, denominator] = units[unit] ?? [1, 1]
    factors.set(unit, { numerator, denominator })
  }
  return factors
}

const findIdentifiers = sql(
  'items.find_by_identifier',
  `select k.company, k.scheme, k.value, i.id as "itemId", i.sku
   from unnest($1::text[], $2::text[], $3::text[]) as k(company, scheme, value)
   cross join lateral (
     select item_id from items.identifier
     where company = k.company and scheme = k.scheme and value = k.value limit 1) n
   cross join lateral (select id, sku from items.item where id = n.item_id limit 1) i`,
)

export type IdentifiedItem = { readonly itemId: number; readonly sku: string }

export function selectByIdentifier(
  queries: Queries,
  keys: readonly ItemIdentifier[],
): Promise<(ItemIdentifier & IdentifiedItem)[]> {
  const columns = [
    keys.map((key) => key.company),
    keys.map((key) => key.scheme),
    keys.map((key) => key.value),
  ]
  return queries.query(findIdentifiers, columns)
}

const controlled = sql(
  'items.controlled',
  `select id, sku, lot_controlled as lots, serial_controlled as serials from items.item
   where id = any($1::int[]) and (lot_controlled or serial_controlled) order by id`,
)

export type ControlledRow = {
  readonly id: number
  readonly sku: string
  readonly lots: boolean
  readonly serials: boolean
}

export const selectControlled = (queries: Queries, ids: readonly number[]): Promise<ControlledRow[]> =>
  queries.query<ControlledRow>(controlled, [ids])

// Loading ---------------------------------------------------------------------------------------------------------------

/** An item as it is compared with what we hold: units and identifiers in the order of their keys. */
export type ItemRow = {
  readonly sku: string
  readonly name: string
  readonly status: string
  readonly baseUnit: string
  readonly catchWeight: boolean
  readonly lotControlled: boolean
  readonly serialControlled: boolean
  readonly taxClass: string
  readonly units: readonly {
    readonly unit: string
    readonly numerator: number
    readonly denominator: number
  }[]
  readonly identifiers: readonly { readonly scheme: string; readonly value: string }[]
}

const held = sql(
  'items.held',
  `select i.id, i.as_of as "asOf", json_build_object(
     'sku', i.sku, 'name', i.name, 'status', i.status, 'baseUnit', i.base_unit, 'catchWeight', i.catch_weight,
     'lotControlled', i.lot_controlled, 'serialControlled', i.serial_controlled, 'taxClass', i.tax_class, 'units', u.units,
     'identifiers', n.identifiers) as record
   from unnest($2::text[]) as k(sku)
   cross join lateral (select * from items.item where company = $1 and sku = k.sku limit 1) i
   cross join lateral (
     select coalesce(json_agg(json_build_object('unit', unit, 'numerator', numerator, 'denominator', denominator)
       order by unit collate "C"), '[]') as units
     from items.unit where item_id = i.id) u
   cross join lateral (
     select coalesce(json_agg(json_build_object('scheme', scheme, 'value', value)
       order by scheme collate "C", value collate "C"), '[]') as identifiers
     from items.identifier where item_id = i.id) n`,
)

export type HeldItem = HeldCopy<ItemRow> & { readonly id: number }

export function selectHeld(tx: Transaction, company: string, skus: readonly string[]): Promise<HeldItem[]> {
  return tx.query(held, [company, skus])
}

const upsert = sql(
  'items.upsert',
  `insert into items.item as i (company, sku, name, status, base_unit, catch_weight, lot_controlled, serial_controlled, tax_class,
     source, as_of)
   select $1, sku, name, status, "baseUnit", "catchWeight", "lotControlled", "serialControlled", "taxClass", $2, $3
   from jsonb_to_recordset($4::jsonb) as r(sku text, name text, status text, "baseUnit" text, "catchWeight" boolean,
     "lotControlled" boolean, "serialControlled" boolean, "taxClass" text)
   on conflict (company, sku) do update set name = excluded.name, status = excluded.status,
     catch_weight = excluded.catch_weight, lot_controlled = excluded.lot_controlled,
     serial_controlled = excluded.serial_controlled, tax_class = excluded.tax_class, source = excluded.source, as_of = excluded.as_of
   where i.as_of <= excluded.as_of and i.base_unit = excluded.base_unit
   returning i.id, i.sku`,
)

/** Answers those that were written: a newer copy that came in between stays. */
export function upsertRows(
  tx: Transaction,
  { company, source, asOf }: Reading,
  rows: readonly ItemRow[],
): Promise<{ id: number; sku: string }[]> {
  return tx.query(upsert, [company, source, asOf, JSON.stringify(rows)])
}

const confirm = sql(
  'items.confirm',
  `update items.item set source = $2, as_of = $3 where id = any($1::int[]) and as_of < $3`,
)

/** Nothing has changed as of then. */
export function confirmRows(tx: Transaction, { source, asOf }: Reading, ids: readonly number[]): void {
  if (ids.length > 0) tx.send(confirm, [ids, source, asOf])
}

const clearUnits = sql('items.clear_units', `delete from items.unit where item_id = any($1::int[])`)
const insertUnits = sql(
  'items.insert_units',
  `insert into items.unit (item_id, unit, numerator, denominator)
   select * from unnest($1::int[], $2::text[], $3::bigint[], $4::bigint[]) on conflict (item_id, unit) do nothing`,
)

export type WrittenItem = ItemRow & { readonly id: number }

/** Each item's units become the given ones. */
export function replaceUnits(tx: Transaction, rows: readonly WrittenItem[]): void {
  const units = rows.flatMap(({ id, units }) => units.map((unit) => ({ ...unit, id })))
  tx.send(clearUnits, [rows.map((row) => row.id)])
  tx.send(insertUnits, [
    units.map((unit) => unit.id),
    units.map((unit) => unit.unit),
    units.map((unit) => unit.numerator),
    units.map((unit) => unit.denominator),
  ])
}

const clearIdentifiers = sql(
  'items.clear_identifiers',
  `delete from items.identifier where item_id = any($1::int[])`,
)
// The last item to claim a number has it, so that a number can move from an item to its successor.
const insertIdentifiers = sql(
  'items.insert_identifiers',
  `insert into items.identifier (company, scheme, value, item_id)
   select distinct on (scheme, value) $1, scheme, value, item_id
   from unnest($2::int[], $3::text[], $4::text[]) with ordinality as n(item_id, scheme, value, place)
   order by scheme, value, place desc
   on conflict (company, scheme, value) do update set item_id = excluded.item_id`,
)

/** Each item's identifiers become the given ones; an identifier that another item had moves. */
export function replaceIdentifiers(tx: Transaction, company: string, rows: readonly WrittenItem[]): void {
  const identifiers = rows.flatMap(({ id, identifiers }) => identifiers.map((each) => ({ ...each, id })))
  tx.send(clearIdentifiers, [rows.map((row) => row.id)])
  tx.send(insertIdentifiers, [
    company,
    identifiers.map((each) => each.id),
    identifiers.map((each) => each.scheme),
    identifiers.map((each) => each.value),
  ])
}
