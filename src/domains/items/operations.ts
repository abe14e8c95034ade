/** The verbs of items: find them by any of their numbers, convert their units, keep our copies of them. */
import { checkRecords, compareCopies, type Loaded, type Reading, type Rejection } from '#platform/copies.ts'
import type { Queries, Transaction } from '#platform/database.ts'
import { Refusal } from '#platform/faults.ts'
import type { Quantity, UnitFactor } from '#platform/quantity.ts'
import {
  type GivenItem,
  identifierKey,
  type ItemIdentifier,
  itemKey,
  ItemRecord,
  type SellingItem,
} from './contract.ts'
import { isCounted, toBase } from './rules.ts'
import * as store from './store.ts'

/** By `itemKey`; what is unknown is absent. */
export async function findItems(
  queries: Queries,
  keys: readonly store.ItemKey[],
): Promise<ReadonlyMap<string, SellingItem>> {
  const distinct = new Map(keys.map((key) => [itemKey(key.company, key.sku), key]))
  const found = distinct.size > 0 ? await store.selectItems(queries, [...distinct.values()]) : []
  return new Map(found.map((item) => [itemKey(item.company, item.sku), item]))
}

/** By id; what is unknown is absent. */
export async function findItemsById(
  queries: Queries,
  ids: readonly number[],
): Promise<ReadonlyMap<number, SellingItem>> {
  const found = ids.length > 0 ? await store.selectItemsById(queries, ids) : []
  return new Map(found.map((item) => [item.id, item]))
}

/** The ids of all items, `limit` of them after the one where the last page ended. */
export const itemIds = async (queries: Queries, after: number, limit: number): Promise<number[]> =>
  (await store.selectItemIds(queries, after, limit)).map(({ id }) => id)

/** By `identifierKey`. */
export async function findByIdentifier(
  queries: Queries,
  keys: readonly ItemIdentifier[],
): Promise<ReadonlyMap<string, store.IdentifiedItem>> {
  const found = keys.length > 0 ? await store.selectByIdentifier(queries, keys) : []
  return new Map(found.map((row) => [identifierKey(row), { itemId: row.itemId, sku: row.sku }]))
}

/** An item whose units are known by their lot, by a serial of their own, or by both. */
export type ControlledItem = store.ControlledRow

/** Those of these items that are known by lots or serials, by id. */
export async function controlledItems(
  queries: Queries,
  ids: readonly number[],
): Promise<ReadonlyMap<number, ControlledItem>> {
  if (ids.length === 0) return new Map()
  return new Map((await store.selectControlled(queries, ids)).map((item) => [item.id, item]))
}

/** Whether a unit comes in whole numbers only. */
export const comesWhole = isCounted

/** A quantity above zero in base units, exactly, or why there is none. */
export const inBaseUnits = toBase

export type OrderedQuantity = {
  readonly key: string
  readonly company: string
  readonly sku: string
  readonly quantity: Quantity
  readonly unit: string
}

/** A line's item, what one of its unit is in base units, and the ordered quantity in them. */
export type OrderedItem = { readonly item: SellingItem; readonly factor: UnitFactor; readonly base: Quantity }

/** What each line orders in base units, or why it cannot be ordered; by the line's key. */
export function resolveLines(
  items: ReadonlyMap<string, SellingItem>,
  lines: readonly OrderedQuantity[],
): ReadonlyMap<string, OrderedItem | Refusal> {
  return new Map(
    lines.map((line) => [line.key, resolveLine(items.get(itemKey(line.company, line.sku)), line)]),
  )
}

function resolveLine(item: SellingItem | undefined, line: OrderedQuantity): OrderedItem | Refusal {
  const facts = { company: line.company, sku: line.sku }
  if (!item) return new Refusal('items.unknown', `${line.company} has no item ${line.sku}`, facts)
  if (item.status === 'blocked') return new Refusal('items.blocked', `${line.sku} is blocked for sale`, facts)
  const base = toBase(item, line.quantity, line.unit)
  if (base instanceof Refusal) return base
  return { item, factor: item.units.get(line.unit)!, base }
}

/** Loading the same reading again changes nothing; an older one never overwrites a newer one. */
export async function upsertItems(
  tx: Transaction,
  reading: Reading,
  given: readonly GivenItem[],
): Promise<Loaded> {
  const { records, repeated, rejected } = checkRecords(
    { schema: ItemRecord, key: skuOf, label: skuOf, code: 'items.record_invalid' },
    given,
  )
  const all = new Map([...records].map(([sku, record]) => [sku, comparable(record)]))
  const heldRows = await store.selectHeld(tx, reading.company, [...all.keys()])
  const held = new Map(heldRows.map((copy) => [copy.record.sku, copy]))
  const { rows, conflicts } = withoutNewBaseUnits(all, held)
  const { inserted, updated, unchanged, superseded } = compareCopies(reading.asOf, rows, held)

  store.confirmRows(
    tx,
    reading,
    unchanged.flatMap(({ sku }) => held.get(sku)?.id ?? []),
  )
  const changed = [...inserted, ...updated]
  const written = await write(tx, reading, changed)
  const count = (some: readonly store.ItemRow[]) => some.filter(({ sku }) => written.has(sku)).length
  return {
    inserted: count(inserted),
    updated: count(updated),
    unchanged: unchanged.length,
    superseded: superseded + repeated + changed.length - written.size,
    rejected: [...rejected, ...conflicts],
  }
}

/** Stock and open orders are counted in the base unit, so it stays what it was. */
function withoutNewBaseUnits(
  rows: ReadonlyMap<string, store.ItemRow>,
  held: ReadonlyMap<string, store.HeldItem>,
): { rows: ReadonlyMap<string, store.ItemRow>; conflicts: readonly Rejection[] } {
  const kept = new Map(rows)
  const conflicts: Rejection[] = []
  for (const [key, { baseUnit }] of rows) {
    const known = held.get(key)?.record.baseUnit ?? baseUnit
    if (known === baseUnit) continue
    kept.delete(key)
    conflicts.push({
      key,
      code: 'items.base_unit_changed',
      reason: `baseUnit: ${baseUnit} instead of ${known}`,
    })
  }
  return { rows: kept, conflicts }
}

/** Answers the SKUs that were written. */
async function write(
  tx: Transaction,
  reading: Reading,
  rows: readonly store.ItemRow[],
): Promise<ReadonlySet<string>> {
  if (rows.length === 0) return new Set()
  const written = await store.upsertRows(tx, reading, rows)
  const ids = new Map(written.map(({ id, sku }) => [sku, id]))
  const writtenRows = rows.flatMap((row) => {
    const id = ids.get(row.sku)
    return id === undefined ? [] : [{ ...row, id }]
  })
  store.replaceUnits(tx, writtenRows)
  store.replaceIdentifiers(tx, reading.company, writtenRows)
  return new Set(ids.keys())
}

function comparable({ units, identifiers, ...rest }: ItemRecord): store.ItemRow {
  const further = units.filter(({ unit }) => unit !== rest.baseUnit)
  const distinct = new Map(identifiers.map((each) => [`${each.scheme}\0${each.value}`, each]))
  return {
    ...rest,
    units: further.map(({ unit, factor }) => ({ unit, ...factor })).sort(by(({ unit }) => unit)),
    identifiers: [...distinct].sort(by(([key]) => key)).map(([, each]) => each),
  }
}

const skuOf = (record: { readonly sku: string }): string => record.sku

const by =
  <T>(key: (value: T) => string) =>
  (a: T, b: T): number =>
    key(a) < key(b) ? -1 : 1
