/** Keeps what other systems have sold as claims on our stock: as much as there is, and never a unit twice. */
import { isDeepStrictEqual } from 'node:util'
import { checkRecords, type Loaded, type Reading } from '#platform/copies.ts'
import type { Transaction } from '#platform/database.ts'
import type { Quantity } from '#platform/quantity.ts'
import { type ExternalReservation, OpenOrderRecord } from '../contract/external.ts'
import { lockPositionsOf, stockKey, sumByPosition } from '../operations.ts'
import { type Place, sharedOut } from '../rules/external.ts'
import {
  type ExternalKey,
  lockExternal,
  lockShort,
  lockUnseen,
  removeExternal,
  writeExternal,
  writeGuards,
} from '../store/external.ts'
import { updateReserved } from '../store.ts'

export type ExternalTaken = Loaded & Touched
type CompanyPlace = Place & { readonly company: string }

export type Touched = {
  /** Where claims changed, or are still short of what is wanted. */
  readonly places: readonly CompanyPlace[]
  /** Items of which something is free that was claimed. */
  readonly freed: readonly number[]
}

type Row = Omit<ExternalReservation, 'since'>
type Turn = { readonly row: Row; readonly before: ExternalReservation | undefined }

/** What is kept back besides where a source sells by itself, until its sales are read. */
export type Guard = { readonly guard: Quantity }

/**
 * Takes lines of open orders as their source gives them. What changed earlier, or was read earlier at the same state,
 * never overwrites what is newer; the same reading again changes nothing. What cannot be claimed stays wanted.
 */
export async function takeExternal(
  tx: Transaction,
  reading: Reading,
  given: readonly OpenOrderRecord[],
  { guard }: Guard,
): Promise<ExternalTaken> {
  const { records, repeated, rejected } = checkRecords(
    {
      schema: OpenOrderRecord,
      key: externalKey,
      label: ({ document, line }) => `${document} · ${line}`,
      code: 'inventory.open_order_invalid',
    },
    given,
  )
  const held = await lockHeld(tx, reading, [...records.values()])
  const turns: Turn[] = []
  let [unchanged, superseded] = [0, 0]
  for (const [key, { reference = null, ...record }] of records) {
    const before = held.get(key)
    if (before && isNewer(before, record, reading)) {
      superseded++
      continue
    }
    const { company, source, asOf } = reading
    const row: Row = { ...record, reference, company, source, asOf, claimed: before?.claimed ?? 0 }
    if (before && isDeepStrictEqual(row, { ...without(before), asOf })) unchanged++
    turns.push({ row, before })
  }
  const touched = await claim(tx, turns)
  writeGuards(tx, touched.places, { ...reading, quantity: guard })
  const inserted = turns.filter(({ before }) => !before).length
  const updated = turns.length - inserted - unchanged
  return { ...touched, inserted, updated, unchanged, superseded: superseded + repeated, rejected }
}

const externalKey = ({ document, line }: ExternalKey): string => `${document}\0${line}`

const without = ({ since: _, ...row }: ExternalReservation): Row => row

const isNewer = (before: ExternalReservation, record: { changedAt: Date }, { asOf }: Reading): boolean =>
  before.changedAt > record.changedAt ||
  (before.changedAt.getTime() === record.changedAt.getTime() && before.asOf > asOf)

async function lockHeld(
  tx: Transaction,
  reading: Reading,
  records: readonly OpenOrderRecord[],
): Promise<ReadonlyMap<string, ExternalReservation>> {
  if (records.length === 0) return new Map()
  locking(
    tx,
    records.map((record) => ({ ...record, ...reading })),
  )
  const held = await lockExternal(tx, reading, records)
  return new Map(held.map((row) => [externalKey(row), row]))
}

const locking = (
  tx: Transaction,
  rows: readonly Pick<Row, 'company' | 'source' | 'document' | 'line'>[],
): void =>
  tx.locking(
    'external reservation',
    rows.map(({ company, source, ...key }) => `${company}\0${source}\0${externalKey(key)}`).toSorted(),
  )

/** Writes rows with what each can claim; those that were first read earlier come first. */
async function claim(tx: Transaction, turns: readonly Turn[]): Promise<Touched> {
  if (turns.length === 0) return { places: [], freed: [] }
  const sorted = turns.toSorted(
    (a, b) => (a.before?.since.getTime() ?? Infinity) - (b.before?.since.getTime() ?? Infinity) || 0,
  )
  const free = await lockPositionsOf(
    tx,
    sorted.flatMap(({ row, before }) => (before ? [row, before] : [row])),
  )
  const claims = sharedOut(
    sorted.map(({ row, before }) => ({ ...row, before })),
    free,
  )
  const rows = sorted.map(({ row }, at) => ({ ...row, claimed: claims[at]! }))
  const changes = sumByPosition([
    ...rows.map(({ claimed, ...place }) => ({ ...place, quantity: claimed })),
    ...sorted.flatMap(({ before }) => (before ? [{ ...before, quantity: -before.claimed }] : [])),
  ])
  updateReserved(
    tx,
    changes.filter(({ quantity }) => quantity !== 0),
  )
  writeExternal(tx, rows)
  const freed = changes.filter(({ quantity }) => quantity < 0).map(({ itemId }) => itemId)
  return { places: placesOf(sorted), freed: [...new Set(freed)] }
}

function placesOf(turns: readonly Turn[]): CompanyPlace[] {
  const all = turns.flatMap(({ row, before }) => (before ? [row, before] : [row]))
  const places = all.map(({ company, itemId, location }) => ({ company, itemId, location }))
  return [...new Map(places.map((place) => [stockKey(place.itemId, place.location), place])).values()]
}

const PORTION = 1_000

/** Ends those that a complete reading did not name any more; `more` where there may be others. */
export async function endUnseen(
  tx: Transaction,
  reading: Reading,
  { guard }: Guard,
): Promise<Touched & { readonly ended: number; readonly more: boolean }> {
  const gone = await lockUnseen(tx, reading, PORTION)
  locking(tx, gone)
  const turns = gone.map((before): Turn => ({ before, row: { ...without(before), wanted: 0 } }))
  const touched = await claim(tx, turns)
  if (gone.length > 0) removeExternal(tx, reading, gone)
  writeGuards(tx, touched.places, { ...reading, quantity: guard })
  return { ...touched, ended: gone.length, more: gone.length === PORTION }
}

/** Gives those that are short what has become free meanwhile; answers where any was. */
export async function fillExternal(tx: Transaction): Promise<Touched['places']> {
  const short = await lockShort(tx)
  locking(tx, short)
  return (
    await claim(
      tx,
      short.map((before): Turn => ({ before, row: without(before) })),
    )
  ).places
}
