/** The verbs of pricing: find what a line costs, decide whose price counts, keep our copies of prices. */
import { checkRecords, compareCopies, type Loaded, type Reading } from '#platform/copies.ts'
import type { Queries, Transaction } from '#platform/database.ts'
import { formatQuantity } from '#platform/quantity.ts'
import {
  contractList,
  type GivenPrice,
  priceKey,
  type PricePolicy,
  type PriceQuestion,
  PriceRecord,
  type SellingPrice,
} from './contract.ts'
import { decidePrice, type PriceDecision } from './rules.ts'
import * as store from './store.ts'

/** By `priceKey`; what has no price is absent. */
export async function findPrices(
  queries: Queries,
  questions: readonly PriceQuestion[],
): Promise<ReadonlyMap<string, SellingPrice>> {
  const byKey = new Map(questions.map((question) => [priceKey(question), question]))
  const keys = [...byKey.keys()]
  const found = keys.length > 0 ? await store.selectPrices(queries, [...byKey.values()]) : []
  return new Map(found.map(({ place, ...price }) => [keys[place - 1]!, price]))
}

/** What items are worth at most that day, by unit; for who values stock rather than sells it. */
export const highestPrices = store.selectHighest

export type PricedLine = {
  readonly key: string
  readonly oursMinor: number | undefined
  readonly expectedMinor: number | undefined
  readonly currency: string
}

/** What each line costs, waits for or is refused for; by the line's key. */
export function decidePrices(
  lines: readonly PricedLine[],
  policy: PricePolicy,
): ReadonlyMap<string, PriceDecision> {
  return new Map(lines.map((line) => [line.key, decidePrice({ ...policy, ...line })]))
}

/** Loading the same reading again changes nothing; an older one never overwrites a newer one. */
export async function upsertPrices(
  tx: Transaction,
  reading: Reading,
  given: readonly GivenPrice[],
): Promise<Loaded> {
  const { records, repeated, rejected } = checkRecords(
    { schema: PriceRecord, key: identityKey, label: recordKey, code: 'pricing.record_invalid' },
    given,
  )
  const rows = new Map([...records].map(([key, record]) => [key, comparable(record)]))
  const heldRows = await store.selectHeld(tx, [...rows.values()])
  const held = new Map(heldRows.map((copy) => [rowKey(copy.record), copy]))
  const { inserted, updated, unchanged, superseded } = compareCopies(reading.asOf, rows, held)

  const changed = [...inserted, ...updated, ...unchanged]
  const answers = changed.length > 0 ? await store.upsertRows(tx, reading, changed) : []
  const written = new Set(answers.map(rowKey))
  const count = (some: readonly store.PriceRow[]) => some.filter((row) => written.has(rowKey(row))).length
  return {
    inserted: count(inserted),
    updated: count(updated),
    unchanged: count(unchanged),
    superseded: superseded + repeated + changed.length - written.size,
    rejected,
  }
}

/**
 * Removes prices that a full reading, begun at `asOf`, no longer found: the ERP does not say which of its prices are
 * gone. A reading that found nothing at all removes nothing. Answers how many are gone.
 */
export function retirePrices(queries: Queries, reading: Reading): Promise<number> {
  return store.deleteUnread(queries, reading)
}

type Identified = Pick<
  GivenPrice,
  'sku' | 'list' | 'customer' | 'unit' | 'currency' | 'minQuantity' | 'validFrom'
>

/** How people find the record in the ERP: `NWF-1001 · wholesale · CA USD from 10 · 2026-01-01`. */
export function recordKey(price: Identified): string {
  const list = price.customer === undefined ? price.list : contractList(price.customer)
  const from = Number.isSafeInteger(price.minQuantity) ? formatQuantity(price.minQuantity) : price.minQuantity
  return `${price.sku} · ${list} · ${price.unit} ${price.currency} from ${from} · ${price.validFrom}`
}

const identityKey = (record: PriceRecord): string => rowKey(comparable(record))

const rowKey = (row: store.PriceIdentity): string =>
  [row.itemId, row.list, row.unit, row.currency, row.minQuantity, row.validFrom].join('\0')

function comparable(record: PriceRecord): store.PriceRow {
  const { itemId, unit, currency, minQuantity, amountMinor, validFrom, validTo, list, customer } = record
  return {
    itemId,
    list: list ?? contractList(customer ?? ''),
    unit,
    currency,
    minQuantity,
    validFrom,
    validTo: validTo ?? null,
    amountMinor,
  }
}
