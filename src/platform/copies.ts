/** Our copies of what other systems own: how a newer reading of them changes what we hold. */
import { isDeepStrictEqual } from 'node:util'
import type { z } from 'zod'

/** Records of one company, read from the system that owns them; `asOf` is that system's own time of reading. */
export type Reading = { readonly company: string; readonly source: string; readonly asOf: Date }

/** A record that could not be taken; its neighbours were. */
export type Rejection = { readonly key: string; readonly code: string; readonly reason: string }

/** What became of the records of a reading. Superseded ones are older than what we hold, or repeated later on. */
export type Loaded = {
  readonly inserted: number
  readonly updated: number
  readonly unchanged: number
  readonly superseded: number
  readonly rejected: readonly Rejection[]
}

export type CheckedRecords<T> = {
  /** By key; of a key that comes twice the last record counts. */
  readonly records: ReadonlyMap<string, T>
  readonly repeated: number
  readonly rejected: readonly Rejection[]
}

export type RecordCheck<T, Input> = {
  readonly schema: z.ZodType<T, Input>
  readonly key: (record: T) => string
  /** How people find the record in the system that owns it; a bad record may not have one. */
  readonly label: (record: Input) => unknown
  /** The refusal code of a record that breaks the schema. */
  readonly code: string
}

/** Checks each record by itself, so that a bad one is listed with its reason and stops nobody. */
export function checkRecords<T, Input>(
  check: RecordCheck<T, Input>,
  records: readonly Input[],
): CheckedRecords<T> {
  const checked = new Map<string, T>()
  const rejected: Rejection[] = []
  for (const record of records) {
    const result = check.schema.safeParse(record)
    if (result.success) checked.set(check.key(result.data), result.data)
    else rejected.push({ key: labelOf(check, record), code: check.code, reason: firstIssue(result.error) })
  }
  const repeated = records.length - rejected.length - checked.size
  // In the order of their keys, so that two readings at once lock the same rows in the same order.
  const sorted = [...checked].sort(([a], [b]) => (a < b ? -1 : 1))
  return { records: new Map(sorted), repeated, rejected }
}

function labelOf<T, Input>({ label }: RecordCheck<T, Input>, record: Input): string {
  const text = label(record)
  return typeof text === 'string' ? text : '?'
}

function firstIssue(error: z.ZodError): string {
  const [issue] = error.issues
  const where = issue?.path.join('.')
  return where ? `${where}: ${issue?.message}` : (issue?.message ?? 'invalid')
}

/** What we hold of a record, in the same shape as a given one, so that the two can be compared. */
export type HeldCopy<T> = { readonly asOf: Date; readonly record: T }

export type Comparison<T> = {
  readonly inserted: readonly T[]
  readonly updated: readonly T[]
  readonly unchanged: readonly T[]
  readonly superseded: number
}

/** Sorts a reading by what it means for our copies. An older reading never changes a newer copy. */
export function compareCopies<T>(
  asOf: Date,
  given: ReadonlyMap<string, T>,
  held: ReadonlyMap<string, HeldCopy<T>>,
): Comparison<T> {
  const comparison = { inserted: [] as T[], updated: [] as T[], unchanged: [] as T[], superseded: 0 }
  for (const [key, record] of given) {
    const copy = held.get(key)
    if (!copy) comparison.inserted.push(record)
    else if (copy.asOf > asOf) comparison.superseded++
    else if (isDeepStrictEqual(copy.record, record)) comparison.unchanged.push(record)
    else comparison.updated.push(record)
  }
  return comparison
}
